"""The life of a contact (a call, a chat): it waits in queues, and is answered or leaves. Every rule is in this file.

    initiated ─▶ queued ─▶ waiting ──accepted──▶ answered ──transferred──▶ waiting (next leg)
                              ├──abandoned──▶ left: abandoned, or a short one if it waited no longer than the threshold
                              └──callback, ended──▶ left, not abandoned

A contact is *offered* once, when it first enters a queue or is accepted directly; answered and abandoned once, whatever happens in
later legs. The `queue_wait` clock runs once per leg. A contact that leaves before any queue (in a menu) was never offered.

A contact that is not waiting and of which nothing was heard for long has gone: an event after `gone_at` begins a new life. That is a
rule of the fold, so it does not matter when the memory of the old life is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from processor.core.business_hours import NEVER
from processor.core.clocks import CANCELLED, FULFILLED, Clock
from processor.core.events import Event
from processor.core.facts import Dims, Fact
from processor.core.policies import Policies
from processor.core.settings import NO_DIMENSIONS, NONE, QUEUE_WAIT

Out = list[tuple[int, Fact]]

# What became of a contact, once.
OPEN = 0
ANSWERED = 1
LEFT = 2


class Contact:
    """The folded state of one contact."""

    __slots__ = (
        *("created_at", "dims", "ended", "fate", "gone_at", "last_fired", "leg", "legs", "offered_at", "policies", "ticket_id", "wake"),
    )

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._begin()

    def _begin(self) -> None:
        """A life of which nothing is known yet."""
        self.created_at = 0
        self.dims: Dims = NO_DIMENSIONS
        self.ticket_id: str | None = None  # the ticket that it belongs to
        self.offered_at: int | None = None
        self.legs = 0
        self.leg: Clock | None = None  # the wait that is going on
        self.fate = OPEN
        self.ended = False
        self.last_fired = 0
        self.gone_at = NEVER
        self.wake = NEVER

    @property
    def waiting(self) -> bool:
        """In a queue, not yet accepted."""
        return self.leg is not None

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event that happened at `at`."""
        if self.wake < at:
            self.fire(at - 1, out)
        if self.gone_at < at:
            self._begin()
        if not self.created_at:
            self.created_at = at
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event, at, out)
        self._set_times(at)

    def fire(self, limit: int, out: Out) -> None:
        """Let the deadlines of the wait pass that are at or before `limit`: its target, and the time after which it counts as lost."""
        leg = self.leg
        if leg is None:
            return
        lost_at = leg.started_at + self.policies.settings.contact_expires_after
        if leg.due <= min(limit, lost_at):  # a target beyond `lost_at` is never missed
            self.last_fired = leg.breached_at = leg.due
            leg.due = NEVER
            out.append((1, leg.breached_fact(self.dims)))
        if lost_at <= limit:
            self.last_fired = lost_at
            self._leave_unanswered(lost_at, "expired", out)
            self.ended = True
        self._set_times(self.last_fired)

    def _set_times(self, at: int) -> None:
        """When to look again, and when the contact has gone, given what happened at `at`."""
        settings, leg = self.policies.settings, self.leg
        if leg is not None:
            self.wake = min(leg.due, leg.started_at + settings.contact_expires_after)
            self.gone_at = NEVER
        else:
            self.wake = NEVER
            self.gone_at = at + (settings.allowed_lateness if self.ended else settings.contact_expires_after)

    # -- events -------------------------------------------------------------------------------------------------------------------

    def _initiated(self, event: Event, at: int, out: Out) -> None:
        channel, queue, topic, ticket_id, _requester_id = event.data
        self.ticket_id = ticket_id or self.ticket_id
        self.dims = (channel, NONE, NONE, NONE, topic or self.dims[4], queue or self.dims[5], NONE, NONE, NONE)

    def _queued(self, event: Event, at: int, out: Out) -> None:
        self._initiated(event, at, out)
        if self.ended:
            return
        self._end_leg(at, CANCELLED, "transferred", out)
        self._offer(at, out)
        self._begin_leg(at, out)

    def _accepted(self, event: Event, at: int, out: Out) -> None:
        if self.ended:
            return
        self._offer(at, out)
        leg = self.leg  # accepted without a queue: no wait at all
        assert self.offered_at is not None
        in_target = leg is None or (leg.breached_at is None and leg.within_target(self.offered_at, at, self.policies))
        self._end_leg(at, FULFILLED, "", out)
        if self.fate == OPEN:
            self.fate = ANSWERED
            wait = at - self.offered_at
            out.append((1, Fact("contact.answered", 1, at, self.dims, (wait, in_target))))
            if self.ticket_id is not None:
                out.append((1, Fact("ticket.contact_answered", 1, at, self.dims, (self.ticket_id, wait))))

    def _transferred(self, event: Event, at: int, out: Out) -> None:
        if self.ended:
            return
        self._end_leg(at, CANCELLED, "transferred", out)
        self.dims = (*self.dims[:5], event.data[0], *self.dims[6:])
        self._offer(at, out)
        self._begin_leg(at, out)

    def _abandoned(self, event: Event, at: int, out: Out) -> None:
        if self.waiting and self.fate == OPEN:
            self.fate = LEFT
            assert self.offered_at is not None
            wait = at - self.offered_at
            limits = self.policies.settings.short_abandon
            short = wait <= limits.get(self.dims[0], limits.get("default", 0))
            out.append((1, Fact("contact.abandoned", 1, at, self.dims, (wait, short))))
        self._end_leg(at, CANCELLED, "abandoned", out)
        self.ended = True

    def _callback_requested(self, event: Event, at: int, out: Out) -> None:
        self._leave_unanswered(at, "callback", out)

    def _ended(self, event: Event, at: int, out: Out) -> None:
        self._leave_unanswered(at, event.data[2] or "ended", out)
        self.ended = True

    # -- parts --------------------------------------------------------------------------------------------------------------------

    def _offer(self, at: int, out: Out) -> None:
        if self.offered_at is None:
            self.offered_at = at
            out.append((1, Fact("contact.offered", 1, at, self.dims, ())))

    def _begin_leg(self, at: int, out: Out) -> None:
        self.legs += 1
        self.leg = Clock(QUEUE_WAIT, self.legs, at, self.policies.choose(at, self.dims, None))
        self.leg.arm(self.policies)
        if self.leg.target is not None:
            out.append((1, self.leg.started_fact(self.dims)))

    def _end_leg(self, at: int, state: int, reason: str, out: Out) -> None:
        leg = self.leg
        if leg is None:
            return
        self.leg = None
        leg.finish(at, state, self.policies)
        if leg.target is not None:
            out.append((1, leg.fulfilled_fact(at, self.dims) if state == FULFILLED else leg.cancelled_fact(at, self.dims, reason)))

    def _leave_unanswered(self, at: int, reason: str, out: Out) -> None:
        if self.waiting and self.fate == OPEN:
            self.fate = LEFT
        self._end_leg(at, CANCELLED, reason, out)

    # -- stored form --------------------------------------------------------------------------------------------------------------

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        leg = self.leg.freeze() if self.leg else None
        return (self.created_at, self.dims, self.offered_at, self.legs, leg, self.fate, self.ended, self.last_fired,
                self.gone_at if self.gone_at != NEVER else None, self.ticket_id)  # fmt: skip

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Contact:
        """Undo `freeze`; also after a round trip through JSON."""
        contact = cls(policies)
        (contact.created_at, dims, contact.offered_at, contact.legs, leg, contact.fate, contact.ended, contact.last_fired, gone_at,
         contact.ticket_id) = stored  # fmt: skip
        contact.dims = tuple(dims)
        contact.leg = Clock.thaw(leg, policies) if leg else None
        contact._set_times(0)
        contact.gone_at = NEVER if gone_at is None else gone_at
        return contact


_HANDLERS: dict[str, Callable[[Contact, Event, int, Out], None]] = {
    "contact.initiated": Contact._initiated,
    "contact.queued": Contact._queued,
    "contact.accepted": Contact._accepted,
    "contact.transferred": Contact._transferred,
    "contact.abandoned": Contact._abandoned,
    "contact.callback_requested": Contact._callback_requested,
    "contact.ended": Contact._ended,
}
