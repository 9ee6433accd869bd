"""First contact resolution: whether the requester was helped at once, and stayed so.

    solve ──▶ assessed (provisional) ──repeat_window──▶ settled, once for a ticket, whatever comes later
                 └─ contacted again, or a survey says no: assessed anew

Eligible is an inbound ticket that was seen from its creation, that the customer did not withdraw and in which a human spoke. It was
resolved at first contact with one turn at most, no transfer, no escalation, no reopen except benign ones, and if the requester did not come
back about the topic while it was open or within the repeat window after the solve.

To find out who came back, each ticket tells its requester (another fold, which knows all tickets and contacts of that person), which tells
the earlier ones. A follow-up tells the ticket that it follows at once. Hooks and handlers of `Ticket`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.core.business_hours import NEVER
from processor.core.dimensions import TOPIC
from processor.core.events import Event
from processor.core.facts import Fact, Out
from processor.core.progress import Progress, progress_of
from processor.core.settings import NO_DIMENSIONS, NONE

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

# What is known of a ticket, as bits of `Progress.first_contact`. The first four are about its last solve.
ELIGIBLE: Final = 1
AT_ONCE: Final = 2  # by what happened in the ticket itself
TOPIC_ELIGIBLE: Final = 4  # solvable at first contact at all
REPEAT_STATED: Final = 8
REPEATED: Final = 16  # the requester came back about it
SAID_NO: Final = 32  # in a survey
SETTLED: Final = 64

OF_THE_SOLVE: Final = ELIGIBLE | AT_ONCE | TOPIC_ELIGIBLE | REPEAT_STATED

HANDED_MAX: Final = 8  # contacts handed to the requester that a discard takes back; a topic does not change more often


# -- the verdict ------------------------------------------------------------------------------------------------------------------------


def assess(ticket: Ticket, progress: Progress, at: int, withdrawn: bool, out: Out) -> None:
    """The ticket has been solved: what can be said by now."""
    settings = ticket.policies.settings
    marks = progress.first_contact & ~OF_THE_SOLVE
    if marks & REPEATED:  # while it was still open
        marks |= REPEAT_STATED
        ticket._outcome(Fact("ticket.repeat_contacted", ticket.solves, at, ticket.dims, (None,)), out)
    assert progress.solve is not None
    turns = progress.solve[3]
    if turns is not None and ticket.known and ticket.inbound and not withdrawn and (turns or settings.fcr_counts_unanswered):
        marks |= ELIGIBLE
        if turns <= 1 and not (progress.transfers or progress.escalations or progress.reopened):
            marks |= AT_ONCE
        if _topic_eligible(ticket):
            marks |= TOPIC_ELIGIBLE
        ticket._outcome(Fact("ticket.fcr_assessed", ticket.solves, at, ticket.dims, (_resolved(marks), bool(marks & TOPIC_ELIGIBLE))), out)
        if not marks & SETTLED:
            ticket.fcr_due = at + settings.repeat_window
    progress.first_contact = marks
    _hand_again(ticket, at, out)


def reopened(ticket: Ticket, progress: Progress) -> None:
    """Nothing can be said of a ticket that is open."""
    ticket.fcr_due = NEVER
    progress.first_contact &= ~OF_THE_SOLVE


def settle(ticket: Ticket, due: int, out: Out) -> None:
    """Nobody who comes back now counts."""
    ticket.fcr_due = NEVER
    progress = progress_of(ticket)
    progress.first_contact |= SETTLED
    content = (_resolved(progress.first_contact), _topic_eligible(ticket))
    ticket._outcome(Fact("ticket.fcr_settled", 1, due, ticket.dims, content), out)


def survey_said(ticket: Ticket, resolved: bool, out: Out) -> None:
    """What the customer answered last, asked whether the concern was resolved."""
    if ticket.progress is None and resolved:
        return
    progress = progress_of(ticket)
    progress.first_contact = progress.first_contact & ~SAID_NO | (0 if resolved else SAID_NO)
    _assess_anew(ticket, progress, out)


def contacted_again(ticket: Ticket, _event: Event, at: int, out: Out) -> None:
    """The requester came back about the topic, elsewhere."""
    if not ticket.created_at:
        return
    solved = ticket.solved
    if solved and at - ticket.solved_at > ticket.policies.settings.repeat_window:
        return
    progress = progress_of(ticket)
    progress.first_contact |= REPEATED
    if solved and not progress.first_contact & REPEAT_STATED:
        progress.first_contact |= REPEAT_STATED
        ticket._outcome(Fact("ticket.repeat_contacted", ticket.solves, at, ticket.dims, (at - ticket.solved_at,)), out)
        _assess_anew(ticket, progress, out)


def _resolved(marks: int) -> bool:
    return marks & (AT_ONCE | REPEATED | SAID_NO) == AT_ONCE


def _topic_eligible(ticket: Ticket) -> bool:
    return ticket.dims[TOPIC] not in ticket.policies.settings.fcr_excluded_topics


def _assess_anew(ticket: Ticket, progress: Progress, out: Out) -> None:
    """The last assessment, at its own instant, with what is known now."""
    if not progress.first_contact & ELIGIBLE:
        return
    resolved = _resolved(progress.first_contact)
    for index, fact in enumerate(ticket.standing):
        if fact.kind == "ticket.fcr_assessed" and fact.content[0] != resolved:
            anew = fact.with_content((resolved, fact.content[1]))
            ticket.standing[index] = anew
            if not ticket.flags:
                out += ((-1, fact), (1, anew))


# -- to whom it is told -----------------------------------------------------------------------------------------------------------------


def told(ticket: Ticket, key: str, at: int, out: Out) -> None:
    """The ticket is new, or in the population again: its requester hears of it, and the ticket that it follows."""
    if ticket.follow_up_of and ticket.follow_up_of != key and _tells(ticket):
        _hand(ticket, Fact("ticket.contacted_again", 1, at, NO_DIMENSIONS, (ticket.follow_up_of, key)), out)
    contacted(ticket, at, out)


def contacted(ticket: Ticket, at: int, out: Out) -> None:
    """The requester hears of the ticket; also when requester or topic has become another."""
    if ticket.requester and _tells(ticket):
        topic = ticket.dims[TOPIC]
        content = (ticket.requester, None if topic == NONE else topic, ticket.created_at)
        _hand(ticket, Fact("person.contacted", 1, at, NO_DIMENSIONS, content), out)


def left_population(ticket: Ticket, at: int, out: Out) -> None:
    """It was no contact of anybody, as it turns out. What was handed over longer ago than events may be late is settled."""
    settled_before = at - ticket.policies.settings.allowed_lateness
    out.extend((-1, fact) for fact in ticket.contacts if fact.at >= settled_before)
    ticket.contacts = ()


def _tells(ticket: Ticket) -> bool:
    """What we open ourselves is no contact of the customer, and when a ticket began that we joined later, nobody knows."""
    return ticket.seen_created and ticket.inbound and not ticket.flags


def _hand(ticket: Ticket, fact: Fact, out: Out) -> None:
    out.append((1, fact))
    if not ticket.contacts:
        ticket.contacts = (fact,)
        return
    settled_before = fact.at - ticket.policies.settings.allowed_lateness
    ticket.contacts = (*(known for known in ticket.contacts[1 - HANDED_MAX :] if known.at >= settled_before), fact)


def _hand_again(ticket: Ticket, at: int, out: Out) -> None:
    """Solved: the requester, who has forgotten the ticket if that took long, is to remember it for as long as a repeat counts."""
    handed_at = max((fact.at for fact in ticket.contacts), default=0)
    if at - handed_at > ticket.policies.settings.repeat_window:
        contacted(ticket, at, out)
