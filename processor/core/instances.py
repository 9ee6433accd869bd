"""Instances of a ticket's clocks: those that only some policies measure, and how one begins, pauses, ends or changes its policy.

What makes that happen is in `ticket_clocks`. All of it states what follows: (sign, fact) to `out`, by way of the ticket, which keeps
outcomes to itself while it is outside the population.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processor.core.business_hours import NEVER
from processor.core.clocks import FULFILLED, PAUSED, RUNNING, Clock
from processor.core.facts import Out
from processor.core.policies import Policies
from processor.core.settings import NEXT_RESPONSE, UPDATE

if TYPE_CHECKING:
    from processor.core.ticket import Ticket


class MoreClocks:
    """The clocks of a ticket beside first response and resolution: open ones, and the cumulative ones of a solved ticket."""

    __slots__ = ("breached", "clocks", "instances", "next_asked_at", "targeted")

    def __init__(self) -> None:
        self.clocks: list[Clock] = []  # at most one of each name
        self.instances: dict[str, int] = {}  # clock -> instances so far that had a target
        self.next_asked_at = 0  # when the ticket's own customer wrote what next_response is waiting for
        self.targeted = False  # one of them had a target, at some time
        self.breached = False  # one of them has breached

    def number(self, clock: Clock) -> None:
        """The next number of its name, for a clock that has got its first target.

        Those that never have one are not numbered: whether they were there must not show when a policy begins to measure a clock later.
        """
        self.targeted = True
        if not clock.instance:
            self.instances[clock.name] = clock.instance = self.instances.get(clock.name, 0) + 1

    @property
    def due(self) -> int:
        """The earliest due instant."""
        due = NEVER
        for clock in self.clocks:
            due = min(due, clock.due)
        return due

    @property
    def open(self) -> bool:
        """Whether any of them runs or stands still."""
        return any(clock.open for clock in self.clocks)

    def find(self, name: str) -> Clock | None:
        """The clock of that name, if it is kept."""
        for clock in self.clocks:
            if clock.name == name:
                return clock
        return None

    def copied(self) -> MoreClocks:
        """The same with clocks of its own."""
        twin = MoreClocks()
        twin.clocks, twin.instances = [clock.copied() for clock in self.clocks], dict(self.instances)
        twin.next_asked_at, twin.targeted, twin.breached = self.next_asked_at, self.targeted, self.breached
        return twin

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        clocks = tuple(clock.freeze() for clock in self.clocks)
        return (clocks, tuple(self.instances.items()), self.next_asked_at, self.targeted, self.breached)

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> MoreClocks:
        """Undo `freeze`."""
        more = cls()
        clocks, instances, more.next_asked_at, more.targeted, more.breached = stored
        more.clocks = [Clock.thaw(clock, policies) for clock in clocks]
        more.instances = dict(instances)
        return more


def begin(ticket: Ticket, name: str, at: int, out: Out) -> None:
    """A new instance, unless one is open or no policy measures it."""
    more, policies = ticket.more, ticket.policies
    assert more is not None
    if name not in policies.more_clocks or more.find(name) is not None:
        return
    clock = Clock(name, 0, at, policies.choose(at, ticket.dims, ticket.policy_id))
    clock.arm(policies)
    more.clocks.append(clock)
    if clock.target is not None:
        more.number(clock)
        state_start(ticket, clock, out)
    if ticket.status in policies.pausing:
        pause_or_resume(ticket, clock, at, out)


def state_start(ticket: Ticket, clock: Clock, out: Out) -> None:
    """A clock runs. What starts while the ticket is discarded is told if it comes back, as what becomes of it is."""
    if ticket.flags:
        ticket._outcome(clock.started_fact(ticket.dims), out)
    else:
        out.append((1, clock.started_fact(ticket.dims)))


def measured_since(ticket: Ticket) -> MoreClocks | None:
    """For a ticket that had none when it was stored: none of its policies did measure any, but one of today's may, from its start on.

    What its customer waits for began under those policies.
    """
    policies, unanswered_at = ticket.policies, ticket.unanswered_at
    if not policies.more_clocks or ticket.resolution is None:
        return None
    more = MoreClocks()
    if unanswered_at and not ticket.solved:
        more.next_asked_at = unanswered_at
        policy = policies.choose(unanswered_at, ticket.dims, ticket.policy_id)
        waits = [Clock(name, 0, unanswered_at, policy) for name in ((UPDATE, NEXT_RESPONSE) if ticket.replied else (UPDATE,))]
        more.clocks = [clock for clock in waits if clock.name in policies.more_clocks and clock.target is None]
    return more


def end(ticket: Ticket, clock: Clock, at: int, state: int, reason: str, out: Out) -> None:
    """The end of an instance that no reopen takes back."""
    assert ticket.more is not None
    ticket.more.clocks.remove(clock)
    clock.finish(at, state, ticket.policies)
    if clock.target is not None:
        fulfilled = state == FULFILLED
        ticket._outcome(clock.fulfilled_fact(at, ticket.dims) if fulfilled else clock.cancelled_fact(at, ticket.dims, reason), out)


def fulfil(ticket: Ticket, clock: Clock, at: int, ended_at: int, out: Out) -> None:
    """The provisional end of a cumulative clock, which ran until `ended_at`."""
    clock.finish(at, FULFILLED, ticket.policies)
    if ended_at < at and clock.cut(ended_at, ticket.policies):
        name, instance = clock.name, clock.instance
        ticket._take_back(lambda fact: fact.kind == "clock.breached" and (fact.content[0], fact.instance) == (name, instance), out)
    if clock.target is not None:
        ticket._outcome(clock.fulfilled_fact(at, ticket.dims), out)


def pause_or_resume(ticket: Ticket, clock: Clock, at: int, out: Out) -> None:
    """Stand still in the statuses that the policy of the clock names."""
    statuses = clock.policy.pauses.get(clock.name) if clock.policy is not None else None
    pausing = statuses is not None and ticket.status in statuses
    if pausing and clock.state == RUNNING:
        clock.pause(at, ticket.policies)
        if ticket.policies.settings.facts_detail_all and clock.target is not None:
            out.append((1, clock.step_fact("clock.paused", at, ticket.dims)))
    elif not pausing and clock.state == PAUSED:
        clock.resume(at, ticket.policies)
        if ticket.policies.settings.facts_detail_all and clock.target is not None:
            out.append((1, clock.step_fact("clock.resumed", at, ticket.dims)))


def reconsider_policy(ticket: Ticket, clock: Clock, began_at: int, at: int, out: Out) -> bool:
    """Go on under the policy that applies now, in its version of `began_at`; True if that is another one."""
    policy = ticket.policies.choose(began_at, ticket.dims, ticket.policy_id)
    if policy is clock.policy:
        return False
    had_target = clock.target is not None
    late = clock.change_policy(at, policy, ticket.policies)
    more = ticket.more
    if clock.target is not None and not had_target:
        if more is not None:
            more.number(clock)
        state_start(ticket, clock, out)
    if late:
        if more is not None:
            more.breached = True
        ticket._outcome(clock.breached_fact(ticket.dims), out)
    return True
