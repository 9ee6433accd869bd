"""First contact resolution of one ticket: the verdict, and each reason that speaks for or against it."""

from __future__ import annotations

from typing import Any

from processor.core import first_contact as marks
from processor.core.business_hours import NEVER
from processor.core.events import Event
from processor.core.ticket import Ticket
from processor.explain.outcomes import Outcome
from processor.explain.telling import time_of, told, whom


def verdict(ticket: Ticket, outcomes: list[Outcome], events: list[Event]) -> dict[str, Any]:
    """What is known by now."""
    standing = {outcome.fact.kind: outcome.fact for outcome in outcomes if outcome.stands}
    settled, assessed = standing.get("ticket.fcr_settled"), standing.get("ticket.fcr_assessed")
    said = settled or assessed
    made: dict[str, Any] = {"verdict": _word(ticket, said is not None and bool(said.content[0]), said is not None)}
    made["provisional"] = settled is None
    made["settles_at"] = time_of(ticket.fcr_due if ticket.fcr_due < NEVER else None)
    made["settled_at"] = time_of(settled.at) if settled is not None else None
    made["topic_eligible"] = bool(said.content[1]) if said is not None else None
    marked = standing.get("ticket.fcr_marked")
    made["marked_by_agent"] = bool(marked.content[0]) if marked is not None else None
    made["reasons"] = _reasons(ticket, outcomes, events) if made["verdict"] != "open" else []
    return made


def _word(ticket: Ticket, resolved: bool, said: bool) -> str:
    if said:
        return "resolved" if resolved else "not_resolved"
    if ticket.flags:
        return "not_counted"
    return "not_eligible" if ticket.solved and ticket.engaged else "open"


def _reasons(ticket: Ticket, outcomes: list[Outcome], events: list[Event]) -> list[dict[str, Any]]:
    progress = ticket.progress
    reasons: list[dict[str, Any]] = []

    def because(code: str, kind: str = "", **more: Any) -> None:
        evidence = [outcome.because for outcome in outcomes if outcome.fact.kind == kind and outcome.because is not None]
        reasons.append({"code": code, **more, "because": evidence})

    if not ticket.known:
        because("beginning_unknown")
    if not ticket.inbound:
        because("outbound")
    if progress is None or progress.solve is None:
        return reasons
    if any(outcome.fact.kind == "ticket.withdrawn" and outcome.stands for outcome in outcomes):
        because("withdrawn", "ticket.withdrawn")
    turns = progress.solve[3]
    if turns is None:
        because("turns_unknown")
    elif turns == 0:
        because("nobody_answered")
    else:
        because("one_turn" if turns == 1 else "more_turns", turns=turns)
    if progress.transfers:
        because("transferred", "ticket.transferred", times=progress.transfers)
    if progress.escalations:
        because("escalated", "ticket.escalated", times=progress.escalations)
    if progress.reopened:
        because("reopened", "ticket.reopened")
    elif any(outcome.fact.kind == "ticket.reopen_forgiven" and outcome.stands for outcome in outcomes):
        because("reopen_forgiven", "ticket.reopen_forgiven")
    if progress.first_contact & marks.REPEATED:
        again = [event for event in events if event.kind == "ticket.contacted_again"]
        reasons.append(
            {"code": "contacted_again", "by": [whom(event.data[1]) for event in again], "because": [told(event) for event in again]}
        )
    if progress.first_contact & marks.SAID_NO:
        because("survey_said_no")
    return reasons
