"""What each fact adds to which family: the one table between facts and numbers.

A posting is a list of (key, amount). Keys name a family, with its sub-value behind a colon: "backlog_entered:created",
"first_response:b:7" (bucket), "first_response:sum" (milliseconds), "sla_measured:resolution".

What concerns tickets stands here, all else in `postings_of_others`, people who are counted once in `PEOPLE` and `distinct`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from processor.core.distinct import AGENTS, VISITORS
from processor.core.facts import CONTENT_FIELDS, DETAIL_KINDS, Fact
from processor.core.histogram import THOUSANDTHS
from processor.core.posting import HISTOGRAMS, NUMBERS, Entries, Posting, by_content, counting, flagged, nothing, observe
from processor.core.postings_of_others import POSTINGS_OF_OTHERS

__all__ = ["AGENT_OF", "HISTOGRAMS", "NUMBERS", "PEOPLE", "POSTINGS", "Entries"]

_FIRST_RESPONSE: Final = HISTOGRAMS["first_response"]
_FIRST_RESPONSE_BUSINESS: Final = HISTOGRAMS["first_response_business"]
_FIRST_RESOLUTION: Final = HISTOGRAMS["first_resolution"]
_FULL_RESOLUTION: Final = HISTOGRAMS["full_resolution"]
_REQUESTER_WAIT: Final = HISTOGRAMS["requester_wait"]
_AGENT_WORK: Final = HISTOGRAMS["agent_work"]
_INTERACTIONS: Final = NUMBERS["interactions"]
_REOPENED: Final = CONTENT_FIELDS["ticket.summarized"].index("reopened") - 1  # behind since_created
_AGENT: Final = CONTENT_FIELDS["ticket.completed"].index("agent")
_BREACHED: Final = CONTENT_FIELDS["ticket.completed"].index("breached")
_IN_TIME: Final = CONTENT_FIELDS["clock.fulfilled"].index("in_time")
_INDUCED: Final = CONTENT_FIELDS["clock.breached"].index("induced")


def _timing(name: str) -> Callable[[Fact], Entries]:
    """Facts whose content begins with the duration; None where it is not known."""
    histogram = HISTOGRAMS[name]
    return lambda fact: () if fact.content[0] is None else observe(histogram, fact.content[0])


def _solved(fact: Fact) -> Entries:
    since_created = fact.content[0]
    if fact.instance == 1 and since_created is not None:
        return (("tickets_solved", 1), *observe(_FIRST_RESOLUTION, since_created))
    return (("tickets_solved", 1),)


def _completed(fact: Fact) -> Entries:
    wait, work, turns, *_ = fact.content
    entries: Entries = (("tickets_completed", 1),)
    if wait is not None:
        entries += observe(_REQUESTER_WAIT, wait)
    if work is not None:
        entries += observe(_AGENT_WORK, work)
    if turns is not None:
        entries += observe(_INTERACTIONS, turns * THOUSANDTHS)
    if fact.content[_AGENT] is not None:
        entries += (("tickets_solved_by_agents", 1),)
    if fact.content[_BREACHED] is not None:
        entries += (("tickets_sla_measured", 1),)
        if fact.content[_BREACHED]:
            entries += (("tickets_sla_breached", 1),)
    return entries


def _first_responded(fact: Fact) -> Entries:
    duration, business, *_ = fact.content
    entries = observe(_FIRST_RESPONSE, duration)
    return entries if business is None else (*entries, *observe(_FIRST_RESPONSE_BUSINESS, business))


def _escalated(fact: Fact) -> Entries:
    kind, first, first_of_kind = fact.content
    entries: Entries = (("tickets_escalated_once", 1),) if first else ()
    return (*entries, (f"tickets_escalated:{kind}", 1)) if first_of_kind else entries


def _fcr_assessed(fact: Fact) -> Entries:
    resolved, topic_eligible = fact.content
    if not topic_eligible:
        return ()
    return (("tickets_fcr_assessed", 1), ("tickets_fcr_assessed_resolved", 1)) if resolved else (("tickets_fcr_assessed", 1),)


def _fcr_settled(fact: Fact) -> Entries:
    resolved, topic_eligible = fact.content
    entries: Entries = (("tickets_fcr_evaluated", 1),)
    if resolved:
        entries += (("tickets_first_contact_resolved", 1),)
    if topic_eligible:
        entries += (("tickets_fcr_eligible", 1),)
        if resolved:
            entries += (("tickets_fcr_eligible_resolved", 1),)
    return entries


def _work_logged(fact: Fact) -> Entries:
    duration, first = fact.content
    entries: Entries = (("touch_time:sum", duration),)
    return (*entries, ("tickets_worked", 1)) if first else entries


def _summarized(fact: Fact) -> Entries:
    since_created, *more = fact.content
    entries: Entries = () if since_created is None else observe(_FULL_RESOLUTION, since_created)
    if not more:
        return entries  # an earlier release said no more, and did not count them
    entries += (("tickets_finalized", 1),)
    return (*entries, ("tickets_finalized_reopened", 1)) if more[_REOPENED] else entries


def _fulfilled(fact: Fact) -> Entries:
    # A clock is measured once: at its breach, or at its fulfilment in time.
    return ((f"sla_measured:{fact.content[0]}", 1),) if fact.content[_IN_TIME] else ()


def _breached(fact: Fact) -> Entries:
    clock = fact.content[0]
    entries = ((f"sla_measured:{clock}", 1), (f"sla_breached:{clock}", 1))
    return (*entries, (f"sla_induced:{clock}", 1)) if fact.content[_INDUCED] else entries


POSTINGS: Final[dict[str, Posting]] = {
    "ticket.created": counting("tickets_created"),
    "ticket.adopted": counting("tickets_adopted"),
    "ticket.solved": Posting(_solved),
    "ticket.completed": Posting(_completed),
    "ticket.withdrawn": counting("tickets_withdrawn"),
    "ticket.reopened": counting("tickets_reopened"),
    "ticket.reopen_forgiven": counting("tickets_reopen_forgiven"),
    "ticket.merged": counting("tickets_merged"),
    "ticket.discarded": by_content("tickets_discarded"),
    "ticket.restored": counting("tickets_restored"),
    "ticket.first_responded": Posting(_first_responded),
    "ticket.replied": Posting(_timing("next_response")),
    "ticket.first_outgoing": flagged("tickets_first_outgoing", "tickets_first_reply_automated", 0),
    "ticket.first_assigned": Posting(_timing("first_assignment")),
    "ticket.transferred": counting("tickets_transferred"),
    "ticket.escalated": Posting(_escalated),
    "ticket.handoff_responded": Posting(_timing("handoff_response")),
    "ticket.bot_started": counting("tickets_bot_started"),
    "ticket.bot_contained": counting("tickets_bot_contained"),
    "ticket.fcr_assessed": Posting(_fcr_assessed),
    "ticket.fcr_settled": Posting(_fcr_settled),
    "ticket.fcr_marked": flagged("tickets_fcr_marked", "tickets_fcr_marked_resolved", 0),
    "ticket.repeat_contacted": counting("tickets_repeat_contacted"),
    "ticket.work_logged": Posting(_work_logged),
    "ticket.summarized": Posting(_summarized),
    "backlog.entered": by_content("backlog_entered"),
    "backlog.left": by_content("backlog_left"),
    "clock.started": by_content("sla_started"),
    "clock.paused": nothing(),
    "clock.resumed": nothing(),
    "clock.fulfilled": Posting(_fulfilled, by_first=True, flag=_IN_TIME),
    "clock.cancelled": by_content("sla_cancelled"),
    "clock.breached": Posting(_breached, by_first=True, flag=_INDUCED),
    **POSTINGS_OF_OTHERS,
}

# Facts that somebody in their content did or was: kind -> (family of people who are counted once, place in the content).
# An agent is active who replied, answered a contact or solved a ticket.
PEOPLE: Final[dict[str, tuple[str, int]]] = {
    kind: (family, CONTENT_FIELDS[kind].index(field))
    for kind, family, field in (
        ("ticket.first_responded", AGENTS, "agent"),
        ("ticket.replied", AGENTS, "agent"),
        ("ticket.completed", AGENTS, "agent"),
        ("contact.answered", AGENTS, "agent"),
        ("person.article_viewed", VISITORS, "visitor"),
    )
}
# Facts that count for an agent where numbers are told apart by agent: kind -> place in the content.
AGENT_OF: Final[dict[str, int]] = {kind: fields.index("agent") for kind, fields in CONTENT_FIELDS.items() if "agent" in fields}

for _kind, _posting in POSTINGS.items():
    _posting.of_clock = _kind.startswith("clock.")
    _posting.of_detail = _kind in DETAIL_KINDS
    _posting.of_people = _kind in PEOPLE or _kind in AGENT_OF
