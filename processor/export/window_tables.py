"""What the windows of partitions count: observations and seconds by KPI, window and segment."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from processor.core.distinct import count, is_person
from processor.core.posting import NUMBERS
from processor.core.rows import Row
from processor.core.settings import DIMENSIONS
from processor.export.catalogue import BASIC_WINDOW_KPIS, CLOCK_OF, SLA_VERBS, WINDOW_KPIS, WINDOW_SECONDS
from processor.export.cells import Cells, merge_row
from processor.export.kpi_families import BASIC_TIMES, DISTINCT
from processor.export.kpi_gauges import TOTAL, Number
from processor.export.labels import Known, LabelSet

_TOTAL: LabelSet = (TOTAL, *("",) * len(DIMENSIONS))
Sums = tuple[dict[str, int], dict[str, int]]  # observations and milliseconds by KPI
_NOTHING: Sums = ({}, {})
_BY_TOPIC = ("topic",)
_TABLES = ("observations", "seconds", "topics")
_SUM = "sum"
_COUNT = "count"


_NOT_SHOWN = ""


def _window_entry(key: str) -> tuple[str, str]:
    """What a row's key adds to: (kpi, sum of seconds or count)."""
    head, _, rest = key.partition(":")
    if head in SLA_VERBS:
        return f"{rest}_clocks_{SLA_VERBS[head]}", _COUNT
    if head == "agent_time":
        return f"{head}_{rest}", _SUM
    if head == "cost" or (head in NUMBERS and rest == "sum"):
        return _NOT_SHOWN, _SUM  # money, and sums of numbers, are no seconds
    return head, _SUM if rest == "sum" else _COUNT


_ENTRIES: dict[str, tuple[str, str]] = {}  # remembered answers of _window_entry: there are as many as there are kinds of postings


def window_sums(row: Row) -> Sums:
    """Observations and milliseconds of a row by KPI."""
    counts: dict[str, int] = {}
    sums: dict[str, int] = {}
    for key, amount in row.items():
        entry = _ENTRIES.get(key)
        if entry is None:
            if is_person(key):  # as many as there are people
                continue
            entry = _ENTRIES[key] = _window_entry(key)
        kpi, what = entry
        into = sums if what is _SUM else counts
        into[kpi] = into.get(kpi, 0) + amount
    sums.pop(_NOT_SHOWN, None)
    people = count(row, DISTINCT)
    if people:
        counts[DISTINCT] = people
    return counts, sums


def window_tables(
    all_cells: list[Cells], group_bys: Sequence[LabelSet], served: frozenset[int], wanted: Collection[str] = _TABLES
) -> dict[str, list[tuple[LabelSet, Number]]]:
    """Both window families at once, since one walk over the rows gives both; and what came in by topic. Only what is `wanted`.

    What one window of a segment has, the others have too, as 0: so a number goes away only when nothing has happened for seven days, or
    all of it was taken back. The total has everything, other segments what is basic.
    """
    observations: list[tuple[LabelSet, Number]] = []
    seconds: list[tuple[LabelSet, Number]] = []
    for cells in all_cells if "observations" in wanted or "seconds" in wanted else ():
        sums_of: dict[str, dict[LabelSet, Sums]] = {}
        counted: dict[LabelSet, dict[str, None]] = {_TOTAL: dict.fromkeys(_of_total(cells.known))}
        timed: dict[LabelSet, dict[str, None]] = {_TOTAL: dict.fromkeys(WINDOW_SECONDS)}
        for window, rows in cells.view.windows.items():
            places = sums_of[window] = _sums_by_place(cells, rows, group_bys, served)
            for place, (counts, sums) in places.items():
                everything = place == _TOTAL
                counted.setdefault(place, {}).update((kpi, None) for kpi in counts if everything or kpi in BASIC_WINDOW_KPIS)
                timed.setdefault(place, {}).update((kpi, None) for kpi in sums if everything or kpi in BASIC_TIMES)
        for window, places in sums_of.items():
            for place, kpis in counted.items():
                counts, sums = places.get(place, _NOTHING)
                rest = place + cells.partition
                observations += [((kpi, window, *rest), counts.get(kpi, 0)) for kpi in kpis]
                seconds += [((kpi, window, *rest), sums.get(kpi, 0) / 1000) for kpi in timed[place]]
    return {"observations": observations, "seconds": seconds, "topics": _arrivals(all_cells, group_bys) if "topics" in wanted else []}


def _arrivals(all_cells: list[Cells], group_bys: Sequence[LabelSet]) -> list[tuple[LabelSet, Number]]:
    """Tickets created within an hour by topic: what names the topic of a surge, for the price of one series each."""
    if _BY_TOPIC not in group_bys:
        return []
    index, samples = group_bys.index(_BY_TOPIC), list[tuple[LabelSet, Number]]()
    for cells in all_cells:
        topics = dict.fromkeys(cells.known.values["topic"] if cells.known else (), 0)
        for window, rows in cells.view.windows.items():  # what the longest one has stays as 0
            for (number, values), row in sorted(rows.items()):
                if number == index:
                    (topic,) = cells.fold(_BY_TOPIC, values)
                    topics[topic] = topics.get(topic, 0) + (row.get("tickets_created", 0) if window == "1h" else 0)
        samples += [((topic, *cells.partition), created) for topic, created in topics.items()]
    return samples


def _of_total(known: Known | None) -> Iterator[str]:
    """What the total has from the start. Clocks that no policy has cannot be; whether a snapshot lists their zeros makes no difference."""
    clocks = None if known is None else {clock for clock, *_ in known.clocks}
    for kpi in WINDOW_KPIS:
        clock = CLOCK_OF.get(kpi)
        if clock is None or clocks is None or clock in clocks:
            yield kpi


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
