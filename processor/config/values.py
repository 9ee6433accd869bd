"""The small value types of the configuration file: durations, opening hours, dates, instants, names from closed sets.

Each is parsed from text that people write and serialises back to it; each error says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, StringConstraints

from processor.config.faults import unknown
from processor.config.zones import zone_names

UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?")
DURATION_MS_MAX = 36_500 * UNIT_MS["d"]
DATE = re.compile(r"\d{4}-\d\d-\d\d")
YEARLY = re.compile(r"\d\d-\d\d")
INTERVAL = re.compile(r"(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)")
DAY_MINUTES = 1440
YEAR_MIN, YEAR_END = 1990, 2050  # event times outside are rejected at the door; tables need not reach further


class Section(BaseModel):
    """Base of every part of the file: unknown keys are faults, values cannot change, inputs never appear in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, with the text it was written as."""

    ms: int
    text: str

    def __str__(self) -> str:
        return self.text


def parse_duration(value: Any) -> Any:
    """Duration from "1h30m". Plain numbers are refused: nobody can see whether 30 are seconds or minutes."""
    if isinstance(value, Duration):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        # ValueError, here and below: pydantic turns it into a fault, a TypeError would escape.
        raise ValueError(f'a duration needs a unit: write "{value}s", "{value}m", "{value}h" or "{value}d"')  # noqa: TRY004
    return _read_duration(value.strip() if isinstance(value, str) else "")


def no_per_cent(value: Any) -> Any:
    """The value, unless it is written as "5%": what that is as a share is said then."""
    if not isinstance(value, str) or not value.rstrip().endswith("%"):
        return value
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)\s*%", value.strip())
    share, percent = (f"{float(found[1]) / 100:g}", found[1]) if found is not None else ("0.05", "5")
    raise ValueError(f"must be a share: write {share} for {percent} %")


def _otherwise(text: str) -> str:
    """The duration that may have been meant by "0.5h" or "4 hours"; "" where nobody can tell."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s*(ms|[dhms])(?:ays?|ours?|rs?|in|inutes?|ins?|ec|econds?|ecs?)?", text.lower())
    if found is None:
        return ""
    left, written = round(float(found[1]) * UNIT_MS[found[2]]), ""
    for unit, length in UNIT_MS.items():
        count, left = divmod(left, length)
        written += f"{count}{unit}" if count else ""
    return written


def _read_duration(text: str) -> Duration:
    found = DURATION.fullmatch(text)
    if (not text or found is None) and (meant := _otherwise(text)):
        raise ValueError(f'not a duration: write "{meant}" (units d, h, m, s, ms in this order)')
    if not text or found is None:
        raise ValueError('not a duration: write like "20s", "2m", "24h", "3d" or "1h30m" (units d, h, m, s, ms in this order)')
    total = sum(int(number or 0) * unit for number, unit in zip(found.groups(), UNIT_MS.values(), strict=True))
    if total > DURATION_MS_MAX:
        raise ValueError("a duration may be at most 36500d")
    return Duration(total, text)


def duration(text: str) -> Duration:
    """A duration that stands in the code, such as a default."""
    return _read_duration(text)


def _positive(value: Duration) -> Duration:
    if value.ms == 0:
        raise ValueError("must be longer than zero")
    return value


DurationField = Annotated[Duration, BeforeValidator(parse_duration), PlainSerializer(str, return_type=str)]
PositiveDuration = Annotated[DurationField, AfterValidator(_positive)]


@dataclass(frozen=True, slots=True, order=True)
class OpenInterval:
    """Opening hours within one local day, in minutes since midnight; 1440 = the next midnight."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in (self.opens, self.closes))


def parse_interval(value: Any) -> Any:
    """OpenInterval from "08:00-12:00". Hours over midnight are two intervals, on two days."""
    if isinstance(value, OpenInterval):
        return value
    found = INTERVAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('not opening hours: write like "08:00-12:00"; the end may be "24:00"')
    hour, minute, end_hour, end_minute = map(int, found.groups())
    opens, closes = hour * 60 + minute, end_hour * 60 + end_minute
    if minute > 59 or end_minute > 59 or opens >= DAY_MINUTES or closes > DAY_MINUTES:
        raise ValueError("not a time of day: hours go from 00:00 to 24:00")
    if closes < opens:
        raise ValueError(
            f'ends before it begins; for a night write "{value[:5]}-24:00" here and "00:00-{value.strip()[-5:]}" on the next day'
        )
    if closes == opens:
        raise ValueError('ends where it begins; a whole day is "00:00-24:00"')
    return OpenInterval(opens, closes)


def _disjoint(value: list[OpenInterval]) -> list[OpenInterval]:
    ordered = sorted(value)
    for first, second in pairwise(ordered):
        if second.opens < first.closes:
            raise ValueError(f"{first} overlaps {second}")
    return ordered


def one_or_many(value: Any) -> Any:
    """A single value stands for a list of one."""
    return [value] if isinstance(value, str) else value


Interval = Annotated[OpenInterval, BeforeValidator(parse_interval), PlainSerializer(str, return_type=str)]
DayHours = Annotated[list[Interval], AfterValidator(_disjoint), BeforeValidator(one_or_many)]


def parse_day(value: Any) -> Any:
    """A local date, "2026-12-24"."""
    if type(value) is date:
        return value
    day = _date(value) if isinstance(value, str) and DATE.fullmatch(value) else None
    if day is None:
        raise ValueError('not a date: write like "2026-12-24"')
    return day


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_yearly(value: Any) -> Any:
    """A day of every year, "12-25"; 02-29 counts in leap years only."""
    if not isinstance(value, str) or not YEARLY.fullmatch(value) or _date(f"2024-{value}") is None:
        raise ValueError('not a day of the year: write month and day like "12-25"')
    return value


def parse_start(value: Any) -> Any:
    """A date (local midnight of the reporting zone) or an instant with its offset."""
    start = value if isinstance(value, date) else _moment(value) if isinstance(value, str) else None
    if start is None:
        raise ValueError('not a point in time: write "2026-12-24" or "2026-12-24T08:00:00+01:00"')
    return _ranged(start)


def _moment(text: str) -> date | None:
    if DATE.fullmatch(text):
        return _date(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _ranged(value: date) -> date:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError('has no zone: add an offset, as in "2026-12-24T08:00:00Z", or write the date alone')
    if not YEAR_MIN <= value.year < YEAR_END:
        raise ValueError(f"outside the years {YEAR_MIN} to {YEAR_END - 1}")
    return value


Day = Annotated[date, BeforeValidator(parse_day)]
YearlyDay = Annotated[str, BeforeValidator(parse_yearly)]
Start = Annotated[datetime | date, BeforeValidator(parse_start)]


def one_of(what: str, known: Iterable[str]) -> Callable[[str], str]:
    """A validator for names from a closed set."""
    names = tuple(known)

    def check(value: str) -> str:
        if value not in names:
            raise ValueError(unknown(what, value, names))
        return value

    return check


def _known_zone(value: str) -> str:
    if value not in zone_names():
        raise ValueError(unknown("IANA time zone", value, zone_names()))
    return value


Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Zone = Annotated[str, AfterValidator(_known_zone)]
