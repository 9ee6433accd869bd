"""One sentence for each kind of outcome and each reason, for people who know tickets, not the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from processor.core.facts import Fact
from processor.core.settings import NONE

Said = Mapping[str, Any]

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"))
UNITS_SHOWN = 3


def duration(seconds: float | None) -> str:
    """Three units at the most, so that it can be read at a glance; what is below a minute in seconds."""
    if seconds is None:
        return "unknown"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + " s"
    left = round(seconds)
    parts: list[str] = []
    for size, unit in (*_UNITS, (1, "s")):
        if left >= size and len(parts) < UNITS_SHOWN:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts)


def _value(says: Said) -> str:
    return duration(says.get("value_seconds"))


def _first_responded(says: Said) -> str:
    business = says.get("business_seconds")
    hours = f", {duration(business)} of it in open hours" if business is not None else ""
    return f"first response after {_value(says)}{hours}"


def _solved(says: Said) -> str:
    return f"solved {_value(says)} after the creation" if "value_seconds" in says else "solved; how long it took is not known"


def _completed(says: Said) -> str:
    if "turns" not in says:
        return "the solve stands; effort and turns are not known"
    wait, work = duration(says.get("requester_wait_seconds")), duration(says.get("agent_work_seconds"))
    return f"the solve stands: support had it for {wait} ({work} without on hold), {_turns(says['turns'])}"


def _summarized(says: Said) -> str:
    if "turns" not in says:
        return f"final: solved {_value(says)} after the creation"
    reopened = "reopened in between" if says.get("reopened") else "never reopened"
    return f"final: solved {_value(says)} after the creation, {_turns(says['turns'])}, {reopened}, {says.get('transfers', 0)} transfers"


def _turns(number: int) -> str:
    return f"{number} turn{'' if number == 1 else 's'} of an agent"


def _answered(says: Said) -> str:
    return f"the survey {says['survey']} is answered: {says['score']:g}, which is {says['result']}"


def _recommends(says: Said) -> str:
    if says.get("score") is None:
        return "the recommendation score does not count any more"
    return f"recommendation score {says['score']:g}: counted once for the respondent, not for the ticket"


def _repeat(says: Said) -> str:
    since = f" {_value(says)} after the solve" if "value_seconds" in says else " while it was still open"
    return f"the customer came back about it{since}"


def _fcr(when: str) -> Callable[[Said], str]:
    return lambda says: f"first contact resolution, {when}: {'yes' if says['resolved'] else 'no'}"


OUTCOMES: dict[str, Callable[[Said], str]] = {
    "ticket.created": lambda _: "created",
    "ticket.adopted": lambda _: "first heard of; its creation is not among the events before, so effort and time to solve are not measured",
    "ticket.first_responded": _first_responded,
    "ticket.replied": lambda says: f"a reply, after the customer had waited for {_value(says)}",
    "ticket.first_outgoing": lambda says: (
        f"first message to the customer, {'automated: no response' if says['automated'] else 'by a human'}"
    ),
    "ticket.first_assigned": lambda says: f"assigned for the first time, after {_value(says)}",
    "ticket.transferred": lambda says: f"transferred to the group {says['group']}",
    "ticket.escalated": lambda says: f"escalated ({says['escalation']})",
    "ticket.handoff_responded": lambda says: f"a human answers {_value(says)} after the bot gave up",
    "ticket.bot_started": lambda _: "a bot takes it",
    "ticket.bot_contained": lambda _: "the bot was enough",
    "ticket.solved": _solved,
    "ticket.completed": _completed,
    "ticket.withdrawn": lambda _: "withdrawn by the customer before the first reply",
    "ticket.reopened": lambda says: f"reopened {_value(says)} after the solve",
    "ticket.reopen_forgiven": lambda _: "that reopen does not count: solved again soon, and nobody had to reply",
    "ticket.merged": lambda _: "merged into another ticket: its outcomes are taken back",
    "ticket.discarded": lambda says: f"{says['reason']}: its outcomes are taken back",
    "ticket.restored": lambda says: f"no longer {says['reason']}: its outcomes count again",
    "ticket.fcr_assessed": _fcr("by what was known then"),
    "ticket.fcr_settled": _fcr("settled"),
    "ticket.fcr_marked": lambda says: f"the agent says: {'' if says['resolved'] else 'not '}resolved at the first contact",
    "ticket.repeat_contacted": _repeat,
    "ticket.work_logged": lambda says: f"{_value(says)} of work recorded",
    "ticket.summarized": _summarized,
    "ticket.wait_handed": lambda says: f"the wait of its customer goes on in {says['to']}",
    "ticket.wait_withdrawn": lambda says: f"the wait of its customer is back from {says['to']}",
    "ticket.contacted_again": lambda says: f"it follows {says['to']}, which counts as contacted again",
    "survey.sent": lambda says: f"the survey {says['survey']} is sent",
    "survey.answered": _answered,
    "survey.negative": lambda says: f"a low answer to the survey {says['survey']}: somebody should follow up",
    "person.answered": _recommends,
}

# Not worth a line for people; programs find them in the document.
UNTOLD = frozenset({"backlog.entered", "backlog.left", "ticket.moved"})

REASONS: dict[str, Callable[[Said], str]] = {
    "beginning_unknown": lambda _: "its beginning is not known",
    "outbound": lambda _: "we wrote first: it is no contact of the customer",
    "withdrawn": lambda _: "the customer withdrew it",
    "turns_unknown": lambda _: "what was said in it before is not known",
    "nobody_answered": lambda _: "no human answered it",
    "one_turn": lambda _: "one turn of an agent was enough",
    "more_turns": lambda reason: f"it took {reason['turns']} turns of agents",
    "transferred": lambda reason: f"it went from group to group, {reason['times']} times" if reason["times"] > 1 else "it was transferred",
    "escalated": lambda _: "it was escalated",
    "reopened": lambda _: "it was reopened",
    "reopen_forgiven": lambda _: 'a reopen was only a "thank you"',
    "contacted_again": lambda reason: f"the customer came back about the topic: {', '.join(reason['by']) or 'elsewhere'}",
    "survey_said_no": lambda _: "the customer said in a survey that it was not resolved",
}

VERDICTS = {
    "resolved": "yes",
    "not_resolved": "no",
    "not_eligible": "not counted",
    "not_counted": "not counted, since the ticket is not",
    "open": "nothing to say while it is open",
}

CLOCK_VERDICTS = {
    "in_time": "in time",
    "late": "BREACHED, and ended later",
    "breached": "BREACHED, and still open",
    "cancelled": "cancelled: neither kept nor breached",
    "breached_then_cancelled": "BREACHED, then cancelled",
    "open": "open, not late so far",
    "not_measured": "no target any more",
}


def contact_breach(breach: Fact | None, end: Fact | None, queue: str, due: str) -> Iterator[str]:
    """Of a contact that waited too long: how it ended, its target, and how long the customer waited in all."""
    place = "" if queue == NONE else f" in queue {queue}"
    yield f"queue_wait: {_CONTACT_ENDS.get(end.kind, 'ended') if end is not None else 'not answered so far'}{place}"
    if breach is not None:
        _, policy, version, target, *_ = breach.content
        yield f"policy {policy}, version {version}; target {duration(target / 1000)}"
    yield f"breached {due}: until then nobody had answered"
    if end is not None and end.kind in ("contact.answered", "contact.abandoned"):
        yield f"{_CONTACT_ENDS[end.kind]} after {duration(end.content[0] / 1000)}"
    elif end is not None:
        yield f"left the queue otherwise: {str(end.content[0]).replace('_', ' ')}"


_CONTACT_ENDS = {"contact.answered": "answered late", "contact.abandoned": "the customer gave up", "contact.flowed_out": "not answered"}


def outcome(kind: str, says: Said) -> str:
    """What a fact says."""
    tell = OUTCOMES.get(kind)
    return tell(says) if tell is not None else kind


def reason(told: Said) -> str:
    """Why the verdict is what it is."""
    tell = REASONS.get(told["code"])
    return tell(told) if tell is not None else str(told["code"])
