"""SLA cases as other products' tests state them: reading the files, and one form for every value that is compared.

Instants become whole seconds since 1970 UTC. A case is known by its file and its place in it, `otrs#60`, since names repeat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from processor.calendar_tables import compile_calendar
from processor.config.calendars import WEEKDAYS, CalendarConfig
from processor.config.zones import load_zone
from processor.core.business_hours import NEVER, Calendar

INSTANTS = frozenset({"due", "next_due", "response_due", "starts_at", "warning_at", "first_response_at", "first_response_clock_starts_at"})
MISSED_WORDS = frozenset({"missed", "hit", "active"})  # one list of words for the state of an agreement …
DUE_WORDS = frozenset({"Failed", "Paused", "First Response Due", "Resolution Due", "Fulfilled"})  # … and the other


class NotUnderstoodError(Exception):
    """Something in a case that the format does not define: the case is skipped, and says why."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a case: when, what, and the event itself."""

    at: int
    kind: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `words` are all states that the file's cases name: a peer has one list of them."""

    id: str
    given: dict[str, Any]
    words: frozenset[str] = frozenset()
    rules: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the peer's test is called."""
        return str(self.given.get("name", ""))

    @property
    def expected(self) -> dict[str, Any]:
        """What the peer's test asks for; `due_tz` only says how to read it."""
        return {key: value for key, value in (self.given.get("expected") or {}).items() if key != "due_tz"}

    @property
    def targets(self) -> dict[str, Any]:
        """What is promised."""
        return {name: value for name, value in (self.given.get("targets") or {}).items() if value is not None}

    @property
    def calendar(self) -> Calendar:
        """The hours in force at the end."""
        given = self.given.get("calendar")
        if given is None:
            raise NotUnderstoodError("no calendar")
        return calendar_of(json.dumps(given, sort_keys=True))

    @property
    def zone(self) -> str:
        """The zone of expected instants without one."""
        events = self.given.get("events") or [{}]
        return str((self.given.get("expected") or {}).get("due_tz") or events[0].get("tz") or "UTC")

    def listed(self) -> list[Happening]:
        """The events in the order of the list."""
        events = self.given.get("events") or []
        zone = next((each["tz"] for each in events if each.get("tz")), "UTC")
        return [Happening(instant_of(each["at"], each.get("tz") or zone), each.get("kind", ""), each) for each in events]

    def happened(self) -> list[Happening]:
        """The events in the order of time; the list breaks ties."""
        return sorted(self.listed(), key=lambda each: each.at)

    def normal(self, key: str, value: Any) -> Any:
        """A value of `expected` in the form in which it is compared."""
        if isinstance(value, str) and (key in INSTANTS or key.endswith("_due")):
            return instant_of(value, self.zone)
        if key == "sla_status_at" and isinstance(value, dict):
            return {instant_of(at, self.zone): status for at, status in value.items()}
        if key == "missed" and isinstance(value, list):
            return sorted(value)
        return value


def read_cases(folder: Path) -> list[Case]:
    """All cases of all files of a folder."""
    return [case for file in sorted(folder.glob("*.json")) for case in _cases_of(file)]


def _cases_of(file: Path) -> Iterator[Case]:
    listed = json.loads(file.read_text(encoding="utf-8"))["cases"]
    words = frozenset(word for given in listed for word in _words_of(given.get("expected") or {}))
    for number, given in enumerate(listed):
        yield Case(f"{file.stem}#{number}", given, words, given.get("rules") or {})


def _words_of(expected: dict[str, Any]) -> Iterator[str]:
    for word in (expected.get("sla_status"), *(expected.get("sla_status_at") or {}).values()):
        if word is not None:
            yield word


def instant_of(text: str, zone: str) -> int:
    """Whole seconds since 1970."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=load_zone(zone))).timestamp())


@cache
def calendar_of(text: str) -> Calendar:
    """The table of a calendar, compiled as one of a configuration file is."""
    given = json.loads(text)
    hours = {day: [f"{_minute(opens)}-{_minute(closes)}" for opens, closes in given["hours"].get(day, ())] for day in WEEKDAYS}
    holidays = {name: given.get(name) or [] for name in ("holidays", "holidays_every_year")}
    return compile_calendar("case", CalendarConfig.model_validate({"zone": given.get("tz") or "UTC", "hours": hours, **holidays}))


def _minute(text: str) -> str:
    """A time of day, with or without seconds, as the configuration writes it."""
    hour, minute, second = (*text.split(":"), "00")[:3]
    if int(second):
        raise NotUnderstoodError(f"hours with seconds: {text}")
    return f"{int(hour):02}:{int(minute):02}"


def seconds(milliseconds: int) -> int | None:
    """An instant of the engine; None for one that never comes."""
    return None if abs(milliseconds) >= NEVER else milliseconds // 1000
