"""A recorded log as Prometheus would have scraped it, had nothing ever come late: one sample per minute of event time and series.

`promtool tsdb create-blocks-from openmetrics` loads the text into a Prometheus, for boards and rules over the past. A counter or histogram
at minute W is the sum of the net facts before W, so there are no `_retracted` twins; the windows are those that end at W, by the same code
that a worker runs. Partitions are added up: the series have no `partition`. Whether a calendar was open is in it, too: alerts rest by that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from processor.config import Config
from processor.core.business_hours import Calendar
from processor.core.events import CONTACT, PERSON, TICKET
from processor.core.outputs import Stated, View
from processor.core.rows import CellKey, Rows
from processor.core.settings import MINUTE_MS, Settings
from processor.core.windows import Windows
from processor.export.catalogue import FAMILIES
from processor.export.cells import ADDED_UP, SLA
from processor.export.collector import bucket_edges, go_float, label_text
from processor.export.family import Family
from processor.export.labels import LabelSet
from processor.export.measures import raw_tables

SAMPLES_MAX = 20_000_000  # some 150 bytes each; more is refused, with what to leave out
HOURS_MAX = 24 * 31
OPENED = "support_calendar_open"
FAMILIES_SHOWN = tuple(
    family for family in FAMILIES if family.source in (TICKET, CONTACT, SLA, *ADDED_UP, "window", "calendar") and not family.retracted
)  # the catalogue's order, in which they are written

_TOGETHER = frozenset({TICKET, PERSON})  # the answers of persons are served beside those of tickets
_APART = frozenset({CONTACT, SLA})  # served by all the labels that they have

Value = Any  # a number, or of a histogram (counts per bucket, sum)
Changes = list[tuple[int, Value]]  # (minute from which on it holds, value), ascending


class OpenMetricsError(Exception):
    """The log cannot be written so; the message says what to do."""


def known_families(names: Iterable[str]) -> list[Family]:
    """The families of these names, or all; OpenMetricsError names what there is."""
    wanted = set(names)
    known = {family.name: family for family in FAMILIES_SHOWN}
    if unknown := sorted(wanted - known.keys()):
        raise OpenMetricsError(f"no such family: {', '.join(unknown)}. There are {', '.join(known)}")
    return [family for family in FAMILIES_SHOWN if not wanted or family.name in wanted]


def write(
    facts: Iterable[Stated], config: Config, settings: Settings, *, until: int, hours: int, families: Sequence[Family] = FAMILIES_SHOWN
) -> Iterator[bytes]:
    """The text, of the last so many hours before `until` (ms). `facts` are net and in the order of their instants."""
    ordered = list(facts)
    last = until // MINUTE_MS
    first = max(ordered[0].fact.at // MINUTE_MS if ordered else last, last - hours * 60)
    series: dict[str, dict[LabelSet, Changes]] = {family.name: {} for family in families}
    names = series.keys()
    for minute, view in minutes(ordered, settings, first, last, served=_served(config)):
        for table in raw_tables([view], settings.group_bys):
            if table.family.name in names:
                _note(series[table.family.name], table.numbers or table.histograms, minute, whole=table.family.source == "window")
    if OPENED in names and ordered:
        series[OPENED] = {(name,): _openings(calendar, first, last) for name, calendar in settings.calendars.items()}
    samples = (last - first + 1) * sum(len(series[family.name]) * _samples_each(family) for family in families)
    if samples > SAMPLES_MAX:
        raise OpenMetricsError(f"these are {samples:,} samples, more than {SAMPLES_MAX:,}: take fewer hours, or some of the families")
    for family in families:
        yield _header(family)
        for labels, changes in sorted(series[family.name].items()):
            yield "".join(_lines(family, labels, changes, first, last)).encode()
    yield b"# EOF\n"


def minutes(
    facts: Iterable[Stated], settings: Settings, first: int, last: int, *, served: Collection[int] | None = None
) -> Iterator[tuple[int, View]]:
    """For each full minute W (in minutes) the windows that end there, and the cells that have changed, of the facts before W.

    A view is of its moment: it must be used before the next one is asked for. `served` are the group-bys whose windows are wanted.
    """
    rows = Rows(settings)
    windows = Windows(rows, settings)
    remaining = iter(facts)
    fact = next(remaining, None)
    for minute in range(first, last + 1):
        while fact is not None and fact.fact.at < minute * MINUTE_MS:
            rows.post(fact.entity, fact.fact, 1)
            fact = next(remaining, None)
        rows.age(minute * MINUTE_MS)
        windows.advance(minute * MINUTE_MS)
        yield minute, _view(rows, windows, minute, served)
        rows.take_dirty_rows()


def _openings(calendar: Calendar, first: int, last: int) -> Changes:
    changes: Changes = []
    for minute in range(first, last + 1):
        value = int(calendar.is_open(minute * MINUTE_MS))
        if not changes or changes[-1][1] != value:
            changes.append((minute, value))
    return changes


def _view(rows: Rows, windows: Windows, minute: int, served: Collection[int] | None) -> View:
    at = minute * MINUTE_MS
    wanted = [number for number, (group_by, _) in enumerate(rows.segments) if served is None or group_by in served]
    sums = {
        name: {rows.segments[number]: window.sums[number] for number in wanted if window.sums.get(number)}
        for name, window in windows.windows.items()
    }
    return View(0, at, at, 0, 0, _changed(rows), {}, sums, at, {}, 0, 0)


def _changed(rows: Rows) -> dict[CellKey, dict[str, int]]:
    """The cells that have changed, and all that are added up with them."""
    changed = {key for key, _ in rows.take_unwritten_cells()}
    kinds = {key[0] for key in changed}
    if kinds & _TOGETHER:
        kinds |= _TOGETHER
    return {key: cell for key, cell in rows.cells.items() if key in changed or (key[0] in kinds and key[0] not in _APART)}


def _served(config: Config) -> frozenset[int]:
    return frozenset(config.segments.group_bys.index(group_by) for group_by in config.segments.windows)


def _note(series: dict[LabelSet, Changes], values: Iterable[tuple[LabelSet, Value]], minute: int, *, whole: bool) -> None:
    """Keep what is different from the minute before. `whole`: what is not among the values is 0 now."""
    present = dict(values)
    for labels, value in present.items():
        changes = series.get(labels)
        if changes is None:
            series[labels] = [(minute, value)]
        elif changes[-1][1] != value:
            changes.append((minute, value))
    if whole:
        for labels, changes in series.items():
            if labels not in present and changes[-1][1]:
                changes.append((minute, 0))


# -- text -------------------------------------------------------------------------------------------------------------------------


def _samples_each(family: Family) -> int:
    return len(bucket_edges(family)) + 2 if family.kind == "histogram" else 1


def _header(family: Family) -> bytes:
    told = family.help.partition(" Gross: ")[0].replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return f"# HELP {family.base_name} {told}\n# TYPE {family.base_name} {family.kind}\n".encode()


def _lines(family: Family, labels: LabelSet, changes: Changes, first: int, last: int) -> Iterator[str]:
    """A series: a sample at each minute from the first to the last, 0 before its first value."""
    names, values = (family.labels, labels[:-1]) if family.per_partition else (family.labels, labels)
    begun = prefixes(family, names, values)
    held: Value = ([0] * len(bucket_edges(family)), 0.0) if family.kind == "histogram" else 0
    begin = first
    for minute, value in [*changes, (last + 1, None)]:
        written = texts(family, held)
        for each in range(begin, minute):
            yield from (f"{prefix}{text} {each * 60}\n" for prefix, text in zip(begun, written, strict=True))
        begin, held = minute, value


def prefixes(family: Family, names: LabelSet, values: LabelSet) -> list[str]:
    """The beginnings of the lines of a series: up to where the value comes."""

    def prefix(name: str, *more: str) -> str:
        text = label_text(names, values, *more)
        return f"{name}{{{text}}} " if text else f"{name} "

    if family.kind != "histogram":
        return [prefix(family.name)]
    buckets = [prefix(f"{family.name}_bucket", f'le="{edge}"') for edge in bucket_edges(family)]
    return [*buckets, prefix(f"{family.name}_sum"), prefix(f"{family.name}_count")]


def texts(family: Family, value: Value) -> list[str]:
    """The values behind `prefixes`."""
    if family.kind != "histogram":
        return [str(value) if type(value) is int else go_float(value)]
    counts, total = value
    cumulative = list(accumulate(counts))
    return [*map(str, cumulative), go_float(total), str(cumulative[-1])]
