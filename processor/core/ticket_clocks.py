"""The clocks of a ticket: which start, pause and end at what.

    first_response, resolution    always there, from the creation (or the first message of the customer) on
    update                        oldest unanswered message of the customer ──▶ human reply
    next_response                 the same, once a human has replied
    periodic_, pausable_update    human reply ──▶ the next one
    requester_wait, agent_work    like resolution, with pauses of their own
    group_ownership               a group gets the ticket ──▶ it leaves the group, or is solved
    survey_followup               a low answer to a survey ──▶ human reply; goes on while the ticket is solved

A reopen goes on with the same instance of resolution, requester_wait and agent_work, with its breach; all others begin a new instance
each time. What is not in the first line exists only where some policy has a target for it (`Ticket.more`), so that it costs nothing else.
A clock runs from its start whether or not the policy of the moment has a target for it: another policy may. Handlers of `Ticket`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.core import instances, product_rules
from processor.core.clocks import CANCELLED, FULFILLED, Clock
from processor.core.dimensions import GROUP
from processor.core.events import WITHDRAWN
from processor.core.facts import Fact, Out
from processor.core.handovers import NO_WAITS, take_up
from processor.core.settings import (
    AGENT_WORK,
    FIRST_RESPONSE,
    GROUP_OWNERSHIP,
    NEXT_RESPONSE,
    NONE,
    PAUSABLE_UPDATE,
    PERIODIC_UPDATE,
    REQUESTER_WAIT,
    RESOLUTION,
    SURVEY_FOLLOWUP,
    UPDATE,
)

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

CUMULATIVE: Final = frozenset({RESOLUTION, REQUESTER_WAIT, AGENT_WORK})  # fulfilled by a solve until a reopen
_ENDED_BY_REPLY: Final = frozenset({NEXT_RESPONSE, UPDATE, PERIODIC_UPDATE, PAUSABLE_UPDATE, SURVEY_FOLLOWUP})
_BEGUN_BY_REPLY: Final = frozenset({PERIODIC_UPDATE, PAUSABLE_UPDATE})
_CANCELLED_BY_SOLVE: Final = frozenset({NEXT_RESPONSE, UPDATE, PERIODIC_UPDATE, PAUSABLE_UPDATE})


# -- what happens to a ticket -----------------------------------------------------------------------------------------------------------


def start(ticket: Ticket, at: int, out: Out) -> None:
    """The customer begins to wait."""
    policies = ticket.policies
    policy = policies.choose(at, ticket.dims, ticket.policy_id)
    ticket.first_response = Clock(FIRST_RESPONSE, 1, at, policy)
    ticket.resolution = Clock(RESOLUTION, 1, at, policy)
    for clock in (ticket.first_response, ticket.resolution):
        clock.arm(policies)
        if clock.target is not None:
            instances.state_start(ticket, clock, out)
    ticket.asked_at = at
    take_up(ticket, at, out)
    if policies.more_clocks:
        _start_more(ticket, at, out)
    if ticket.status in policies.pausing:
        pause_or_resume(ticket, at, out)


def _start_more(ticket: Ticket, at: int, out: Out) -> None:
    ticket.more = instances.MoreClocks()
    instances.begin(ticket, REQUESTER_WAIT, at, out)
    instances.begin(ticket, AGENT_WORK, at, out)
    joined_group(ticket, at, out)
    if ticket.solved:
        return
    if product_rules.options(ticket).update_at_every_contact:
        instances.begin(ticket, UPDATE, at, out)
    if ticket.unanswered_at:
        _await_reply(ticket, at, out)
    if ticket.replied:  # by a contact that was answered before the ticket was written
        _await_news(ticket, at, out)


def customer_wrote(ticket: Ticket, at: int, out: Out) -> None:
    """A public message of the customer: somebody waits for an answer, but for none while the ticket is solved."""
    if not ticket.unanswered_at:
        ticket.unanswered_at = at
    if ticket.more is None or ticket.solved:
        return
    options = product_rules.options(ticket)
    if options.customer_ends_update:
        for clock in [clock for clock in ticket.more.clocks if clock.name in _BEGUN_BY_REPLY]:
            instances.end(ticket, clock, at, CANCELLED, "customer_wrote", out)
    if options.update_at_every_contact:
        _end(ticket, UPDATE, at, FULFILLED, "", out)
    _await_reply(ticket, at, out)


def human_replied(ticket: Ticket, at: int, agent: str | None, out: Out) -> None:
    """A public message that a human agent wrote, or a contact of the ticket that one accepted."""
    ticket.unanswered_at = 0
    if ticket.handed:
        ticket.handed = NO_WAITS  # whoever else was waiting has the answer, too
    if not ticket.replied:
        _respond(ticket, at, agent, out)
    more = ticket.more
    if more is None:
        return
    for clock in [clock for clock in more.clocks if clock.name in _ENDED_BY_REPLY]:
        instances.end(ticket, clock, at, FULFILLED, "", out)
    if not ticket.solved:
        _await_news(ticket, at, out)
        if product_rules.options(ticket).update_at_every_contact:
            instances.begin(ticket, UPDATE, at, out)


def _respond(ticket: Ticket, at: int, agent: str | None, out: Out) -> None:
    """The first human answer."""
    ticket.replied = True
    first = ticket.first_response
    if first is not None and first.open:
        first.finish(at, FULFILLED, ticket.policies)
        business = first.business_duration(at, ticket.policies)
        ticket._outcome(Fact("ticket.first_responded", first.instance, at, ticket.dims, (at - first.started_at, business, agent)), out)
        if first.target is not None:
            ticket._outcome(first.fulfilled_fact(at, ticket.dims), out)


def solved(ticket: Ticket, at: int, ended_at: int, reason: str | None, out: Out) -> None:
    """The ticket was solved at `at`. What it took counts until `ended_at`, which may lie before."""
    first, resolution, more = ticket.first_response, ticket.resolution, ticket.more
    ticket.unanswered_at = 0
    ticket.handed = NO_WAITS
    if first is not None and first.open:
        first.finish(at, CANCELLED, ticket.policies)
        if first.target is not None:
            ticket._outcome(first.cancelled_fact(at, ticket.dims, reason if reason == WITHDRAWN else "closed_without_reply"), out)
    if resolution is not None and resolution.open:
        instances.fulfil(ticket, resolution, at, ended_at, out)
    if more is None:
        return
    for clock in list(more.clocks):
        if clock.name in _CANCELLED_BY_SOLVE:
            instances.end(ticket, clock, at, CANCELLED, "solved", out)
        elif clock.name == GROUP_OWNERSHIP:
            instances.end(ticket, clock, at, FULFILLED, "", out)
        elif clock.name in CUMULATIVE and clock.open:
            instances.fulfil(ticket, clock, at, ended_at, out)


def reopened(ticket: Ticket, at: int, out: Out) -> None:
    """The solve did not hold: the cumulative clocks go on, the others begin anew."""
    ticket._take_back(lambda fact: fact.kind == "clock.fulfilled" and fact.content[0] in CUMULATIVE, out)
    resolution, more = ticket.resolution, ticket.more
    if ticket.unanswered_at:
        ticket.unanswered_at = at  # what the customer wrote in the meantime is waited for only now
    if resolution is None:
        return
    if resolution.state == FULFILLED:
        resolution.resume(at, ticket.policies)
    if more is not None:
        for clock in more.clocks:
            if clock.state == FULFILLED:
                clock.resume(at, ticket.policies)
    reconsider_policy(ticket, at, out)  # what changed while it was solved counts from now on
    if more is not None:
        joined_group(ticket, at, out)
        if product_rules.options(ticket).update_at_every_contact:
            instances.begin(ticket, UPDATE, at, out)
        if ticket.unanswered_at:
            _await_reply(ticket, at, out)
    if product_rules.options(ticket).first_response_restarts:
        product_rules.restart_first_response(ticket, at, out)


def left_group(ticket: Ticket, at: int, out: Out) -> None:
    """Its group gives it away; to be called while the ticket still has that group."""
    _end(ticket, GROUP_OWNERSHIP, at, FULFILLED, "", out)


def joined_group(ticket: Ticket, at: int, out: Out) -> None:
    """A group has got it."""
    if ticket.more is not None and not ticket.solved and ticket.dims[GROUP] != NONE:
        instances.begin(ticket, GROUP_OWNERSHIP, at, out)


def survey_low(ticket: Ticket, at: int, out: Out) -> None:
    """A customer is not satisfied. One that is waiting for a word about an earlier answer goes on waiting."""
    if ticket.more is not None:
        instances.begin(ticket, SURVEY_FOLLOWUP, at, out)


def survey_recovered(ticket: Ticket, at: int, out: Out) -> None:
    """The customer changed the low answer to a better one."""
    _end(ticket, SURVEY_FOLLOWUP, at, CANCELLED, "answer_changed", out)


def expire(ticket: Ticket, at: int, out: Out) -> None:
    """The ticket is about to be forgotten: a follow-up that nobody has given by then is none any more."""
    _end(ticket, SURVEY_FOLLOWUP, at, CANCELLED, "expired", out)


def pause_or_resume(ticket: Ticket, at: int, out: Out) -> None:
    """The status has changed, or the policy that says in which statuses clocks stand still."""
    for clock in _open(ticket):
        instances.pause_or_resume(ticket, clock, at, out)


def reconsider_policy(ticket: Ticket, at: int, out: Out) -> None:
    """What the ticket is like has changed: perhaps another policy applies. Versions are those of when a clock began."""
    more, changed = ticket.more, False
    for clock in _open(ticket):
        began_at = clock.started_at
        if clock is ticket.first_response:
            began_at = ticket.asked_at
        elif more is not None and clock.name == NEXT_RESPONSE:
            began_at = more.next_asked_at
        changed |= instances.reconsider_policy(ticket, clock, began_at, at, out)
    if changed or ticket.status in ticket.policies.pausing:
        pause_or_resume(ticket, at, out)


def cancellations(ticket: Ticket, at: int, reason: str) -> list[Fact]:
    """What a discard states of the clocks that are open. They go on underneath, in case that the ticket comes back."""
    return [clock.cancelled_fact(at, ticket.dims, reason) for clock in _open(ticket) if clock.target]


def breach_due(ticket: Ticket, due: int, out: Out) -> None:
    """Breach the clocks that are due at that instant."""
    for clock in (ticket.first_response, ticket.resolution):
        if clock is not None and clock.due == due:
            clock.breach(due)
            ticket._outcome(clock.breached_fact(ticket.dims), out)
    more = ticket.more
    if more is not None:
        for clock in more.clocks:
            if clock.due == due:
                clock.breach(due)
                more.breached = True
                ticket._outcome(clock.breached_fact(ticket.dims), out)


def any_breached(ticket: Ticket) -> bool | None:
    """Whether any clock of the ticket has breached so far; None where none ever had a target."""
    clocks = [clock for clock in (ticket.first_response, ticket.resolution) if clock is not None]
    more = ticket.more
    if any(clock.breached_at is not None for clock in clocks) or (more is not None and more.breached):
        return True
    return False if any(clock.target is not None for clock in clocks) or (more is not None and more.targeted) else None


def _await_reply(ticket: Ticket, at: int, out: Out) -> None:
    more = ticket.more
    assert more is not None
    instances.begin(ticket, UPDATE, at, out)
    if ticket.replied and more.find(NEXT_RESPONSE) is None:
        more.next_asked_at = at
        instances.begin(ticket, NEXT_RESPONSE, at, out)


def _end(ticket: Ticket, name: str, at: int, state: int, reason: str, out: Out) -> None:
    clock = ticket.more.find(name) if ticket.more is not None else None
    if clock is not None:
        instances.end(ticket, clock, at, state, reason, out)


def _open(ticket: Ticket) -> list[Clock]:
    """All its clocks that run or stand still."""
    clocks = [clock for clock in (ticket.first_response, ticket.resolution) if clock is not None and clock.open]
    if ticket.more is not None:
        clocks += [clock for clock in ticket.more.clocks if clock.open]
    return clocks


def _await_news(ticket: Ticket, at: int, out: Out) -> None:
    instances.begin(ticket, PERIODIC_UPDATE, at, out)
    instances.begin(ticket, PAUSABLE_UPDATE, at, out)
