"""The life of a contact (a call, a chat): it waits in queues, and is answered or leaves.

    initiated ─▶ queued ─▶ waiting ──accepted──▶ answered ──transferred──▶ waiting (next leg)
                    │         ├──abandoned──▶ left: abandoned, or a short one if it waited no longer than the threshold
                    ▼         └──callback, ended──▶ left, not abandoned ──accepted after a callback──▶ recovered
                  the menu ──▶ dropped, voicemail, solved by a bot

A contact is *offered* once, when it first enters a queue or is accepted directly; answered and abandoned once, whatever happens in
later legs. The `queue_wait` clock runs once per leg. A contact that leaves before any queue (in a menu) was never offered. How it ends is
in `contact_ends`.

A contact that is not waiting and of which nothing was heard for long has gone: an event after `gone_at` begins a new life. That is a
rule of the fold, so it does not matter when the memory of the old life is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from processor.core import contact_ends as ends
from processor.core.business_hours import NEVER, freeze_due, thaw_due
from processor.core.clocks import CANCELLED, FULFILLED, Clock
from processor.core.dimensions import QUEUE, TOPIC, dims_of, with_dims
from processor.core.events import Event
from processor.core.facts import Dims, Fact, Out, pseudonym, thaw_fact
from processor.core.policies import Policies
from processor.core.settings import NO_DIMENSIONS, NONE, QUEUE_WAIT


class Contact:
    """The folded state of one contact."""

    __slots__ = (
        *("accepted_at", "agent", "bot", "callback", "contacted", "contained", "created_at", "dims", "end", "ended", "fate", "gone_at"),
        *("handled", "hands", "initiated", "last_fired", "leg", "legs", "misses", "offered_at", "offers", "policies", "requester_id"),
        *("spent", "talk_since", "talked", "ticket_id", "wake"),
    )

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._begin()

    def _begin(self) -> None:
        """A life of which nothing is known yet."""
        self.created_at = 0
        self.dims: Dims = NO_DIMENSIONS
        self.ticket_id: str | None = None  # the ticket that it belongs to
        self.requester_id: str | None = None
        self.contacted: Fact | None = None  # what was handed to the requester
        self.hands = 0
        self.initiated = False
        self.offered_at: int | None = None
        self.legs = 0
        self.leg: Clock | None = None  # the wait that is going on
        self.fate = ends.OPEN
        self.callback = False  # asked for, and nobody has called yet
        self.ended = False
        self.end: tuple[Any, ...] | None = None  # how it ended without being answered, for as long as subsystems may disagree
        self.accepted_at: int | None = None  # first
        self.agent: str | None = None  # who accepted it last
        self.talk_since: int | None = None
        self.talked = 0
        self.spent: tuple[int | None, int | None, int | None] = (None, None, None)  # talk, hold and wrap-up as they were told
        self.handled: Fact | None = None
        self.offers = 0  # to agents
        self.misses = 0
        self.bot = ends.NO_BOT
        self.contained: Fact | None = None
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
            ends.expire(self, lost_at, out)
        self._set_times(self.last_fired)

    def _set_times(self, at: int) -> None:
        """When to look again, and when the contact has gone, given what happened at `at`."""
        settings, leg = self.policies.settings, self.leg
        if leg is not None:
            self.wake = min(leg.due, leg.started_at + settings.contact_expires_after)
            self.gone_at = NEVER
        else:
            self.wake = NEVER
            over = self.ended and not self.callback
            self.gone_at = at + (settings.allowed_lateness if over else settings.contact_expires_after)

    # -- events -------------------------------------------------------------------------------------------------------------------

    def _initiated(self, event: Event, at: int, out: Out) -> None:
        self._describe(event, at, out)
        if not self.ended:
            self._initiate(at, out)

    def _describe(self, event: Event, at: int, out: Out) -> None:
        channel, queue, topic, ticket_id, requester_id = event.data
        self.ticket_id = ticket_id or self.ticket_id
        self.requester_id = requester_id or self.requester_id
        self.dims = dims_of(channel=channel, topic=topic or self.dims[TOPIC], queue=queue or self.dims[QUEUE])
        if not self.ended:
            self._tell_requester(at, out)

    def _tell_requester(self, at: int, out: Out) -> None:
        """A contact that belongs to no ticket may be the customer coming back; one that belongs to a ticket is not another one.

        What was handed over longer ago than events may be late is settled.
        """
        known, topic = self.contacted, self.dims[TOPIC]
        if self.ticket_id is not None:
            self.contacted = None
            if known is not None and at - known.at <= self.policies.settings.allowed_lateness:
                out.append((-1, known))
        elif self.requester_id and topic != NONE and (known is None or known.content[:2] != (self.requester_id, topic)):
            self.hands += 1
            self.contacted = Fact("person.contacted", self.hands, at, self.dims, (self.requester_id, topic, self.created_at))
            out.append((1, self.contacted))

    def _queued(self, event: Event, at: int, out: Out) -> None:
        again = ends.undone(self, at, out) if self.ended and self.offered_at is None else None
        self._describe(event, at, out)
        if self.ended:
            return
        self._initiate(at, out)
        skew = self.policies.settings.clock_skew
        if self.talk_since is None or self.legs or at - self.talk_since > skew:  # else: an agent took it, by another clock, just before
            self._enter_queue(at, out)
        if again is not None:
            ends.end_again(self, again, at, out)

    def _transferred(self, event: Event, at: int, out: Out) -> None:
        if self.ended:
            return
        self.dims = with_dims(self.dims, {"queue": event.data[0]})
        self._initiate(at, out)
        self._enter_queue(at, out)

    def _enter_queue(self, at: int, out: Out) -> None:
        self.finish_leg(at, CANCELLED, "transferred", out)
        ends.stop_talking(self, at)
        ends.not_contained(self, out)
        self._offer(at, out)
        self.legs += 1
        self.leg = Clock(QUEUE_WAIT, self.legs, at, self.policies.choose(at, self.dims, None))
        self.leg.arm(self.policies)
        if self.leg.target is not None:
            out.append((1, self.leg.started_fact(self.dims)))

    def _accepted(self, event: Event, at: int, out: Out) -> None:
        again = ends.undone(self, at, out) if self.ended and not self.callback else None
        if self.ended and not self.callback:
            return
        self.ended, self.end = False, None
        self._initiate(at, out)
        ends.not_contained(self, out)
        self._offer(at, out)
        self.agent = _agent(event)
        since = self.created_at if self.offered_at is None else self.offered_at
        leg = self.leg  # accepted without a queue: no wait at all
        in_target = leg is None or (leg.breached_at is None and leg.within_target(since, at, self.policies))
        self.finish_leg(at, FULFILLED, "", out)
        if self.fate == ends.OPEN:
            self.fate = ends.ANSWERED
            self._reached(Fact("contact.answered", 1, at, self.dims, (at - since, in_target, self.agent)), at - since, out)
        elif self.callback:
            self.callback = False
            self._reached(Fact("contact.recovered", 1, at, self.dims, ()), at - since, out)
        if self.accepted_at is None:
            self.accepted_at = at
        if self.talk_since is None:
            self.talk_since = at
        if again is not None:
            ends.end_again(self, again, at, out)

    def _reached(self, fact: Fact, wait: int, out: Out) -> None:
        """An agent and the customer speak for the first time."""
        out.append((1, fact))
        if self.ticket_id is not None:
            out.append((1, Fact("ticket.contact_answered", 1, fact.at, self.dims, (self.ticket_id, wait, self.agent))))

    def _offered(self, event: Event, at: int, out: Out) -> None:
        if not self.ended:
            self.offers += 1
            out.append((1, Fact("contact.agent_offered", self.offers, at, self.dims, (_agent(event),))))

    def _missed(self, event: Event, at: int, out: Out) -> None:
        if not self.ended:
            self.misses += 1
            out.append((1, Fact("contact.agent_missed", self.misses, at, self.dims, (_agent(event),))))

    def _bot_started(self, _event: Event, at: int, out: Out) -> None:
        if not self.ended and self.bot == ends.NO_BOT:
            self.bot = ends.BOT
            out.append((1, Fact("contact.bot_started", 1, at, self.dims, ())))

    def _bot_handed_off(self, _event: Event, at: int, out: Out) -> None:
        if not self.ended:
            self.bot = ends.HANDED_OFF
            ends.not_contained(self, out)

    # -- parts --------------------------------------------------------------------------------------------------------------------

    def _initiate(self, at: int, out: Out) -> None:
        if not self.initiated:
            self.initiated = True
            out.append((1, Fact("contact.initiated", 1, at, self.dims, ())))

    def _offer(self, at: int, out: Out) -> None:
        if self.offered_at is None and self.fate == ends.OPEN:
            self.offered_at = at
            out.append((1, Fact("contact.offered", 1, at, self.dims, ())))

    def finish_leg(self, at: int, state: int, reason: str, out: Out) -> None:
        """The wait that is going on, if there is one, ends."""
        leg = self.leg
        if leg is None:
            return
        self.leg = None
        leg.finish(at, state, self.policies)
        if leg.target is not None:
            out.append((1, leg.fulfilled_fact(at, self.dims) if state == FULFILLED else leg.cancelled_fact(at, self.dims, reason)))

    # -- stored form --------------------------------------------------------------------------------------------------------------

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        leg = self.leg.freeze() if self.leg else None
        return (self.created_at, self.dims, self.offered_at, self.legs, leg, self.fate, self.ended, self.last_fired,
                freeze_due(self.gone_at), self.ticket_id, self.requester_id, self.contacted, self.hands,
                self.initiated, self.callback, self.end, self.accepted_at, self.agent, self.talk_since, self.talked, self.spent,
                self.handled, self.offers, self.misses, self.bot, self.contained)  # fmt: skip

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Contact:
        """Undo `freeze`; also after a round trip through JSON."""
        contact = cls(policies)
        (contact.created_at, dims, contact.offered_at, contact.legs, leg, contact.fate, contact.ended, contact.last_fired, gone_at,
         contact.ticket_id, contact.requester_id, contacted, contact.hands, contact.initiated, contact.callback, end,
         contact.accepted_at, contact.agent, contact.talk_since, contact.talked, spent, handled, contact.offers, contact.misses,
         contact.bot, contained) = stored  # fmt: skip
        contact.dims = tuple(dims)
        contact.leg = Clock.thaw(leg, policies) if leg else None
        contact._set_times(0)
        contact.gone_at = thaw_due(gone_at)
        contact.end = tuple(end) if end else None
        contact.spent = tuple(spent)
        facts = (contacted, handled, contained)
        contact.contacted, contact.handled, contact.contained = (thaw_fact(fact) if fact else None for fact in facts)
        return contact


def _agent(event: Event) -> str | None:
    return None if event.data[0] is None else pseudonym(event.data[0])


_HANDLERS: Final[dict[str, Callable[[Contact, Event, int, Out], None]]] = {
    "contact.initiated": Contact._initiated,
    "contact.queued": Contact._queued,
    "contact.offered": Contact._offered,
    "contact.missed": Contact._missed,
    "contact.accepted": Contact._accepted,
    "contact.transferred": Contact._transferred,
    "contact.abandoned": ends.abandoned,
    "contact.callback_requested": ends.callback_requested,
    "contact.ended": ends.ended,
    "contact.wrapped_up": ends.wrapped_up,
    "contact.bot_started": Contact._bot_started,
    "contact.bot_handed_off": Contact._bot_handed_off,
    "contact.bot_resolved": ends.bot_resolved,
}
