"""Gauges of all partitions of events together: window KPIs, levels, targets. Each segment is served by the owner of its place alone.

Values beyond `LABEL_VALUES_MAX` are left out here, not added up as `other`: their segments have several owners, so nobody has the whole of
them. The topic of KPIs has each by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from processor.codec.partials import Place, place_of
from processor.config import Config
from processor.core.kpis import COMPLIANCE, DEFINITIONS, STATS, Definition, Kind, Measure, measures
from processor.core.rows import CONTACT_DIMENSIONS, TICKET_DIMENSIONS
from processor.core.settings import DIMENSIONS
from processor.core.windows import WINDOWS
from processor.export.family import PREFIX
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
LEVELS = {"backlog": TICKET_DIMENSIONS, "awaiting": TICKET_DIMENSIONS, "contacts_waiting": CONTACT_DIMENSIONS}  # of which segments
LEVEL_OF_ALL = "overdue"  # of the total


def family_of(definition: Definition) -> str:
    """The family that serves a duration or a ratio."""
    if definition.kind is Kind.DURATION:
        return f"{PREFIX}window_{definition.name}_seconds"
    return f"{PREFIX}window_{COMPLIANCE if definition.clock else definition.name}_ratio"


class KpiGauges:
    """Turns views of the KPI stage into samples. One per process."""

    def __init__(self, config: Config, known: Known) -> None:
        self._served = {known.group_bys[index] for index in known.window_group_bys}
        self._targets = list(_targets(config))
        # A window's numbers change once a minute, levels every second: so the former are kept, for the segments they were made from.
        self._made: dict[int, tuple[Mapping[Place, Merged], dict[Place, Samples]]] = {}

    def samples(self, views: Sequence[KpiView], folding: Folding) -> Samples:
        """All samples of the KPI partitions owned now, by family."""
        found: Samples = {}
        for view in sorted(views, key=lambda view: view.kpi_partition):
            label = (str(view.kpi_partition),)
            _extend(found, {END: [(label, view.end // 1000)], COMPLETE: [(label, int(view.complete))]})
            _extend(found, {TARGET: [(labels, number) for owner, labels, number in self._targets if owner == view.kpi_partition]})
            for place, samples in self._windows(view).items():
                if _by_name(place, folding):
                    _extend(found, samples)
            for place in sorted(view.segments.keys() | view.levels.keys()):
                if place[0] in self._served and _by_name(place, folding):
                    levels = {**dict.fromkeys(_levels(place[0]), 0), **view.levels.get(place, {})}
                    _extend(found, {LEVEL: [((name, *_labels(place)), number) for name, number in levels.items()]})
        self._made = {view.kpi_partition: self._made[view.kpi_partition] for view in views}
        return found

    def _windows(self, view: KpiView) -> dict[Place, Samples]:
        made = self._made.get(view.kpi_partition)
        if made is None or made[0] is not view.segments:
            places = sorted(place for place in view.segments if place[0] in self._served)
            made = self._made[view.kpi_partition] = view.segments, {place: _of_segment(place, view.segments[place]) for place in places}
        return made[1]


def _of_segment(place: Place, merged: Merged) -> Samples:
    found: Samples = {}
    labels = _labels(place)
    for window in WINDOWS:
        for name, measure in measures(place[0], merged.windows.get(window, {}), merged.backlog).items():
            definition = DEFINITIONS[name]
            if definition.kind in (Kind.DURATION, Kind.RATIO):
                found.setdefault(OBSERVATIONS, []).append(((name, window, *labels), measure.n))
                found.setdefault(family_of(definition), []).extend(_values(definition, measure, (window, *labels)))
    return found


def _values(definition: Definition, measure: Measure, labels: LabelSet) -> Iterator[tuple[LabelSet, Number]]:
    """No sample where nothing was observed; the number of observations says so."""
    if definition.kind is Kind.DURATION:
        yield from (((stat, *labels), value) for stat, value in measure.stats().items())
    elif measure.value is not None:
        yield (definition.clock, *labels) if definition.clock else labels, measure.value


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


def _targets(config: Config) -> Iterator[tuple[int, LabelSet, Number]]:
    """The KPI partition of the segment, labels, number."""
    for target in config.kpis.targets:
        names = next(tuple(each) for each in config.segments.group_bys if set(each) == set(target.dimensions))
        place = names, tuple(target.dimensions[name] for name in names)
        labels = target.kpi, target.stat_shown, target.direction, *_labels(place)
        yield place_of(*place, config.topics.kpi_partitions), labels, target.number


def samples_max(config: Config) -> int:
    """Samples of a worker that owns every KPI partition, if every known value occurs."""
    known = config.segments.known
    total = len(config.kpis.targets) + 2 * config.topics.kpi_partitions
    for group_by in config.segments.windows:
        segments = 1
        for name in group_by:
            segments *= len(getattr(known, name)) + 1
        kinds = [definition.kind for definition in DEFINITIONS.values() if definition.applies_to(group_by)]
        values = kinds.count(Kind.DURATION) * (len(STATS) + 1) + kinds.count(Kind.RATIO) * 2
        total += segments * (len(WINDOWS) * values + len(_levels(tuple(group_by))))
    return total
