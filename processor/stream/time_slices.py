"""Letting much time pass in slices, so that no step is long and others may run in between."""

from __future__ import annotations

from collections.abc import Iterator

from processor.core.engine import Engine
from processor.core.reports import WINDOWS_END_MS
from processor.core.settings import HOUR_MS


def slices(engine: Engine, to: int) -> Iterator[int]:
    """The instants to advance the engine to, one after the other; the last one is `to`.

    After a long pause hour by hour, since every report that is made up for takes time and memory, until all windows are empty. What is
    postponed comes before that, hour by hour, too: after a backfill it may be of all that is open.
    """
    begin, reached = engine.timer_time, 0
    while reached < to:
        hour = min(engine.timer_time, engine.next_deadline()) // HOUR_MS
        reached = min(to, (hour + 1) * HOUR_MS) if 0 < engine.timer_time < begin + WINDOWS_END_MS else to
        yield reached
