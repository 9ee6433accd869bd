"""Numbers and times as people read them from afar: few characters, a unit, and words where a number would say nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from processor.core.settings import DAY_MS

_UNITS = {"tickets": "tickets", "contacts": "contacts", "agents": "agents", "events": "events",
          "records": "records"}  # fmt: skip
MINUTE, HOUR, DAY = 60, 3600, 86_400
THOUSANDS_FROM = 100_000  # such numbers are told in thousands
UNKNOWN = "unknown"


def number(value: float, unit: str, endless: str = "endless") -> tuple[str, str, bool]:
    """Text, unit, and whether the text is words: NaN is `unknown`, infinity what `endless` says."""
    if math.isnan(value):
        return UNKNOWN, "", True
    if math.isinf(value):
        return endless, "", True
    if unit == "flag":
        return ("yes" if value else "no"), "", False
    if unit == "seconds":
        return *duration(value), False
    if unit == "ratio":
        return _plain(value * 100, 1), "%", False
    if abs(value) >= THOUSANDS_FROM:
        return f"{value / 1000:,.0f}k", _UNITS.get(unit, ""), False
    return _plain(value, 1), _UNITS.get(unit, "") if value != 1 else _UNITS.get(unit, "").removesuffix("s"), False


def _plain(value: float, digits: int) -> str:
    """Without digits that say nothing, and never -0."""
    rounded = round(value, digits) + 0.0
    return f"{rounded:,.0f}" if rounded == int(rounded) or abs(rounded) >= 1000 else f"{rounded:,.{digits}f}"


def duration(seconds: float) -> tuple[str, str]:
    """Two numbers at most: 42 s, 4:10 min, 83 min, 5:20 h, 3.5 days."""
    whole = round(abs(seconds))
    if whole < MINUTE:
        return str(whole), "s"
    if whole < 10 * MINUTE:
        return f"{whole // MINUTE}:{whole % MINUTE:02d}" if whole % MINUTE else str(whole // MINUTE), "min"
    if whole < 2 * HOUR:
        return f"{whole / MINUTE:.0f}", "min"
    if whole < 2 * DAY:
        minutes = round(whole / MINUTE)
        return f"{minutes // 60}:{minutes % 60:02d}" if minutes % 60 else str(minutes // 60), "h"
    return _plain(whole / DAY, 1 if whole < 100 * DAY else 0), "days"


def span(seconds: float) -> str:
    """How long, in one word with its unit: 6 s, 7 min, 3 h, 12 days."""
    whole = max(round(seconds), 0)
    for length, unit, least in ((DAY, "days", 2 * DAY), (HOUR, "h", 2 * HOUR), (MINUTE, "min", 2 * MINUTE)):
        if whole >= least:
            return f"{whole // length:,} {unit}"
    return f"{whole} s"


def clock(at_ms: int, now_ms: int, zone: ZoneInfo, *, seconds: bool = True) -> str:
    """The time of day; with the day, and if need be the year, where it is another one."""
    at, now = (datetime.fromtimestamp(each / 1000, zone) for each in (at_ms, now_ms))
    time = f"{at:%H:%M:%S}" if seconds else f"{at:%H:%M}"
    if at.date() == now.date():
        return time
    if abs(at_ms - now_ms) < 6 * DAY_MS:
        return f"{at:%a} {time}"
    return f"{at.day} {at:%b} {time}" if at.year == now.year else f"{at.day} {at:%b %Y} {time}"


def local(at_ms: int, zone: ZoneInfo) -> int:
    """What the clocks of this zone show, as milliseconds of UTC: a page goes on from there without knowing the zone."""
    return round(datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=UTC).timestamp() * 1000)
