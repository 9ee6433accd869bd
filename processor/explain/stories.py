"""What happened to one instance of a clock, from the steps of the watched ticket: stretches, changes, due instants, and its end.

Time counts as the clock counts it: by the calendar of the target that it has, all the time where it has none. A stretch ends where the
clock pauses, goes on or gets another policy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from processor.core.business_hours import NEVER
from processor.core.clocks import CANCELLED, FULFILLED, PAUSED, RUNNING, Clock
from processor.core.facts import Fact
from processor.core.policies import Policies
from processor.core.settings import Target
from processor.core.watching import Look, Moved, Step
from processor.explain.telling import terms_told, time_of, told

STATES = {RUNNING: "running", PAUSED: "paused", FULFILLED: "fulfilled", CANCELLED: "cancelled"}
STORED = {"type": "stored"}  # stands for the events that are no longer kept


@dataclass(slots=True)
class Stretch:
    """A time in which the clock ran or stood still under one target; what began it and what ended it."""

    begin: int
    end: int | None
    running: bool
    target: Target | None
    began: dict[str, Any] | None
    ended: dict[str, Any] | None = None


@dataclass(slots=True)
class Story:
    """One instance."""

    clock: Clock
    stretches: list[Stretch] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    dues: list[tuple[int, int]] = field(default_factory=list)  # (due, since when known)
    end: tuple[int, str | None] | None = None  # when it ended for good or until a reopen, and why it was cancelled
    suspended: str | None = None  # why the ticket does not count now

    def take(self, step: Step, moved: Moved, policies: Policies) -> None:
        """What a step did to it."""
        before, after, because = moved.before, moved.after, told(step.event)
        if before is None:
            if step.stored:
                self._stored(step.at, after)
                return
            before = after._replace(state=RUNNING, breached_at=None, induced=False, due=NEVER, elapsed=0)
            self._open(after.started_at, before, because)
            self._change("started", after.started_at, after, because)
        if after.started_at != before.started_at:
            self._move_start(step.at, before, after, because)
        if after.policy is not before.policy:
            self._change_policy(step.at, before, after, because)
        if after.state != before.state:
            self._change_state(step, before, after, because, policies)
        if after.breached_at != before.breached_at:
            self._change_breach(step.at, after, because)
        if after.due != before.due and after.due < NEVER and (not self.dues or self.dues[-1][0] != after.due):
            self.dues.append((after.due, step.at))

    def suspend(self, step: Step, fact: Fact, sign: int) -> None:
        """The ticket has left the population, or is back: the clock goes on underneath."""
        reason = fact.content[3]
        self.suspended = reason if sign > 0 else None
        because = STORED if step.stored else told(step.event)
        due = self.changes[-1]["due_at"] if self.changes else None
        what = "suspended" if sign > 0 else "restored"
        self.changes.append({"what": what, "at": time_of(step.at), "because": because, "due_at": due, "reason": reason})

    # -- parts --------------------------------------------------------------------------------------------------------------------

    def _stored(self, at: int, look: Look) -> None:
        """What is known of the time before the kept events: the stretches in which it ran."""
        ended_at = look.started_at
        for begin, end in look.segments:
            if begin > ended_at:
                self.stretches.append(Stretch(ended_at, begin, False, look.target, STORED, STORED))
            self.stretches.append(Stretch(begin, end, True, look.target, STORED, STORED))
            ended_at = end
        self._change("stored", at, look, STORED)
        if look.state in (RUNNING, PAUSED):
            begin = look.resumed_at if look.state == RUNNING else ended_at
            if begin > ended_at:
                self.stretches.append(Stretch(ended_at, begin, False, look.target, STORED, STORED))
            self._open(begin, look, STORED, running=look.state == RUNNING)
        else:
            self.end = (ended_at, None)
        if look.due < NEVER:
            self.dues.append((look.due, at))

    def _open(self, at: int, look: Look, because: dict[str, Any] | None, *, running: bool = True) -> None:
        self.stretches.append(Stretch(at, None, running, look.target, because))

    def _close(self, at: int, because: dict[str, Any] | None) -> None:
        if self.stretches and self.stretches[-1].end is None:
            last = self.stretches[-1]
            last.end, last.ended = max(at, last.begin), because

    def _change(self, what: str, at: int, look: Look, because: dict[str, Any] | None, **more: Any) -> None:
        self.changes.append({"what": what, "at": time_of(at), "because": because, "due_at": time_of(look.due), **more})

    def _move_start(self, at: int, before: Look, after: Look, because: dict[str, Any] | None) -> None:
        since = after.started_at
        if since < before.started_at:
            if self.stretches[0].running:
                self.stretches[0].begin = since
            else:
                self.stretches.insert(0, Stretch(since, before.started_at, True, after.target, because, self.stretches[0].began))
        else:
            self.stretches = [each for each in self.stretches if each.end is None or each.end > since]
            for each in self.stretches[:1]:
                each.begin = max(each.begin, since)
        self._change("start_moved", at, after, because, start=time_of(since), start_before=time_of(before.started_at))

    def _change_policy(self, at: int, before: Look, after: Look, because: dict[str, Any] | None) -> None:
        if before.state in (RUNNING, PAUSED):
            self._close(at, because)
            self._open(at, after, because, running=before.state == RUNNING)
        self._change("policy_changed", at, after, because, **_terms(after), **_terms(before, "_before"))

    def _change_breach(self, at: int, after: Look, because: dict[str, Any] | None) -> None:
        if after.breached_at is None:
            self._change("breach_taken_back", at, after, because)
            return
        self._change("breached", after.breached_at, after, because, **_terms(after))

    def _change_state(self, step: Step, before: Look, after: Look, because: dict[str, Any] | None, policies: Policies) -> None:
        if after.state in (RUNNING, PAUSED):
            what = "paused" if after.state == PAUSED else "resumed" if before.state == PAUSED else "reopened"
            if before.state in (RUNNING, PAUSED):
                self._close(step.at, because)
            elif self.end is not None and self.stretches:
                begin = self.end[0]
                self.stretches.append(Stretch(begin, max(step.at, begin), False, before.target, self.stretches[-1].ended, because))
            self._open(step.at, after, because, running=after.state == RUNNING)
            self.end = None
            self._change(what, step.at, after, because)
            return
        fact = next((fact for sign, fact in step.facts if sign > 0 and self.ended_by(fact)), None)
        ended_at = fact.at if fact is not None else step.at
        reason = fact.content[3] if fact is not None and fact.kind == "clock.cancelled" else None
        self._close(ended_at, because)
        if self.active(ended_at, policies) != after.elapsed:
            self._cut(after)
        self.end = (ended_at, reason)
        self._change(STATES[after.state], ended_at, after, because, **({"reason": reason} if reason else {}))

    def ended_by(self, fact: Fact) -> bool:
        """Whether it is the outcome of this instance."""
        clock = self.clock
        return fact.kind in ("clock.fulfilled", "clock.cancelled") and (fact.content[0], fact.instance) == (clock.name, clock.instance)

    def _cut(self, after: Look) -> None:
        """It was solved earlier than the solve says: what it ran for ends there."""
        until = after.segments[-1][1] if after.segments else after.started_at
        self.stretches = [each for each in self.stretches if each.begin < until or each.begin == after.started_at]
        for each in self.stretches:
            if each.end is not None and each.end > until:
                each.end = max(until, each.begin)

    # -- what it comes to -----------------------------------------------------------------------------------------------------------

    @property
    def measured(self) -> bool:
        """Whether any policy had a target for it."""
        return self.clock.target is not None or any(each.target is not None for each in self.stretches)

    def active(self, as_of: int, policies: Policies) -> int:
        """The time that counted, by the stretches, in milliseconds."""
        return sum(counted(each, as_of, policies) for each in self.stretches)

    def elapsed(self, as_of: int, policies: Policies) -> int:
        """The same by the clock itself, which knows by which hours a time counted that is no longer kept."""
        clock = self.clock
        running = Stretch(clock.resumed_at, None, clock.state == RUNNING, clock.target, None)
        return clock.elapsed + counted(running, as_of, policies)

    def due_known(self) -> tuple[int | None, int | None]:
        """The due instant that mattered, or matters, and since when it was known."""
        clock = self.clock
        if clock.induced:  # what made it late made it due, too
            return clock.breached_at, clock.breached_at
        wanted = clock.due if clock.due < NEVER else clock.breached_at
        known = next((since for due, since in reversed(self.dues) if due == wanted), None)
        if known is None and self.dues and clock.due >= NEVER and clock.breached_at is None:
            wanted, known = self.dues[-1]
        return wanted, known


def _terms(look: Look, suffix: str = "") -> dict[str, Any]:
    return terms_told(look.policy, look.target, look.allowed, suffix)


def counted(stretch: Stretch, as_of: int, policies: Policies) -> int:
    """How much of it counts."""
    end = as_of if stretch.end is None else stretch.end
    if not stretch.running or end <= stretch.begin:
        return 0
    calendar = policies.calendar(stretch.target.calendar) if stretch.target is not None else None
    return end - stretch.begin if calendar is None else calendar.between(stretch.begin, end)


def stories_of(steps: list[Step], policies: Policies) -> list[Story]:
    """All instances, in the order in which they began."""
    stories: dict[int, Story] = {}
    for step in steps:
        for moved in step.moved:
            story = stories.setdefault(id(moved.clock), Story(moved.clock))
            story.take(step, moved, policies)
        ended = {id(moved.clock) for moved in step.moved if moved.after.state in (FULFILLED, CANCELLED)}
        for sign, fact in step.facts:
            if fact.kind == "clock.cancelled":
                _suspend(step, sign, fact, stories, ended)
    return sorted(stories.values(), key=lambda story: (story.clock.started_at, story.clock.name, story.clock.instance))


def _suspend(step: Step, sign: int, fact: Fact, stories: dict[int, Story], ended: set[int]) -> None:
    for story in reversed(stories.values()):
        clock = story.clock
        if (clock.name, clock.instance) == (fact.content[0], fact.instance) and id(clock) not in ended:
            if clock.target is not None:
                story.suspend(step, fact, sign)
            return
