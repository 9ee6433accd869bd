"""Which KPIs are drawn over time, together in which chart, and in which words; a table that is read, not code that is run."""

from __future__ import annotations

from typing import NamedTuple

from processor.core.kpis import COMPLIANCE
from processor.core.settings import CLOCKS


class Drawn(NamedTuple):
    """A KPI, or one of its statistics, and what its line is called."""

    kpi: str
    label: str
    stat: str = ""


class Picture(NamedTuple):
    """One chart. `target_of` is the KPI whose target is drawn in it; `filled` for what is a stock."""

    title: str
    drawn: tuple[Drawn, ...]
    target_of: str = ""
    filled: bool = False
    from_zero: bool = True


def _durations(title: str, kpi: str) -> Picture:
    return Picture(title, (Drawn(kpi, "half within", "p50"), Drawn(kpi, "90 % within", "p90")), kpi)


def _alone(title: str, kpi: str, label: str, *, from_zero: bool = True) -> Picture:
    return Picture(title, (Drawn(kpi, label),), kpi, from_zero=from_zero)


_CLOCK_WORDS = {clock: clock.replace("_", " ") for clock in CLOCKS}

PICTURES: tuple[Picture, ...] = (
    Picture("Unsolved tickets", (Drawn("backlog_tickets", "backlog"),), "backlog_tickets", filled=True),
    Picture("Created and solved", (Drawn("tickets_created", "created"), Drawn("tickets_solved", "solved"))),
    _durations("First response", "first_response"),
    _durations("Resolution, at the first solution", "first_resolution"),
    *(_alone(f"SLA kept: {_CLOCK_WORDS[clock]}", f"{clock}_{COMPLIANCE}", "kept", from_zero=False) for clock in CLOCKS),
    Picture("Calls and chats", (Drawn("contacts_offered", "offered"), Drawn("contacts_answered", "answered"),
                                Drawn("contacts_abandoned", "abandoned"))),
    _alone("Service level", "service_level", "answered in target", from_zero=False),
    _alone("Abandonment", "abandonment", "abandoned"),
    _durations("Speed of answer", "speed_of_answer"),
    _alone("Customer satisfaction (CSAT)", "csat", "satisfied", from_zero=False),
    _alone("Recommendation (NPS)", "nps", "points", from_zero=False),
    _alone("Effort (CES), 7 = very easy", "ces", "mean", from_zero=False),
    _alone("Resolved at the first contact (FCR)", "fcr", "resolved", from_zero=False),
    _alone("Reopened", "reopen", "of the solved"),
)  # fmt: skip

# What executives see first, of that of which there is anything.
HEADLINES = ("tickets_created", "tickets_solved", "backlog_tickets", "contacts_offered", "first_response", "full_resolution",
             "sla_compliance_per_ticket", "service_level", "abandonment", "csat")  # fmt: skip
PICTURED = tuple(dict.fromkeys(drawn.kpi for picture in PICTURES for drawn in picture.drawn))
