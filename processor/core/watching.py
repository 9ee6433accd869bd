"""The fold of one ticket, watched: what each event and each deadline stated, and how it left the clocks.

The fold itself is the engine's; this only looks at the ticket before and after each step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from processor.core.clocks import Clock
from processor.core.events import Event
from processor.core.facts import Fact, Out
from processor.core.looking_back import as_it_turned_out
from processor.core.policies import Policies
from processor.core.settings import Policy, Target
from processor.core.ticket import Ticket
from processor.core.timeline import fold_ticket


class Look(NamedTuple):
    """A clock as it is at one moment."""

    state: int
    started_at: int
    policy: Policy | None
    target: Target | None
    allowed: int
    breached_at: int | None
    induced: bool
    due: int
    elapsed: int
    resumed_at: int
    segments: tuple[tuple[int, int], ...]

    @classmethod
    def at(cls, clock: Clock) -> Look:
        """Of now."""
        return cls(
            clock.state, clock.started_at, clock.policy, clock.target, clock.allowed, clock.breached_at, clock.induced, clock.due,
            clock.elapsed, clock.resumed_at, clock.segments,
        )  # fmt: skip


class Moved(NamedTuple):
    """A clock that a step has changed; `before` is None where it is new."""

    clock: Clock
    before: Look | None
    after: Look


class Step(NamedTuple):
    """One step: an event, or a deadline that passed (no event). `stored`: none of both, but what was known before the kept events."""

    at: int
    event: Event | None
    facts: list[tuple[int, Fact]]
    moved: list[Moved]
    stored: bool = False


class WatchedTicket(Ticket):
    """A ticket that writes down how it got on."""

    __slots__ = ("_looks", "steps")

    def __init__(self, policies: Policies) -> None:
        self.steps: list[Step] = []
        self._looks: dict[int, tuple[Clock, Look]] = {}
        super().__init__(policies)

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event; deadlines before it pass one by one."""
        self.fire(at - 1, out)
        stated = len(out)
        super().step(event, at, out)
        self.note(at, event, out[stated:])

    def fire(self, limit: int, out: Out) -> None:
        """Let deadlines pass, one by one."""
        while self.wake <= limit:
            due, stated = self.wake, len(out)
            super().fire(due, out)
            self.note(due, None, out[stated:])

    def note(self, at: int, event: Event | None, facts: list[tuple[int, Fact]], *, stored: bool = False) -> None:
        """Compare the clocks with how they were, also those that the ticket no longer keeps, and write down what is different."""
        moved: list[Moved] = []
        for known in self._looks.values():
            clock, before = known
            after = Look.at(clock)
            if after != before:
                moved.append(Moved(clock, before, after))
        more = self.more.clocks if self.more is not None else ()
        moved += [
            Moved(clock, None, Look.at(clock))
            for clock in (self.first_response, self.resolution, *more)
            if clock is not None and id(clock) not in self._looks
        ]
        for each in moved:
            self._looks[id(each.clock)] = (each.clock, each.after)
        if event is not None or facts or moved:
            self.steps.append(Step(at, event, facts, moved, stored))


def watch(base: Any, base_at: int, tail: list[Event], timer_time: int, policies: Policies) -> WatchedTicket:
    """The ticket after the events of `tail` on top of `base`, whose youngest event was at `base_at`, with deadlines up to `timer_time`."""
    ticket = WatchedTicket(policies) if base is None else WatchedTicket.thaw(base, policies)
    assert isinstance(ticket, WatchedTicket)
    out: Out = []
    if base is not None:
        ticket.note(base_at, None, [(1, fact) for fact in ticket.suspended], stored=True)
    settings = policies.settings
    fold_ticket(ticket, as_it_turned_out(tail, settings.allowed_lateness), settings.clock_skew, out)
    ticket.fire(timer_time, out)
    return ticket
