"""When things happen: by hour of the week, by the day on which tickets were created, and which tickets took longest; as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from processor.core.kpi_readings import DEFAULT_RULES, Rules
from processor.core.kpis import Measure, measures
from processor.core.rows import Row
from processor.core.settings import DAY_MS

Document = dict[str, Any]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_HOURS = 24


def hours_of_the_week(zone: str, hours: Mapping[tuple[str, int], Row], rules: Rules = DEFAULT_RULES) -> Document:
    """Volume, first response and service level of each hour in which something happened, in all and by channel.

    Replies belong to the hour of the reply, contacts to that of each event: of the offer, of the answer.
    """
    channels: dict[str, list[Document]] = {}
    for channel, hour in sorted(hours):
        entry = _hour(hour, hours[channel, hour], rules)
        if entry is not None:
            channels.setdefault(channel, []).append(entry)
    return {"zone": zone, "hours": channels.pop("", []), "channels": channels}


def _hour(hour: int, row: Row, rules: Rules) -> Document | None:
    found = measures((), row, 0, 0, rules)
    created, offered = (max(int(found[name].value or 0), 0) for name in ("tickets_created", "contacts_offered"))
    first, level = found["first_response"], found["service_level"]
    if not (created or offered or first.n or level.n):
        return None
    return {
        "weekday": WEEKDAYS[hour // _DAY_HOURS],
        "hour": hour % _DAY_HOURS,
        "tickets_created": created,
        "contacts_offered": offered,
        "first_response": {"n": first.n, "mean_seconds": _rounded(first, 3), "median_seconds": first.stats().get("p50")},
        "service_level": {"n": level.n, "value": _rounded(level, 4)},
    }


def _rounded(measure: Measure, digits: int) -> float | None:
    return None if measure.value is None else round(measure.value, digits)


def by_creation(days: Mapping[int, Row]) -> list[Document]:
    """What has become of the tickets created on each day (UTC), whenever it did. The other numbers belong to the day of the reply or solve.

    Of a ticket that we wrote ourselves the wait begins with the customer's first message, so its answer counts on that day.
    """
    found = []
    for day, row in sorted(days.items()):
        created, answered, solved = (max(row.get(name, 0), 0) for name in ("created", "answered", "solved"))
        if not (created or answered or solved):
            continue
        found.append({
            "created_on": datetime.fromtimestamp(day * DAY_MS / 1000, UTC).date().isoformat(),
            "created": created,
            "answered": answered,
            "first_response_mean_seconds": _mean(row, "answered"),
            "solved": solved,
            "first_resolution_mean_seconds": _mean(row, "solved"),
        })  # fmt: skip
    return found


def _mean(row: Row, name: str) -> float | None:
    n = row.get(name, 0)
    return round(row.get(f"{name}_ms", 0) / 1000 / n, 3) if n > 0 else None


def longest(open_tickets: Iterable[Document], solved_tickets: Iterable[Document]) -> Document:
    """The tickets that have been open longest, and the solved ones that took longest."""
    return {"open": list(open_tickets), "solved": list(solved_tickets)}
