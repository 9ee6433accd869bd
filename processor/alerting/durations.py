"""Durations as Prometheus writes them, and expressions in which all of them are shorter by a factor."""

from __future__ import annotations

import re

UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_READ_MS = UNITS_MS | {"y": 31_536_000_000}  # years are read, but not written
_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_DURATION = r"\d+(?:ms|[smhdw])"
# [30m], [1d:5m], offset 1w; nothing else in an expression is a duration.
_RANGES = re.compile(rf"(?<=\[)({_DURATION})(?::({_DURATION}))?(?=\])|(?<=\boffset )({_DURATION})")


def duration_text(ms: int) -> str:
    """In the largest unit that leaves no rest: 1800000 -> 30m."""
    for unit, size in UNITS_MS.items():
        if ms >= size and ms % size == 0:
            return f"{ms // size}{unit}"
    return "0s"


def milliseconds(text: str) -> int:
    """30m -> 1800000, 1h30m -> 5400000. Raises ValueError where it is no duration."""
    parts = _PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text} is no duration; write 30s, 5m, 1h30m")
    return sum(int(number) * _READ_MS[unit] for number, unit in parts)


def scaled(text: str, time_scale: float) -> str:
    """A duration, so many times shorter, and never nothing."""
    return duration_text(max(round(milliseconds(text) / time_scale), 1))


def scaled_expression(expression: str, time_scale: float) -> str:
    """The expression with every range and offset so many times shorter."""
    if time_scale == 1:
        return expression
    return _RANGES.sub(lambda found: ":".join(scaled(part, time_scale) for part in found.groups() if part), expression)
