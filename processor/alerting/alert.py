"""What an alert is, and when alerts about KPIs rest.

Expressions are PromQL with the durations of real life. `rules` scales them; nothing here knows about that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Severity = Literal["critical", "warning", "info"]
AlertKind = Literal["kpi", "processor", "watchdog"]
MINUTE, HOUR, DAY, WEEK = 60, 3600, 86_400, 604_800  # seconds
OPEN = "job:support_calendar_open:max"
REPLAYING = "job:support_processor_replaying:max"
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. Several may have one name: they differ in severity or in a label, and share an entry of the runbook."""

    name: str
    severity: Severity
    kind: AlertKind
    family: str  # alerts of one family tell of one trouble: the page makes the warning needless
    expr: str
    summary: str  # always the same sentence
    description: str  # with the labels and the value of this instance
    board: str  # name of the dashboard to look at first
    for_seconds: int = 0
    keep_firing_seconds: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)  # beyond severity, alert_kind, alert_family and those of the expression
    gated: bool = False  # rests while the calendar is closed, and while history is read


def kpi_alert(
    name: str, severity: Severity, family: str, expr: str, summary: str, description: str, board: str, *,
    for_seconds: int = 0, keep_firing_seconds: int = 10 * MINUTE, settles: str = "", labels: Mapping[str, str] = _NONE,
) -> Alert:  # fmt: skip
    """An alert about a KPI: it rests while the calendar is closed and while history is read.

    `settles` is the range of its counters: what was read of history jumps in there for as long.
    """
    return Alert(
        name, severity, "kpi", family, gated(expr, settles), summary, description, board, for_seconds, keep_firing_seconds, labels,
        gated=True,
    )  # fmt: skip


def gated(expr: str, settles: str = "") -> str:
    """The expression, where the calendar is open and no history is read."""
    replaying = f"max_over_time({REPLAYING}[{settles}])" if settles else REPLAYING
    return f"({expr})\nunless on (job) {OPEN} == 0\nunless on (job) {replaying} == 1"
