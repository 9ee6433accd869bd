"""Business time against the numbers of other helpdesks: every case of pure arithmetic, exactly."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from processor.compile import compile_calendar
from processor.config.calendars import CalendarConfig
from processor.config.zones import load_zone
from processor.core.business_hours import Calendar

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "sla_cases"
TYPES = ("add_business_time", "business_time_between", "is_working_time")

pytestmark = pytest.mark.real_data


def cases() -> list[Any]:
    found = [
        pytest.param(case, id=f"{file.stem}#{number}")
        for file in sorted(FOLDER.glob("*.json"))
        for number, case in enumerate(json.loads(file.read_text(encoding="utf-8"))["cases"])
        if case["type"] in TYPES
    ]
    return found or [pytest.param(None, marks=pytest.mark.skip(reason=f"no cases of other helpdesks at {FOLDER}"))]


@cache
def calendar_of(text: str) -> Calendar:
    given = json.loads(text)
    hours = {day: [f"{opens}-{closes}" for opens, closes in intervals] for day, intervals in given["hours"].items()}
    holidays = {name: given.get(name, []) for name in ("holidays", "holidays_every_year")}
    return compile_calendar("case", CalendarConfig.model_validate({"zone": given["tz"], "hours": hours, **holidays}))


def instant_of(text: str, zone: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=load_zone(zone))).timestamp())


def open_seconds(case: dict[str, Any], calendar: Calendar, events: list[tuple[int, dict[str, Any]]]) -> int:
    """Open seconds from the first event to the last, without those between a pausing status and the next other one."""
    total, since = 0, events[0][0]
    paused = False
    for at, event in events:
        if not paused:
            total += calendar.between(since * 1000, at * 1000) // 1000
        since = at
        if "status" in event:
            paused = event["status"] in case.get("pause_statuses", ())
    return total


def answer(case: dict[str, Any]) -> dict[str, Any]:
    calendar = calendar_of(json.dumps(case["calendar"]))
    zone = case["events"][0].get("tz", "UTC")
    events = [(instant_of(event["at"], event.get("tz", zone)), event) for event in case["events"]]
    start, end = events[0][0], events[-1][0]
    if case["type"] == "add_business_time":
        return {"due": calendar.add(start * 1000, case["targets"]["business_seconds"] * 1000) / 1000}
    if case["type"] == "is_working_time":
        return {"is_working_time": calendar.is_open(start * 1000)}
    return {"business_seconds": open_seconds(case, calendar, events), "calendar_minutes": (end - start) / 60}


@pytest.mark.parametrize("case", cases())
def test_business_time_is_equal_to_the_peers(case: dict[str, Any]) -> None:
    expected = {key: value for key, value in case["expected"].items() if key not in case.get("known_arithmetic_deviation", {})}
    expected |= {key: differing["ours"] for key, differing in case.get("differs", {}).items()}
    zone = expected.pop("due_tz", case["events"][0].get("tz", "UTC"))
    if "due" in expected:
        expected["due"] = instant_of(expected["due"], zone)
    given = answer(case)
    assert expected, "a case must expect something"
    assert {key: given[key] for key in expected} == expected, datetime.fromtimestamp(given.get("due", 0), UTC)
