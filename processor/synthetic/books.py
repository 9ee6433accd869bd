"""The generator's books: what each ticket and contact will have added to the totals when the log ends.

Totals are net: a ticket that is spam, deleted or merged away at the end adds its creation and its comings and goings, but none of its
outcomes; one that came back adds them as if it had never been gone.
"""

from __future__ import annotations

from collections import Counter

from processor.core.settings import NONE, QUEUE_WAIT
from processor.synthetic.clock import BookClock, Desk

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


class ContactBook:
    """One call's or chat's entries."""

    __slots__ = ("answered_after", "desk", "dims", "leg", "offered_at", "settled", "totals")

    def __init__(self, desk: Desk, totals: Totals, channel: str, topic: str) -> None:
        self.desk = desk
        self.totals = totals
        self.dims: tuple[str, ...] = (channel, NONE, NONE, NONE, topic, NONE, NONE, NONE, NONE)
        self.offered_at: int | None = None
        self.leg: BookClock | None = None
        self.settled = False  # answered, or gone
        self.answered_after: int | None = None

    def wait(self, at: int, queue: str) -> None:
        """Queued, or transferred to another queue."""
        self._end_leg(at, False)
        self.dims = (*self.dims[:5], queue, *self.dims[6:])
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
            self.answered_after = at - offered_at

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
