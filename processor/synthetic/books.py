"""The generator's books: what each ticket and contact will have added to the totals when the log ends.

Totals are net: a ticket that is spam, deleted or merged away at the end adds its creation and its comings and goings, but none of its
outcomes; one that came back adds them as if it had never been gone.
"""

from __future__ import annotations

from collections import Counter

from processor.core.business_hours import NEVER
from processor.core.settings import FIRST_RESPONSE, NONE, QUEUE_WAIT, RESOLUTION
from processor.synthetic.clock import BookClock, Desk

SOLVED = frozenset({"solved", "closed"})
Totals = Counter[str]


def labelled(family: str, **labels: str) -> str:
    """A family's name with labels, as it is exported."""
    return family + "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def observe(totals: Totals, histogram: str, duration_ms: int) -> None:
    """Count a duration; sums are kept in milliseconds until the end."""
    totals[f"support_{histogram}_seconds_count"] += 1
    totals[f"support_{histogram}_seconds_sum"] += duration_ms


def measure(totals: Totals, clock: BookClock | None, until: int, fulfilled: bool) -> None:
    """A clock is measured once: breached, or fulfilled in time."""
    if clock is None or clock.target is None:
        return
    if clock.breached or clock.due <= until:
        totals[labelled("support_sla_clocks_measured_total", clock=clock.name)] += 1
        totals[labelled("support_sla_clocks_breached_total", clock=clock.name)] += 1
        if clock.induced:
            totals[labelled("support_sla_clocks_breach_induced_total", clock=clock.name)] += 1
    elif fulfilled:
        totals[labelled("support_sla_clocks_measured_total", clock=clock.name)] += 1


class TicketBook:
    """One ticket's entries."""

    __slots__ = (
        "adopted",
        "created_at",
        "desk",
        "dims",
        "eligible",
        "first",
        "first_solve_ms",
        "first_wait",
        "flags",
        "reopens",
        "resolution",
        "solved_at",
        "solves",
        "status",
        "summary_due",
        "totals",
    )

    def __init__(self, desk: Desk, totals: Totals) -> None:
        self.desk = desk
        self.totals = totals  # of what nothing takes back
        self.dims: tuple[str, ...] = (NONE,) * 6
        self.created_at = 0
        self.adopted = False
        self.eligible = False
        self.status = "open"
        self.flags: set[str] = set()
        self.first: BookClock | None = None
        self.resolution: BookClock | None = None
        self.first_wait: tuple[int, int | None] | None = None  # calendar and business milliseconds to the first response
        self.first_solve_ms: int | None = None  # since the creation; of the first solve within the population
        self.solved_at = 0
        self.summary_due = NEVER
        self.solves = 0
        self.reopens = 0

    @property
    def in_backlog(self) -> bool:
        """In the population and unsolved."""
        return self.eligible and not self.flags and self.status not in SOLVED

    def create(self, at: int, dims: tuple[str, ...], status: str, inbound: bool) -> None:
        """Its first event."""
        self.created_at, self.dims, self.status = at, dims, status
        self.totals["support_tickets_created_total"] += 1
        if inbound:
            self.eligible = True
            self._start(at)
            self._enter("created")

    def adopt(self, at: int) -> None:
        """First seen by another event than its creation: nothing is known of the time before."""
        self.created_at, self.adopted, self.eligible = at, True, True
        self.totals["support_tickets_adopted_total"] += 1
        self._enter("adopted")

    def customer_wrote(self, at: int) -> None:
        """A ticket that we opened joins the population when the customer answers."""
        if not self.eligible:
            self.eligible = True
            if self.status not in SOLVED:  # else nobody waits unless it is reopened
                self._start(at)
                self._enter("became_eligible")

    def human_replied(self, at: int) -> None:
        """A public message of an agent that reached the customer."""
        first = self.first
        if first is not None and first.open:
            first.stop(at)
            self.first_wait = (at - first.started_at, first.business(at))

    def set_status(self, at: int, status: str) -> None:
        """Any status may follow any other."""
        was_in_backlog, was_solved = self.in_backlog, self.status in SOLVED
        self.status = status
        if status in SOLVED:
            if not was_solved:
                self._solve(at)
                if was_in_backlog:
                    self._leave("solved")
            if status == "closed" and self.summary_due > at:
                self.summary_due = at
            return
        if was_solved:
            self.reopens += self.eligible
            self.summary_due = NEVER
            if self.resolution is not None:
                self.resolution.reopen(at)
                self._reconsider(at)  # what changed while it was solved counts from now on
            elif self.eligible and not self.adopted:
                self._start(at)
            if self.in_backlog:
                self._enter("reopened")
        self._pause_or_resume(at)

    def change(self, at: int, dims: tuple[str, ...]) -> None:
        """Priority, group, tier or topic."""
        self.dims = dims
        self._reconsider(at)

    def discard(self, reason: str) -> None:
        """Spam, deleted or merged: out of the population, its clocks running on in case it comes back."""
        was_in_backlog = self.in_backlog
        self.flags.add(reason)
        merged = reason == "merged"
        self.totals["support_tickets_merged_total" if merged else labelled("support_tickets_discarded_total", reason=reason)] += 1
        if was_in_backlog:
            self._leave("merged" if merged else "discarded")

    def restore(self, reason: str) -> None:
        """Back in the population."""
        self.flags.discard(reason)
        self.totals["support_tickets_restored_total"] += 1
        if self.in_backlog:
            self._enter("unmerged" if reason == "merged" else "restored")

    def deadlines(self) -> list[int]:
        """What time alone will still do to it."""
        return [self.summary_due, *(clock.due for clock in (self.first, self.resolution) if clock is not None)]

    def close(self, until: int) -> None:
        """Add the outcomes that stand at `until`."""
        totals = self.totals
        totals["support_backlog_tickets"] += self.in_backlog
        if self.flags or not self.eligible:
            return
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
        measure(totals, self.first, until, self.first_wait is not None)
        measure(totals, self.resolution, until, self.resolution is not None and not self.resolution.open)

    def _start(self, at: int) -> None:
        policy = self.desk.policy(at, self.dims)
        self.first = BookClock(self.desk, FIRST_RESPONSE, at, policy)
        self.resolution = BookClock(self.desk, RESOLUTION, at, policy)
        self._pause_or_resume(at)

    def _reconsider(self, at: int) -> None:
        for clock in (self.first, self.resolution):
            if clock is not None and clock.open:
                clock.reconsider(at, self.desk.policy(clock.started_at, self.dims))
        self._pause_or_resume(at)

    def _solve(self, at: int) -> None:
        self.solved_at = at
        self.summary_due = at + self.desk.settings.final_after
        if self.eligible:
            self.solves += 1
            if self.first_solve_ms is None:
                self.first_solve_ms = at - self.created_at
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


class ContactBook:
    """One call's or chat's entries."""

    __slots__ = ("desk", "dims", "leg", "offered_at", "settled", "totals")

    def __init__(self, desk: Desk, totals: Totals, channel: str, topic: str) -> None:
        self.desk = desk
        self.totals = totals
        self.dims: tuple[str, ...] = (channel, NONE, NONE, NONE, topic, NONE)
        self.offered_at: int | None = None
        self.leg: BookClock | None = None
        self.settled = False  # answered, or gone

    def wait(self, at: int, queue: str) -> None:
        """Queued, or transferred to another queue."""
        self._end_leg(at, False)
        self.dims = (*self.dims[:5], queue)
        self._offer(at)
        self.leg = BookClock(self.desk, QUEUE_WAIT, at, self.desk.policy(at, self.dims))

    def accept(self, at: int) -> None:
        """An agent takes it."""
        offered_at = self._offer(at)
        leg = self.leg
        self._end_leg(at, True)
        if not self.settled:
            self.settled = True
            self.totals["support_contacts_answered_total"] += 1
            target = leg.target if leg else None
            in_time = target is not None and self.desk.between(offered_at, at, target) <= target.ms
            in_target = leg is None or (in_time and not leg.breached)
            self.totals["support_contacts_answered_in_target_total"] += in_target
            observe(self.totals, "speed_of_answer", at - offered_at)

    def abandon(self, at: int) -> None:
        """The customer leaves the queue."""
        if self.leg is not None and not self.settled:
            assert self.offered_at is not None
            waited = at - self.offered_at
            limits = self.desk.settings.short_abandon
            short = waited <= limits.get(self.dims[0], limits.get("default", 0))
            self.totals["support_contacts_short_abandoned_total" if short else "support_contacts_abandoned_total"] += 1
            if not short:
                observe(self.totals, "time_to_abandon", waited)
        self.leave(at)

    def leave(self, at: int) -> None:
        """Gone in another way: voicemail, a callback, the end of the contact."""
        if self.leg is not None:
            self.settled = True
        self._end_leg(at, False)

    def deadlines(self) -> list[int]:
        """What time alone will still do to it."""
        return [self.leg.due] if self.leg is not None else []

    def close(self, until: int) -> None:
        """A wait that still goes on may be late by now."""
        self.totals["support_contacts_waiting"] += self.leg is not None
        measure(self.totals, self.leg, until, False)

    def _offer(self, at: int) -> int:
        if self.offered_at is None:
            self.offered_at = at
            self.totals["support_contacts_offered_total"] += 1
        return self.offered_at

    def _end_leg(self, at: int, accepted: bool) -> None:
        if self.leg is not None:
            self.leg.stop(at)
            measure(self.totals, self.leg, at, accepted)
            self.leg = None
