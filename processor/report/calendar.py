"""Days since 1970 (UTC) as dates, and the names of the months and quarters in which they lie."""

from __future__ import annotations

from datetime import date, timedelta

from processor.calendar_tables import EPOCH


def date_of(day: int) -> date:
    """The date of a day since 1970."""
    return EPOCH + timedelta(days=day)


def day_of(when: date) -> int:
    """Undo `date_of`."""
    return (when - EPOCH).days


def month_of(when: date) -> str:
    """Such as 2026-03."""
    return f"{when:%Y-%m}"


def quarter_of(when: date) -> str:
    """Such as 2026-Q1."""
    return f"{when:%Y}-Q{(when.month + 2) // 3}"


def months_later(first: date, months: int) -> date:
    """The first of the month that begins so few months after the one that begins with `first`."""
    return (first + timedelta(days=31 * months)).replace(day=1)
