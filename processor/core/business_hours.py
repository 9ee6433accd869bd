"""Business time: an interval table in UTC with cumulative sums, and where in it each day begins.

Zones, holidays and clock changes are resolved when the configuration is loaded; here a calendar is only numbers, so the same table
gives the same answer on every host. Intervals are half-open, ascending, disjoint; times are integer milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from processor.core.working_days import DAY_MS, WorkingDays

NEVER: Final = 1 << 61  # later than any instant: a due time that the table cannot reach

STEPS_MAX: Final = 16  # intervals: a deadline that is further away is looked for by bisection


def freeze_due(at: int) -> int | None:
    """As it is stored: an instant, or None for never."""
    return None if at == NEVER else at


def thaw_due(stored: int | None) -> int:
    """Undo `freeze_due`."""
    return NEVER if stored is None else stored


class Calendar:
    """Open hours as parallel arrays. Outside the table a calendar is closed. `changes` are the instants at which other hours began."""

    __slots__ = ("_begun_by_day", "_first_day", "_last", "changes", "closes", "cumulative", "name", "opens", "working_days")

    def __init__(
        self,
        name: str,
        opens: Sequence[int],
        closes: Sequence[int],
        changes: Sequence[int] = (),
        working_days: WorkingDays | None = None,
    ) -> None:
        if len(opens) != len(closes):
            raise ValueError(f"calendar {name}: {len(opens)} openings, {len(closes)} closings")
        previous = -NEVER
        for start, end in zip(opens, closes, strict=True):
            if not previous <= start < end:
                raise ValueError(f"calendar {name}: interval [{start}, {end}) is empty or out of order")
            previous = end
        self.name = name
        self.changes = tuple(changes)
        self.working_days = working_days
        self.opens = list(opens)
        self.closes = list(closes)
        # cumulative[i] = open milliseconds before interval i begins; one entry more than intervals.
        self.cumulative = [0, *accumulate(end - start for start, end in zip(opens, closes, strict=True))]
        # How many intervals have begun before each day (UTC) from the first opening to the last: a day has only a few.
        self._first_day = self.opens[0] // DAY_MS if opens else 0
        days = self.opens[-1] // DAY_MS - self._first_day + 1 if opens else 0
        self._begun_by_day = [bisect_left(self.opens, (self._first_day + day) * DAY_MS) for day in range(days)]
        # The last answer, since many clocks ask of one instant: that instant, `at` of it, and the interval that had begun before.
        self._last: tuple[int, int, int] = (-NEVER, 0, 0)

    def _begun(self, instant: int) -> int:
        """How many intervals have begun at `instant`."""
        day = instant // DAY_MS - self._first_day
        if day < 0:
            return 0
        opens, by_day = self.opens, self._begun_by_day
        if day >= len(by_day):
            return len(opens)
        begun = by_day[day]
        while begun < len(opens) and opens[begun] <= instant:
            begun += 1
        return begun

    def at(self, instant: int) -> int:
        """Open milliseconds from the beginning of the table to `instant`."""
        last = self._last
        return last[1] if last[0] == instant else self._found(instant)[1]

    def _found(self, instant: int) -> tuple[int, int, int]:
        """What `_last` is to be."""
        index = self._begun(instant) - 1
        if index < 0:
            passed = index = 0
        elif instant > self.closes[index]:
            passed = self.cumulative[index + 1]
        else:
            passed = self.cumulative[index] + instant - self.opens[index]
        self._last = found = (instant, passed, index)
        return found

    def between(self, start: int, end: int) -> int:
        """Open milliseconds of [start, end); 0 when end <= start."""
        return self.at(end) - self.at(start) if end > start else 0

    def add(self, start: int, duration: int) -> int:
        """The earliest instant t >= start with between(start, t) = duration: a closing time, never the next opening in its place.

        `NEVER` where the table ends before.
        """
        if duration <= 0:
            return start
        last, cumulative = self._last, self.cumulative
        if last[0] != start:
            last = self._found(start)
        wanted, index = last[1] + duration, last[2]
        if wanted > cumulative[-1]:
            return NEVER
        steps = 0
        while cumulative[index + 1] < wanted:  # to the first interval whose cumulative end reaches `wanted`
            index += 1
            steps += 1
            if steps == STEPS_MAX:
                index = bisect_left(cumulative, wanted) - 1
        return self.opens[index] + wanted - cumulative[index]

    def sub(self, end: int, duration: int) -> int:
        """The latest instant t <= end with between(t, end) = duration: an opening time, never the closing before it in its place.

        `-NEVER` where the table begins later.
        """
        if duration <= 0:
            return end
        wanted = self.at(end) - duration
        if wanted < 0:
            return -NEVER
        index = bisect_right(self.cumulative, wanted) - 1
        return self.opens[index] + wanted - self.cumulative[index]

    def days(self, start: int, count: int, *, end_of_day: bool = False) -> int:
        """The instant `count` working days after `start`, or before: see `WorkingDays.step`. Without dates a day has 24 hours.

        `NEVER`, or `-NEVER`, where the table ends before.
        """
        if self.working_days is None:
            return start + count * DAY_MS
        found = self.working_days.step(start, count, end_of_day=end_of_day)
        return found if found is not None else NEVER if count > 0 else -NEVER

    def is_open(self, instant: int) -> bool:
        """Whether `instant` lies in an interval."""
        index = self._begun(instant) - 1
        return index >= 0 and instant < self.closes[index]

    def next_open(self, instant: int) -> int:
        """The first open instant at or after `instant`; `NEVER` where the table ends before."""
        if self.is_open(instant):
            return instant
        index = bisect_left(self.opens, instant)
        return self.opens[index] if index < len(self.opens) else NEVER
