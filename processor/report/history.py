"""What rows of hours or days say of any stretch of a log, of the whole and of those segments for which there is a target.

A short log is told by hours, a longer one by days (UTC). What stands at the end of a stretch, unsolved tickets and customers, is what
stands now less what came and went since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from processor.core.kpi_readings import DEFAULT_RULES, Rules
from processor.core.kpis import Measure, measures
from processor.core.rows import Row, add_row
from processor.core.schedule import scheduled_seconds
from processor.core.settings import HOUR_MS, MINUTE_MS
from processor.report.periods import levels_then, net_flow
from processor.report.segments import By

HOUR_MINUTES, DAY_MINUTES = 60, 1440
HOURS_MAX = 72  # a log that is no longer than so many hours is told by hours
TOTAL: By = ()


@dataclass(slots=True)
class History:
    """Net rows by segment and by the number of their hour or day since 1970. `minutes` is how long one is, `end` how far time has come."""

    minutes: int
    end: int
    rows: Mapping[By, Mapping[int, Row]]
    backlog: Mapping[By, int]
    stock: Row = field(default_factory=dict)
    rules: Rules = DEFAULT_RULES

    @property
    def width(self) -> int:
        """Milliseconds of one row."""
        return self.minutes * MINUTE_MS

    @property
    def first(self) -> int:
        """The first row in which there is anything."""
        return min(self.rows.get(TOTAL, {}), default=0)

    @property
    def until(self) -> int:
        """The row after the last one."""
        return max(self.rows.get(TOTAL, {}), default=-1) + 1

    def whole(self, until: int) -> bool:
        """Whether time has come to the end of the row before this one."""
        return until * self.width <= self.end

    def volume(self, index: int) -> int:
        """How many tickets and contacts came or went."""
        row = self.rows[TOTAL].get(index, {})
        return sum(max(row.get(key, 0), 0) for key in ("tickets_created", "tickets_solved", "contacts_offered"))

    def measures(self, stretches: list[tuple[int, int]], by: By = TOTAL) -> Iterator[dict[str, Measure]]:
        """Every KPI of each stretch [first, until) of rows; stretches in order, and none reaches into another."""
        rows = dict(sorted(self.rows.get(by, {}).items()))
        indexes = list(rows)
        flows = [0, *accumulate(net_flow(rows[index]) for index in indexes)]
        names, values = [name for name, _ in by], [value for _, value in by]
        now, place = self.backlog.get(by, 0), 0
        for first, until in stretches:
            while place < len(indexes) and indexes[place] < first:
                place += 1
            row: Row = {}
            while place < len(indexes) and indexes[place] < until:
                add_row(row, rows[indexes[place]], 1)
                place += 1
            if by == TOTAL and self.stock:
                row.update(levels_then(self.stock, (rows[index] for index in indexes[place:])))
            backlog = now - (flows[-1] - flows[place])
            begin, end = first * self.width, min(until * self.width, max(self.end, first * self.width))
            scheduled = scheduled_seconds(self.rules.shifts, names, values, begin, end)
            yield measures(names, row, max(backlog, 0), (end - begin) // 1000, self.rules, scheduled)


def minutes_of(first_ms: int, last_ms: int) -> int:
    """How long a row is, of a log from the one to the other instant."""
    return HOUR_MINUTES if last_ms - first_ms <= HOURS_MAX * HOUR_MS else DAY_MINUTES
