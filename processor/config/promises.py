"""What is promised of one clock: so much time or so many working days, and when to warn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from processor.config.faults import Fault
from processor.config.values import Duration, Section, one_of, parse_duration

WORKING_DAYS = re.compile(r"(\d{1,3}) working days?")
WARNING = re.compile(r"(.+) (before|after)")


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """A number of dates on which a calendar has hours."""

    count: int

    def __str__(self) -> str:
        return f"{self.count} working day{'s' if self.count > 1 else ''}"


Length = Duration | WorkingDays


@dataclass(frozen=True, slots=True)
class WarningTime:
    """An instant relative to the due one."""

    length: Length
    before: bool

    def __str__(self) -> str:
        return f"{self.length} {'before' if self.before else 'after'}"


def parse_length(value: Any) -> Any:
    """A duration, or "2 working days"; never nothing."""
    if isinstance(value, WorkingDays):
        return value
    found = WORKING_DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        try:
            length = parse_duration(value)
        except ValueError as fault:
            raise ValueError(f'{fault}; or working days, like "2 working days"') from None
        if length.ms == 0:
            raise ValueError("must be longer than zero")
        return length
    if not int(found[1]):
        raise ValueError("must be at least 1 working day")
    return WorkingDays(int(found[1]))


def parse_warning(value: Any) -> Any:
    """WarningTime from "1h before", "2 working days before" or "10h after"."""
    if isinstance(value, WarningTime):
        return value
    found = WARNING.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('not a warning: write like "1h before", "1 working day before" or "4h after"')
    return WarningTime(parse_length(found[1]), found[2] == "before")


LengthField = Annotated[Length, BeforeValidator(parse_length), PlainSerializer(str, return_type=str)]
WarningField = Annotated[WarningTime, BeforeValidator(parse_warning), PlainSerializer(str, return_type=str)]


class TargetConfig(Section):
    """How long a clock may take. A bare duration is enough."""

    target: LengthField = Field(description='How long, such as "8h", or "2 working days" of the calendar.')
    end_of_working_day: bool = Field(
        default=False, description="With working days: due when the last of them ends, not at the time of day of the start."
    )
    hours: Annotated[str, AfterValidator(one_of("kind of hours", ("business", "calendar")))] | None = Field(
        default=None,
        description="business = open hours of the policy's calendar (the default where it has one); calendar = around the clock.",
    )
    warn: WarningField | None = Field(
        default=None, description='When to warn of a clock that runs: "1h before", "1 working day before", or "4h after" it was due.'
    )

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return value if isinstance(value, dict | TargetConfig) else {"target": value}

    @property
    def counts_days(self) -> bool:
        """Whether the target is in working days."""
        return isinstance(self.target, WorkingDays)

    def faults(self, where: str, *, has_calendar: bool, of_contacts: bool) -> Iterator[Fault]:
        """What lacks a calendar, and what nobody could read in open hours."""
        lengths = [self.target, *([self.warn.length] if self.warn is not None else [])]
        in_days = any(isinstance(length, WorkingDays) for length in lengths)
        if self.hours == "business" and not has_calendar:
            yield Fault(where, "business hours need a calendar: name one in the policy")
        elif in_days and not has_calendar:
            yield Fault(where, "working days are those of a calendar: name one in the policy")
        elif in_days and self.hours == "calendar":
            yield Fault(where, "working days are no calendar hours: leave hours out")
        if self.counts_days and of_contacts:
            yield Fault(where, "nobody waits in a queue for working days: write a duration")
        if self.end_of_working_day and not self.counts_days:
            yield Fault(f"{where}.end_of_working_day", 'the end of which day? Write the target in working days, like "2 working days"')
        for length in lengths:
            if isinstance(length, Duration) and self.hours != "calendar" and has_calendar and "d" in length.text:
                hours = length.ms // 3_600_000
                yield Fault(
                    where,
                    f'{length} is unclear in business hours: write "{hours}h" for {hours} open hours, "2 working days" for dates, '
                    "or hours: calendar",
                )
