"""Durations, shares and bars as people read them."""

from __future__ import annotations

from processor.core.histogram import EDGES_SECONDS

BAR_WIDTH = 24
LEVELS = " ▏▎▍▌▋▊▉█"


def duration(seconds: float | None) -> str:
    """45 s, 12.5 min, 3.4 h, 2.1 d; a dash for none."""
    if seconds is None:
        return "-"
    for unit, length, below in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 172_800), ("d", 86_400, float("inf"))):
        if seconds < below:
            return f"{round(seconds / length, 1):g} {unit}"
    return "-"


def within(edge_seconds: int | None, n: int) -> str:
    """A quantile of n durations by the upper edge of its bucket: "≤ 1 h"; "> 90 d" above the last edge; a dash for none."""
    if not n:
        return "-"
    return f"≤ {duration(edge_seconds)}" if edge_seconds is not None else f"> {duration(EDGES_SECONDS[-1])}"


def percent(ratio: float | None) -> str:
    """12.3 %; a dash for none."""
    return "-" if ratio is None else f"{ratio * 100:.1f} %"


def bar(value: float, largest: float, width: int = BAR_WIDTH) -> str:
    """A bar in eighths of a character."""
    eighths = round(width * 8 * value / largest) if largest > 0 and value > 0 else 0
    return "█" * (eighths // 8) + (LEVELS[eighths % 8] if eighths % 8 else "")
