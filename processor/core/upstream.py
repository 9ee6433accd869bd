"""How far all partitions have come, as each one tells the others: what can still be handed over, and from when.

What one entity hands to another crosses partitions, and partitions do not keep step. A partition that is ahead must not settle what a
slower one may still change: it ages its state by the slowest of all. Each partition tells its clocks to every other one (a heartbeat):

    (timer time, settled[0], settled[1], ...)

settled[0] is its own clock. settled[n] is the slowest settled[n - 1] that it has heard of, itself included: when it says so, it has folded
everything handed to it before. What is handed on n times is covered by settled[n - 1]:

    a wait                     ticket -> ticket, through CHAIN_MAX merges at the most
    a repeat contact           ticket or contact -> person -> ticket, which hands nothing on: twice
    an answer to an NPS survey ticket -> person: once
    an answer on the phone     contact -> ticket, which hands on no wait then, and nothing else because of it: once
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from processor.core.business_hours import NEVER
from processor.core.settings import HOUR_MS

CHAIN_MAX = 3  # something is handed on so many times at the most; how far each partition has come is known for as many

Heartbeat = tuple[int, ...]


class Upstream:
    """What one partition has heard of all. `partitions` is how many there are; 0 where nothing is handed over."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self._heard: dict[int, Heartbeat] = {}
        self._told: Heartbeat = (0,) * (CHAIN_MAX + 1)

    def hear(self, partition: int, heartbeat: Heartbeat) -> None:
        """Take a heartbeat. Clocks never go back: what is older than what was heard changes nothing."""
        known = self._heard.get(partition, heartbeat)
        self._heard[partition] = tuple(max(pair) for pair in zip(known, heartbeat, strict=True))

    def timer_time(self) -> int:
        """The slowest timer time; 0 while one was not heard yet, `NEVER` where there are none."""
        return self._slowest(0)

    def settled(self, own: int) -> int:
        """The instant before whose reach nothing can be handed over any more, given the own clock."""
        if not self.partitions:
            return own
        return min(own, *(self._slowest(level) for level in range(1, CHAIN_MAX + 1)))

    def heartbeat(self, timer_time: int, own: int) -> Heartbeat:
        """What to tell the others now."""
        return (timer_time, own, *(self._slowest(level) for level in range(1, CHAIN_MAX)))

    def _slowest(self, level: int) -> int:
        if len(self._heard) < self.partitions:
            return 0
        return min((heartbeat[level] for heartbeat in self._heard.values()), default=NEVER)

    def news(self, heartbeat: Heartbeat, reported: int) -> bool:
        """Whether it is to be told: with each report (`reported` = end of the last one), which waits for it elsewhere, and once an hour."""
        if not self.partitions:
            return False
        pairs = zip(heartbeat, self._told, strict=True)
        return reported > self._told[0] or any(now // HOUR_MS > before // HOUR_MS for now, before in pairs)

    def told(self, heartbeat: Heartbeat) -> None:
        """It is on its way."""
        self._told = heartbeat

    def stored(self) -> dict[str, Any]:
        """For the marker."""
        return {str(partition): heartbeat for partition, heartbeat in self._heard.items()}

    def restore(self, stored: dict[str, Iterable[int]]) -> None:
        """Undo `stored`."""
        self._heard = {int(partition): tuple(heartbeat) for partition, heartbeat in stored.items()}
