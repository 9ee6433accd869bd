"""How numbers stand against their targets: what `judge` says, and what PromQL must say, too."""

from __future__ import annotations

import math

from processor.boards.board import Better
from processor.boards.judging import STALE_SECONDS, State

Case = tuple[float | None, Better, float | None, int | None, float, State]

MIN_N = 30
CASES: tuple[Case, ...] = (  # value, better, target, n, age in seconds
    (0.8, "up", 0.8, 40, 0, State.MET),
    (0.79, "up", 0.8, 40, 0, State.NEAR),
    (0.73, "up", 0.8, 40, 0, State.NEAR),
    (0.71, "up", 0.8, 29, 0, State.FEW),
    (0.71, "up", 0.8, 29, STALE_SECONDS + 1, State.STALE),
    (0.73, "up", 0.8, 40, STALE_SECONDS, State.NEAR),
    (0.79, "up", 0.9, 40, 0, State.MISSED),
    (1800.0, "down", 1800.0, 40, 0, State.MET),
    (1900.0, "down", 1800.0, 40, 0, State.NEAR),
    (2000.0, "down", 1800.0, 40, 0, State.MISSED),
    (math.inf, "down", 1800.0, 40, 0, State.MISSED),
    (math.nan, "down", 1800.0, 40, 0, State.FREE),
    (0.0, "down", 0.0, None, 0, State.MET),
    (1.0, "down", 0.0, None, 0, State.MISSED),
    (-10.0, "up", 50.0, None, 0, State.MISSED),
    (5.0, "down", None, None, 0, State.FREE),
    (5.0, "", 4.0, None, 0, State.FREE),
    (None, "up", 0.8, None, 0, State.FREE),
)
