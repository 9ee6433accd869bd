"""What tiles have shown in the last quarter of an hour, to tell where they are going. Bounded: one value a minute for each."""

from __future__ import annotations

import math
from bisect import insort

from processor.core.settings import MINUTE_MS

KEPT_MS = 15 * MINUTE_MS
YOUNGEST_MS = MINUTE_MS  # a value of just now says nothing about where it is going

Key = tuple[str, str]  # board, tile


class History:
    """Values by tile, in the order of their time."""

    def __init__(self) -> None:
        self._values: dict[Key, list[tuple[int, float]]] = {}

    def note(self, key: Key, at_ms: int, value: float | None) -> None:
        """It was this then. The first of each minute counts; what is no number is left out."""
        if value is None or not math.isfinite(value):
            return
        values = self._values.setdefault(key, [])
        if all(at // MINUTE_MS != at_ms // MINUTE_MS for at, _ in values):
            insort(values, (at_ms, value))

    def before(self, key: Key, now_ms: int) -> tuple[int, float] | None:
        """The oldest that is kept, with its time; None where there is none that is old enough."""
        values = self._values.get(key, [])
        while values and values[0][0] < now_ms - KEPT_MS - MINUTE_MS:
            values.pop(0)
        return values[0] if values and values[0][0] <= now_ms - YOUNGEST_MS else None
