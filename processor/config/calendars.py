"""Business hours as people write them: local hours by weekday, holidays by date, by day of the year and by country."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from processor.config.faults import Fault, unknown
from processor.config.values import Day, DayHours, Section, YearlyDay, Zone

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


class CalendarConfig(Section):
    """Business hours."""

    zone: Zone = Field(description="IANA time zone of the hours, such as Europe/Berlin.")
    hours: WeekHours = Field(description="Opening hours by weekday.")
    holidays: list[Day] = Field(default_factory=list, description="Dates that are closed all day.")
    holidays_every_year: list[YearlyDay] = Field(default_factory=list, description='Days closed every year, such as "12-25".')
    country: Country | None = Field(default=None, description="ISO 3166 code whose public holidays are closed as well, such as DE.")
    subdivision: str | None = Field(default=None, description="State or province of the country, such as BY.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A calendar that never opens; places without known holidays."""
        if not any(getattr(self.hours, day) for day in WEEKDAYS):
            yield Fault(f"{path}.hours", "never open: give at least one day opening hours")
        if self.subdivision is not None and self.country is None:
            yield Fault(f"{path}.subdivision", "has no country: name one")
        if self.subdivision is not None and self.country is not None:
            known = _countries()[self.country]
            if self.subdivision not in known:
                yield Fault(f"{path}.subdivision", unknown(f"subdivision of {self.country}", self.subdivision, known, listed_max=60))
