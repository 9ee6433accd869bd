"""What became of the tickets created in a day, a week or a month, whenever it did; as plain values.

All other numbers belong to the time of the reply or the solution. These have names of their own, so that nobody adds them up with those:
of the newest cohorts some tickets will still be answered and solved, and their means only speak of the quick ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from processor.core.histogram import HistogramKeys
from processor.core.kpi_statistics import at_most, quantile
from processor.core.postings import HISTOGRAMS
from processor.core.rows import DAYS_KEPT, Row, add_row
from processor.report.calendar import date_of, month_of, months_later

Document = dict[str, Any]
CREATED = "created"
ANSWERED, SOLVED = HISTOGRAMS["first_response"], HISTOGRAMS["first_resolution"]
WEEKS_KEPT, MONTHS_KEPT = 60, 24  # the newest; of days as many as rows keep


def cohorts(zone: str, days: Mapping[int, Row]) -> Document:
    """`days` since 1970 in `zone`: tickets created, and durations of first responses and first resolutions."""
    return {
        "zone": zone,
        "days": _told(days, _day_of)[-DAYS_KEPT:],
        "weeks": _told(days, _week_of)[-WEEKS_KEPT:],
        "months": _told(days, _month_of)[-MONTHS_KEPT:],
    }


def _told(days: Mapping[int, Row], period_of: Callable[[date], tuple[str, date, date]]) -> list[Document]:
    rows: dict[tuple[date, date, str], Row] = {}
    for day, row in days.items():
        name, first, last = period_of(date_of(day))
        add_row(rows.setdefault((first, last, name), {}), row, 1)
    return [
        {"created_in": name, "from": first.isoformat(), "to": last.isoformat(), **_cohort(row)}
        for (first, last, name), row in sorted(rows.items())
        if row
    ]


def _cohort(row: Row) -> Document:
    created = max(row.get(CREATED, 0), 0)
    found: Document = {"created": created}
    for what, keys in (("answered", ANSWERED), ("solved", SOLVED)):
        found.update(_durations(what, keys, row, created))
    return found


def _durations(what: str, keys: HistogramKeys, row: Row, created: int) -> Iterator[tuple[str, Any]]:
    """How many so far, their share where all were created in the log, and how long it took."""
    counts = [max(count, 0) for count in keys.counts(row)]
    n = sum(counts)
    yield what, n
    yield f"{what}_share", round(n / created, 4) if 0 < created >= n else None
    yield f"cohort_{keys.name}_mean_seconds", round(row.get(keys.sum, 0) / 1000 / n, 3) if n else None
    yield f"cohort_{keys.name}_median_seconds", round(quantile(0.5, counts), 3) if n else None
    yield f"cohort_{keys.name}_median_at_most_seconds", at_most(0.5, counts) if n else None


def _day_of(day: date) -> tuple[str, date, date]:
    return day.isoformat(), day, day


def _week_of(day: date) -> tuple[str, date, date]:
    """Weeks of ISO 8601: from Monday on, and those that belong to a year by their Thursday."""
    year, week, weekday = day.isocalendar()
    monday = day - timedelta(days=weekday - 1)
    return f"{year}-W{week:02}", monday, monday + timedelta(days=6)


def _month_of(day: date) -> tuple[str, date, date]:
    first = day.replace(day=1)
    return month_of(day), first, months_later(first, 1) - timedelta(days=1)
