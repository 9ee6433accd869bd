"""Until when this worker may believe that it is a member of its consumer group.

A worker that is cut off from the broker hears nothing, also not that its partitions were given to others when its session ended. Each
heartbeat that the group's coordinator answers begins the session anew, at some instant after it was sent. So where the last one that was
answered was sent longer ago than a session, nothing may be shown any more, until the next one is answered. Heartbeats go on while
partitions are dealt out anew, and nobody else gets ours before we have joined.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import Any

SHARE = 0.9  # of the session: the rest is for the way of an answer to whoever asked for the gauges


def steady_seconds() -> float:
    """Seconds that go on while the process is stopped, and where the system can tell while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Membership:
    """Membership as far as it is proven, by heartbeats or otherwise. `seconds` is the session timeout."""

    def __init__(self, seconds: float, clock: Callable[[], float] = steady_seconds) -> None:
        self._seconds = seconds * SHARE
        self._clock = clock
        self._asked_at = -inf  # when the question was sent that was answered last

    def listen(self, coordinator: Any) -> None:
        """Hear of the heartbeats of aiokafka's coordinator, which tells nobody of them."""
        beat = coordinator._do_heartbeat  # noqa: SLF001 - as above

        async def heard() -> bool:
            asked_at = self._clock()
            answered: bool = await beat()
            if answered:
                self.proven(asked_at)
            return answered

        coordinator._do_heartbeat = heard  # noqa: SLF001 - as above

    def proven(self, asked_at: float) -> None:
        """The coordinator knew us at some instant after this one."""
        self._asked_at = max(self._asked_at, asked_at)

    def forget(self) -> None:
        """Nothing is proven any more."""
        self._asked_at = -inf

    def silent_seconds(self) -> float:
        """For how long nothing has proven it."""
        return self._clock() - self._asked_at

    def valid(self) -> bool:
        """Whether nobody else can have our partitions."""
        return self.silent_seconds() < self._seconds
