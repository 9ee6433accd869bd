"""The generator's own SLA clock and choice of policy: plain, slow where that is clearer, and not the engine's."""

from __future__ import annotations

from collections.abc import Sequence

from processor.core.business_hours import NEVER
from processor.core.settings import DIMENSIONS, Policy, Settings, Target


def choose_policy(settings: Settings, started_at: int, dims: Sequence[str]) -> Policy | None:
    """The first policy that matches, in its newest version at `started_at`."""
    values = dict(zip(DIMENSIONS, dims, strict=True)) | {"policy_id": ""}
    in_force: dict[str, Policy] = {}
    for policy in settings.policies:
        newest = in_force.get(policy.id)
        if policy.effective_from <= started_at and (newest is None or newest.effective_from < policy.effective_from):
            in_force[policy.id] = policy
    order = dict.fromkeys(policy.id for policy in settings.policies)
    versions = (in_force[name] for name in order if name in in_force)
    return next((policy for policy in versions if all(values[name] in accepted for name, accepted in policy.match.items())), None)


class Desk:
    """The settings, with the answers of `choose_policy` remembered: they depend on little."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._answers: dict[tuple[int, tuple[str, ...]], Policy | None] = {}
        self._starts = sorted({policy.effective_from for policy in settings.policies})

    def policy(self, started_at: int, dims: tuple[str, ...]) -> Policy | None:
        """Which policy applies to a clock that started then."""
        epoch = sum(start <= started_at for start in self._starts)
        key = (epoch, dims)
        if key not in self._answers:
            self._answers[key] = choose_policy(self.settings, started_at, dims)
        return self._answers[key]

    def short_abandon(self, channel: str) -> int:
        """Who leaves that soon has not been waiting."""
        limits = self.settings.short_abandon
        return limits.get(channel, limits.get("default", 0))

    def between(self, start: int, end: int, target: Target | None) -> int:
        """Time in the target's calendar."""
        if target is None or target.calendar is None:
            return end - start
        return self.settings.calendars[target.calendar].between(start, end)

    def after(self, start: int, duration: int, target: Target) -> int:
        """The instant at which `duration` has passed in the target's calendar."""
        if target.calendar is None:
            return start + duration
        return self.settings.calendars[target.calendar].add(start, duration)

    def days(self, start: int, target: Target) -> int | None:
        """The date of a target in working days; None for one in hours."""
        if not target.working_days or target.calendar is None:
            return None
        return self.settings.calendars[target.calendar].days(start, target.working_days, end_of_day=target.end_of_working_day)


class BookClock:
    """One clock of one entity. Every change first settles whether the deadline passed before it."""

    __slots__ = (
        *("breached", "business_moved", "desk", "elapsed", "induced", "name", "open", "policies", "policy", "running", "since"),
        "started_at",
    )

    def __init__(self, desk: Desk, name: str, started_at: int, policy: Policy | None) -> None:
        self.desk = desk
        self.name = name
        self.policy = policy
        self.policies = [(started_at, policy)]  # since when each applied
        self.started_at = started_at
        self.since = started_at
        self.elapsed = 0
        self.business_moved = 0  # open time that came or went because the start was moved
        self.running = True
        self.open = True
        self.breached = False
        self.induced = False

    @property
    def target(self) -> Target | None:
        """What the policy allows; None = this clock is not measured."""
        return self.policy.targets.get(self.name) if self.policy else None

    @property
    def due(self) -> int:
        """The deadline as things stand."""
        target = self.target
        if target is None or not self.running or self.breached:
            return NEVER
        date = self.desk.days(self.started_at, target)
        if date is not None:
            return self.desk.after(date, self.desk.between(self.started_at, self.since, target) - self.elapsed, target)
        return self.desk.after(self.since, max(target.ms - self.elapsed, 0), target)

    @property
    def overdrawn(self) -> bool:
        """Whether more time has elapsed than the target allows."""
        if self.target is None:
            return False
        date = self.desk.days(self.started_at, self.target)
        return self.elapsed > (self.target.ms if date is None else self.desk.between(self.started_at, date, self.target))

    def settle(self, at: int) -> None:
        """What lies strictly before `at` has happened; an event at the deadline is in time."""
        if self.due < at:
            self.breached = True

    def pause(self, at: int) -> None:
        """Stand still."""
        if self.running:
            self.settle(at)
            self.elapsed += self.desk.between(self.since, at, self.target)
            self.running = False

    def resume(self, at: int) -> None:
        """Go on."""
        if not self.running:
            self.since = at
            self.running = True

    def stop(self, at: int) -> None:
        """Fulfilled or cancelled."""
        self.pause(at)
        self.open = False

    def reopen(self, at: int) -> None:
        """The same instance goes on."""
        self.open = True
        self.resume(at)

    def business(self, at: int) -> int | None:
        """Open time until `at`, in the calendar of each policy while it applied; around the clock under one that has none."""
        if self.policy is None or self.policy.calendar is None:
            return None
        total = self.business_moved
        for (start, policy), (end, _) in zip(self.policies, [*self.policies[1:], (at, None)], strict=True):
            calendar = policy.calendar if policy else None
            total += self.desk.settings.calendars[calendar].between(start, end) if calendar else end - start
        return total

    def begin_at(self, since: int) -> None:
        """It has only just been started, and began at `since`, as it turns out."""
        self.started_at = self.since = since
        self.policies = [(since, self.policy)]

    def move_start(self, at: int, since: int) -> None:
        """At `at` it turns out that it began at `since`. What lies before or between is counted by the policy of now."""
        self.settle(at)
        earlier, later = sorted((since, self.started_at))
        sign = 1 if since < self.started_at else -1
        calendar = self.policy.calendar if self.policy else None
        self.elapsed += sign * self.desk.between(earlier, later, self.target)
        self.business_moved += sign * (self.desk.settings.calendars[calendar].between(earlier, later) if calendar else later - earlier)
        self.started_at = since

    def note_late(self, at: int, *, induced: bool) -> None:
        """A start that was moved may have put the deadline before `at`."""
        if self.target is not None and not self.breached and (self.due < at or self.overdrawn):
            self.breached, self.induced = True, induced

    def reconsider(self, at: int, policy: Policy | None) -> None:
        """Another policy; what has elapsed stays, and a clock that is late by that alone is late now."""
        if policy is self.policy:
            return
        was_running = self.running
        self.pause(at)
        self.policy = policy
        self.policies.append((at, policy))
        if not self.breached and self.overdrawn:
            self.breached = self.induced = True
        if was_running:
            self.resume(at)
