"""From the views of engines to the values of families, label set by label set. Pure; durations become seconds here.

A `Table` holds one family's samples of one moment. Counters and gauges have numbers, histograms have (counts per bucket, sum in seconds);
the counts are not cumulative yet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from processor.core.dimensions import AGENT_GROUP_BY
from processor.core.events import CONTACT, TICKET
from processor.core.histogram import BUCKETS, THOUSANDTHS
from processor.core.kpi_counts import ENTERED_REASONS, LEFT_REASONS
from processor.core.levels import CUSTOMERS, CUSTOMERS_COUNTED
from processor.core.outputs import View
from processor.core.posting import HISTOGRAMS, NUMBERS
from processor.core.rows import Row
from processor.core.settings import MINUTE_MS
from processor.export.catalogue import (
    AGE_BANDS_MS,
    AGE_OVER,
    FAMILIES,
    HORIZONS_MS,
    OF_NO_PARTITION,
)
from processor.export.cells import ADDED_UP, SLA, Cells
from processor.export.family import Family
from processor.export.kpi_gauges import Number, Samples
from processor.export.labels import Folding, Known, LabelSet
from processor.export.telemetry import Telemetry
from processor.export.window_tables import window_tables

Observed = tuple[list[int], float]
NEVER_SECONDS = float("inf")
_OLDEST = {"created_oldest": "created", "awaiting_oldest": "awaiting", "queued_oldest": "queued"}


class Table(NamedTuple):
    """One family and its samples."""

    family: Family
    numbers: list[tuple[LabelSet, Number]]
    histograms: list[tuple[LabelSet, Observed]]


def tables(
    views: Iterable[View], telemetry: Telemetry | None, known: Known, folding: Folding, kpis: Samples,
    families: Collection[Family] = FAMILIES,
) -> Iterator[Table]:
    """All families of the catalogue, in its order, as they are served; or only some of them."""
    views = list(views)
    cells = [Cells(view, known, folding) for view in views]
    wanted = {family.key for family in families if family.source == "window"}
    windows = window_tables(cells, known.group_bys, known.window_group_bys, wanted)
    for family in families:
        if family.source == "kpi":
            yield Table(family, kpis.get(family.name, []), [])
        elif family.source == "calendar":
            yield Table(family, _open_calendars(views, known), [])
        elif family.source == "labels":
            yield Table(family, [*folding.folded()], [])
        else:
            yield _table(family, cells, telemetry, windows)


def raw_tables(views: Iterable[View], group_bys: Sequence[LabelSet]) -> Iterator[Table]:
    """All families of the partitions, with every label value as it is, every group-by in the windows, and nothing pre-created."""
    cells = [Cells(view, None, None) for view in views]
    windows = window_tables(cells, group_bys, frozenset(index for index, names in enumerate(group_bys) if names != AGENT_GROUP_BY))
    for family in FAMILIES:
        if family.source != "process" and family.source not in OF_NO_PARTITION:
            yield _table(family, cells, None, windows)


def tables_of(families: Iterable[Family], views: Iterable[View], telemetry: Telemetry | None) -> list[Table]:
    """Some families alone, with every label value as it is and nothing pre-created: none of windows and of the KPI stage."""
    cells = [Cells(view, None, None) for view in views]
    return [_table(family, cells, telemetry, {}) for family in families if family.source not in ("window", "kpi")]


def _table(family: Family, cells: list[Cells], telemetry: Telemetry | None, windows: dict[str, list[tuple[LabelSet, Number]]]) -> Table:
    if family.source == "process":
        return _process_table(family, telemetry)
    if family.kind == "histogram":
        read = _numbers if family.edges else _histogram
        return Table(family, [], [sample for each in cells for sample in read(family, each)])
    if family.source == "window":
        return Table(family, windows[family.key], [])
    reader = _READERS[family.source]
    return Table(family, [sample for each in cells for sample in reader(family, each)], [])


# -- cells ------------------------------------------------------------------------------------------------------------------------


def _of_cells(family: Family, cells: Cells) -> Iterator[tuple[LabelSet, Number]]:
    suffix = "-" if family.retracted else ""
    partition = cells.partition
    rows = cells.cells[family.source]
    if family.source == SLA:
        for labels, row in rows.items():
            yield labels + partition, row.get(f"{family.key}:{labels[0]}{suffix}", 0)
    elif family.by:
        for labels, row in rows.items():
            for value, key in _values_of(family, row, suffix):
                yield (*labels, value, *partition), _scaled(row.get(key, 0), family)
    else:
        key = family.key + suffix
        for labels, row in rows.items():
            yield labels + partition, _scaled(row.get(key, 0), family)


def _values_of(family: Family, row: Row, suffix: str) -> list[tuple[str, str]]:
    """Values of the label `by` with their keys: the closed set, or those that have occurred."""
    if family.values:
        return [(value, f"{family.key}:{value}{suffix}") for value in family.values]
    head = f"{family.key}:"
    values = dict.fromkeys(key.removeprefix(head).removesuffix("-") for key in sorted(row) if key.startswith(head))
    return [(value, f"{head}{value}{suffix}") for value in values]


def _scaled(amount: int, family: Family) -> Number:
    return amount if family.scale == 1 else amount / family.scale


def _histogram(family: Family, cells: Cells) -> Iterator[tuple[LabelSet, Observed]]:
    suffix = "-" if family.retracted else ""
    keys = HISTOGRAMS[family.key]
    buckets, total = [key + suffix for key in keys.buckets], keys.sum + suffix
    hidden = cells.known is not None and not cells.known.business and family.key == "first_response_business"
    rows = cells.by_channel_and_group if family.source == TICKET else cells.cells[family.source]
    for labels, row in rows.items():
        if total in row:
            yield labels + cells.partition, ([row.get(key, 0) for key in buckets], row[total] / 1000)
        elif cells.known is not None and not hidden:
            yield labels + cells.partition, ([0] * BUCKETS, 0.0)


def _numbers(family: Family, cells: Cells) -> Iterator[tuple[LabelSet, Observed]]:
    """A histogram of whole numbers, of which rows know each; served by the edges of the family."""
    suffix = "-" if family.retracted else ""
    keys = NUMBERS[family.key]
    for labels, row in cells.cells[family.source].items():
        counts = [0] * (len(family.edges) + 1)
        for number, key in enumerate(keys.buckets, start=keys.lowest):
            count = row.get(key + suffix, 0)
            if count:
                counts[bisect_left(family.edges, number)] += count
        if cells.known is not None or any(counts):
            yield labels + cells.partition, (counts, row.get(keys.sum + suffix, 0) / THOUSANDTHS)


# -- levels and what follows from them --------------------------------------------------------------------------------------------


def _of_levels(family: Family, cells: Cells) -> Iterator[tuple[LabelSet, Number]]:
    return ((labels + cells.partition, count) for labels, count in cells.levels[family.key].items())


def _derived(family: Family, cells: Cells) -> Iterator[tuple[LabelSet, Number]]:
    partition, view, key = cells.partition, cells.view, family.key
    if key in _OLDEST:
        yield partition, _seconds(min(cells.minutes[_OLDEST[key]][()], default=None))
    elif key == "created":
        yield from (((band, *partition), count) for band, count in _ages(cells).items())
    elif key == "due":
        for (clock,), minutes in cells.minutes["due"].items():
            for horizon, length in HORIZONS_MS.items():
                last = (view.timer_time + length) // MINUTE_MS
                yield (clock, horizon, *partition), sum(count for minute, count in minutes.items() if minute <= last)
    elif key == "warned":
        last = view.timer_time // MINUTE_MS
        for labels, minutes in cells.minutes["warning"].items():
            yield (*labels, *partition), sum(count for minute, count in minutes.items() if minute <= last)
    elif key == "next_due":
        yield from (((*labels, *partition), _seconds(min(minutes, default=None))) for labels, minutes in cells.minutes["due"].items())
    else:
        yield partition, _PLAIN[key](cells)


def _seconds(minute: int | None) -> Number:
    return NEVER_SECONDS if minute is None else minute * 60


def _ages(cells: Cells) -> dict[str, int]:
    bands = dict.fromkeys((*AGE_BANDS_MS, AGE_OVER), 0)
    now = cells.view.timer_time // MINUTE_MS * MINUTE_MS
    for minute, count in cells.minutes["created"][()].items():
        age = now - minute * MINUTE_MS
        bands[next((band for band, end in AGE_BANDS_MS.items() if age < end), AGE_OVER)] += count
    return bands


def _identity_error(cells: Cells) -> int:
    keys = [(f"backlog_entered:{reason}", 1) for reason in ENTERED_REASONS] + [(f"backlog_left:{reason}", -1) for reason in LEFT_REASONS]
    net = sum(sign * (row.get(key, 0) - row.get(f"{key}-", 0)) for row in cells.cells[TICKET].values() if row for key, sign in keys)
    return abs(sum(cells.levels["backlog"].values()) - net)


def _stock(level: str) -> Callable[[Cells], int]:
    return lambda cells: sum(key[1] * count for key, count in cells.view.levels.items() if key[0] == level)


def _open_calendars(views: Sequence[View], known: Known) -> list[tuple[LabelSet, Number]]:
    """At the newest timer time. Partitions that never had an event are at 0; where all are, nobody knows what time it is."""
    now = max((view.timer_time for view in views), default=0)
    return [((name,), int(calendar.is_open(now))) for name, calendar in sorted(known.calendars.items())] if now else []


_PLAIN: dict[str, Callable[[Cells], Number]] = {
    "identity_error": _identity_error,
    "customers": _stock(CUSTOMERS),
    "customers_counted": _stock(CUSTOMERS_COUNTED),
    "window_end": lambda cells: cells.view.window_end // 1000,
    "stream_time": lambda cells: cells.view.stream_time / 1000,
    "timer_time": lambda cells: cells.view.timer_time / 1000,
    "ledger_facts": lambda cells: cells.view.ledger_count,
}


# -- the process ------------------------------------------------------------------------------------------------------------------


def consumed(counts: dict[str, int]) -> int:
    """Records read: each is counted under exactly one of these."""
    plain = sum(counts.get(key, 0) for key in ("accepted", "duplicates", "control", "skipped"))
    return plain + sum(count for key, count in counts.items() if key.startswith("rejected:"))


def _of_counts(family: Family, cells: Cells) -> Iterator[tuple[LabelSet, Number]]:
    counts = cells.view.counts
    if not family.key:
        yield cells.partition, consumed(counts)
    elif family.by:
        yield from (((value, *cells.partition), counts.get(f"{family.key}:{value}", 0)) for value in family.values)
    else:
        yield cells.partition, counts.get(family.key, 0)


def _process_table(family: Family, telemetry: Telemetry | None) -> Table:
    if telemetry is None:
        return Table(family, [], [])
    if family.kind == "histogram":
        observations = telemetry.histograms[family.key]
        return Table(family, [], [((), (list(observations.counts), observations.sum))])
    if family.kind == "counter" and family.key not in telemetry.values:
        return Table(family, [((), telemetry.totals[family.key])], [])
    return Table(family, sorted(telemetry.values[family.key].items()), [])


_READERS: dict[str, Callable[[Family, Cells], Iterator[tuple[LabelSet, Number]]]] = {
    TICKET: _of_cells,
    CONTACT: _of_cells,
    SLA: _of_cells,
    **dict.fromkeys(ADDED_UP, _of_cells),
    "level": _of_levels,
    "derived": _derived,
    "counts": _of_counts,
}
