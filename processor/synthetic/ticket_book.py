"""What one ticket adds to the totals: entered act by act, by itself and by those that it has to do with.

Tickets have to do with each other and with contacts: one that is merged away while its customer waits hands the wait to its target, and a
contact that an agent accepts answers the ticket that it names. So what happens to a ticket is first written down, by its script and by
others, and then entered in the order of time (see `Accounts`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from processor.core.business_hours import NEVER
from processor.core.settings import FIRST_RESPONSE, NO_DIMENSIONS, NONE, RESOLUTION
from processor.synthetic.books import Totals, labelled, measure, observe
from processor.synthetic.clock import BookClock, Desk
from processor.synthetic.ticket_notes import SOLVED, TicketNotes

HANDED_ON_MAX = 3  # a wait goes on through so many merges
Hand = Callable[[str, int, str, tuple[Any, ...]], None]  # to which ticket, when, what, with what


class TicketBook(TicketNotes):
    """One ticket's entries."""

    __slots__ = (
        *("answer", "asked_at", "created_at", "desk", "dims", "first", "first_solve_ms", "first_wait", "flags", "hand", "handed", "id"),
        *("merged_into", "reopens", "replied", "resolution", "solves", "summary_due", "totals"),
    )

    def __init__(self, desk: Desk, totals: Totals, ticket: str = "", hand: Hand | None = None) -> None:
        super().__init__(desk.settings)
        self.desk = desk
        self.totals = totals  # of what nothing takes back
        self.id = ticket
        self.hand = hand
        self.asked_at = 0  # when its own customer began to wait
        self.replied = False
        self.answer: tuple[int, int] | None = None  # a contact that was answered before the ticket was created: when, and its wait
        self.handed: dict[str, tuple[int, int]] = {}  # ticket merged into it -> since when its customer waits, over how many merges
        self.merged_into: str | None = None
        self.dims: tuple[str, ...] = NO_DIMENSIONS
        self.created_at = 0
        self.flags: set[str] = set()
        self.first: BookClock | None = None
        self.resolution: BookClock | None = None
        self.first_wait: tuple[int, int | None] | None = None  # calendar and business milliseconds to the first response
        self.first_solve_ms: int | None = None  # since the creation; of the first solve within the population
        self.summary_due = NEVER
        self.solves = 0
        self.reopens = 0

    @property
    def in_backlog(self) -> bool:
        """In the population and unsolved."""
        return self.eligible and not self.flags and self.status not in SOLVED

    @property
    def waits_since(self) -> int:
        """Since when its own customer waits for a human answer; 0 where nobody does."""
        if self.first is not None and self.first.open:
            return self.asked_at
        return self.talk.asked_at if self.replied and self.status not in SOLVED else 0

    def create(self, at: int, dims: tuple[str, ...], status: str, inbound: bool, *_who: str | None) -> None:
        """Its first event. Whom it is about, and what it follows, is the requester's business."""
        self.created_at, self.dims, self.status = at, dims, status
        self.solving.begin(at, status)
        self.solving.topic = dims[4]
        self.totals["support_tickets_created_total"] += 1
        if inbound:
            self.inbound = self.eligible = True
            self._start(at)
            self._enter("created")
        else:
            self.answer = None

    def adopt(self, at: int) -> None:
        """First seen by another event than its creation: nothing is known of the time before."""
        self.created_at, self.adopted, self.eligible = at, True, True
        self.solving.begin(at, self.status)
        self.totals["support_tickets_adopted_total"] += 1
        self._enter("adopted")

    def customer_wrote(self, at: int) -> None:
        """A ticket that we opened joins the population when the customer answers."""
        if not self.eligible:
            self.eligible = True
            self.solving.begin(at, self.status)
            if self.status not in SOLVED:  # else nobody waits unless it is reopened
                self._start(at)
                self._enter("became_eligible")
        self.talk.customer_wrote(at)

    def sent(self, at: int, human: bool) -> None:
        """A public message that reached the customer."""
        self.talk.sent(human, self.eligible)
        if human and self.eligible:
            self._respond(at)

    def _respond(self, at: int) -> None:
        first = self.first
        is_first = not self.replied and first is not None and first.open
        self.talk.replied(at, is_first, min((since for since, _ in self.handed.values()), default=NEVER))
        self.solving.human_replied()
        self.handed.clear()
        self.replied = True
        if first is not None and first.open:
            first.stop(at)
            self.first_wait = (at - first.started_at, first.business(at))

    def set_status(self, at: int, status: str, reason: str | None = None, marked: bool | None = None) -> None:
        """Any status may follow any other."""
        was_in_backlog, was_solved = self.in_backlog, self.status in SOLVED
        self.solving.passes(at, status)
        self.status = status
        if status in SOLVED:
            if not was_solved:
                self._solve(at, reason, marked)
                if was_in_backlog:
                    self._leave("solved")
            if status == "closed" and self.summary_due > at:
                self.summary_due = at
            return
        if was_solved:
            self.reopens += self.eligible
            self.summary_due = NEVER
            self.talk.reopened(at)
            if self.eligible:
                self.solving.reopen(at, at - self.solved_at)
            if self.resolution is not None:
                self.resolution.reopen(at)
                self._reconsider(at)  # what changed while it was solved counts from now on
            elif self.eligible and not self.adopted and not self.replied:
                self._start(at)
            if self.in_backlog:
                self._enter("reopened")
        self._pause_or_resume(at)

    def change(self, at: int, dims: tuple[str, ...]) -> None:
        """Priority, group, tier or topic."""
        before, self.dims = self.dims, dims
        self.solving.topic = dims[4]
        if self.eligible and dims[2] != before[2] and NONE not in (dims[2], before[2]):
            self.solving.transfers += 1
        self._reconsider(at)

    def discard(self, at: int, reason: str, into: str = "") -> None:
        """Spam, deleted or merged: out of the population, its clocks running on in case it comes back."""
        was_in_backlog = self.in_backlog
        if into and self.hand is not None and self.eligible and not self.flags and self.waits_since:
            self.merged_into = into
            handed_on = [(since, merges) for since, merges in self.handed.values() if merges < HANDED_ON_MAX]
            since = min([self.waits_since, *(since for since, _ in handed_on)])
            self.hand(into, at, "take_wait", (self.id, since, 1 + max((merges for _, merges in handed_on), default=0)))
        self.flags.add(reason)
        merged = reason == "merged"
        self.totals["support_tickets_merged_total" if merged else labelled("support_tickets_discarded_total", reason=reason)] += 1
        if was_in_backlog:
            self._leave("merged" if merged else "discarded")

    def restore(self, at: int, reason: str) -> None:
        """Back in the population."""
        if reason == "merged" and self.merged_into is not None and self.hand is not None:
            self.hand(self.merged_into, at, "give_back_wait", (self.id,))
            self.merged_into = None
        self.flags.discard(reason)
        self.totals["support_tickets_restored_total"] += 1
        if self.in_backlog:
            self._enter("unmerged" if reason == "merged" else "restored")

    def take_wait(self, at: int, source: str, since: int, merges: int) -> None:
        """A ticket was merged into this one, and its customer waits since then, unless this one is answered."""
        if self.replied and not self.waits_since:
            return
        self.handed[source] = (since, merges)
        self._move_start(at)

    def give_back_wait(self, at: int, source: str) -> None:
        """And is its own again."""
        if self.handed.pop(source, None) is not None:
            self._move_start(at)

    def answered_by_contact(self, at: int, wait: int) -> None:
        """An agent accepted a contact of this ticket, after such a wait."""
        self.talk.spoke()
        if not self.created_at:
            self.answer = self.answer or (at, wait)
        elif self.eligible:
            if self.first is not None and self.first.open and at - wait < self.first.started_at:
                self.first.move_start(at, at - wait)
                self.first.note_late(at, induced=False)
            self._respond(at)

    def _move_start(self, at: int) -> None:
        if self.first is not None and self.first.open:
            self.first.move_start(at, self._waiting_since(self.asked_at))
            self.first.note_late(at, induced=True)

    def _waiting_since(self, at: int) -> int:
        return min([at, *(since for since, _ in self.handed.values())])

    def deadlines(self) -> list[int]:
        """What time alone will still do to it."""
        return [self.summary_due, self.solving.fcr_due, *(clock.due for clock in (self.first, self.resolution) if clock is not None)]

    def close(self, until: int) -> None:
        """Add the outcomes that stand at `until`."""
        totals = self.totals
        totals["support_backlog_tickets"] += self.in_backlog
        if self.flags or not self.eligible:
            return
        self.close_notes(totals, until)
        totals["support_tickets_solved_total"] += self.solves
        totals["support_tickets_reopened_total"] += self.reopens
        if self.first_wait is not None:
            calendar_ms, business_ms = self.first_wait
            observe(totals, "first_response", calendar_ms)
            if business_ms is not None:
                observe(totals, "first_response_business", business_ms)
        if not self.adopted:
            if self.first_solve_ms is not None:
                observe(totals, "first_resolution", self.first_solve_ms)
            if self.solves and self.summary_due <= until:
                observe(totals, "full_resolution", self.solved_at - self.created_at)
                totals["support_tickets_finalized_total"] += 1
                totals["support_tickets_finalized_reopened_total"] += self.solving.reopened
        measure(totals, self.first, until, self.first_wait is not None)
        measure(totals, self.resolution, until, self.resolution is not None and not self.resolution.open)

    def _start(self, at: int) -> None:
        policy = self.desk.policy(at, self.dims)
        self.first = BookClock(self.desk, FIRST_RESPONSE, at, policy)
        self.resolution = BookClock(self.desk, RESOLUTION, at, policy)
        self.asked_at = at
        answer, self.answer = self.answer, None
        if answer is not None:  # the ticket was written while an agent was speaking already
            self.first.begin_at(self._waiting_since(answer[0] - answer[1]))
            self._respond(answer[0])
        elif self.handed:
            self._move_start(at)
        self._pause_or_resume(at)

    def _reconsider(self, at: int) -> None:
        for clock in (self.first, self.resolution):
            if clock is not None and clock.open:
                clock.reconsider(at, self.desk.policy(self.asked_at, self.dims))
        self._pause_or_resume(at)

    def _solve(self, at: int, reason: str | None, marked: bool | None) -> None:
        self.solved_at = at
        self.summary_due = at + self.desk.settings.final_after
        if self.eligible:
            self.solves += 1
            self.handed.clear()
            self.talk.solved()
            if self.first_solve_ms is None:
                self.first_solve_ms = at - self.created_at
            by_agent, known = self.assigned or self.talk.author, self.inbound and not self.adopted
            if not self.solving.solve(at, self.talk.turns, by_agent, reason, self.replied, marked, known):
                self.talk.contain()
        for clock in (self.first, self.resolution):
            if clock is not None and clock.open:
                clock.stop(at)

    def _pause_or_resume(self, at: int) -> None:
        for clock in (self.first, self.resolution):
            if clock is None or not clock.open:
                continue
            if clock.policy is not None and self.status in clock.policy.pauses.get(clock.name, frozenset()):
                clock.pause(at)
            else:
                clock.resume(at)

    def _enter(self, reason: str) -> None:
        self.totals[labelled("support_backlog_entered_total", reason=reason)] += 1

    def _leave(self, reason: str) -> None:
        self.totals[labelled("support_backlog_left_total", reason=reason)] += 1
