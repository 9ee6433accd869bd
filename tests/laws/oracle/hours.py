"""Open hours and policies, by walking over tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from processor.core.business_hours import Calendar
from processor.core.settings import DIMENSIONS, Policy, Settings, Target
from tests.laws.oracle.log import FOREVER, Dims


def policy_at(settings: Settings, start: int, dims: Dims, policy_id: str | None = None) -> Policy | None:
    """The first policy of the file, in its newest version at `start`, that matches."""
    values = dict(zip(DIMENSIONS, dims, strict=True)) | {"policy_id": policy_id or ""}
    for name in dict.fromkeys(policy.id for policy in settings.policies):
        versions = [policy for policy in settings.policies if policy.id == name and policy.effective_from <= start]
        if versions:
            newest = max(versions, key=lambda policy: policy.effective_from)
            if all(values[dimension] in accepted for dimension, accepted in newest.match.items()):
                return newest
    return None


def calendar_of(settings: Settings, target: Target | None) -> Calendar | None:
    """None: around the clock."""
    return settings.calendars[target.calendar] if target is not None and target.calendar is not None else None


def open_time(calendar: Calendar | None, start: int, end: int) -> int:
    """Open milliseconds between two instants."""
    if calendar is None:
        return max(end - start, 0)
    intervals = zip(calendar.opens, calendar.closes, strict=True)
    return sum(max(min(closes, end) - max(opens, start), 0) for opens, closes in intervals if opens < end and closes > start)


def reached(calendar: Calendar | None, start: int, wanted: int) -> int:
    """The first instant from `start` at which `wanted` open milliseconds have passed."""
    if wanted <= 0 or calendar is None:
        return start + max(wanted, 0)
    for opens, closes in zip(calendar.opens, calendar.closes, strict=True):
        length = max(closes - max(opens, start), 0)
        if length >= wanted:
            return max(opens, start) + wanted
        wanted -= length
    return FOREVER


@dataclass
class Mark:
    """From this instant on a clock runs or not, under a policy. A mark that moves the start makes it have run longer (or shorter)."""

    at: int
    number: int  # of the moment
    policy: Policy | None
    runs: bool
    moved: tuple[int, int, bool] | None = None  # from where to where the start was moved; whether a breach by that is induced


@dataclass
class Breach:
    """When a clock missed its target; `number`: of the moment that made it late, None where time alone did."""

    at: int
    number: int | None
    induced: bool
    policy: Policy


@dataclass
class Run:
    """One instance of a clock: its marks in order. An open end runs on."""

    name: str
    marks: list[Mark] = field(default_factory=list)

    def target(self, mark: Mark) -> Target | None:
        return mark.policy.targets.get(self.name) if mark.policy else None

    def active(self, settings: Settings) -> int:
        """How long it ran, up to its last mark."""
        total = sum(self._moved_by(mark, settings) for mark in self.marks)
        for mark, following in zip(self.marks, self.marks[1:], strict=False):
            if mark.runs:
                total += open_time(calendar_of(settings, self.target(mark)), mark.at, following.at)
        return total

    def _moved_by(self, mark: Mark, settings: Settings) -> int:
        if mark.moved is None:
            return 0
        before, after, _ = mark.moved
        calendar = calendar_of(settings, self.target(mark))
        return open_time(calendar, after, before) - open_time(calendar, before, after)

    def breach(self, settings: Settings, until: int) -> Breach | None:
        """When it was breached, first."""
        elapsed = 0
        for index, mark in enumerate(self.marks):
            target, previous = self.target(mark), self.marks[index - 1] if index else None
            if previous is not None and previous.runs:
                elapsed += open_time(calendar_of(settings, self.target(previous)), previous.at, mark.at)
            elapsed += self._moved_by(mark, settings)
            if target is None or mark.policy is None:
                continue
            if mark.moved is not None:
                missed, induced = self._missed(index, settings), mark.moved[2]
                if elapsed > target.ms or (previous is not None and previous.runs and missed < mark.at):
                    return Breach(mark.at if induced else missed, mark.number, induced, mark.policy)
            elif previous is not None and previous.policy is not mark.policy and elapsed > target.ms:
                return Breach(mark.at, mark.number, induced=True, policy=mark.policy)
            if mark.runs:
                deadline = reached(calendar_of(settings, target), mark.at, target.ms - elapsed)
                ends = self.marks[index + 1].at if index + 1 < len(self.marks) else FOREVER
                if deadline < ends and deadline <= until:
                    return Breach(deadline, None, induced=False, policy=mark.policy)
        return None

    def _missed(self, index: int, settings: Settings) -> int:
        """When the target was reached, by the hours of the present one, over all stretches in which the clock ran from its new start on."""
        mark = self.marks[index]
        target = self.target(mark)
        assert target is not None
        assert mark.moved is not None
        calendar, left = calendar_of(settings, target), target.ms
        stretches = [(mark.moved[1], self.marks[0].at)]
        stretches += [(one.at, two.at) for one, two in zip(self.marks, self.marks[1 : index + 1], strict=False) if one.runs]
        for start, end in stretches:
            length = open_time(calendar, start, end)
            if length >= left:
                return min(reached(calendar, start, left), mark.at)
            left -= length
        return mark.at

    def open_hours(self, settings: Settings, until: int) -> int | None:
        """The business time until then, by the calendars of the policies in force; None where the last has none."""
        last = self.marks[-1].policy
        if last is None or last.calendar is None:
            return None
        total = 0
        for index, mark in enumerate(self.marks):
            name = mark.policy.calendar if mark.policy else None
            calendar = settings.calendars[name] if name else None
            ends = self.marks[index + 1].at if index + 1 < len(self.marks) else until
            if mark.moved is not None:
                before, after, _ = mark.moved
                total += open_time(calendar, after, before) - open_time(calendar, before, after)
            total += open_time(calendar, mark.at, min(ends, until))
        return total
