"""How a ticket gets on: what it takes, who has it, who gets it next.

Effort is calendar time since the ticket began: `wait` without what it was pending or solved (the requester waits), `work` also without what
it was on hold (agents can work). Handlers and hooks of `Ticket`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from processor.core.dimensions import GROUP, with_dims
from processor.core.events import ESCALATION_KINDS, Event
from processor.core.facts import Fact, Out
from processor.core.settings import MS, NONE

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

_NOBODY_WAITS: Final = frozenset({"pending", "solved", "closed"})
_ESCALATION_BITS: Final = {kind: 1 << place for place, kind in enumerate(ESCALATION_KINDS)}


class Progress:
    """What the fold remembers of it. Begins when the status changes, or with what else is counted here."""

    __slots__ = (
        *("at_reply", "escalated", "escalations", "first_contact", "reopened", "reopening", "since", "solve", "transfers", "wait", "work"),
        *("partial", "works"),
    )

    def __init__(self, since: int) -> None:
        self.since = since  # until when the two sums below are counted
        self.wait = 0
        self.work = 0
        self.at_reply: tuple[int, int, int] | None = None  # the last human reply, and both sums then; only where a solve counts to it
        self.transfers = 0
        self.escalations = 0
        self.escalated = 0  # kinds, as bits
        self.works = 0
        self.reopening: tuple[int, int, int] | None = None  # a reopen that may turn out benign: (instance, at, since it was solved)
        self.reopened = False  # one did not
        self.solve: tuple[int, int | None, int | None, int | None] | None = None  # the last: until when it took time, both sums, turns
        self.first_contact = 0  # bits, see `first_contact`
        self.partial = False  # the ticket is older than the release that first looked at this: its effort and turns are not known

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return (self.since, self.wait, self.work, self.at_reply, self.transfers, self.escalations, self.escalated, self.works,
                self.reopening, self.reopened, self.solve, self.first_contact, self.partial)  # fmt: skip

    @classmethod
    def thaw(cls, stored: Any) -> Progress:
        """Undo `freeze`; also after a round trip through JSON."""
        progress = cls(0)
        (progress.since, progress.wait, progress.work, at_reply, progress.transfers, progress.escalations, progress.escalated,
         progress.works, reopening, progress.reopened, solve, progress.first_contact, progress.partial) = stored  # fmt: skip
        progress.at_reply = tuple(at_reply) if at_reply else None
        progress.reopening = tuple(reopening) if reopening else None
        progress.solve = tuple(solve) if solve else None
        return progress


def progress_of(ticket: Ticket) -> Progress:
    """The ticket's, begun where there is none yet."""
    progress = ticket.progress
    if progress is None:
        progress = ticket.progress = Progress(began_at(ticket))
    return progress


def began_at(ticket: Ticket) -> int:
    """Since when what the ticket takes counts: its first message, whatever its first response is measured from."""
    return ticket.resolution.started_at if ticket.resolution is not None else ticket.created_at


# -- effort -----------------------------------------------------------------------------------------------------------------------------


def passes(ticket: Ticket, at: int) -> Progress:
    """The time until `at` was spent in the present status: to be called before that changes."""
    progress = progress_of(ticket)
    status = ticket.status
    passed = at - progress.since
    if passed > 0:
        progress.since = at
        if status not in _NOBODY_WAITS:
            progress.wait += passed
            if status != "on_hold":
                progress.work += passed
    return progress


def joined(ticket: Ticket, at: int) -> None:
    """Begins what a ticket takes: at its creation, or with the customer's first message where we had opened it."""
    progress = ticket.progress
    if progress is not None:
        progress.since, progress.wait, progress.work = at, 0, 0


def replied(ticket: Ticket, at: int) -> None:
    """A human reply: the ticket really needed somebody, if it was reopened."""
    if ticket.policies.settings.auto_close_at_last_reply:
        progress = passes(ticket, at)
        progress.at_reply = (at, progress.wait, progress.work)
    if ticket.progress is not None and ticket.progress.reopening is not None:
        ticket.progress.reopening = None
        ticket.progress.reopened = True


# -- who has it -------------------------------------------------------------------------------------------------------------------------


def assigned(ticket: Ticket, assignee: str | None, at: int, out: Out) -> None:
    """Somebody, or nobody, has the ticket now. Its first assignment counts where it is known to be the first."""
    if assignee and ticket.assignee is None and ticket.known:
        ticket._outcome(Fact("ticket.first_assigned", 1, at, ticket.dims, (at - ticket.created_at,)), out)
    if assignee or ticket.assignee:
        ticket.assignee = assignee or ""  # "" is nobody any more, None nobody yet


def assignee_changed(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """The event of it."""
    assigned(ticket, event.data[0], at, out)


def changed_group(ticket: Ticket, before: str, at: int, out: Out) -> None:
    """From one group to another is a transfer; the first group is none, nor is it to give the ticket back."""
    group = ticket.dims[GROUP]
    if before not in (NONE, group) and group != NONE and ticket.engaged:
        progress = progress_of(ticket)
        progress.transfers += 1
        ticket._outcome(Fact("ticket.transferred", progress.transfers, at, ticket.dims, ()), out)


def escalated(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """To people who know more (functional), who decide more (hierarchical), or by a rule (automatic)."""
    if not ticket.engaged:
        return
    progress = progress_of(ticket)
    kind = event.data[0] or ESCALATION_KINDS[0]
    bit = _ESCALATION_BITS.get(kind, 0)
    first, first_of_kind = not progress.escalated, not progress.escalated & bit
    progress.escalated |= bit
    progress.escalations += 1
    ticket._outcome(Fact("ticket.escalated", progress.escalations, at, ticket.dims, (kind, first, first_of_kind)), out)


def work_logged(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """An agent has worked on the ticket for so long, perhaps on a topic of its own."""
    if not ticket.engaged:
        return
    seconds, _agent_id, topic = event.data
    progress, dims = progress_of(ticket), ticket.dims
    progress.works += 1
    if topic:
        dims = with_dims(dims, {"topic": topic})
    ticket._outcome(Fact("ticket.work_logged", progress.works, at, dims, (round(seconds * MS), progress.works == 1)), out)
