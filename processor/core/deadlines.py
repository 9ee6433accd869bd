"""How deadlines pass: those that are due, in order, over entities that are awake or sleep."""

from __future__ import annotations

from heapq import heappop
from typing import TYPE_CHECKING

from processor.core import ageing
from processor.core.business_hours import NEVER
from processor.core.facts import Out

if TYPE_CHECKING:
    from processor.core.engine import Engine


def pass_until(engine: Engine, to: int) -> None:
    """Let every deadline up to and including `to`, which is at most timer time, pass in order."""
    timers = engine.timers
    while timers and timers[0][0] <= to:
        due, kind, key = heappop(timers)
        entity = engine.entities[kind].get(key)
        if entity is None or entity.timer != due:
            continue
        entity.timer = NEVER
        state = entity.state
        if state is None:
            ageing.deadline(engine, entity, due, to)
        elif due < state.wake < NEVER:
            engine.set_timer(entity, state.wake)
        else:
            out: Out = []
            state.fire(to, out)
            engine.settle(entity, state, out, "")
