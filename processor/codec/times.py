"""RFC 3339 text to integer milliseconds and back, fast: the decoder does this for every event.

What is accepted, since RFC 3339 leaves choices open:
- `T` and `Z` in either case, no blank in place of the `T`; any offset up to 23:59, `-00:00` meaning UTC;
- up to nine digits of a second's fraction, cut (not rounded) to the millisecond, so that an instant never moves into the next one;
- second 60 where the UTC minute is 23:59. It counts as the second after it, as POSIX counts; elsewhere it is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final

from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS

# Instants that an event may carry. Outside lie broken clocks: 1970, 1980, 2106 and the like.
EARLIEST_MS: Final = 631_152_000_000  # 1990-01-01
LATEST_MS: Final = 2_524_608_000_000  # 2050-01-01, excluded

_RFC3339 = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]"
    r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<offset_hours>[01][0-9]|2[0-3]):(?P<offset_minutes>[0-5][0-9]))"
)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_LAST_MINUTE_OF_DAY = DAY_MS // MINUTE_MS - 1

# A time is cut into `2026-11-21T09:14:`, `03` and `.120Z`, each remembered, so that nearly every time costs three look-ups. Only parts of
# times that were parsed whole get in, hence any three that are found make a valid time. Emptied when full: a new minute costs little.
_CACHE_MAX = 8192
_minutes: Final[dict[str, int]] = {}
_seconds: Final[dict[str, int]] = {f"{second:02d}": second * 1000 for second in range(60)}
_tails: Final[dict[str, int]] = {}
_CACHED_DIGITS: Final = 3  # microseconds would only push out what repeats


def parse_time(text: str) -> int:
    """Milliseconds since 1970 UTC of an RFC 3339 time. Raises `ValueError`, whose message does not repeat the text."""
    try:
        return _minutes[text[:17]] + _seconds[text[17:19]] + _tails[text[19:]]
    except KeyError:
        return _parse(text)


def _parse(text: str) -> int:
    match = _RFC3339.fullmatch(text)
    if match is None:
        if _RFC3339.fullmatch(f"{text}Z"):
            raise ValueError("without an offset from UTC: write Z, or one such as +01:00, at its end")
        raise ValueError("not an RFC 3339 time such as 2026-11-21T09:14:03.120Z")
    try:
        day = date.fromisoformat(match["date"]).toordinal() - _EPOCH_DAY
    except ValueError:
        raise ValueError("no such date") from None
    minute = day * DAY_MS + int(match["hour"]) * HOUR_MS + int(match["minute"]) * MINUTE_MS
    tail = int((match["fraction"] or "0")[:3].ljust(3, "0"))
    offset = 0
    if match["sign"]:
        offset = int(match["offset_hours"]) * HOUR_MS + int(match["offset_minutes"]) * MINUTE_MS
        offset = offset if match["sign"] == "+" else -offset
    if match["second"] == "60" and (minute - offset) // MINUTE_MS % (DAY_MS // MINUTE_MS) != _LAST_MINUTE_OF_DAY:
        raise ValueError("second 60 is no leap second: the UTC minute is not 23:59")
    _remember(_minutes, text[:17], minute)
    if len(match["fraction"] or "") <= _CACHED_DIGITS:
        _remember(_tails, text[19:], tail - offset)
    return minute + int(match["second"]) * 1000 + tail - offset


def _remember(cache: dict[str, int], part: str, value: int) -> None:
    if len(cache) >= _CACHE_MAX:
        cache.clear()
    cache[part] = value


def format_time(ms: int) -> str:
    """`2026-11-21T09:14:03.120Z`. Raises `ValueError` or `OverflowError` outside the years 1 to 9999."""
    second, rest = divmod(ms, 1000)
    return f"{_minute_text(second // 60)}{_SECOND_TEXTS[second % 60]}{_REST_TEXTS[rest]}"


_SECOND_TEXTS = tuple(f"{second:02d}" for second in range(60))
_REST_TEXTS = tuple(f".{rest:03d}Z" for rest in range(1000))


@lru_cache(maxsize=_CACHE_MAX)
def _minute_text(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:").rjust(17, "0")  # C libraries differ in padding the year
