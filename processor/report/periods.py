"""Every KPI of long windows: the last 30 and 90 days, and each calendar month and quarter (UTC), from the sums of days.

Days are kept for 400 days. What stands at the end of a period, unsolved tickets and customers, is what stands now less what came and went
since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from processor.core.kpi_counts import ENTERED, ENTERED_REASONS, LEFT, LEFT_REASONS
from processor.core.kpi_readings import DEFAULT_RULES, Rules
from processor.core.kpis import PLAIN, definition_of, measures
from processor.core.outputs import View
from processor.core.postings_of_others import CUSTOMER_FLOWS
from processor.core.rows import Row, add_row
from processor.core.schedule import scheduled_seconds
from processor.core.settings import DAY_MS
from processor.report.calendar import date_of, day_of, month_of, months_later, quarter_of
from processor.report.groups import described
from processor.report.together import level_of, stock_of

Document = dict[str, Any]
ROLLING_DAYS = (30, 90)
_ENTERED = tuple(f"{ENTERED}:{reason}" for reason in ENTERED_REASONS)
_LEFT = tuple(f"{LEFT}:{reason}" for reason in LEFT_REASONS)


class Period(NamedTuple):
    """Days [first, until) since 1970."""

    name: str
    first: int
    until: int
    rolling: bool = False


def periods(views: Sequence[View], days: Mapping[int, Row], rules: Rules = DEFAULT_RULES) -> list[Document]:
    """Of each period that lies among the days that are kept: every KPI of which something was observed."""
    if not days:
        return []
    backlog, stock = level_of(views, "backlog"), stock_of(views)
    kept = kept_of(views, days)
    found = []
    for period in periods_between(min(days), max(days)):
        row: Row = {}
        for day, amounts in days.items():
            if period.first <= day < period.until:
                add_row(row, amounts, 1)
        later = [amounts for day, amounts in days.items() if day >= period.until]
        row.update(levels_then(stock, later))
        found.append(document_of(period, row, backlog - sum(net_flow(amounts) for amounts in later), kept, rules))
    return found


def kept_of(views: Sequence[View], days: Collection[int]) -> tuple[int, int]:
    """From when to when there are numbers, in milliseconds."""
    return min(days, default=0) * DAY_MS, max((view.timer_time for view in views), default=0)


def periods_between(first: int, last: int) -> Iterator[Period]:
    """Rolling ones end with the last day, that one included; calendar ones with their month or quarter."""
    for length in ROLLING_DAYS:
        yield Period(f"{length}d", last + 1 - length, last + 1, rolling=True)
    for months, name_of in ((1, month_of), (3, quarter_of)):
        start = date_of(first)
        begin = start.replace(month=(start.month - 1) // months * months + 1, day=1)
        while day_of(begin) <= last:
            after = months_later(begin, months)
            yield Period(name_of(begin), day_of(begin), day_of(after))
            begin = after


def document_of(
    period: Period, row: Row, backlog: int, kept: tuple[int, int], rules: Rules, by: Sequence[tuple[str, str]] = ()
) -> Document:
    """A period of a segment, or of all, from its sums and its backlog at the end."""
    begin, end = period.first * DAY_MS, period.until * DAY_MS
    since, until = max(begin, kept[0]), min(end, kept[1])
    names, values = [name for name, _ in by], [value for _, value in by]
    scheduled = scheduled_seconds(rules.shifts, names, values, since, max(since, until))
    kpis = []
    for name, measure in measures(names, row, backlog, max(until - since, 0) // 1000, rules, scheduled).items():
        definition = definition_of(name)
        if definition is not None and (measure.n or (definition.kind in PLAIN and measure.value)):
            kpis.append(described(definition, measure, rules))
    return {
        "period": period.name,
        "from": date_of(period.first).isoformat(),
        "to": date_of(period.until - 1).isoformat(),  # the last day of it
        "complete": kept[0] <= begin and (end <= kept[1] or period.rolling),  # whether there are numbers of all of it
        "kpis": kpis,
    }


def levels_then(stock: Row, later: Iterable[Row]) -> Row:
    """How many customers there were before what came later."""
    then = dict(stock)
    for row in later:
        for level, flows in CUSTOMER_FLOWS.items():
            if level in then:
                then[level] -= sum(sign * row.get(key, 0) for key, sign in flows.items())
    return then


def net_flow(row: Row) -> int:
    """How many more tickets came into the backlog than left it."""
    return sum(row.get(key, 0) for key in _ENTERED) - sum(row.get(key, 0) for key in _LEFT)
