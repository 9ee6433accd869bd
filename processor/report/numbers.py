"""Durations and shares as people read them."""

from __future__ import annotations


def duration(seconds: float | None) -> str:
    """45 s, 12.5 min, 3.4 h, 2.1 d; a dash for none."""
    if seconds is None:
        return "-"
    for unit, length, below in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 172_800), ("d", 86_400, float("inf"))):
        if seconds < below:
            return f"{round(seconds / length, 1):g} {unit}"
    return "-"


def percent(ratio: float | None) -> str:
    """12.3 %; a dash for none."""
    return "-" if ratio is None else f"{ratio * 100:.1f} %"
