"""How far all partitions have come, as each one tells the others: what can still be handed over, and from when.

What one entity hands to another crosses partitions, and partitions do not keep step. A partition that is ahead must not settle what a
slower one may still change: it ages its state by the slowest of all. Each partition tells its clocks to every other one (a heartbeat):

    (timer[0], settled[0], settled[1], ..., timer[1], ...)

timer[0] is its own timer time and settled[0] its own clock. Of both, level n is the slowest level n - 1 that it has heard of, itself
included: when it says so, it has folded everything handed to it before. What is handed on n times is covered by level n - 1:

    a wait                     ticket -> ticket, through CHAIN_MAX merges at the most
    a repeat contact           ticket or contact -> person -> ticket, which hands nothing on: twice
    an answer to an NPS survey ticket -> person: once
    an answer on the phone     contact -> ticket, which hands on no wait then, and nothing else because of it: once

State ages when `settled` has come so far at all levels; a report that is held is sent when timer time has passed its minute at all levels.

The own clock is stream time, and timer time where that is ahead: a partition to which nothing comes must not hold up the others for ever.
That is a promise that nothing comes any more which is older than timer time by more than events may be late. History that comes to a log
which was quiet breaks it. Then the partition tells stream time alone until that has caught up, and believes nobody's promise of before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from processor.core.business_hours import NEVER
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, MS

CADENCES: Final = 24  # heartbeats in the time that events may be late
CHAIN_MAX: Final = 3  # something is handed on so many times at the most; how far each partition has come is known for as many

_SETTLED: Final = range(1, CHAIN_MAX + 1)  # places in a heartbeat
_HANDED_ON: Final = range(CHAIN_MAX + 1, 2 * CHAIN_MAX)
_TIMER: Final = (0, *_HANDED_ON)  # the higher levels stand at the end: heartbeats of older releases lack them

Heartbeat = tuple[int, ...]


def all_at(timer_time: int, own: int) -> Heartbeat:
    """What a partition says when all have come equally far, and nothing is on its way."""
    return (timer_time, *(own for _ in _SETTLED), *(timer_time for _ in _HANDED_ON))


def _whole(heartbeat: Iterable[int]) -> Heartbeat:
    """A heartbeat with all levels: of those that it does not speak of, nothing is known."""
    levels = (*heartbeat, *_NOTHING)
    return levels[: len(_NOTHING)]


_NOTHING: Final[Heartbeat] = (0,) * (2 * CHAIN_MAX)


def cadence(allowed_lateness: int) -> int:
    """How far clocks go between two heartbeats without anything else to tell (ms): an hour where events may be a day late.

    State ages by what the heartbeats say, at `CHAIN_MAX` levels one after the other, so a longer cadence keeps it for longer.
    """
    return max(MS, min(HOUR_MS, allowed_lateness // CADENCES))


class Upstream:
    """What one partition has heard of all. `partitions` is how many there are; 0 where nothing is handed over."""

    def __init__(self, partitions: int, allowed_lateness: int = DAY_MS) -> None:
        self.partitions = partitions
        self.history = False  # whether its log is further behind timer time than events may be late
        self._lateness = allowed_lateness
        self._every = cadence(allowed_lateness)
        self._heard: dict[int, Heartbeat] = {}
        self._told = _NOTHING

    def hear(self, partition: int, heartbeat: Heartbeat) -> None:
        """Take a heartbeat. Timer time never goes back; of what is settled the last word counts, since history may have come."""
        known = self._heard.get(partition, _NOTHING)
        said = enumerate(zip(known, _whole(heartbeat), strict=True))
        self._heard[partition] = tuple(now if place in _SETTLED else max(before, now) for place, (before, now) in said)

    def came(self, stream_time: int, timer_time: int) -> None:
        """Stream time has come so far: is it history?"""
        history = stream_time < timer_time - self._lateness
        if history and not self.history:
            for partition, heartbeat in self._heard.items():
                self._heard[partition] = tuple(0 if place in _SETTLED else clock for place, clock in enumerate(heartbeat))
        self.history = history

    def own(self, stream_time: int, timer_time: int) -> int:
        """The own clock."""
        return stream_time if self.history else max(stream_time, timer_time)

    def passed(self) -> int:
        """The timer time that all have passed, with everything that was handed over, and on, because of what came before it.

        0 while one was not heard yet, `NEVER` where nothing is handed over.
        """
        return min(map(self._slowest, _TIMER))

    def settled(self, own: int) -> int:
        """The instant before whose reach nothing can be handed over any more, given the own clock."""
        if not self.partitions:
            return own
        return min(own, *map(self._slowest, _SETTLED))

    def heartbeat(self, timer_time: int, own: int) -> Heartbeat:
        """What to tell the others now."""
        slowest = self._slowest
        return (timer_time, own, *map(slowest, _SETTLED[:-1]), *map(slowest, _TIMER[:-1]))

    def _slowest(self, place: int) -> int:
        if len(self._heard) < self.partitions:
            return 0
        return min((heartbeat[place] for heartbeat in self._heard.values()), default=NEVER)

    def news(self, heartbeat: Heartbeat, reported: int, *, held: bool) -> bool:
        """Whether it is to be told: once in a while (`every`), and with each report (`reported` = end of the last one).

        Where reports are held, also for any full minute that a higher level of timer time has passed: one may wait for it elsewhere.
        """
        told, every = self._told, self._every
        if not self.partitions or heartbeat == told:
            return False
        if reported > told[0] or any(now // every != before // every for now, before in zip(heartbeat, told, strict=True)):
            return True
        return held and any(heartbeat[place] // MINUTE_MS > told[place] // MINUTE_MS for place in _HANDED_ON)

    def told(self, heartbeat: Heartbeat) -> None:
        """It is on its way."""
        self._told = heartbeat

    def stored(self) -> dict[str, Any]:
        """For the marker."""
        return {str(partition): heartbeat for partition, heartbeat in self._heard.items()}

    def restore(self, stored: dict[str, Iterable[int]], *, history: bool = False) -> None:
        """Undo `stored`; whether history was read stands beside it in the marker."""
        self.history = history
        self._heard = {int(partition): _whole(heartbeat) for partition, heartbeat in stored.items()}
