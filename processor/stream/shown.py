"""What a partition shows to the outside as of its last commit, and how often."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from processor.core.outputs import View

SHARE = 20  # showing takes one part in so many of the time, unless it would be seen too late:
LATEST_SECONDS = 0.3
LATEST_SECONDS_BEHIND = 1.0  # numbers that are old by what is unread may be a little older …
LATEST_SECONDS_FAR_BEHIND = 3.0  # … and up to so much where that is long, …
BEHIND_SHARE = 10  # … one part in so many of how long


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The numbers of a partition after a commit, and how much re-keyed is known to be unread."""

    view: View
    applied: int
    epoch: int
    replaying: bool
    rekeyed_unread: int = 0
    rekeyed_applied: int = -1


class Pace:
    """When the numbers are to be copied again: the more it costs the less often, within bounds. `soonest` is in seconds, as all here."""

    def __init__(self, soonest: float) -> None:
        self._soonest = soonest
        self._at = 0.0
        self._took = 0.0

    def left(self, now: float, *, behind_seconds: float | None) -> float:
        """How long it has time from `now` on; not more than 0 where it is due. `behind_seconds`: None where a step takes all there is."""
        latest = LATEST_SECONDS
        if behind_seconds is not None:
            latest = min(max(behind_seconds / BEHIND_SHARE, LATEST_SECONDS_BEHIND), LATEST_SECONDS_FAR_BEHIND)
        return self._at + max(self._soonest, min(self._took * SHARE, latest)) - now

    def copied(self, now: float, took: float) -> None:
        """It was done, and took the processor so long."""
        self._at, self._took = now, took


def timed(ask: Callable[[], View]) -> tuple[View, float]:
    """The answer, and the seconds of the processor that it took this thread."""
    started = time.thread_time()
    return ask(), time.thread_time() - started
