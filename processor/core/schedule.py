"""Hours in which agents were to be at work by plan, for where nobody reports what they do. What rests on them is an estimate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from processor.core.business_hours import Calendar


class Shift(NamedTuple):
    """So many agents, of a group or of none, in the open hours of a calendar."""

    group: str | None
    calendar: Calendar
    agents: float


def scheduled_seconds(shifts: Iterable[Shift], names: Sequence[str], values: Sequence[str], start: int, end: int) -> float:
    """Of all agents of a segment together in [start, end): of the total and of groups; for other segments nobody plans."""
    if names and tuple(names) != ("group",):
        return 0.0
    mine = [shift for shift in shifts if not names or shift.group == values[0]]
    return sum(shift.agents * shift.calendar.between(start, end) for shift in mine) / 1000
