"""Working days: the local dates on which a calendar has hours, to count deadlines of "two working days" in.

As everywhere in the core, zones are only numbers here: local time is UTC plus the offset of its period. A day is a number of days since
1970-01-01, local; `ends` are the last closing times of the days, in local milliseconds.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

DAY_MS: Final = 86_400_000


class WorkingDays:
    """The working days of one calendar. Outside its table there are none."""

    __slots__ = ("days", "ends", "offsets", "starts")

    def __init__(self, days: Iterable[int], ends: Iterable[int], starts: Iterable[int], offsets: Iterable[int]) -> None:
        self.days = array("q", days)
        self.ends = array("q", ends)
        self.starts = array("q", starts)  # since when each offset applies, UTC
        self.offsets = array("q", offsets)

    def step(self, at: int, count: int, *, end_of_day: bool) -> int | None:
        """The instant `count` working days after `at` (before, where it is negative); the date of `at` itself is not counted.

        It keeps the local time of day of `at`, even outside hours; `end_of_day`: the last closing time of the day that was reached. None
        where the table ends before.
        """
        day, time = divmod(at + self.offsets[self._period(at)], DAY_MS)
        index = (bisect_right(self.days, day) - 1 if count > 0 else bisect_left(self.days, day)) + count
        if not 0 <= index < len(self.days):
            return None
        if not count and self.days[index] != day:
            return at  # today is no working day, and nobody asked for another one
        return self._instant(self.ends[index] if end_of_day else self.days[index] * DAY_MS + time)

    def _period(self, at: int) -> int:
        return max(bisect_right(self.starts, at) - 1, 0)

    def _instant(self, local: int) -> int:
        """When the clock on the wall first says so; a time of day that a clock change skips is read by the clock before the change."""
        starts, offsets = self.starts, self.offsets
        index = self._period(local - max(offsets))
        while index + 1 < len(starts) and local - offsets[index] >= starts[index + 1]:
            if local - offsets[index + 1] < starts[index + 1]:
                break
            index += 1
        return local - offsets[index]
