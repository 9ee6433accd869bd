"""Cases about a calendar alone, answered by `core.business_hours`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.sla_cases.cases import Case, seconds


def add_business_time(case: Case) -> dict[str, Any]:
    """When so much open time has passed; before the start for a negative amount."""
    start, length = case.listed()[0].at * 1000, case.targets["business_seconds"] * 1000
    calendar = case.calendar
    return {"due": seconds(calendar.add(start, length) if length >= 0 else calendar.sub(start, -length))}


def business_time_between(case: Case) -> dict[str, Any]:
    """Open seconds from the first event to the last, without those between a pausing status and the next other one."""
    calendar, events = case.calendar, case.listed()
    pausing = case.given.get("pause_statuses") or ()
    start, end = events[0].at, events[-1].at
    total, since, paused = 0, start, False
    for each in events:
        if not paused:
            total += calendar.between(since * 1000, each.at * 1000) // 1000
        since = each.at
        if each.event.get("status") is not None:
            paused = each.event["status"] in pausing
    minutes, rest = divmod(end - start, 60)
    return {"business_seconds": total, "calendar_minutes": minutes if not rest else (end - start) / 60}


def is_working_time(case: Case) -> dict[str, Any]:
    """Whether the calendar is open."""
    return {"is_working_time": case.calendar.is_open(case.listed()[0].at * 1000)}


def add_working_days(case: Case) -> dict[str, Any]:
    """The same time some working days later or earlier, or the end of that day."""
    start, count = case.listed()[0].at * 1000, case.targets["working_days"]
    return {"due": seconds(case.calendar.days(start, count, end_of_day=bool(case.targets.get("end_of_working_day"))))}


ARITHMETIC: dict[str, Callable[[Case], dict[str, Any]]] = {
    "add_business_time": add_business_time,
    "business_time_between": business_time_between,
    "is_working_time": is_working_time,
    "add_working_days": add_working_days,
}
