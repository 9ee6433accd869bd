"""Rolling windows over the rows, ending at a full minute W: 5m, 1h, today, 24h, 7d.

A window is a half-open range of minutes and the sum of the rows inside it. Moving on adds the minutes that come in and subtracts those
that go out; an amount for a minute that is already inside (a late event, a retraction) is added when it comes. 24h and 7d move in steps
of a quarter of an hour. `today` begins at local midnight of the reporting calendar.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from processor.core.rows import MINUTE, QUARTER, Row, Rows, add_row
from processor.core.settings import MINUTE_MS, Settings

WINDOWS: Final = ("5m", "1h", "today", "24h", "7d")
_LENGTH_MINUTES: Final = {"5m": 5, "1h": 60, "24h": 1440, "7d": 10080}
# What goes out must still lie in a tier from which it can be subtracted; after a longer jump a window is summed anew. Quarters are kept
# for a day more than the longest window.
_STRIDE_MAX: Final = 1440

Sums = dict[int, Row]  # by segment


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
    """One window: minutes [start, end) and the sums of its rows by segment, of the segments that have any."""

    __slots__ = ("_own", "end", "name", "start", "sums")

    def __init__(self, name: str) -> None:
        self.name = name
        self.start = 0
        self.end = 0
        self.sums: Sums = {}
        self._own: set[int] = set()  # segments whose rows no reader has

    def add(self, sums: Sums, sign: int) -> None:
        """Add `sign` times these sums. A row that a reader has is replaced, not changed."""
        for segment, row in sums.items():
            known = self.sums.get(segment)
            if known is None:
                known = self.sums[segment] = {}
                self._own.add(segment)
            elif segment not in self._own:
                known = self.sums[segment] = known.copy()
                self._own.add(segment)
            add_row(known, row, sign)
            if not known:
                del self.sums[segment]

    def clear(self) -> None:
        """Begin anew."""
        self.sums = {}
        self._own = set()

    def share(self) -> Sums:
        """The sums as they are now, for a reader: they stay so."""
        self._own = set()
        return self.sums


class Windows:
    """The windows of one partition. Lazy: nothing is summed until `advance` is called."""

    def __init__(self, rows: Rows, settings: Settings) -> None:
        self.rows = rows
        self.midnights = settings.midnights
        self.windows = {name: Window(name) for name in WINDOWS}
        self.end_minute = 0

    def advance(self, timer_time: int) -> None:
        """Let the windows end at the last full minute that `timer_time` has passed, and take in what came late."""
        self.rows.bring_in()
        for minute, segments, sums in self.rows.late:
            self._take_late(minute, segments, sums)
        self.rows.late.clear()
        end = max(timer_time // MINUTE_MS, 0)
        ranges: dict[tuple[int, int], list[tuple[Window, int]]] = {}  # what is to be added to which window, with which sign
        for window in self.windows.values():
            self._move(window, *self.bounds(window.name, end), ranges)
        for (first, last), takers in ranges.items():
            self._add_range(first, last, takers)
        self.end_minute = end
        self.rows.listeners_end = end

    def bounds(self, name: str, end: int) -> tuple[int, int]:
        """Minutes [start, end) of the window of that name at minute `end`."""
        return bounds_of(name, end, self.midnights)

    def _take_late(self, minute: int, segments: tuple[int, ...], row: Row) -> None:
        for window in self.windows.values():
            if window.start <= minute < window.end:
                window.add(dict.fromkeys(segments, row), 1)

    @staticmethod
    def _move(window: Window, start: int, end: int, ranges: dict[tuple[int, int], list[tuple[Window, int]]]) -> None:
        out, into = start - window.start, end - window.end
        if into < 0 or out < 0 or out > _STRIDE_MAX or out + into >= end - start:
            window.clear()
            ranges.setdefault((start, end), []).append((window, 1))
        else:
            if out:
                ranges.setdefault((window.start, start), []).append((window, -1))
            if into:
                ranges.setdefault((window.end, end), []).append((window, 1))
        window.start, window.end = start, end

    def _add_range(self, start: int, end: int, takers: list[tuple[Window, int]]) -> None:
        """Add the rows of a range of minutes to some windows: where it goes to several, it is summed once for all."""
        found: list[Sums] = []
        for tier, width in ((MINUTE, 1), (QUARTER, 15)):
            found += self.rows.tiers[tier].between(-(-start // width), end // width)
        if len(found) > 1 and len(takers) > 1:
            summed = Window("")
            for sums in found:
                summed.add(sums, 1)
            found = [summed.sums]
        for window, sign in takers:
            for sums in found:
                window.add(sums, sign)
