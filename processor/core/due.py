"""When a clock is due, by its target: after so much time of a calendar, or so many working days on; and when to warn of it."""

from __future__ import annotations

from processor.core.business_hours import NEVER, Calendar
from processor.core.settings import DAY_MS, Target


def allowance(target: Target, start: int, calendar: Calendar | None) -> int:
    """How much active time the target gives to a clock that starts at `start`."""
    if not target.working_days:
        return target.ms
    if calendar is None:
        return target.working_days * DAY_MS
    return calendar.between(start, calendar.days(start, target.working_days, end_of_day=target.end_of_working_day))


def due_at(target: Target, allowed: int, started_at: int, resumed_at: int, elapsed: int, calendar: Calendar | None) -> int:
    """When a clock is due that may take `allowed` (see `allowance`) and runs since `resumed_at`, after so much active time before.

    `NEVER` where the table ends before. Working days are counted from the start, whenever it stood still; what was open while it did comes
    on top.
    """
    if target.working_days and calendar is not None:
        nominal = calendar.days(started_at, target.working_days, end_of_day=target.end_of_working_day)
        return calendar.add(nominal, calendar.between(started_at, resumed_at) - elapsed) if nominal < NEVER else NEVER
    left = allowed - elapsed
    if left <= 0:
        return resumed_at
    return resumed_at + left if calendar is None else calendar.add(resumed_at, left)


def warning_at(target: Target, due: int, calendar: Calendar | None) -> int:
    """When to warn of a clock that is due at `due`, or to remind of one that was; `NEVER` where the target has no warning."""
    if target.warning_days is not None and calendar is not None:
        return calendar.days(due, target.warning_days)
    if target.warning is None or due >= NEVER:
        return NEVER
    if calendar is None:
        return due + target.warning
    return calendar.add(due, target.warning) if target.warning > 0 else calendar.sub(due, -target.warning)
