"""Working days: the local dates on which a calendar has hours, to count deadlines of "two working days" in.

As everywhere in the core, zones are only numbers here: local time is UTC plus the offset of its period. A day is a number of days since
1970-01-01, local; `ends` are the last closing times of the days, in local milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

DAY_MS: Final = 86_400_000


class WorkingDays:
    """The working days of one calendar. Outside its table there are none."""

    __slots__ = ("_begins", "_closings", "_latest_offset", "_period_known", "_places", "days", "ends", "offsets", "starts")

    def __init__(self, days: Iterable[int], ends: Iterable[int], starts: Iterable[int], offsets: Iterable[int]) -> None:
        self.days = list(days)
        self.ends = list(ends)
        self.starts = list(starts)  # since when each offset applies, UTC
        self.offsets = list(offsets)
        self._latest_offset = max(self.offsets)
        self._period_known = 0  # the one that was asked for last
        # What follows from these, so that nothing is computed twice: for each date from the first to the last how many working days have
        # begun; for each working day its last closing and its midnight, both UTC, the latter None where a clock change is in the day.
        self._places = [bisect_right(self.days, day) for day in range(self.days[0], self.days[-1] + 1)] if self.days else []
        self._closings = [self._instant(end) for end in self.ends]
        self._begins = [self._midnight(day) for day in self.days]

    def step(self, at: int, count: int, *, end_of_day: bool) -> int | None:
        """The instant `count` working days after `at` (before, where it is negative); the date of `at` itself is not counted.

        It keeps the local time of day of `at`, even outside hours; `end_of_day`: the last closing time of the day that was reached. None
        where the table ends before.
        """
        local = at + self.offsets[self._period(at)]
        day = local // DAY_MS
        index = self._begun(day) - 1
        today = index >= 0 and self.days[index] == day
        if count <= 0 and not today:
            index += 1
        index += count
        if not 0 <= index < len(self.days):
            return None
        if not count and not today:
            return at  # today is no working day, and nobody asked for another one
        if end_of_day:
            return self._closings[index]
        time, midnight = local - day * DAY_MS, self._begins[index]
        return midnight + time if midnight is not None else self._instant(self.days[index] * DAY_MS + time)

    def _begun(self, day: int) -> int:
        """How many working days there are up to and including a date."""
        if not self.days or day < self.days[0]:
            return 0
        place = day - self.days[0]
        return self._places[place] if place < len(self._places) else len(self.days)

    def _period(self, at: int) -> int:
        starts, known = self.starts, self._period_known
        if starts[known] <= at and (known + 1 == len(starts) or at < starts[known + 1]):
            return known
        self._period_known = known = max(bisect_right(starts, at) - 1, 0)
        return known

    def _instant(self, local: int) -> int:
        """When the clock on the wall first says so; a time of day that a clock change skips is read by the clock before the change."""
        starts, offsets = self.starts, self.offsets
        index = self._period(local - self._latest_offset)
        while index + 1 < len(starts) and local - offsets[index] >= starts[index + 1]:
            if local - offsets[index + 1] < starts[index + 1]:
                break
            index += 1
        return local - offsets[index]

    def _midnight(self, day: int) -> int | None:
        """When the day begins, if its clock is not changed between that and the end."""
        begin, end = self._instant(day * DAY_MS), self._instant((day + 1) * DAY_MS)
        changed = bisect_right(self.starts, end) - bisect_left(self.starts, begin)
        return begin if end - begin == DAY_MS and not changed else None
