"""How a number stands against its target: one rule for every board, as a function here and as PromQL in `promql`.

The state is told by an icon and words, and only then by a colour: one man in twelve does not tell red from green.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from processor.boards.board import Better

NEAR = 0.1  # a target missed by no more than this share of it is nearly kept
STALE_SECONDS = 300  # numbers older than this are no numbers of now; SupportDataStale pages at the same age

TREND_MINUTES = 15  # over which an arrow says whether a number rises or falls
STEADY = 0.02  # a change by less than this share of the number is none
ARROWS = {1: "↗ rising", 0: "→ steady", -1: "↘ falling"}  # the trend has no colour: rising far below the target is no success


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks, the same on every board."""

    icon: str
    text: str
    color: str  # of the whole tile: a name of Grafana's palette, or #rrggbb

    @property
    def label(self) -> str:
        """Icon and words."""
        return f"{self.icon} {self.text}"


class State(Enum):
    """How a number stands."""

    STALE = Look("⏸", "old data", "#808080")
    FEW = Look("?", "too few to say", "semi-dark-blue")
    MET = Look("✔", "on target", "semi-dark-green")
    NEAR = Look("▲", "just off target", "dark-yellow")
    MISSED = Look("✖", "off target", "semi-dark-red")
    FREE = Look("●", "no target", "#3d4b5c")


def judge(
    value: float | None, *, better: Better, target: float | None, n: int | None = None, min_n: int = 0, age_seconds: float = 0
) -> State:
    """How a number stands. `n` is what it rests on, where that is counted; `age_seconds` how old the data are."""
    if age_seconds > STALE_SECONDS:
        return State.STALE
    if n is not None and n < min_n:
        return State.FEW
    if target is None or not better or value is None or math.isnan(value):
        return State.FREE
    short = target - value if better == "up" else value - target
    if short <= 0:
        return State.MET
    return State.NEAR if short <= NEAR * abs(target) else State.MISSED
