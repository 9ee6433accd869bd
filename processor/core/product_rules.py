"""Rules of other products that a policy may choose, where they need more than another target: see `settings.Options`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.core import instances
from processor.core.clocks import CANCELLED, Clock
from processor.core.facts import Out
from processor.core.settings import FIRST_RESPONSE, Options

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

_NONE: Final = Options()


def options(ticket: Ticket) -> Options:
    """Of the policy that the ticket has now."""
    policy = ticket.resolution.policy if ticket.resolution is not None else None
    return policy.options if policy is not None else _NONE


def handed_off(ticket: Ticket, at: int, out: Out) -> None:
    """A bot gives up: from now on a human answer is waited for."""
    if not ticket.solved and options(ticket).first_response_restarts:
        restart_first_response(ticket, at, out)


def restart_first_response(ticket: Ticket, at: int, out: Out) -> None:
    """For products that measure the first answer after the last hand-off or reopen: a new instance."""
    first = ticket.first_response
    if first is None:
        return
    if first.open:
        first.finish(at, CANCELLED, ticket.policies)
        if first.target is not None:
            ticket._outcome(first.cancelled_fact(at, ticket.dims, "restarted"), out)
    ticket.replied = False
    ticket.asked_at = at
    clock = Clock(FIRST_RESPONSE, first.instance + 1, at, ticket.policies.choose(at, ticket.dims, ticket.policy_id))
    clock.arm(ticket.policies)
    ticket.first_response = clock
    if clock.target is not None:
        instances.state_start(ticket, clock, out)
    instances.pause_or_resume(ticket, clock, at, out)
