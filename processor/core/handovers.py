"""What tickets and contacts hand to a ticket: the wait of one that was merged into it, and the answer that its caller got on the phone.

A ticket that is merged away while its customer waits for a response, the first or the next, hands this wait to its target: where a
response is open there, it is waited for since the earliest of both. An un-merge takes it back. A contact that names a ticket answers
it when an agent accepts the contact, and the wait is at least that of the contact. Handlers of `Ticket`, apart because they connect it
with other entities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.core.clocks import Clock
from processor.core.conversation import spoke_live
from processor.core.events import Event
from processor.core.facts import Fact, Out
from processor.core.settings import NEXT_RESPONSE
from processor.core.upstream import CHAIN_MAX

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

MERGED: Final = 4  # the flag of a ticket that was merged away
HANDED_MAX: Final = 64  # tickets merged into one whose waits are remembered
NO_WAITS: Final[dict[str, tuple[int, int]]] = {}  # of all that have none: nothing is put in, a ticket gets another one


# -- by whom it is handed over --------------------------------------------------------------------------------------------------------


def merged(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """Whoever waits for a first response goes on waiting in the ticket that this one was merged into."""
    if ticket.flags & MERGED:
        return
    target, since = event.data[0], _asked_at(ticket) if ticket.in_population else 0
    ticket._discard(MERGED, at, out)
    if since and target and target != event.key:
        ticket.merged_into = (target, at)
        handed = [(since, hops) for since, hops in ticket.handed.values() if hops < CHAIN_MAX]  # others were handed on too often
        since = min([since, *(since for since, _ in handed)])
        hops = 1 + max((hops for _, hops in handed), default=0)
        out.append((1, Fact("ticket.wait_handed", ticket.returns, at, ticket.dims, (target, since, hops))))


def unmerged(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """The ticket is back, and takes its wait back."""
    if ticket.flags & MERGED and ticket.merged_into is not None:
        out.append((1, Fact("ticket.wait_withdrawn", ticket.returns, at, ticket.dims, ticket.merged_into)))
        ticket.merged_into = None
    ticket._return(MERGED, event.key, at, out)


# -- to whom it is handed over --------------------------------------------------------------------------------------------------------


def waits_since(ticket: Ticket) -> int:
    """Since when anybody waits for a human answer, also whoever wrote in a ticket that was merged into it; 0 where nobody waits."""
    asked_at = _asked_at(ticket)
    return ticket.waiting_since(asked_at) if asked_at else 0


def _asked_at(ticket: Ticket) -> int:
    """Since when its own customer waits for a human answer: the first one, or the next; 0 where nobody waits."""
    first = ticket.first_response
    if first is not None and first.open:
        return ticket.asked_at
    return ticket.unanswered_at if ticket.replied and not ticket.solved else 0


def wait_handed(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """A ticket was merged into this one, and its customer waits since then."""
    source, since, hops = event.data
    if ticket.replied and not _asked_at(ticket):
        return  # nobody waits here: it is answered
    if source in ticket.handed or len(ticket.handed) < HANDED_MAX:
        ticket.handed = {**ticket.handed, source: (since, hops)}
        _move_start(ticket, at, out)


def wait_withdrawn(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """The merge was undone."""
    source = event.data[0]
    if source in ticket.handed:
        ticket.handed = {other: wait for other, wait in ticket.handed.items() if other != source}
        _move_start(ticket, at, out)


def contact_answered(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """An agent accepted a contact that belongs to the ticket: on the phone and in a chat that is the first response."""
    wait, agent = event.data[1], event.data[2] if len(event.data) > 2 else None  # an earlier release did not say who
    spoke_live(ticket, agent)
    if not ticket.created_at:
        if ticket.contact_answer is None:
            ticket.contact_answer = (at, wait, agent)
    elif ticket.engaged:
        first = ticket.first_response
        if first is not None and first.open and at - wait < first.started_at:
            first.move_start(at - wait, ticket.policies)
            _breach_where_missed(ticket, at, first, out)
        ticket._human_replied(at, agent, out)


def take_up(ticket: Ticket, at: int, out: Out) -> None:
    """The clocks have just started at `at`: now what was handed over before counts."""
    answer, ticket.contact_answer = ticket.contact_answer, None
    if answer is not None:
        _answer_before(ticket, *answer, out)
    elif ticket.handed:
        _move_start(ticket, at, out)


def _answer_before(ticket: Ticket, at: int, wait: int, agent: str | None, out: Out) -> None:
    """The ticket was written while an agent was speaking already: what its customer waited is what the contact did."""
    first = ticket.first_response
    assert first is not None
    first.started_at = first.resumed_at = first.business_since = ticket.waiting_since(at - wait)
    first.arm(ticket.policies)
    _breach_where_missed(ticket, at, first, out)
    ticket._human_replied(at, agent, out)


def _move_start(ticket: Ticket, at: int, out: Out) -> None:
    """A response is waited for since the earliest customer of this ticket and of those merged into it began to wait."""
    clock, own, more = ticket.first_response, ticket.asked_at, ticket.more
    if ticket.replied and more is not None:
        clock, own = more.find(NEXT_RESPONSE), more.next_asked_at
    if clock is None or not clock.open:
        return
    since = ticket.waiting_since(own)
    if since != clock.started_at:
        clock.move_start(since, ticket.policies)
    if clock.is_late(at):
        clock.breach(at, induced=True)
        if more is not None:
            more.breached = True
        ticket._outcome(clock.breached_fact(ticket.dims), out)


def _breach_where_missed(ticket: Ticket, at: int, first: Clock, out: Out) -> None:
    """What the contact tells of the start may put the deadline into the past: then it was missed there."""
    if first.is_late(at):
        first.breach(first.missed_at(at, ticket.policies))
        ticket._outcome(first.breached_fact(ticket.dims), out)
