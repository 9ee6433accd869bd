"""A contact: lives, legs, one fate, and what it took."""

from __future__ import annotations

from typing import Any

from processor.core.events import Event
from processor.core.facts import pseudonym
from processor.core.settings import Policy, Settings
from tests.laws.oracle.hours import calendar_of, open_time, policy_at, reached
from tests.laws.oracle.log import NOWHERE, Said, dims_of, distinct, given

MISSED = ("voicemail", "out_of_hours", "rejected")


class ContactReading:
    """One contact: `said` stands in the end, `given` goes to tickets and requesters."""

    def __init__(self, key: str, events: list[Event], until: int, settings: Settings) -> None:
        self.key, self.settings = key, settings
        self.said: list[Said] = []
        self.given: list[Event] = []
        self._begin()
        self.events = distinct(events)
        for number, event in enumerate(self.events):
            self._hear(number, event)
        self._expire(until)
        self._pass(until + 1)
        self._close()
        self.waiting = self.leg_at is not None

    def _begin(self) -> None:
        self.dims = NOWHERE
        self.ticket: str | None = None
        self.requester: str | None = None
        self.met: list[Event] = []
        self.began_at: int | None = None
        self.heard_at: int | None = None
        self.initiated = False
        self.offered_at: int | None = None
        self.leg_at: int | None = None
        self.legs = 0
        self.late = False  # the present leg
        self.policy: Policy | None = None
        self.fate = ""
        self.ended = False
        self.held: tuple[int, Event] | None = None  # an end that waits for what should have come before it
        self.callback = False
        self.accepted = False
        self.agent: str | None = None
        self.talking: int | None = None
        self.talked = 0
        self.times: dict[str, float] = {}
        self.handled_at: tuple[int, tuple[str, ...], str | None] | None = None
        self.bot = ""
        self.contained: Said | None = None

    def _hear(self, number: int, event: Event) -> None:
        """The next event; after a long silence it begins a new life."""
        at = event.occurred_at
        self._expire(at - 1)
        self._pass(at)
        over = self.ended and not self.callback
        silence = self.settings.allowed_lateness if over else self.settings.contact_expires_after
        if self.leg_at is None and self.heard_at is not None and at > self.heard_at + silence:
            self._close()
            self._begin()
        self.heard_at = at
        self.began_at = self.began_at if self.began_at is not None else at
        self._event(number, at, event)

    def _close(self) -> None:
        """The life is over: what it took, and whom it met."""
        if self.handled_at is not None:
            at, dims, agent = self.handled_at
            times = [round(1000 * self.times.get(name, 0)) for name in ("talk", "hold", "wrap_up")]
            if "talk" not in self.times and "hold" not in self.times:
                times[0] = self.talked
            self.said.append(Said("contact.handled", at, dims, (*times, agent)))
        if self.contained is not None:
            self.said.append(self.contained)
        self.given += self.met

    def _say(self, kind: str, at: int, *content: Any) -> None:
        self.said.append(Said(kind, at, self.dims, content))

    # -- events ---------------------------------------------------------------------------------------------------------------------

    def _event(self, number: int, at: int, event: Event) -> None:
        waited_for = self.held is not None and self._waits_for(event)
        if waited_for:
            self.ended = False
        self._happen(at, event)
        if self.held is not None and waited_for:
            held_at, end = self.held
            if self._sooner(number, held_at):
                self.ended = True
            else:
                self.held = None
                self._end(at, end.data)
        elif event.kind == "contact.ended" and not self.ended:
            if not self.accepted and self._sooner(number, at):
                self.held = (at, event)
                self.ended = True
            else:
                self._end(at, event.data)
        elif event.kind == "contact.ended" and self.accepted and self.held is None:
            self._spend(event.data)
            self.handled_at = (at, self.dims, self.agent)

    def _waits_for(self, event: Event) -> bool:
        """Whether an end that subsystems told too early belongs after this."""
        if event.kind == "contact.queued":
            return self.offered_at is None
        return event.kind == "contact.accepted" and not self.accepted and not self.callback

    def _sooner(self, number: int, ended_at: int) -> bool:
        """Whether more of what should have come before the end follows soon enough."""
        soon = [event for event in self.events[number + 1 :] if event.occurred_at - ended_at <= self.settings.clock_skew]
        return any(self._waits_for(event) for event in soon)

    def _happen(self, at: int, event: Event) -> None:
        match event.kind:
            case "contact.initiated" | "contact.queued":
                self._describe(at, event.data)
                if not self.ended:
                    self._initiate(at)
                    if event.kind == "contact.queued" and not self._just_taken(at):
                        self._wait(at)
            case "contact.transferred" if not self.ended:
                self.dims = (*self.dims[:5], event.data[0], *self.dims[6:])
                self._initiate(at)
                self._wait(at)
            case "contact.accepted" if not self.ended or self.callback:
                self._accept(at, event.data[0])
            case "contact.offered" | "contact.missed" if not self.ended:
                self._say(
                    "contact.agent_offered" if event.kind == "contact.offered" else "contact.agent_missed", at, pseudonym(event.data[0])
                )
            case "contact.abandoned":
                self._abandoned(at)
            case "contact.callback_requested":
                self._callback(at)
            case "contact.wrapped_up":
                self.times["wrap_up"] = self.times.get("wrap_up", 0) + event.data[0]
                if self.handled_at is not None:
                    self.handled_at = (at, self.dims, self.agent)
            case "contact.bot_started" if not self.ended and not self.bot:
                self.bot = "bot"
                self._say("contact.bot_started", at)
            case "contact.bot_handed_off" if not self.ended:
                self.bot, self.contained = "handed off", None
            case "contact.bot_resolved" if not self.ended and self.offered_at is None and not self.fate:
                self._contain(at)

    def _describe(self, at: int, data: tuple[Any, ...]) -> None:
        channel, queue, topic, ticket, requester = data
        had_ticket = self.ticket is not None
        self.ticket, self.requester = ticket or self.ticket, requester or self.requester
        self.dims = dims_of(channel=channel, topic=topic or self.dims[4], queue=queue or self.dims[5])
        if self.ended:
            return
        if self.ticket is not None:
            if not had_ticket and self.met and at - self.met[-1].occurred_at <= self.settings.allowed_lateness:
                self.met = self.met[:-1]  # it was no contact of its own; what was told long ago is settled
        elif self.requester and self.dims[4] != "none":
            what = (self.dims[4], self.began_at)
            if not self.met or (self.met[-1].key, self.met[-1].data) != (self.requester, what):
                self.met.append(given("met", self.requester, at, f"contact:{self.key}", *what))

    def _just_taken(self, at: int) -> bool:
        """An agent took it, by another clock, just before it was queued."""
        return self.talking is not None and not self.legs and at - self.talking <= self.settings.clock_skew

    # -- what happens ---------------------------------------------------------------------------------------------------------------

    def _initiate(self, at: int) -> None:
        if not self.initiated:
            self.initiated = True
            self._say("contact.initiated", at)

    def _offer(self, at: int) -> None:
        if self.offered_at is None and not self.fate:
            self.offered_at = at
            self._say("contact.offered", at)

    def _wait(self, at: int) -> None:
        self._end_leg(at, "transferred")
        self._stop(at)
        self.contained = None
        self._offer(at)
        self.leg_at = at
        self.legs += 1
        self.late = False
        self.policy = policy_at(self.settings, at, self.dims)

    def _accept(self, at: int, agent: str | None) -> None:
        self.ended = False
        self._initiate(at)
        self.contained = None
        self._offer(at)
        self.agent = pseudonym(agent) if agent is not None else None
        since = self.offered_at if self.offered_at is not None else self.began_at
        assert since is not None
        direct = self.leg_at is None
        late = self._end_leg(at, "")
        if not self.fate:
            self.fate = "answered"
            target = self.policy.targets.get("queue_wait") if self.policy else None
            within = target is not None and open_time(calendar_of(self.settings, target), since, at) <= target.ms
            self._say("contact.answered", at, at - since, direct or (late is False and within), self.agent)
            self._tell_ticket(at, at - since)
        elif self.callback:
            self.callback = False
            self._say("contact.recovered", at)
            self._tell_ticket(at, at - since)
        self.accepted = True
        self.talking = at if self.talking is None else self.talking

    def _tell_ticket(self, at: int, wait: int) -> None:
        if self.ticket is not None:
            self.given.append(given("answer", self.ticket, at, self.key, wait, self.agent))

    def _abandoned(self, at: int) -> None:
        if self.leg_at is not None and not self.fate:
            self._abandon(at, silent=False)
        elif self.initiated and not self.ended and (self.fate not in ("left", "callback") or self.accepted):
            self._say("contact.dropped", at)
        self._end_leg(at, "abandoned")
        self._over(at)

    def _abandon(self, at: int, *, silent: bool) -> None:
        assert self.offered_at is not None
        self.fate = "left"
        wait, limits = at - self.offered_at, self.settings.short_abandon
        short = wait <= limits.get(self.dims[0], limits.get("default", 0))
        self._say("contact.abandoned", at, wait, short, silent)
        if not short:
            self._say("contact.missed", at, "abandoned")

    def _callback(self, at: int) -> None:
        if not self.fate and self.initiated and not self.ended:
            self.callback, self.fate = True, "left"
            if self.leg_at is not None:
                self._say("contact.flowed_out", at, "callback")
            self._say("contact.missed", at, "callback")
        elif self.fate == "left" and not self.accepted:
            self.callback = True
        self._end_leg(at, "callback")

    def _end(self, at: int, data: tuple[Any, ...]) -> None:
        outcome = data[2]
        if self.accepted:
            if outcome == "dropped":
                self._say("contact.dropped", at)
        elif not self.fate and self.leg_at is not None:
            self._leave_queue(at, outcome, outcome if outcome in MISSED else "ended")
        elif not self.fate and self.initiated:
            if outcome in MISSED:
                self.fate = "left"
                self._say("contact.missed", at, outcome)
            elif outcome == "dropped":
                self._say("contact.dropped", at)
            elif outcome == "handled":
                self._contain(at)
        self._end_leg(at, outcome or "ended")
        self._spend(data)
        self._over(at)

    def _leave_queue(self, at: int, outcome: str | None, reason: str) -> None:
        if outcome in (None, "dropped") and self.dims[0] in self.settings.silent_abandon_channels:
            self._abandon(at, silent=True)
            return
        self.fate = "left"
        self._say("contact.flowed_out", at, reason)
        if outcome in MISSED:
            self._say("contact.missed", at, reason)
        elif outcome == "dropped":
            self._say("contact.dropped", at)

    def _contain(self, at: int) -> None:
        if self.bot == "bot" and self.contained is None:
            self.contained = Said("contact.bot_contained", at, self.dims, ())

    def _spend(self, data: tuple[Any, ...]) -> None:
        for name, seconds in zip(("talk", "hold"), data, strict=False):
            if seconds is not None:
                self.times[name] = self.times.get(name, 0) + seconds

    def _stop(self, at: int) -> None:
        if self.talking is not None:
            self.talked += at - self.talking
            self.talking = None

    def _over(self, at: int) -> None:
        self._stop(at)
        if self.accepted and not self.ended:
            self.handled_at = (at, self.dims, self.agent)
        self.ended = True

    # -- waits ----------------------------------------------------------------------------------------------------------------------

    def _expire(self, limit: int) -> None:
        if self.leg_at is not None and self.leg_at + self.settings.contact_expires_after <= limit:
            at = self.heard_at = self.leg_at + self.settings.contact_expires_after
            if not self.fate:
                self._leave_queue(at, None, "expired")
            self._end_leg(at, "expired")
            self._over(at)

    def _pass(self, before: int) -> None:
        """State the breach of the present leg if its deadline lies before that instant."""
        target = self.policy.targets.get("queue_wait") if self.policy else None
        if self.leg_at is None or target is None or self.policy is None or self.late:
            return
        due = reached(calendar_of(self.settings, target), self.leg_at, target.ms)
        if due < before:
            self.late = True
            self._say("clock.breached", due, "queue_wait", self.policy.id, self.policy.version, target.ms, False)

    def _end_leg(self, at: int, reason: str) -> bool | None:
        """End the present leg; whether it was late, None if there was none or it had no target. No reason: accepted."""
        if self.leg_at is None:
            return None
        self._pass(at + 1 if reason == "expired" else at)
        target = self.policy.targets.get("queue_wait") if self.policy else None
        since, self.leg_at = self.leg_at, None
        if target is None or self.policy is None:
            return None
        who = ("queue_wait", self.policy.id, self.policy.version)
        if reason:
            self._say("clock.cancelled", at, *who, reason)
        else:
            self._say("clock.fulfilled", at, *who, target.ms, open_time(calendar_of(self.settings, target), since, at), not self.late)
        return self.late
