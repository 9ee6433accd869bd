"""What a solve states, and what becomes of it.

A solve is provisional: a reopen takes back what it stated, except that it happened, and once the ticket is final it is summed up. A reopen
is benign (the customer said "thank you") where the ticket is solved again soon and no human had to reply; only the next solve tells. Hooks
of `Ticket`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from processor.core import conversation, first_contact
from processor.core.events import WITHDRAWN
from processor.core.facts import Fact, Out, pseudonym
from processor.core.progress import Progress, began_at, progress_of
from processor.core.ticket_clocks import any_breached

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

# What a solve states and a reopen takes back; the fulfilment of clocks is theirs.
_PROVISIONAL: Final = frozenset({
    *("ticket.completed", "ticket.summarized", "ticket.fcr_assessed", "ticket.fcr_marked", "ticket.repeat_contacted"),
})  # fmt: skip


def end_of(ticket: Ticket, at: int, reason: str | None) -> int:
    """Until when a ticket that is being solved at `at` took time; its effort ends there.

    What an automation closes because the customer kept silent may count as solved with the last human reply since it was last open.
    """
    settings, progress = ticket.policies.settings, progress_of(ticket)
    if settings.auto_close_at_last_reply and reason in settings.auto_close_reasons and progress.at_reply is not None:
        replied_at, progress.wait, progress.work = progress.at_reply
        return max(replied_at, began_at(ticket))
    return at


def solved(ticket: Ticket, at: int, ended_at: int, reason: str | None, marked: bool | None, out: Out) -> None:
    """Everything that a solve states beside the solve itself. The clocks have ended."""
    progress, dims = progress_of(ticket), ticket.dims
    _forgive(ticket, progress, at, out)
    effort = (None, None, None) if progress.partial else (progress.wait, progress.work, conversation.turns_of(ticket))
    progress.solve = (ended_at, *effort)
    if not ticket.known:
        effort = (None, None, None)
    ticket._outcome(Fact("ticket.completed", ticket.solves, at, dims, (*effort, solver(ticket), any_breached(ticket))), out)
    withdrawn = reason == WITHDRAWN and not ticket.replied
    if withdrawn:
        ticket._outcome(Fact("ticket.withdrawn", ticket.solves, at, dims, ()), out)
    else:
        conversation.contain(ticket, at, out)
    if marked is not None:
        ticket._outcome(Fact("ticket.fcr_marked", ticket.solves, at, dims, (marked,)), out)
    conversation.ended(ticket)
    first_contact.assess(ticket, progress, at, withdrawn, out)


def solver(ticket: Ticket) -> str | None:
    """Who is credited: whose ticket it is, else the human who last wrote in it or accepted a contact of it."""
    if ticket.assignee:
        return pseudonym(ticket.assignee)
    return ticket.conversation.author if ticket.conversation is not None else None


def reopened(ticket: Ticket, at: int, since_solved: int, counts: bool, out: Out) -> None:
    """The solve did not hold. `counts`: as a reopen."""
    progress = progress_of(ticket)
    progress.at_reply = None
    if counts and ticket.engaged:
        progress.reopening = (ticket.reopens, at, since_solved)
    first_contact.reopened(ticket, progress)
    ticket._take_back(lambda fact: fact.kind in _PROVISIONAL, out)


def _forgive(ticket: Ticket, progress: Progress, at: int, out: Out) -> None:
    """Solved once more: whether the last reopen was worth counting."""
    if progress.reopening is None:
        return
    instance, reopened_at, since_solved = progress.reopening
    progress.reopening = None
    if at - reopened_at <= ticket.policies.settings.benign_reopen_window:
        ticket._outcome(Fact("ticket.reopen_forgiven", instance, at, ticket.dims, (since_solved,)), out)
    else:
        progress.reopened = True


def summarize(ticket: Ticket, due: int, out: Out) -> None:
    """The ticket is final."""
    progress = progress_of(ticket)
    if progress.solve is not None and ticket.known:
        ended_at, wait, work, turns = progress.solve
        content = (ended_at - ticket.created_at, turns, wait, work, progress.reopened, progress.transfers)
        ticket._outcome(Fact("ticket.summarized", ticket.solves, due, ticket.dims, content), out)
