"""Durations as Prometheus writes them, and expressions in which all of them are shorter by a factor."""

from __future__ import annotations

import re

UNITS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
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
    """30m -> 1800000."""
    number = text.rstrip("msdhw")
    return int(number) * UNITS_MS[text.removeprefix(number)]


def scaled(text: str, time_scale: float) -> str:
    """A duration, so many times shorter, and never nothing."""
    return duration_text(max(round(milliseconds(text) / time_scale), 1))


def scaled_expression(expression: str, time_scale: float) -> str:
    """The expression with every range and offset so many times shorter."""
    if time_scale == 1:
        return expression
    return _RANGES.sub(lambda found: ":".join(scaled(part, time_scale) for part in found.groups() if part), expression)
