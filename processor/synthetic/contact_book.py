"""The books of calls and chats."""

from __future__ import annotations

from processor.core.settings import NONE, QUEUE_WAIT
from processor.synthetic.books import Totals, labelled, measure, observe
from processor.synthetic.clock import BookClock, Desk

PHONE = "phone"  # calls are contacts of this channel


class ContactBook:
    """One call's or chat's entries."""

    __slots__ = (
        *("answered_after", "desk", "dims", "leg", "offered_at", "settled", "spent", "talked", "talking_since", "totals", "wrap_up"),
    )

    def __init__(self, desk: Desk, totals: Totals, channel: str, topic: str) -> None:
        self.desk = desk
        self.totals = totals
        self.dims: tuple[str, ...] = (channel, NONE, NONE, NONE, topic, NONE, NONE, NONE, NONE)
        self.offered_at: int | None = None
        self.leg: BookClock | None = None
        self.settled = False  # answered, or gone
        self.answered_after: int | None = None
        self.talking_since: int | None = None
        self.talked = 0
        self.spent: tuple[int, int] | None = None  # talking and holding, once it was handled
        self.wrap_up = 0
        self._count("initiated")

    def wait(self, at: int, queue: str) -> None:
        """Queued, or transferred to another queue."""
        self._end_leg(at, False)
        self._part(at)
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
        self.talking_since = at

    def call_back(self, at: int) -> None:
        """An agent calls who had asked for it."""
        self._count("recovered")
        self.answered_after = at - self._offer(at)
        self.talking_since = at

    def abandon(self, at: int, *, silently: bool = False) -> None:
        """The customer leaves the queue, or the line while waiting for another agent."""
        if self.leg is not None and not self.settled:
            assert self.offered_at is not None
            waited = at - self.offered_at
            short = waited <= self.desk.short_abandon(self.dims[0])
            self.totals["support_contacts_short_abandoned_total" if short else "support_contacts_abandoned_total"] += 1
            if not short:
                observe(self.totals, "time_to_abandon", waited)
                self.totals["support_contacts_abandoned_silently_total"] += silently
                self._miss("abandoned")
        else:
            self.totals["support_contacts_dropped_total"] += 1
            self.handle(at)
        self._leave(at)

    def drop(self, at: int) -> None:
        """The line breaks: in the menu, in the queue, or in the middle of the conversation."""
        self.totals["support_contacts_dropped_total"] += 1
        if self.leg is not None and not self.settled:
            self.totals[labelled("support_contacts_flowed_out_total", reason="ended")] += 1
        self._leave(at)

    def flow_out(self, at: int, reason: str) -> None:
        """To a voicemail, a callback, or nowhere; perhaps right from the menu."""
        if self.leg is not None:
            self.totals[labelled("support_contacts_flowed_out_total", reason=reason)] += 1
        self._miss(reason)
        self._leave(at)

    def ring(self) -> None:
        """It was offered to an agent."""
        self.totals["support_contacts_agent_offered_total"] += 1

    def ring_out(self) -> None:
        """Who did not take it."""
        self.totals["support_contacts_not_accepted_total"] += 1

    def handle(self, at: int, talk_ms: int | None = None, hold_ms: int = 0) -> None:
        """An agent is done; where nobody says how long it took, all time on the line was talk."""
        self._part(at)
        self.spent = (self.talked if talk_ms is None else talk_ms, hold_ms)
        self._leave(at)

    def _part(self, at: int) -> None:
        if self.talking_since is not None:
            self.talked += at - self.talking_since
            self.talking_since = None

    def _leave(self, at: int) -> None:
        if self.leg is not None:
            self.settled = True
        self._end_leg(at, False)

    def _count(self, what: str) -> None:
        self.totals[f"support_contacts_{what}_total"] += 1
        self.totals[f"support_calls_{what}_total"] += self.dims[0] == PHONE

    def _miss(self, reason: str) -> None:
        self.totals[labelled("support_contacts_missed_total", reason=reason)] += 1
        self.totals["support_calls_missed_total"] += self.dims[0] == PHONE

    def deadlines(self) -> list[int]:
        """What time alone will still do to it."""
        return [self.leg.due] if self.leg is not None else []

    def close(self, until: int) -> None:
        """A wait that still goes on may be late by now; what was handled took so long."""
        if self.spent is not None:
            talk, hold = self.spent
            self.totals["support_contacts_handled_total"] += 1
            observe(self.totals, "handle", talk + hold + self.wrap_up)
            for part, ms in (("talk", talk), ("hold", hold), ("wrap_up", self.wrap_up)):
                self.totals[f"support_{part}_seconds_total"] += ms
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
