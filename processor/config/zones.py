"""Time zones of the pinned `tzdata` package, never the system's: two hosts must not disagree about a clock change.

A zone is used in two forms: as `ZoneInfo` for single instants, and as offset periods, in which local time is UTC plus a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import metadata, resources
from zoneinfo import ZoneInfo

SECOND_MS = 1000
DAY_MS = 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PROBE_MS = DAY_MS // 2  # no zone in the database changes its offset twice within half a day


@dataclass(frozen=True, slots=True)
class OffsetPeriod:
    """[start, end) in UTC milliseconds; local time = UTC + offset throughout."""

    start: int
    end: int
    offset: int


@cache
def zone_names() -> frozenset[str]:
    """The names that the pinned database knows."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


def tzdata_version() -> str:
    """The version of the pinned database, for reports."""
    return metadata.version("tzdata")


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone from the pinned package. KeyError for a name that is not in its list, so that no path can be smuggled in."""
    if name not in zone_names():
        raise KeyError(name)
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def instant_of(start: date | datetime, zone: str) -> int:
    """UTC milliseconds of an instant, or of the midnight with which a day begins in a zone."""
    moment = start if isinstance(start, datetime) else datetime.combine(start, time(), load_zone(zone))
    return round(moment.timestamp() * 1000)


def offset_at(zone: ZoneInfo, instant: int) -> int:
    """Milliseconds to add to UTC at `instant` (whole seconds count; offsets never change within one)."""
    offset = (EPOCH + timedelta(seconds=instant // SECOND_MS)).astimezone(zone).utcoffset()
    return (offset or timedelta()) // timedelta(milliseconds=1)


@cache
def offset_periods(name: str, start: int, end: int) -> tuple[OffsetPeriod, ...]:
    """The zone between two UTC instants (whole seconds), cut where its offset changes."""
    if name in ("UTC", "Etc/UTC"):
        return (OffsetPeriod(start, end, 0),)
    zone = load_zone(name)
    periods = []
    begin, offset, before = start, offset_at(zone, start), start
    while before < end:
        after = min(before + PROBE_MS, end)
        if (changed := offset_at(zone, after)) != offset:
            at = _first_with(zone, changed, before, after)
            periods.append(OffsetPeriod(begin, at, offset))
            begin, offset = at, changed
        before = after
    if begin < end:
        periods.append(OffsetPeriod(begin, end, offset))
    return tuple(periods)


def _first_with(zone: ZoneInfo, offset: int, before: int, after: int) -> int:
    """The first whole second in (before, after] that has `offset`, by bisection."""
    while after - before > SECOND_MS:
        middle = (before + after) // 2 // SECOND_MS * SECOND_MS
        if offset_at(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after
