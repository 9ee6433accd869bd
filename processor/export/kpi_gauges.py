"""Gauges of all partitions of events together: window KPIs, levels, targets. Each segment is served by the owner of its place alone.

Values beyond `LABEL_VALUES_MAX` are left out here, not added up as `other`: their segments have several owners, so nobody has the whole of
them. The topic of KPIs has each by its name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from processor.calendar_tables import compile_midnights
from processor.codec.partials import Place
from processor.compile import compile_rules
from processor.config import Config
from processor.core.dimensions import CONTACT_DIMENSIONS, ENTITY_DIMENSIONS, TICKET_DIMENSIONS
from processor.core.events import AGENT
from processor.core.kpis import COST_PER_TICKET, DEFINITIONS, STATS, Definition, Kind, Measure, definition_of, observed
from processor.core.rows import Row
from processor.core.settings import CLOCKS, DIMENSIONS, MINUTE_MS
from processor.core.windows import WINDOWS, bounds_of
from processor.export.family import PREFIX
from processor.export.goals import Goal, goals
from processor.export.kpi_families import family_of, gauged
from processor.export.kpi_view import KpiView, Merged
from processor.export.labels import OTHER, Folding, Known, LabelSet

Number = int | float
Samples = dict[str, list[tuple[LabelSet, Number]]]  # by family
TOTAL = "total"  # value of the label `by` for the group-by without dimensions
OBSERVATIONS = f"{PREFIX}window_kpi_observations"
COMPLETE = f"{PREFIX}window_complete"
END = f"{PREFIX}kpi_end_timestamp_seconds"
LEVEL = f"{PREFIX}kpi_level"
TARGET = f"{PREFIX}kpi_target"
PROGRESS = f"{PREFIX}kpi_goal_progress_ratio"
MIN_OBSERVATIONS = f"{PREFIX}kpi_min_observations"
LEVELS = {  # of which segments
    "backlog": TICKET_DIMENSIONS,
    "awaiting": TICKET_DIMENSIONS,
    "contacts_waiting": CONTACT_DIMENSIONS,
    "agents_online": ENTITY_DIMENSIONS[AGENT],
}
MINUTE_SECONDS = 60
MEASURED_MAX = 20_000  # remembered windows of segments
WINDOW = f"{PREFIX}window_"
_NOTHING = Measure(None, 0)
_SPREAD = (Kind.DURATION, Kind.NUMBER)
LEVEL_OF_ALL = "overdue"  # of the total


class KpiGauges:
    """Turns views of the KPI stage into samples. One per process.

    `families` are the names of those that are wanted, None = all; `windows` those of which their KPIs are.
    """

    def __init__(
        self, config: Config, known: Known, families: Collection[str] | None = None, windows: Collection[str] = tuple(WINDOWS)
    ) -> None:
        self._families, self._window_names = families, [window for window in WINDOWS if window in windows]
        self._served = {known.group_bys[index] for index in known.window_group_bys}
        self._goals = list(goals(config))
        self._rules = compile_rules(config)
        self._midnights = compile_midnights(config.reporting_zone)
        # A window's numbers change once a minute, levels every second: so the former are kept, for the segments they were made from.
        self._made: dict[int, tuple[Mapping[Place, Merged], dict[Place, Samples]]] = {}
        self._reached: dict[int, tuple[Mapping[Place, Merged], list[tuple[LabelSet, Number]]]] = {}
        # Long windows change every quarter of an hour, and at night none does. By segment and window: what its KPIs were made from.
        self._measured: dict[tuple[Place, str], tuple[tuple[Row, int, int], dict[str, Measure]]] = {}
        self._shown: dict[Place, tuple[dict[str, dict[str, Measure]], Samples]] = {}  # by segment: those KPIs, as samples

    def samples(self, views: Sequence[KpiView], folding: Folding) -> Samples:
        """All samples of the KPI partitions owned now, by family."""
        found: Samples = {MIN_OBSERVATIONS: [((), self._rules.min_n)]} if views else {}
        for view in sorted(views, key=lambda view: view.kpi_partition):
            label = (str(view.kpi_partition),)
            _extend(found, {END: [(label, view.end // 1000)], COMPLETE: [(label, int(view.complete))]})
            _extend(found, {TARGET: [_target(goal) for goal in self._goals if goal.owner == view.kpi_partition]})
            if self._wants(PROGRESS):
                _extend(found, {PROGRESS: self._progress(view)})
            for place, samples in self._windows(view).items() if self._wants_windows else ():
                if _by_name(place, folding):
                    _extend(found, samples)
            for place in sorted(view.segments.keys() | view.levels.keys()):
                if place[0] in self._served and _by_name(place, folding):
                    levels = {**dict.fromkeys(_levels(place[0]), 0), **view.levels.get(place, {})}
                    _extend(found, {LEVEL: [((name, *_labels(place)), number) for name, number in levels.items()]})
        owned = {view.kpi_partition for view in views}
        self._made = {number: made for number, made in self._made.items() if number in owned}
        self._reached = {number: reached for number, reached in self._reached.items() if number in owned}
        if len(self._measured) > MEASURED_MAX:
            self._measured.clear()
            self._shown.clear()
        return found

    def _wants(self, family: str) -> bool:
        return self._families is None or family in self._families

    @property
    def _wants_windows(self) -> bool:
        return self._families is None or any(name.startswith(WINDOW) for name in self._families)

    def _progress(self, view: KpiView) -> list[tuple[LabelSet, Number]]:
        """Of the goals whose segments this partition owns."""
        made = self._reached.get(view.kpi_partition)
        if made is None or made[0] is not view.segments:
            samples = [sample for goal in self._goals if goal.owner == view.kpi_partition for sample in self._of_goal(goal, view)]
            made = self._reached[view.kpi_partition] = view.segments, samples
        return made[1]

    def _of_goal(self, goal: Goal, view: KpiView) -> Iterator[tuple[LabelSet, Number]]:
        merged = view.segments.get(goal.place)
        for window, kpis in () if merged is None else self._observed(goal.place, merged, view.end):
            reached = goal.progress(kpis.get(goal.target.kpi), self._rules.min_n)
            if reached is not None:
                yield (goal.name, goal.target.kpi, window, *_labels(goal.place)), reached

    def _observed(self, place: Place, merged: Merged, end: int) -> Iterator[tuple[str, dict[str, Measure]]]:
        """Every KPI of a segment, window by window."""
        for window in self._window_names:
            start, until = bounds_of(window, end // MINUTE_MS, self._midnights)
            made_from = merged.windows.get(window, {}), merged.backlog, (until - start) * MINUTE_SECONDS
            measured = self._measured.get((place, window))
            if measured is None or measured[0] != made_from:
                measured = self._measured[place, window] = made_from, observed(place[0], *made_from, self._rules)
            yield window, measured[1]

    def _windows(self, view: KpiView) -> dict[Place, Samples]:
        made = self._made.get(view.kpi_partition)
        if made is None or made[0] is not view.segments:
            places = sorted(place for place in view.segments if place[0] in self._served)
            made = self._made[view.kpi_partition] = (
                view.segments, {place: self._of_segment(place, view.segments[place], view.end) for place in places}
            )  # fmt: skip
        return made[1]

    def _of_segment(self, place: Place, merged: Merged, end: int) -> Samples:
        """Made anew only where a KPI of one of the windows was."""
        by_window = dict(self._observed(place, merged, end))
        shown = self._shown.get(place)
        if shown is None or any(kpis is not shown[0].get(window) for window, kpis in by_window.items()):
            shown = self._shown[place] = by_window, self._samples_of(place, by_window)
        return shown[1]

    def _samples_of(self, place: Place, by_window: Mapping[str, Mapping[str, Measure]]) -> Samples:
        """What one window of a segment has observed, the others have too, as 0 observations."""
        found: Samples = {OBSERVATIONS: []}
        labels = _labels(place)
        names = dict.fromkeys(name for kpis in by_window.values() for name in kpis)
        shown = [definition for name in names if (definition := definition_of(name)) is not None and gauged(definition)]
        if self._families is not None and OBSERVATIONS not in self._families:
            shown = [definition for definition in shown if family_of(definition) in self._families]
        for window, kpis in by_window.items():
            for definition in shown:
                measure = kpis.get(definition.name, _NOTHING)
                found[OBSERVATIONS].append(((definition.name, window, *labels), measure.n))
                found.setdefault(family_of(definition), []).extend(_values(definition, measure, (window, *labels)))
        return found


def _values(definition: Definition, measure: Measure, labels: LabelSet) -> Iterator[tuple[LabelSet, Number]]:
    """No sample where nothing was observed; the number of observations says so."""
    if definition.kind in _SPREAD:
        yield from (((stat, *labels), value) for stat, value in measure.stats().items())
    elif measure.value is not None:
        before = definition.clock or (definition.unit if definition.name.startswith(COST_PER_TICKET) else "")
        yield (before, *labels) if before else labels, measure.value


def _labels(place: Place) -> LabelSet:
    shown = dict(zip(*place, strict=True))
    return ("_".join(place[0]) or TOTAL, *(shown.get(name, "") for name in DIMENSIONS))


def _levels(names: LabelSet) -> list[str]:
    """What a segment by these dimensions can have: served as 0, since a level that goes away looks like a broken one."""
    return [*(name for name, dimensions in LEVELS.items() if dimensions.issuperset(names)), *([] if names else [LEVEL_OF_ALL])]


def _by_name(place: Place, folding: Folding) -> bool:
    names, values = place
    return folding.fold(names, values) == values or OTHER in values


def _extend(found: Samples, more: Samples) -> None:
    for family, samples in more.items():
        found.setdefault(family, []).extend(samples)


def _target(goal: Goal) -> tuple[LabelSet, Number]:
    target = goal.target
    return (target.kpi, target.stat_shown, target.direction, *_labels(goal.place)), target.number


def samples_max(config: Config) -> int:
    """Samples of a worker that owns every KPI partition, if every known value occurs."""
    known = config.segments.known
    total = len(config.kpis.targets) * (1 + len(WINDOWS)) + 2 * config.topics.kpi_partitions + 1
    absent = {clock for clock in CLOCKS if all(getattr(policy.targets, clock) is None for policy in config.policies)}
    served = [definition for definition in DEFINITIONS.values() if gauged(definition) and definition.clock not in absent]
    for group_by in config.segments.windows:
        segments = 1
        for name in group_by:
            segments *= len(getattr(known, name)) + 1
        values = sum(len(STATS) + 1 if each.kind in _SPREAD else 2 for each in served if each.applies_to(group_by))
        total += segments * (len(WINDOWS) * values + len(_levels(tuple(group_by))))
    return total
