"""What a partition reports at full minutes W, for the KPIs of all partitions together.

A report is taken at the moment at which timer time passes W: net sums of every window that ends there, and the backlog of that instant.
So it depends on the records before that moment, not on when steps begin or end. In a backfill only every so many minutes are reported.

A held report waits until all partitions have passed its minute, and have heard that all have, as often as something can be handed on
(`upstream`): so what they still hand over is in it. With a clock that follows the wall nobody has to wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from processor.core.business_hours import NEVER
from processor.core.distinct import VISITORS, collapse
from processor.core.facts import Out
from processor.core.levels import Levels
from processor.core.outputs import Report
from processor.core.postings import POSTINGS
from processor.core.postings_of_others import CUSTOMER_FLOWS
from processor.core.rows import MINUTE, Row, Rows, Segment, add_row
from processor.core.settings import DAY_MS, MINUTE_MS
from processor.core.timeline import difference
from processor.core.windows import Windows

HELD_MAX: Final = 500  # reports that wait for slower partitions; above it the oldest is sent without them
CATCH_UP_MINUTES: Final = 15  # after a longer pause not every minute is made up for, only those that divide by this
WINDOWS_END_MS: Final = 8 * DAY_MS  # so long after the last event every window is empty
_SHORT_MINUTES: Final = 60  # the longest window that ends at any minute; it needs each minute for itself


Share = tuple[int, tuple[int, ...], Row, int]  # at which minute, to which segments (their numbers), what, and with which sign


class Held:
    """What a report that waits is to be corrected by. Corrections come by thousands and are of few segments, so they are added up first."""

    __slots__ = ("_bounds", "_names", "_sums")

    def __init__(self, bounds: list[tuple[str, int, int]]) -> None:
        self._bounds = bounds  # minutes [start, end) of each window
        self._names: dict[int, tuple[str, ...]] = {}  # the windows that hold a minute
        self._sums: dict[tuple[str, ...], dict[tuple[int, ...], Row]] = {}  # by windows and segments

    def add(self, shares: list[Share]) -> None:
        """Remember what is to be added."""
        for minute, numbers, row, sign in shares:
            names = self._names.get(minute)
            if names is None:
                names = self._names[minute] = tuple([name for name, start, end in self._bounds if start <= minute < end])
            by_segments = self._sums.get(names)
            if by_segments is None:
                by_segments = self._sums[names] = {}
            sums = by_segments.get(numbers)
            if sums is None:
                sums = by_segments[numbers] = {}
            add_row(sums, row, sign)

    def correct(self, report: Report, segments: list[Segment]) -> None:
        """Add all of it. The windows may have the same rows, so those that change are copied; what has nothing is left out."""
        changes: dict[tuple[int, str], Row] = {}  # by segment and window
        for names, by_segments in self._sums.items():
            for numbers, row in by_segments.items():
                for number in numbers:
                    for name in names:
                        add_row(changes.setdefault((number, name), {}), row, 1)
        for (number, name), row in changes.items():
            if row:
                by_window = report.windows.setdefault(segments[number], {})
                sums = by_window[name] = by_window.get(name, {}).copy()
                add_row(sums, row, 1)
                if not sums:
                    del by_window[name]
                    if not by_window:
                        del report.windows[segments[number]]


class Reports:
    """The reports of one partition: which are due, those taken and not sent yet, and the last one sent."""

    def __init__(self, rows: Rows, windows: Windows, levels: Levels) -> None:
        self.every_minutes = 0  # 1 = live; more in a backfill; 0 = nothing is reported
        self.hold = False
        self.since = 0  # before this instant the partition had nothing
        self.sent_until = 0  # end of the last report sent
        self.taken_until = 0  # end of the last report taken
        self.taken: list[Report] = []
        self._held: dict[int, Held] = {}  # by their ends, those of the taken ones that were corrected
        self._rows = rows
        self._windows = windows
        self._levels = levels

    # -- which --------------------------------------------------------------------------------------------------------------------

    def next_after(self, timer_time: int) -> int:
        """The first end of a report after `timer_time`, were it passed in small steps; before any event, the first event's."""
        width = self.every_minutes * MINUTE_MS
        if not width:
            return NEVER
        return (timer_time // width + 1) * width if timer_time else 0

    def due(self, before: int, to: int, *, last: bool) -> Sequence[int]:
        """The ends of the reports to take when timer time goes from `before` to `to`, ascending. `last`: also the last full minute."""
        if not self.every_minutes or before <= 0:
            return ()
        width = self.every_minutes * MINUTE_MS
        known = before // width * width  # where steps ended in between does not matter
        if to - known > CATCH_UP_MINUTES * MINUTE_MS:
            width = max(width, CATCH_UP_MINUTES * MINUTE_MS)
        ends = [*range((before // width + 1) * width, min(to, known + WINDOWS_END_MS) + 1, width)]
        final = to // MINUTE_MS * MINUTE_MS
        if (last or self.every_minutes == 1) and final > before and final not in ends[-1:]:
            ends.append(final)
        return ends

    # -- taking -------------------------------------------------------------------------------------------------------------------

    def take(self, end: int) -> None:
        """Take the report of the windows that end at `end`, which timer time has just reached."""
        self._windows.advance(end)
        segments = self._rows.segments
        found: dict[Segment, dict[str, Row]] = {}
        for name, window in self._windows.windows.items():
            for number, row in window.share().items():
                found.setdefault(segments[number], {})[name] = row
        later = self._rows.tiers[MINUTE].between(end // MINUTE_MS, NEVER)
        self._complete_total(found, later)
        self.taken.append(Report(end, found, self._backlog_before(later), self.since))
        self.taken_until = end

    def _complete_total(self, found: dict[Segment, dict[str, Row]], later: list[dict[int, Row]]) -> None:
        """Put into the rows of the total what no other segment has: the number of visitors, and of customers before `later`."""
        rows = {name: row.copy() for name, row in found.get(self._rows.total, {}).items()}
        for row in rows.values():
            collapse(row, VISITORS)
        at = self._rows.segment_id(self._rows.total)
        for family, flows in CUSTOMER_FLOWS.items():
            number = self._levels.customers(family)
            for by_segment in later:
                row = by_segment.get(at, {})
                number -= sum([sign * row.get(key, 0) for key, sign in flows.items()])
            for name in self._windows.windows if number else ():
                rows.setdefault(name, {})[family] = number
        if rows:
            found[self._rows.total] = rows

    def _backlog_before(self, later: list[dict[int, Row]]) -> dict[Segment, int]:
        """Unsolved tickets by segment now, minus what came and went in the minutes of `later`."""
        segments = self._rows.segments
        sums = self._levels.told("backlog")
        for minute in later:
            for number, row in minute.items():
                flow = 0
                for key, amount in row.items():
                    if key.startswith("backlog_"):
                        flow += _direction(key) * amount
                if flow:
                    sums[segments[number]] = sums.get(segments[number], 0) - flow
        return {segment: count for segment, count in sums.items() if count}

    def held_after(self, instant: int) -> list[Report]:
        """The reports that were taken and not sent yet, of windows that end after `instant`."""
        return [report for report in self.taken if report.end > instant]

    def correct(self, kind: str, held: Iterable[Report], before: Iterable[Out], after: Iterable[Out]) -> None:
        """Put into reports that are held what would have been in them, had something been handed over at once.

        For each of them: what the facts of an entity were without it, and what they are. Same lists, same changes: worked out once.
        """
        last: tuple[Out, Out] | None = None
        shares: list[Share] = []
        for report, *pair in zip(held, before, after, strict=True):
            if last is None or pair[0] is not last[0] or pair[1] is not last[1]:
                last = pair[0], pair[1]
                shares = self._shares(kind, difference(*last))
            if shares:
                self._correct(report, shares)

    def _shares(self, kind: str, changes: Out) -> list[Share]:
        """What these facts add, and to what."""
        shares: list[Share] = []
        for sign, fact in changes:
            if fact.kind in POSTINGS:
                for numbers, entries in self._rows.shares(kind, fact):
                    shares.append((fact.at // MINUTE_MS, numbers, dict(entries), sign))
        return shares

    def _correct(self, report: Report, shares: list[Share]) -> None:
        held = self._held.get(report.end)
        if held is None:
            names = self._windows.windows
            held = self._held[report.end] = Held([(name, *self._windows.bounds(name, report.end // MINUTE_MS)) for name in names])
        held.add(shares)

    # -- sending ------------------------------------------------------------------------------------------------------------------

    def ready(self, all_passed: int) -> int:
        """How many of the taken ones may be sent, given how far the slowest partition has come."""
        if not self.hold:
            return len(self.taken)
        ready = sum(report.end <= all_passed for report in self.taken)
        return max(ready, len(self.taken) - HELD_MAX)

    def send(self, all_passed: int) -> list[Report]:
        """Those that may be sent."""
        ready = self.ready(all_passed)
        sent, self.taken = self.taken[:ready], self.taken[ready:]
        if sent:
            self.sent_until = sent[-1].end
        return self._corrected(sent)

    def waiting(self) -> list[Report]:
        """Those that were taken and not sent yet, as they would be sent now."""
        return self._corrected(self.taken)

    def _corrected(self, reports: list[Report]) -> list[Report]:
        for report in reports:
            held = self._held.pop(report.end, None)
            if held is not None:
                held.correct(report, self._rows.segments)
        return reports

    def again(self, timer_time: int) -> None:
        """After a restart: the last report that was sent, and those that were taken and not sent.

        Only where the minutes around its end are still told apart: what lies further back would be wrong, so it is left out, and goes
        under with the next one that all partitions have.
        """
        self.taken.clear()
        self._held.clear()
        if not self.every_minutes:
            return
        first, begin = (self._rows.minute_floor + _SHORT_MINUTES) * MINUTE_MS, self.sent_until or self.since
        ends = self.due(max(begin, first - 1), timer_time, last=False) if begin else ()
        for end in sorted({self.sent_until, self.taken_until, *ends}):
            if end >= first:
                self.take(end)


def _direction(key: str) -> int:
    if key.startswith("backlog_entered"):
        return 1
    return -1 if key.startswith("backlog_left") else 0
