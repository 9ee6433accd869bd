"""Business hours as UTC tables: zones and holidays are resolved here, once, against pinned data; the engine only bisects integers.

A calendar is what its wall clock says: an instant is open when its local date is no holiday and its local time lies in the hours of that
weekday. So an opening that a clock change skips happens at the change, and an hour that happens twice counts twice. A calendar that
changes on a date is one table, too: before that instant the old hours, from it on the new ones, so a duration over the change is the sum
over the schedules in force.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from processor.config.calendars import WEEKDAYS, CalendarConfig
from processor.config.zones import offset_periods
from processor.core.business_hours import Calendar
from processor.core.settings import DAY_MS, MINUTE_MS
from processor.core.working_days import WorkingDays

EPOCH = date(1970, 1, 1)
TABLE_START = (date(1990, 1, 1) - EPOCH).days * DAY_MS  # no event is older, or as new as TABLE_END
TABLE_END = (date(2050, 1, 1) - EPOCH).days * DAY_MS
MARGIN_MS = 2 * DAY_MS  # local days that reach into the table from beyond its ends
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
Intervals = list[tuple[int, int]]


def compile_calendar(name: str, calendar: CalendarConfig) -> Calendar:
    """The open intervals of a calendar between 1990 and 2050, all its versions in one table."""
    merged: Intervals = []
    versions = calendar.versions()
    starts = [TABLE_START if version.start is None else _within_table(version.start) for version in versions]
    for version, start, end in zip(versions, starts, [*starts[1:], TABLE_END], strict=True):
        for opens, closes in _open_intervals(version.calendar, start, end):
            if merged and merged[-1][1] == opens:
                merged[-1] = merged[-1][0], closes
            else:
                merged.append((opens, closes))
    changes = [start for version, start in zip(versions, starts, strict=True) if version.start is not None]
    days = _working_days([version.calendar for version in versions], starts)
    return Calendar(name, [start for start, _ in merged], [end for _, end in merged], changes, days)


def _working_days(versions: Sequence[CalendarConfig], starts: Sequence[int]) -> WorkingDays:
    """The dates with hours, and when each last closes. The date within which a version comes into force is one of the version before."""
    closings: dict[int, int] = {}
    periods: list[tuple[int, int]] = []
    for calendar, begin, end in zip(versions, starts, [*starts[1:], TABLE_END], strict=True):
        clipped = [period for period in offset_periods(calendar.zone, TABLE_START, TABLE_END) if period.start < end and period.end > begin]
        if not clipped:
            continue
        for period in clipped:
            if not periods or periods[-1][1] != period.offset:
                periods.append((max(period.start, begin), period.offset))
        hours = [getattr(calendar.hours, day) for day in WEEKDAYS]
        days = range(-(-(begin + clipped[0].offset) // DAY_MS), -(-(end + clipped[-1].offset) // DAY_MS))
        closed = _closed_days(calendar, days)
        for day in days:
            today = hours[(day + EPOCH_WEEKDAY) % 7]
            if today and day not in closed:
                closings.setdefault(day, day * DAY_MS + today[-1].closes * MINUTE_MS)
    ordered = sorted(closings.items())
    return WorkingDays(
        [day for day, _ in ordered], [closing for _, closing in ordered], [start for start, _ in periods], [offset for _, offset in periods]
    )


def _within_table(instant: int) -> int:
    return min(max(instant, TABLE_START), TABLE_END)


def _open_intervals(calendar: CalendarConfig, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The open intervals of one version in [begin, end), UTC; two of them may touch."""
    local = _local_intervals(calendar, begin, end)
    for period in offset_periods(calendar.zone, TABLE_START, TABLE_END):
        # Within the period local = UTC + offset: what of the local hours lies in its local span is open, moved by the offset.
        for opens, closes in _clipped(local, max(period.start, begin) + period.offset, min(period.end, end) + period.offset):
            yield opens - period.offset, closes - period.offset


def _local_intervals(calendar: CalendarConfig, begin: int, end: int) -> Intervals:
    """Opening hours on the local time line, as if no clock ever changed, in milliseconds since local 1970; touching ones are joined."""
    hours = [[(each.opens * MINUTE_MS, each.closes * MINUTE_MS) for each in getattr(calendar.hours, day)] for day in WEEKDAYS]
    days = range((begin - MARGIN_MS) // DAY_MS, (end + MARGIN_MS) // DAY_MS)
    closed = _closed_days(calendar, days)
    intervals: Intervals = []
    for day in days:
        if day in closed:
            continue
        midnight = day * DAY_MS
        for opens, closes in hours[(day + EPOCH_WEEKDAY) % 7]:
            if intervals and intervals[-1][1] == midnight + opens:
                intervals[-1] = intervals[-1][0], midnight + closes
            else:
                intervals.append((midnight + opens, midnight + closes))
    return intervals


def _clipped(intervals: Intervals, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of the intervals in [start, end)."""
    first = bisect_right(intervals, start, key=lambda interval: interval[1])
    for opens, closes in islice(intervals, first, None):
        if opens >= end:
            return
        yield max(opens, start), min(closes, end)


def _closed_days(calendar: CalendarConfig, within: range) -> set[int]:
    """Holidays as days since 1970-01-01, all of those that lie in that range and perhaps others."""
    first, last = (EPOCH + timedelta(days=day) for day in (within.start, within.stop))
    years = range(first.year, last.year + 1)
    days = set(calendar.holidays)
    for month_day in calendar.holidays_every_year:
        month, day = map(int, month_day.split("-"))
        days.update(date(year, month, day) for year in years if (month, day) != (2, 29) or year % 4 == 0)
    if calendar.country is not None:
        from holidays import country_holidays

        days.update(country_holidays(calendar.country, subdiv=calendar.subdivision, years=years))
    return {(day - EPOCH).days for day in days}


def compile_midnights(zone: str) -> tuple[int, ...]:
    """The first instant of each local date, from the one in which the table begins."""
    midnights: list[int] = []
    newest = TABLE_START // DAY_MS - 3
    for period in offset_periods(zone, TABLE_START - MARGIN_MS, TABLE_END + MARGIN_MS):
        start, end = period.start + period.offset, period.end + period.offset
        if start // DAY_MS > newest:  # the change of the clocks skipped midnight, or the first period begins
            newest = start // DAY_MS
            midnights.append(period.start)
        first = max(newest, start // DAY_MS) + 1  # an hour set back over midnight does not begin the day again
        for day in range(first, (end - 1) // DAY_MS + 1):
            midnights.append(day * DAY_MS - period.offset)
            newest = day
    return tuple(midnights[1:])  # the first one is where the probing began, not a midnight
