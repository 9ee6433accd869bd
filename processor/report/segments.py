"""Every KPI of long windows of each configured segment, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from processor.core.kpi_readings import DEFAULT_RULES, Rules
from processor.core.rows import Row
from processor.report.periods import Period, document_of, periods_between

Document = dict[str, Any]
By = tuple[tuple[str, str], ...]  # ((dimension, value), ...)
SEGMENTS_MAX = 50  # those with the most tickets and contacts in the longest window; how many are left out is told
CALENDAR_KEPT = 2  # of the months, and of the quarters, the newest: this one and the one before
_KNOWN = ("kind", "unit")  # by the name of the KPI
_VOLUME = ("tickets_created", "tickets_solved", "contacts_offered")


@dataclass(slots=True)
class Summed:
    """The sums of the days of a period, and the unsolved tickets at its end."""

    row: Row = field(default_factory=dict)
    backlog: int = 0


def segment_periods(days: Collection[int]) -> list[Period]:
    """The windows of segments: the rolling ones, and of the calendar the newest."""
    if not days:
        return []
    found = list(periods_between(min(days), max(days)))
    months = [period for period in found if not period.rolling and "Q" not in period.name]
    quarters = [period for period in found if "Q" in period.name]
    return [*(period for period in found if period.rolling), *months[-CALENDAR_KEPT:], *quarters[-CALENDAR_KEPT:]]


def by_segment(
    sums: Mapping[By, Mapping[str, Summed]], periods: Sequence[Period], kept: tuple[int, int], rules: Rules = DEFAULT_RULES
) -> Document:
    """The busiest segments. `kept` is from when to when there are numbers, in milliseconds."""
    ordered = sorted(sums, key=lambda by: (-_volume(sums[by]), by))
    busy = [by for by in ordered if any(each.row or each.backlog for each in sums[by].values())]
    told = [{"by": dict(by), "periods": [_told(by, period, sums[by][period.name], kept, rules) for period in periods]}
            for by in busy[:SEGMENTS_MAX]]  # fmt: skip
    return {"segments": told, "left_out": len(busy) - len(told)}


def _told(by: By, period: Period, summed: Summed, kept: tuple[int, int], rules: Rules) -> Document:
    """Without what the periods of the total say of each KPI, too: there are many segments."""
    found = document_of(period, summed.row, summed.backlog, kept, rules, by)
    found["kpis"] = [{key: value for key, value in kpi.items() if key not in _KNOWN} for kpi in found["kpis"]]
    return found


def _volume(periods: Mapping[str, Summed]) -> int:
    return max((sum(each.row.get(name, 0) for name in _VOLUME) for each in periods.values()), default=0)
