"""Rolling windows over the rows, ending at a full minute W: 5m, 1h, today, 24h, 7d.

A window is a half-open range of minutes and the sum of the rows inside it. Moving on adds the minutes that come in and subtracts those
that go out; an amount for a minute that is already inside (a late event, a retraction) is added when it comes. 24h and 7d move in steps
of a quarter of an hour. `today` begins at local midnight of the reporting calendar.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from processor.core.postings import Entries
from processor.core.rows import MINUTE, QUARTER, Row, Rows, add_row
from processor.core.settings import MINUTE_MS, Settings

WINDOWS = ("5m", "1h", "today", "24h", "7d")
_LENGTH_MINUTES = {"5m": 5, "1h": 60, "24h": 1440, "7d": 10080}
# What goes out must still lie in a tier from which it can be subtracted; after a longer jump a window is summed anew. Quarters are kept
# for a day more than the longest window.
_STRIDE_MAX = 1440


def bounds_of(name: str, end: int, midnights: Sequence[int]) -> tuple[int, int]:
    """Minutes [start, end) of the window of that name at minute `end`; `midnights` are where days begin, in milliseconds."""
    if name == "today":
        index = bisect_right(midnights, end * MINUTE_MS) - 1
        return (midnights[index] // MINUTE_MS if index >= 0 else end // 1440 * 1440), end
    length = _LENGTH_MINUTES[name]
    if length >= 1440:
        end = end // 15 * 15
    return end - length, end


class Window:
    """One window: minutes [start, end) and the sums of its rows by segment."""

    __slots__ = ("end", "name", "start", "sums")

    def __init__(self, name: str) -> None:
        self.name = name
        self.start = 0
        self.end = 0
        self.sums: dict[int, Row] = {}


class Windows:
    """The windows of one partition. Lazy: nothing is summed until `advance` is called."""

    def __init__(self, rows: Rows, settings: Settings) -> None:
        self.rows = rows
        self.midnights = settings.midnights
        self.windows = {name: Window(name) for name in WINDOWS}
        self.end_minute = 0

    def advance(self, timer_time: int) -> None:
        """Let the windows end at the last full minute that `timer_time` has passed, and take in what came late."""
        for minute, segments, entries, sign in self.rows.late:
            self._take_late(minute, segments, entries, sign)
        self.rows.late.clear()
        end = max(timer_time // MINUTE_MS, 0)
        for window in self.windows.values():
            self._move(window, *self.bounds(window.name, end))
        self.end_minute = end
        self.rows.listeners_end = end

    def bounds(self, name: str, end: int) -> tuple[int, int]:
        """Minutes [start, end) of the window of that name at minute `end`."""
        return bounds_of(name, end, self.midnights)

    def _take_late(self, minute: int, segments: tuple[int, ...], entries: Entries, sign: int) -> None:
        row = dict(entries)
        for window in self.windows.values():
            if window.start <= minute < window.end:
                for segment in segments:
                    add_row(window.sums.setdefault(segment, {}), row, sign)

    def _move(self, window: Window, start: int, end: int) -> None:
        if start >= window.end or end < window.end or start < window.start or start - window.start > _STRIDE_MAX:
            window.sums = {}
            self._add_range(window, start, end, 1)
        else:
            self._add_range(window, window.start, start, -1)
            self._add_range(window, window.end, end, 1)
        window.start, window.end = start, end

    def _add_range(self, window: Window, start: int, end: int, sign: int) -> None:
        for tier, width in ((MINUTE, 1), (QUARTER, 15)):
            rows_by_index = self.rows.tiers[tier]
            first, last = -(-start // width), end // width
            indexes = (
                range(first, last) if last - first < len(rows_by_index) else [index for index in rows_by_index if first <= index < last]
            )
            for index in indexes:
                for segment, row in rows_by_index.get(index, {}).items():
                    add_row(window.sums.setdefault(segment, {}), row, sign)
