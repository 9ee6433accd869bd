"""Words of the page: what KPIs are called, and how values, instants and steps are written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from math import inf, isinf, isnan
from typing import Any

from processor.config.zones import load_zone
from processor.core.kpis import COMPLIANCE
from processor.report.numbers import duration
from processor.report.rendering_groups import shown

# Those whose name says too little, or is an abbreviation.
_TITLES = {
    "backlog_tickets": "Unsolved tickets", "csat": "Customer satisfaction (CSAT)", "nps": "Recommendation (NPS)",
    "ces": "Effort (CES)", "fcr": "Resolved at the first contact (FCR)", "reopen": "Reopened", "abandonment": "Abandonment",
    "contacts_offered": "Calls and chats offered", "full_resolution": "Resolution, at the last solution",
    "first_resolution": "Resolution, at the first solution", "sla_compliance_per_ticket": "Tickets with all SLAs kept",
    "handle_time": "Handle time (AHT)", "kb_efficiency": "Knowledge base efficiency",
}  # fmt: skip
_STATS = {"p50": "half within", "p75": "75 % within", "p90": "90 % within", "p95": "95 % within", "max": "longest", "mean": "mean", "": ""}
FEW = "few"


def title_of(kpi: str) -> str:
    """What people call it."""
    if kpi in _TITLES:
        return _TITLES[kpi]
    if kpi.endswith(f"_{COMPLIANCE}"):
        return f"SLA kept: {kpi.removesuffix(f'_{COMPLIANCE}').replace('_', ' ')}"
    text = kpi.replace("_", " ")
    return text[:1].upper() + text[1:]


def stat_of(stat: str) -> str:
    """Which statistic of a duration or a number."""
    return _STATS.get(stat, stat)


def number(value: Any) -> float | None:
    """A value of the document as a number: its infinity is one."""
    if value is None:
        return None
    return inf if value == "+Inf" else float(value)


def tick(value: float | None, unit: str) -> str:
    """As short as an axis wants it."""
    if value is None or isnan(value):
        return "-"
    if isinf(value):
        return "never"
    if unit == "seconds":
        return duration(value)
    if unit == "ratio":
        return f"{value * 100:.4g} %"
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.4g}"


def value_text(value: Any, unit: str) -> str:
    """For people."""
    return "never" if value == "+Inf" else shown(value, unit)


def sure(each: dict[str, Any]) -> str:
    """How sure a share is."""
    return f"{shown(each['low'], 'ratio')} to {shown(each['high'], 'ratio')}" if each.get("low") is not None else ""


class Times:
    """Instants and steps in one zone."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._zone: tzinfo = load_zone(zone)

    def instant(self, text: str | None) -> str:
        """Mon 2 Mar 2026 09:14."""
        if text is None:
            return "-"
        at = datetime.fromisoformat(text).astimezone(self._zone)
        return f"{at:%a} {at.day} {at:%b %Y %H:%M}"

    def step(self, text: str, step: str) -> str:
        """A step of a chart by its beginning. Hours are those of the zone, days and weeks those of UTC, as they were counted."""
        at = datetime.fromisoformat(text).astimezone(self._zone if step == "hour" else UTC)
        day = f"{at:%a} {at.day} {at:%b %Y}"
        return f"{day} {at:%H:%M}" if step == "hour" else f"week of {day}" if step == "week" else day

    def mark(self, text: str, step: str) -> str:
        """The same as short as an axis wants it."""
        at = datetime.fromisoformat(text).astimezone(self._zone if step == "hour" else UTC)
        return f"{at:%a %H:%M}" if step == "hour" else f"{at.day} {at:%b}"


def span(seconds: float) -> str:
    """How long ago, in words; nothing negative."""
    return duration(max(seconds, 0.0))


def sentence(parts: Iterable[str], end: str = "and") -> str:
    """a, b and c."""
    words = list(parts)
    return f"{', '.join(words[:-1])} {end} {words[-1]}" if len(words) > 1 else "".join(words)
