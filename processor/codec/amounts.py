"""Rows and cells in few bytes: numbers in the place of the names that nearly all of their amounts have.

A row of many names is written very often, and most of what it said as a JSON object was those names. So its record is two lists, names and
amounts; a name that stands in the table is its place there, another one stands as it is. The table is part of the stored form: names are
put behind the last one and never taken out, or what is stored says something else. Nothing goes wrong where a new name is not in it.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

_CLOCKS: Final = (
    *("first_response", "resolution", "requester_wait", "agent_work", "group_ownership", "next_response", "update", "periodic_update"),
    *("pausable_update", "survey_followup", "queue_wait"),
)
_BUCKETS: Final = tuple(f"b:{bucket}" for bucket in range(23))

# What there is of nearly every ticket stands first: its places are short.
NAMES: Final[tuple[str, ...]] = (
    *("tickets_created", "backlog_entered:created", "backlog_left:solved", "tickets_solved", "tickets_completed"),
    *("tickets_first_outgoing", "tickets_solved_by_agents", "tickets_sla_measured", "tickets_fcr_assessed"),
    "tickets_fcr_assessed_resolved",
    *(f"{family}:{clock}" for clock in _CLOCKS[:5] for family in ("sla_started", "sla_measured")),
    *("sla_started:periodic_update", "sla_cancelled:periodic_update", "sla_started:pausable_update", "sla_cancelled:pausable_update"),
    *("first_response:sum", "first_response_business:sum", "first_resolution:sum", "requester_wait:sum", "agent_work:sum"),
    *("interactions:sum", "first_assignment:sum", "full_resolution:sum", "tickets_finalized"),
    *(f"first_response:{bucket}" for bucket in _BUCKETS),
    *(f"first_resolution:{bucket}" for bucket in _BUCKETS),
    *("sla_breached:first_response", "tickets_sla_breached", "interactions:b:1", "interactions:b:2", "interactions:b:3"),
    # From here on places have three digits.
    *(f"{name}:{bucket}" for name in ("first_response_business", "requester_wait", "agent_work", "full_resolution") for bucket in _BUCKETS),
    *(f"{name}:{bucket}" for name in ("first_assignment", "next_response", "handoff_response", "speed_of_answer") for bucket in _BUCKETS),
    *(f"{name}:{bucket}" for name in ("time_to_abandon", "handle_time", "survey_delay") for bucket in _BUCKETS),
    *("next_response:sum", "handoff_response:sum", "speed_of_answer:sum", "time_to_abandon:sum", "handle_time:sum", "survey_delay:sum"),
    *("talk_time:sum", "hold_time:sum", "wrap_up_time:sum", "touch_time:sum", "ces:sum"),
    *(f"interactions:b:{turns}" for turns in (0, *range(4, 51))),
    *(f"ces:b:{score}" for score in range(7)),
    *(f"sla_started:{clock}" for clock in ("next_response", "update", "survey_followup", "queue_wait")),
    *(f"sla_measured:{clock}" for clock in _CLOCKS[5:]),
    *(f"sla_breached:{clock}" for clock in _CLOCKS[1:]),
    *(f"sla_cancelled:{clock}" for clock in _CLOCKS if clock not in ("periodic_update", "pausable_update")),
    *(f"sla_induced:{clock}" for clock in _CLOCKS),
    *("backlog_entered:adopted", "backlog_entered:reopened", "backlog_entered:restored", "backlog_entered:unmerged"),
    *("backlog_entered:became_eligible", "backlog_entered:moved_in", "backlog_left:discarded", "backlog_left:merged"),
    *("backlog_left:moved_out", "tickets_discarded:spam", "tickets_discarded:deleted", "tickets_adopted", "tickets_merged"),
    *("tickets_restored", "tickets_reopened", "tickets_reopen_forgiven", "tickets_withdrawn", "tickets_transferred", "tickets_worked"),
    *("tickets_escalated_once", "tickets_finalized_reopened", "tickets_first_reply_automated", "tickets_repeat_contacted"),
    *("tickets_fcr_evaluated", "tickets_first_contact_resolved", "tickets_fcr_eligible", "tickets_fcr_eligible_resolved"),
    *("tickets_fcr_marked", "tickets_fcr_marked_resolved", "tickets_bot_started", "tickets_bot_contained"),
    *("contacts_initiated", "contacts_offered", "contacts_answered", "contacts_answered_in_target", "contacts_abandoned"),
    *("contacts_short_abandoned", "contacts_abandoned_silently", "contacts_dropped", "contacts_recovered", "contacts_handled"),
    *("contacts_agent_offered", "contacts_not_accepted", "contacts_bot_started", "contacts_bot_contained"),
    *("calls_initiated", "calls_missed", "calls_recovered", "csat_responses", "csat_satisfied"),
    *("csat_responses_by_sla:kept", "csat_satisfied_by_sla:kept", "csat_responses_by_sla:breached", "csat_satisfied_by_sla:breached"),
    *("surveys_sent:csat", "surveys_sent:nps", "surveys_sent:ces", "nps_responses:promoter", "nps_responses:passive"),
    *("nps_responses:detractor", "ces_very_easy", "kb_views", "kb_sessions", "kb_searches", "kb_search_sessions"),
    *("agent_time:online", "agent_time:available", "agent_time:busy", "agent_time:wrap_up", "agent_time:away"),
)
PLACES: Final[dict[str, int]] = {name: place for place, name in enumerate(NAMES)}
_NAMED: Final[dict[int | str, str]] = dict(enumerate(NAMES))

_place: Final = PLACES.get
_name: Final = _NAMED.get


def encode_amounts(amounts: dict[str, int]) -> bytes:
    """A row or a cell. Loops are those of the built-ins: there is nearly one row for each event, with thirty names."""
    return orjson.dumps((list(map(_place, amounts, amounts)), list(amounts.values())))


def amounts_of(stored: Any) -> dict[str, int]:
    """Undo `encode_amounts` after JSON was read; an object is of an older version."""
    if isinstance(stored, dict):
        return stored
    names, amounts = stored
    return dict(zip(map(_name, names, names), amounts, strict=True))
