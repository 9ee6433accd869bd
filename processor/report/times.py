"""When things happen by hour of the week, and which tickets took longest; as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from processor.core.kpi_formulas import service_level
from processor.core.kpi_readings import DEFAULT_RULES, Rules, Window, duration, ratio
from processor.core.kpis import Measure
from processor.core.rows import Row

Document = dict[str, Any]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_HOURS = 24
_FIRST_RESPONSE, _SERVICE_LEVEL = duration("first_response"), ratio(service_level)


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
    window = Window(row, 0, 0, rules)
    created, offered = (max(window[name], 0) for name in ("tickets_created", "contacts_offered"))
    first, level = _FIRST_RESPONSE(window), _SERVICE_LEVEL(window)
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


def longest(open_tickets: Iterable[Document], solved_tickets: Iterable[Document]) -> Document:
    """The tickets that have been open longest, and the solved ones that took longest."""
    return {"open": list(open_tickets), "solved": list(solved_tickets)}
