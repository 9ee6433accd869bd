"""The one place where the wall clock is read.

It is read once and then advanced by the monotonic clock, so that a step of the system's clock cannot make timers jump. When the two part by
more than a second, `parted` says so and timers wait; after a minute in which the new difference stays the same, it is believed.

TICKET_KPIS_CLOCK_OFFSET_FILE names a file with milliseconds by which the system's clock is taken to be wrong, for tests.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

PARTED_MS = 1000
BELIEVED_AFTER_MS = 60_000
STEADY_MS = 100
OFFSET_VARIABLE = "TICKET_KPIS_CLOCK_OFFSET_FILE"


class WallClock:
    """Milliseconds since 1970 that never jump."""

    def __init__(self) -> None:
        self._offset_file = os.environ.get(OFFSET_VARIABLE)
        self._wall = self._system_ms()
        self._steady = _monotonic_ms()
        self._suspect: tuple[int, int] | None = None  # (difference, monotonic instant since when it has been the same)

    def now(self) -> int:
        """The present instant."""
        return self._wall + _monotonic_ms() - self._steady

    def parted(self) -> bool:
        """Whether the system's clock and this one disagree, so that neither should be trusted."""
        steady = _monotonic_ms()
        difference = self._system_ms() - self.now()
        if abs(difference) <= PARTED_MS:
            self._suspect = None
            return False
        if self._suspect is None or abs(self._suspect[0] - difference) > STEADY_MS:
            self._suspect = (difference, steady)
        elif steady - self._suspect[1] >= BELIEVED_AFTER_MS:
            self._wall += difference
            self._suspect = None
            return False
        return True

    def _system_ms(self) -> int:
        return _wall_ms() + (_offset_ms(Path(self._offset_file)) if self._offset_file else 0)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _offset_ms(file: Path) -> int:
    return int(file.read_text(encoding="ascii") or 0) if file.exists() else 0
