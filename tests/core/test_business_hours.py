"""Laws of business time, on random calendars in zones with every kind of clock change, against a naive reading of the wall clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.calendar_tables import TABLE_END, TABLE_START, compile_calendar, compile_midnights
from processor.config.calendars import WEEKDAYS, CalendarConfig
from processor.config.zones import load_zone
from processor.core.business_hours import NEVER, Calendar

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
# Whole and half hours, changes at midnight, a skipped day (Apia 2011), southern summers, none at all.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Tehran",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Africa/Casablanca",
    "America/Havana",
)
INSTANTS = st.integers(TABLE_START, TABLE_END - 1)
NEAR_CHANGES = tuple(
    int(datetime.fromisoformat(text).timestamp() * 1000)
    for text in (
        "2026-03-28T22:00Z", "2026-10-24T22:00Z", "2026-03-07T22:00Z", "2026-10-31T22:00Z", "2011-12-29T00:00Z",
        "2015-10-17T20:00Z", "2016-02-20T20:00Z", "2016-04-02T08:00Z", "2016-10-01T08:00Z", "2006-10-28T20:00Z",
    )
)  # fmt: skip


def text_of(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def day_hours(draw: st.DrawFn) -> list[str]:
    cuts = sorted(draw(st.sets(st.integers(0, 48), max_size=6)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return [f"{text_of(opens * 30)}-{text_of(closes * 30)}" for opens, closes in pairs]


@st.composite
def calendar_texts(draw: st.DrawFn) -> dict[str, Any]:
    hours = {day: draw(day_hours()) for day in WEEKDAYS}
    return {
        "zone": draw(st.sampled_from(ZONES)),
        "hours": hours,
        "holidays": [day.isoformat() for day in draw(st.lists(st.dates(date(2006, 1, 1), date(2026, 12, 31)), max_size=3))],
        "holidays_every_year": draw(st.lists(st.sampled_from(["12-25", "03-29", "10-25", "02-29"]), max_size=2)),
    }


def compiled(text: dict[str, Any]) -> Calendar:
    return compile_calendar("tried", CalendarConfig.model_validate(text))


class WallClock:
    """The same calendar read naively: is it open, by what the clock on the wall says at an instant?"""

    def __init__(self, text: dict[str, Any]) -> None:
        self.zone = load_zone(text["zone"])  # the system's database may know other clock changes (Casablanca since 2026)
        self.hours = {day: [tuple(part.split("-")) for part in text["hours"].get(day, [])] for day in WEEKDAYS}
        self.closed = set(text.get("holidays", ())), set(text.get("holidays_every_year", ()))

    def is_open(self, instant: int) -> bool:
        local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)).astimezone(self.zone)
        if f"{local:%Y-%m-%d}" in self.closed[0] or f"{local:%m-%d}" in self.closed[1]:
            return False
        return any(opens <= f"{local:%H:%M}" < closes for opens, closes in self.hours[WEEKDAYS[local.weekday()]])

    def between(self, start: int, end: int) -> int:
        return sum(MINUTE for minute in range(start, end, MINUTE) if self.is_open(minute))


@settings(max_examples=60, deadline=None)
@given(calendar_texts(), st.sampled_from(NEAR_CHANGES), st.integers(0, 36 * 60), st.integers(1, 24 * 60))
def test_open_time_is_what_the_wall_clock_says_minute_by_minute(text: dict[str, Any], near: int, shift: int, minutes: int) -> None:
    start = near + (shift - 12 * 60) * MINUTE
    end = start + minutes * MINUTE
    calendar, wall = compiled(text), WallClock(text)
    assert calendar.between(start, end) == wall.between(start, end)
    assert calendar.is_open(start) == wall.is_open(start)


@settings(max_examples=60, deadline=None)
@given(calendar_texts(), INSTANTS, st.integers(0, 400 * DAY), st.integers(0, 400 * DAY))
def test_between_is_additive(text: dict[str, Any], first: int, gap: int, next_gap: int) -> None:
    calendar = compiled(text)
    second, third = first + gap, first + gap + next_gap
    assert calendar.between(first, second) + calendar.between(second, third) == calendar.between(first, third)
    assert 0 <= calendar.between(first, second) <= gap
    assert calendar.between(second, first) == 0 or gap == 0


@settings(max_examples=50, deadline=None)
@given(calendar_texts(), INSTANTS, st.integers(1, 500 * HOUR))
def test_add_reaches_the_duration_and_not_a_millisecond_later(text: dict[str, Any], start: int, duration: int) -> None:
    calendar = compiled(text)
    due = calendar.add(start, duration)
    if due == NEVER:
        assert calendar.between(start, TABLE_END) < duration
        return
    assert calendar.between(start, due) == duration
    assert calendar.between(start, due - 1) == duration - 1  # the earliest such instant: a closing, never the next opening


@settings(max_examples=50, deadline=None)
@given(calendar_texts(), INSTANTS, st.integers(1, 500 * HOUR))
def test_sub_mirrors_add(text: dict[str, Any], end: int, duration: int) -> None:
    calendar = compiled(text)
    start = calendar.sub(end, duration)
    if start == -NEVER:
        assert calendar.between(TABLE_START, end) < duration
        return
    assert calendar.between(start, end) == duration
    assert calendar.between(start + 1, end) == duration - 1  # the latest such instant: an opening, never the closing before it


@settings(max_examples=100, deadline=None)
@given(
    calendar_texts(),
    st.one_of(st.sampled_from(NEAR_CHANGES), st.integers(TABLE_START + 900 * DAY, TABLE_END - 900 * DAY)),
    st.integers(0, DAY // 1000),
    st.integers(-20, 20).filter(bool),
    st.booleans(),
)
def test_working_days_are_counted_by_the_calendar_on_the_wall(
    text: dict[str, Any], near: int, shift: int, count: int, end_of_day: bool
) -> None:
    wall, start = WallClock(text), near // 1000 * 1000 + shift * 1000
    local = datetime.fromtimestamp(start / 1000, wall.zone)
    day, left = local.date(), abs(count)
    for _ in range(700):
        day += timedelta(days=1 if count > 0 else -1)
        hours = wall.hours[WEEKDAYS[day.weekday()]]
        left -= bool(hours) and day.isoformat() not in wall.closed[0] and f"{day:%m-%d}" not in wall.closed[1]
        if not left:
            break
    found = compiled(text).days(start, count, end_of_day=end_of_day)
    if left:
        return  # few hours, many holidays
    hour = wall.hours[WEEKDAYS[day.weekday()]][-1][1]
    until = datetime.combine(day + timedelta(days=hour == "24:00"), time.fromisoformat(hour.replace("24:00", "00:00")))
    wanted = until.replace(tzinfo=wall.zone) if end_of_day else datetime.combine(day, local.time(), wall.zone)
    assert found == int(wanted.timestamp() * 1000)


def test_working_days_of_a_calendar_that_changes() -> None:
    changing = compiled(
        {
            "zone": "Europe/Berlin",
            "hours": {"mon": "09:00-17:00", "tue": "09:00-17:00"},
            "changes": [{"effective_from": "2026-06-10", "hours": {"thu": "08:00-12:00"}, "zone": "Europe/Lisbon"}],
        }
    )
    tuesday = int(datetime.fromisoformat("2026-06-09T10:00+02:00").timestamp() * 1000)
    assert changing.days(tuesday, 1) == int(datetime.fromisoformat("2026-06-11T10:00+01:00").timestamp() * 1000)
    assert changing.days(tuesday, 1, end_of_day=True) == int(datetime.fromisoformat("2026-06-11T12:00+01:00").timestamp() * 1000)
    assert changing.days(tuesday, -1) == int(datetime.fromisoformat("2026-06-08T10:00+02:00").timestamp() * 1000)


def test_no_working_day_is_counted_beyond_the_table() -> None:
    calendar = compiled({"zone": "UTC", "hours": {"mon": "09:00-17:00"}})
    assert (calendar.days(TABLE_END, 3), calendar.days(TABLE_START, -3)) == (NEVER, -NEVER)
    assert calendar.days(TABLE_START, 0) == TABLE_START
    assert Calendar("plain", [0], [HOUR]).days(5, 2) == 5 + 2 * DAY


@settings(max_examples=50, deadline=None)
@given(calendar_texts(), INSTANTS)
def test_next_opening_is_the_first_open_instant(text: dict[str, Any], start: int) -> None:
    calendar = compiled(text)
    opening = calendar.next_open(start)
    if opening == NEVER:
        assert calendar.between(start, TABLE_END) == 0
        return
    assert calendar.is_open(opening)
    assert calendar.between(start, opening) == 0


def test_intervals_are_merged_over_midnights_weeks_and_clock_changes() -> None:
    always = compiled({"zone": "Europe/Berlin", "hours": dict.fromkeys(WEEKDAYS, "00:00-24:00")})
    assert (always.opens, always.closes) == ([TABLE_START], [TABLE_END])


@pytest.mark.parametrize(
    ("hours", "date_of", "opens", "closes"),
    [
        ("02:30-05:00", "2026-03-29", "01:00", "03:00"),  # 02:30 does not exist: open when the clock jumps to 03:00
        ("01:00-02:30", "2026-03-29", "00:00", "01:00"),  # the end does not exist: closed when it jumps
        ("00:00-24:00", "2026-03-29", "-1:00", "22:00"),  # a day of 23 hours
        ("00:00-24:00", "2026-10-25", "-2:00", "23:00"),  # a day of 25 hours
    ],
)
def test_openings_on_the_days_of_clock_changes_in_berlin(hours: str, date_of: str, opens: str, closes: str) -> None:
    calendar = compiled({"zone": "Europe/Berlin", "hours": {"sun": hours}})
    midnight = int(datetime.fromisoformat(f"{date_of}T00:00Z").timestamp() * 1000)
    first, last = (midnight + int(text.split(":")[0]) * HOUR for text in (opens, closes))
    index = calendar.opens.index(first)
    assert calendar.closes[index] == last


def test_an_hour_that_happens_twice_is_open_twice_and_closed_between() -> None:
    calendar = compiled({"zone": "Europe/Berlin", "hours": {"sun": "02:30-03:00"}})
    midnight = int(datetime.fromisoformat("2026-10-25T00:00Z").timestamp() * 1000)
    assert calendar.between(midnight, midnight + 3 * HOUR) == HOUR
    assert [calendar.is_open(midnight + minutes * MINUTE) for minutes in (29, 30, 59, 60, 89, 90, 119, 120)] == [
        False, True, True, False, False, True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("name", ZONES)
def test_a_reporting_day_begins_at_the_first_instant_of_its_date(name: str) -> None:
    zone = load_zone(name)
    midnights = compile_midnights(name)
    assert list(midnights) == sorted(set(midnights))
    assert midnights[0] <= TABLE_START < TABLE_END <= midnights[-1]
    for instant in midnights:
        at = datetime.fromtimestamp(instant / 1000, zone)
        before = datetime.fromtimestamp(instant / 1000 - 1, zone)
        assert before.date() < at.date()
    dates = {datetime.fromtimestamp(instant / 1000, zone).date() for instant in midnights}
    assert len(dates) == len(midnights)
    first, last = min(dates), max(dates)
    skipped = {date(2011, 12, 30)} if name == "Pacific/Apia" else set()
    assert {first + timedelta(days=n) for n in range((last - first).days)} - dates == skipped


def test_a_zone_comes_from_the_pinned_database() -> None:
    with pytest.raises(KeyError):
        load_zone("../../etc/passwd")
    assert load_zone("Europe/Berlin").key == "Europe/Berlin"


def test_an_empty_calendar_is_never_open() -> None:
    closed = Calendar("closed", [], [])
    assert (closed.between(0, DAY), closed.add(0, 1), closed.is_open(0), closed.next_open(0)) == (0, NEVER, False, NEVER)


@pytest.mark.parametrize("table", [([0], []), ([5], [5]), ([0, 5], [10, 15]), ([10, 0], [15, 5])])
def test_a_table_out_of_order_is_refused(table: tuple[list[int], list[int]]) -> None:
    with pytest.raises(ValueError, match="calendar broken"):
        Calendar("broken", *table)
