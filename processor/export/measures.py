"""From the views of engines to the values of families, label set by label set. Pure; durations become seconds here.

A `Table` holds one family's samples of one moment. Counters and gauges have numbers, histograms have (counts per bucket, sum in seconds);
the counts are not cumulative yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from processor.core.events import CONTACT, TICKET
from processor.core.histogram import BUCKETS
from processor.core.outputs import View
from processor.core.postings import HISTOGRAMS
from processor.core.rows import Row
from processor.core.settings import DIMENSIONS, MINUTE_MS
from processor.export.catalogue import (
    AGE_BANDS_MS,
    AGE_OVER,
    ENTERED_REASONS,
    FAMILIES,
    HORIZONS_MS,
    LEFT_REASONS,
    SLA_VERBS,
    WINDOW_KPIS,
)
from processor.export.cells import SLA, Cells, merge_row
from processor.export.family import Family
from processor.export.kpi_gauges import TOTAL, Number, Samples
from processor.export.labels import Folding, Known, LabelSet
from processor.export.telemetry import Telemetry

Observed = tuple[list[int], float]
NEVER_SECONDS = float("inf")
_OLDEST = {"created_oldest": "created", "awaiting_oldest": "awaiting", "queued_oldest": "queued"}


class Table(NamedTuple):
    """One family and its samples."""

    family: Family
    numbers: list[tuple[LabelSet, Number]]
    histograms: list[tuple[LabelSet, Observed]]


def tables(views: Iterable[View], telemetry: Telemetry | None, known: Known, folding: Folding, kpis: Samples) -> Iterator[Table]:
    """All families of the catalogue, in its order, as they are served."""
    cells = [Cells(view, known, folding) for view in views]
    windows = _window_tables(cells, known.group_bys, known.window_group_bys)
    for family in FAMILIES:
        if family.source == "kpi":
            yield Table(family, kpis.get(family.name, []), [])
        else:
            yield _table(family, cells, telemetry, windows)


def raw_tables(views: Iterable[View], group_bys: Sequence[LabelSet]) -> Iterator[Table]:
    """All families of the partitions, with every label value as it is, every group-by in the windows, and nothing pre-created."""
    cells = [Cells(view, None, None) for view in views]
    windows = _window_tables(cells, group_bys, frozenset(range(len(group_bys))))
    for family in FAMILIES:
        if family.source not in ("process", "kpi"):
            yield _table(family, cells, None, windows)


def _table(family: Family, cells: list[Cells], telemetry: Telemetry | None, windows: dict[str, list[tuple[LabelSet, Number]]]) -> Table:
    if family.source == "process":
        return _process_table(family, telemetry)
    if family.kind == "histogram":
        return Table(family, [], [sample for each in cells for sample in _histogram(family, each)])
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
        keys = [((value, *partition), f"{family.key}:{value}{suffix}") for value in family.values]
        for labels, row in rows.items():
            for rest, key in keys:
                yield labels + rest, row.get(key, 0)
    else:
        key = family.key + suffix
        for labels, row in rows.items():
            yield labels + partition, row.get(key, 0)


def _histogram(family: Family, cells: Cells) -> Iterator[tuple[LabelSet, Observed]]:
    suffix = "-" if family.retracted else ""
    keys = HISTOGRAMS[family.key]
    buckets, total = [key + suffix for key in keys.buckets], keys.sum + suffix
    hidden = cells.known is not None and not cells.known.business and family.key == "first_response_business"
    rows = cells.by_channel_and_group if family.source == TICKET else cells.cells[CONTACT]
    for labels, row in rows.items():
        if total in row:
            yield labels + cells.partition, ([row.get(key, 0) for key in buckets], row[total] / 1000)
        elif cells.known is not None and not hidden:
            yield labels + cells.partition, ([0] * BUCKETS, 0.0)


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


_PLAIN: dict[str, Callable[[Cells], Number]] = {
    "identity_error": _identity_error,
    "window_end": lambda cells: cells.view.window_end // 1000,
    "stream_time": lambda cells: cells.view.stream_time / 1000,
    "timer_time": lambda cells: cells.view.timer_time / 1000,
    "ledger_facts": lambda cells: cells.view.ledger_count,
}


# -- windows ----------------------------------------------------------------------------------------------------------------------

_NO_DIMS: LabelSet = ("",) * len(DIMENSIONS)
Sums = tuple[dict[str, int], dict[str, int]]  # observations and milliseconds by KPI
_NOTHING: Sums = ({}, {})
_SUM = "sum"
_COUNT = "count"


def _window_entry(key: str) -> tuple[str, str]:
    """What a row's key adds to: (kpi, sum of seconds or count)."""
    head, _, rest = key.partition(":")
    if head in SLA_VERBS:
        return f"{rest}_clocks_{SLA_VERBS[head]}", _COUNT
    return head, _SUM if rest == "sum" else _COUNT


_ENTRIES: dict[str, tuple[str, str]] = {}  # remembered answers of _window_entry: there are as many as there are kinds of postings


def window_sums(row: Row) -> Sums:
    """Observations and milliseconds of a row by KPI."""
    counts: dict[str, int] = {}
    sums: dict[str, int] = {}
    for key, amount in row.items():
        entry = _ENTRIES.get(key)
        if entry is None:
            entry = _ENTRIES[key] = _window_entry(key)
        kpi, what = entry
        into = sums if what is _SUM else counts
        into[kpi] = into.get(kpi, 0) + amount
    return counts, sums


def _window_tables(
    all_cells: list[Cells], group_bys: Sequence[LabelSet], served: frozenset[int]
) -> dict[str, list[tuple[LabelSet, Number]]]:
    """Both window families at once, since one walk over the rows gives both.

    What one window of a segment has, the others have too, as 0: so a number goes away only when nothing has happened for seven days, or
    all of it was taken back. The total has everything.
    """
    observations: list[tuple[LabelSet, Number]] = []
    seconds: list[tuple[LabelSet, Number]] = []
    for cells in all_cells:
        sums_of: dict[str, dict[LabelSet, Sums]] = {}
        counted: dict[LabelSet, dict[str, None]] = {(TOTAL, *_NO_DIMS): dict.fromkeys(WINDOW_KPIS)}
        timed: dict[LabelSet, dict[str, None]] = {(TOTAL, *_NO_DIMS): dict.fromkeys(HISTOGRAMS)}
        for window, rows in cells.view.windows.items():
            places = sums_of[window] = _sums_by_place(cells, rows, group_bys, served)
            for place, (counts, sums) in places.items():
                counted.setdefault(place, {}).update(dict.fromkeys(counts))
                timed.setdefault(place, {}).update(dict.fromkeys(sums))
        for window, places in sums_of.items():
            for place, kpis in counted.items():
                counts, sums = places.get(place, _NOTHING)
                rest = place + cells.partition
                observations += [((kpi, window, *rest), counts.get(kpi, 0)) for kpi in kpis]
                seconds += [((kpi, window, *rest), sums.get(kpi, 0) / 1000) for kpi in timed[place]]
    return {"observations": observations, "seconds": seconds}


def _sums_by_place(
    cells: Cells, segments: dict[tuple[int, tuple[str, ...]], Row], group_bys: Sequence[LabelSet], served: frozenset[int]
) -> dict[LabelSet, Sums]:
    """The sums of one window by (by, *dimensions), folded."""
    rows: dict[LabelSet, Row] = {}
    for (index, values), row in sorted(segments.items()):
        if index in served:
            names = group_bys[index]
            shown = dict(zip(names, cells.fold(names, values), strict=True))
            merge_row(rows, ("_".join(names) or TOTAL, *(shown.get(name, "") for name in DIMENSIONS)), row)
    return {place: window_sums(row) for place, row in rows.items()}


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
    "level": _of_levels,
    "derived": _derived,
    "counts": _of_counts,
}
