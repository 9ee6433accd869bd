"""An SLA clock: running, paused, fulfilled or cancelled, with a breach latch at its due instant.

    start ──▶ RUNNING ◀──▶ PAUSED          due: the instant at which accumulated active time reaches the target; none while paused.
                 │            │            breached: a latch of its own, set once, at the due instant (or at the change that made
                 ▼            ▼            it late: induced). Only a re-fold of late events can take it back.
              FULFILLED   CANCELLED

Active time is calendar time, or business time where the target names a calendar. A change of policy keeps what has elapsed. Times are
integer milliseconds. Everything here is called by the folds; nothing here knows tickets.
"""

from __future__ import annotations

from typing import Any, Final

from processor.core.business_hours import NEVER
from processor.core.due import allowance, due_at, warning_at
from processor.core.facts import Dims, Fact
from processor.core.policies import Policies
from processor.core.settings import Policy, Target

RUNNING: Final = 1
PAUSED: Final = 2
FULFILLED: Final = 3
CANCELLED: Final = 4

SEGMENTS_MAX: Final = 32  # active segments that an outcome lists; a clock paused more often lists its first ones


class Clock:
    """One instance of one clock of one ticket or contact."""

    __slots__ = (
        "allowed",
        "breached_at",
        "business_before",
        "business_since",
        "due",
        "elapsed",
        "induced",
        "instance",
        "name",
        "policy",
        "resumed_at",
        "segments",
        "started_at",
        "state",
        "target",
        "warns_at",
    )

    def __init__(self, name: str, instance: int, started_at: int, policy: Policy | None) -> None:
        self.name, self.instance, self.started_at, self.policy = name, instance, started_at, policy
        self.target: Target | None = policy.targets.get(name) if policy else None
        self.allowed = self.target.ms if self.target else 0  # active time until it is late; of working days only `arm` knows
        self.state = RUNNING
        self.elapsed = 0
        self.resumed_at = started_at
        self.breached_at: int | None = None
        self.induced = False
        self.segments: tuple[tuple[int, int], ...] = ()
        # Open time under the policies before the present one, and since when that one applies.
        self.business_before = 0
        self.business_since = started_at
        self.due = NEVER
        self.warns_at = NEVER  # when to warn that it is due, or was; only while it runs

    def copied(self) -> Clock:
        """Another one in the same state."""
        twin = Clock(self.name, self.instance, self.started_at, None)
        twin.policy, twin.target, twin.allowed = self.policy, self.target, self.allowed
        twin.state, twin.elapsed, twin.resumed_at = self.state, self.elapsed, self.resumed_at
        twin.breached_at, twin.induced, twin.segments = self.breached_at, self.induced, self.segments
        twin.business_before, twin.business_since = self.business_before, self.business_since
        twin.due, twin.warns_at = self.due, self.warns_at
        return twin

    # -- transitions ------------------------------------------------------------------------------------------------------------

    def arm(self, policies: Policies) -> None:
        """Compute the due instant, and when to warn of it; to be called after every transition."""
        target = self.target
        self.due = self.warns_at = NEVER
        if target is None:
            return
        calendar = policies.calendar(target.calendar)
        if target.working_days:
            self.allowed = allowance(target, self.started_at, calendar)
        if self.state != RUNNING:
            return
        if self.breached_at is None:
            self.due = due_at(target, self.allowed, self.started_at, self.resumed_at, self.elapsed, calendar)
        if target.warns and not self.induced:
            self.warns_at = warning_at(target, self.due if self.breached_at is None else self.breached_at, calendar)

    def pause(self, at: int, policies: Policies) -> None:
        """Stand still from `at` on."""
        self._accumulate(at, policies)
        self.state = PAUSED
        self.due = NEVER

    def resume(self, at: int, policies: Policies) -> None:
        """Run on from `at`; also out of FULFILLED, when a ticket is reopened: the same instance with its latch."""
        self.state = RUNNING
        self.resumed_at = at
        self.arm(policies)

    def finish(self, at: int, state: int, policies: Policies) -> None:
        """End as FULFILLED or CANCELLED."""
        if self.state == RUNNING:
            self._accumulate(at, policies)
        self.state = state
        self.due = NEVER

    def cut(self, at: int, policies: Policies) -> bool:
        """A clock that was fulfilled had nothing to run for after `at`; True if that takes back its breach."""
        for start, end in self.segments:
            if end > at:
                self.elapsed -= self._between(max(start, at), end, policies)
        self.segments = tuple((start, min(end, at)) for start, end in self.segments if start < at)
        disproved = self.breached_at is not None and self.breached_at >= at
        if disproved:
            self.breached_at, self.induced = None, False
        return disproved

    def change_policy(self, at: int, policy: Policy | None, policies: Policies) -> bool:
        """Go on under another policy; True if that alone makes the clock late (the caller states an induced breach at `at`)."""
        if self.state == RUNNING:
            self._accumulate(at, policies)
            self.resumed_at = at
        self.business_before, self.business_since = self._business_until(at, policies), at
        self.policy = policy
        self.target = policy.targets.get(self.name) if policy else None
        self.allowed = self._allowance(self.started_at, policies)
        late = self.target is not None and self.breached_at is None and self.elapsed > self.allowed
        if late:
            self.breach(at, induced=True)
        self.arm(policies)
        self.due = max(self.due, at)
        return late

    def move_start(self, since: int, policies: Policies) -> None:
        """The wait began at `since`, as it turns out. The due instant may then lie in the past: the caller states the breach."""
        earlier, later = sorted((since, self.started_at))
        sign = 1 if since < self.started_at else -1
        self.elapsed += sign * self._between(earlier, later, policies)
        self.business_before += sign * self._business_between(earlier, later, policies)
        if sign > 0:
            self.segments = ((earlier, later), *self.segments)[:SEGMENTS_MAX]
        elif self.segments and self.segments[0][0] < since:
            self.segments = ((since, self.segments[0][1]), *self.segments[1:]) if since < self.segments[0][1] else self.segments[1:]
        self.started_at = since
        self.arm(policies)

    def is_late(self, at: int) -> bool:
        """Whether a start that was moved has put the deadline before `at`."""
        return self.target is not None and self.breached_at is None and (self.due < at or self.elapsed > self.allowed)

    def missed_at(self, at: int, policies: Policies) -> int:
        """When a clock that is late at `at` had run for as long as it may, by the hours of its present target."""
        assert self.target is not None
        calendar = policies.calendar(self.target.calendar)
        running = self._between(self.resumed_at, at, policies) if self.state == RUNNING else 0
        over = self.elapsed + running - self.allowed
        for start, end in self._segments_until(at)[::-1]:
            length = self._between(start, end, policies)
            if over < length or start == self.started_at:
                left = max(length - over, 0)
                return start + left if calendar is None else min(calendar.add(start, left), at)
            over -= length
        return at

    def breach(self, at: int, *, induced: bool = False) -> None:
        """Set the latch."""
        self.breached_at, self.induced, self.due = at, induced, NEVER

    def business_duration(self, at: int, policies: Policies) -> int | None:
        """Open time from the start to `at`, summed over the calendars that were in force; None where the policy has no calendar.

        A policy without a calendar counts around the clock for as long as it applied.
        """
        if self.policy is None or self.policy.calendar is None:
            return None
        return self._business_until(at, policies)

    def _business_until(self, at: int, policies: Policies) -> int:
        return self.business_before + self._business_between(self.business_since, at, policies)

    def _business_between(self, start: int, end: int, policies: Policies) -> int:
        calendar = policies.calendar(self.policy.calendar) if self.policy is not None else None
        return max(end - start, 0) if calendar is None else calendar.between(start, end)

    def _accumulate(self, at: int, policies: Policies) -> None:
        self.elapsed += self._between(self.resumed_at, at, policies)
        self.segments = self._segments_until(at)

    def _allowance(self, start: int, policies: Policies) -> int:
        return 0 if self.target is None else allowance(self.target, start, policies.calendar(self.target.calendar))

    def _between(self, start: int, end: int, policies: Policies) -> int:
        calendar = policies.calendar(self.target.calendar) if self.target is not None else None
        return max(end - start, 0) if calendar is None else calendar.between(start, end)

    def _segments_until(self, at: int) -> tuple[tuple[int, int], ...]:
        """The stretches in which the clock ran, up to `at`: why it is as late as it is."""
        known = self.segments
        since = self.resumed_at
        if self.state != RUNNING or since >= at:
            return known
        if not known:
            return ((since, at),)
        if known[-1][1] == since:  # another policy, the same stretch
            return (*known[:-1], (known[-1][0], at))
        return (*known, (since, at)) if len(known) < SEGMENTS_MAX else known

    def within_target(self, start: int, end: int, policies: Policies) -> bool:
        """Whether there is a target and [start, end), in the time of its calendar, is not longer."""
        return self.target is not None and self._between(start, end, policies) <= self._allowance(start, policies)

    # -- facts ------------------------------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Neither fulfilled nor cancelled."""
        return self.state == RUNNING or self.state == PAUSED

    def _by(self) -> tuple[str, int]:
        """The policy and its version, as facts name them."""
        policy = self.policy
        return ("", 0) if policy is None else (policy.id, policy.version)

    def _target_ms(self) -> int | None:
        return self.allowed if self.target is not None else None

    def started_fact(self, dims: Dims) -> Fact:
        """`clock.started`, at the start."""
        policy, version = self._by()
        return Fact("clock.started", self.instance, self.started_at, dims, (self.name, policy, version, self._target_ms()))

    def step_fact(self, kind: str, at: int, dims: Dims) -> Fact:
        """`clock.paused` or `clock.resumed`."""
        policy, version = self._by()
        return Fact(kind, self.instance, at, dims, (self.name, policy, version))

    def fulfilled_fact(self, at: int, dims: Dims) -> Fact:
        """`clock.fulfilled`, with the active time and whether it was in time."""
        policy, version = self._by()
        content = (self.name, policy, version, self._target_ms(), self.elapsed, self.breached_at is None, self.segments)
        return Fact("clock.fulfilled", self.instance, at, dims, content)

    def cancelled_fact(self, at: int, dims: Dims, reason: str) -> Fact:
        """`clock.cancelled`: ended without fulfilment, whether it had breached before or not."""
        policy, version = self._by()
        return Fact("clock.cancelled", self.instance, at, dims, (self.name, policy, version, reason, self._segments_until(at)))

    def breached_fact(self, dims: Dims) -> Fact:
        """`clock.breached`, at the due instant or at the change that made it late."""
        at = self.breached_at
        assert at is not None
        policy, version = self._by()
        content = (self.name, policy, version, self._target_ms(), self.induced, self._segments_until(at))
        return Fact("clock.breached", self.instance, at, dims, content)

    # -- stored form --------------------------------------------------------------------------------------------------------------

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic; `due` is computed anew."""
        policy_id, version = (self.policy.id, self.policy.version) if self.policy else (None, 0)
        return (
            *(self.name, self.instance, self.started_at, policy_id, version, self.state, self.elapsed, self.resumed_at),
            *(self.breached_at, self.induced, self.segments, self.business_before, self.business_since),
        )

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Clock:
        """Undo `freeze`. Raises LookupError when the configuration no longer has the policy version that the clock started with."""
        (name, instance, started_at, policy_id, version, state, elapsed, resumed_at, breached_at, induced, segments, business_before,
         business_since) = stored  # fmt: skip
        policy = None
        if policy_id is not None:
            policy = policies.version(policy_id, version)
            if policy is None:
                raise LookupError(f"policy {policy_id} version {version} is in use by stored clocks but not in the configuration")
        clock = cls(name, instance, started_at, policy)
        clock.state, clock.elapsed, clock.resumed_at, clock.breached_at, clock.induced = state, elapsed, resumed_at, breached_at, induced
        clock.segments = tuple((start, end) for start, end in segments)
        clock.business_before, clock.business_since = business_before, business_since
        clock.arm(policies)
        clock.due = max(clock.due, business_since if resumed_at == business_since else 0)  # as in `change_policy`
        return clock
