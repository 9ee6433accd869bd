"""Business hours as people write them: local hours by weekday, holidays by date, by day of the year and by country.

A calendar may change: each of its `changes` says since when, and what is different from then on. `versions` gives it as a row of calendars
without changes, each with the instant at which it comes into force.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from processor.config.faults import Fault, unknown
from processor.config.values import Day, DayHours, Section, Start, YearlyDay, Zone
from processor.config.zones import instant_of

CHANGES_MAX = 200  # each costs a little of every start
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class WeekHours(Section):
    """Opening hours by weekday, in local time; a day that is not named is closed."""

    mon: DayHours = Field(default_factory=list, description='Monday, such as ["08:00-12:00", "13:00-17:00"]; the end may be "24:00".')
    tue: DayHours = Field(default_factory=list, description="Tuesday.")
    wed: DayHours = Field(default_factory=list, description="Wednesday.")
    thu: DayHours = Field(default_factory=list, description="Thursday.")
    fri: DayHours = Field(default_factory=list, description="Friday.")
    sat: DayHours = Field(default_factory=list, description="Saturday.")
    sun: DayHours = Field(default_factory=list, description="Sunday.")


def _countries() -> dict[str, list[str]]:
    """Countries with known holidays, and their subdivisions; imported late, since few calendars need them."""
    from holidays import list_supported_countries

    countries: dict[str, list[str]] = list_supported_countries()
    return countries


def _known_country(value: str) -> str:
    if value not in (countries := _countries()):
        raise ValueError(unknown("country", value, countries) + "; ISO 3166 codes such as DE are accepted")
    return value


Country = Annotated[str, AfterValidator(_known_country)]


class CalendarChange(Section):
    """What is different from an instant on. A key that is not named stays as it was before."""

    effective_from: Start = Field(
        description="Since when: a date (midnight of the calendar's zone, of the new one where it changes) or an instant with offset."
    )
    zone: Zone | None = Field(default=None, description="IANA time zone of the hours.")
    hours: WeekHours | None = Field(default=None, description="Opening hours of the whole week: a day that is not named is closed.")
    holidays: list[Day] | None = Field(default=None, description="Dates that are closed all day, in place of those before.")
    holidays_every_year: list[YearlyDay] | None = Field(default=None, description="Days closed every year, in place of those before.")
    country: Country | None = Field(
        default=None, description="ISO 3166 code whose public holidays are closed as well; null = of no country any more."
    )
    subdivision: str | None = Field(
        default=None, description="State or province of the country; another country begins without, unless it is named."
    )


class CalendarConfig(Section):
    """Business hours."""

    zone: Zone = Field(description="IANA time zone of the hours, such as Europe/Berlin.")
    hours: WeekHours = Field(description="Opening hours by weekday.")
    holidays: list[Day] = Field(default_factory=list, description="Dates that are closed all day.")
    holidays_every_year: list[YearlyDay] = Field(default_factory=list, description='Days closed every year, such as "12-25".')
    country: Country | None = Field(default=None, description="ISO 3166 code whose public holidays are closed as well, such as DE.")
    subdivision: str | None = Field(default=None, description="State or province of the country, such as BY.")
    changes: list[CalendarChange] = Field(
        default_factory=list, max_length=CHANGES_MAX,
        description="What becomes different on a date, in the order of the dates; what was before stays as it was.",
    )  # fmt: skip

    def versions(self) -> list[CalendarVersion]:
        """The calendar as it was at the beginning, and after each of its changes."""
        found = [CalendarVersion(None, None, self.model_copy(update={"changes": []}))]
        for change in self.changes:
            given: dict[str, Any] = {name: getattr(change, name) for name in change.model_fields_set - {"effective_from"}}
            # Left out and null are the same but for the country: "of none" is something that one may want to say.
            given = {name: value for name, value in given.items() if value is not None or name in ("country", "subdivision")}
            if "country" in given:
                given.setdefault("subdivision", None)
            calendar = found[-1].calendar.model_copy(update=given)
            found.append(CalendarVersion(change.effective_from, instant_of(change.effective_from, calendar.zone), calendar))
        return found

    def faults(self, path: str) -> Iterator[Fault]:
        """A calendar that never opens; places without known holidays; changes that come to nothing or in no order."""
        versions = self.versions()
        for number, version in enumerate(versions):
            where = f"{path}.changes[{number - 1}]" if number else path
            changed = self.changes[number - 1].model_fields_set if number else set(CalendarConfig.model_fields)
            yield from _faults_of_one(version.calendar, where, changed)
            if number:
                yield from _faults_of_order(versions, number, where)
            if changed == {"effective_from"}:
                yield Fault(where, "changes nothing: name what is different from then on, such as hours")


@dataclass(frozen=True, slots=True)
class CalendarVersion:
    """A calendar as it is from an instant on (milliseconds; None = from the beginning), without changes, and how that was written."""

    written: date | datetime | None
    start: int | None
    calendar: CalendarConfig


def _faults_of_one(calendar: CalendarConfig, path: str, changed: set[str]) -> Iterator[Fault]:
    """What is wrong with one version, where that version says it."""
    if "hours" in changed and not any(getattr(calendar.hours, day) for day in WEEKDAYS):
        yield Fault(f"{path}.hours", "never open: give at least one day opening hours")
    if calendar.subdivision is None or not changed & {"country", "subdivision"}:
        return
    if calendar.country is None:
        yield Fault(f"{path}.subdivision", "has no country: name one")
    elif calendar.subdivision not in (known := _countries()[calendar.country]):
        yield Fault(f"{path}.subdivision", unknown(f"subdivision of {calendar.country}", calendar.subdivision, known, listed_max=60))


def _faults_of_order(versions: list[CalendarVersion], number: int, path: str) -> Iterator[Fault]:
    """A change begins after the one before it, or nobody could say what stays as it was."""
    start, before = versions[number].start, versions[number - 1].start
    if start is None or before is None or start > before:
        return
    earlier = f"changes[{number - 2}], which is from {versions[number - 1].written}"
    problem = f"begins when {earlier}: put both into one change" if start == before else f"begins before {earlier}: write changes in order"
    yield Fault(f"{path}.effective_from", problem)
