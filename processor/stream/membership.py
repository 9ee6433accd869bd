"""Until when this worker may believe that it is a member of its consumer group.

A worker that is cut off from the broker hears nothing, also not that its partitions were given to others when its session ended. Each
heartbeat that the group's coordinator answers begins the session anew, at some instant after it was sent. So where the last one that was
answered was sent longer ago than a session, nothing may be shown any more, until the next one is answered. Heartbeats go on while
partitions are dealt out anew, and nobody else gets ours before we have joined.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

from processor.stream.kpi_lease import SHARE, steady_seconds


class Membership:
    """Membership as far as heartbeats prove it. `seconds` is the session timeout."""

    def __init__(self, seconds: float, clock: Callable[[], float] = steady_seconds) -> None:
        self._seconds = seconds * SHARE
        self._clock = clock
        self._asked_at = -inf  # when the heartbeat was sent that was answered last

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

    def silent_seconds(self) -> float:
        """For how long nothing has proven it."""
        return self._clock() - self._asked_at

    def valid(self) -> bool:
        """Whether nobody else can have our partitions."""
        return self.silent_seconds() < self._seconds
