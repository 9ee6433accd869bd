"""Deadlines that are postponed, since timer time had passed them already when the event behind them came.

Timer time says how far deadlines have passed. With a clock that follows the wall it runs ahead of the log while nothing comes; then events
may come that happened before it: a backfill, or what an adapter sends that was away. The deadlines behind them lie before timer time, too,
but the reply that keeps one may be the very next record. So where the engine is `patient` they are not told at once. They are postponed
until `advance` is called with an instant that is not before them, because the log has come so far by itself or because the broker has
confirmed that nothing unread is in it. Where other sources keep stream time in the present, that is at the end of the step.

`Engine.postponed` has, for each entity with such deadlines, the instant up to which its deadlines have passed; those of all others have
passed up to timer time. It is part of the state, since a restart must not take for told what was not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from processor.core.timeline import Timeline

if TYPE_CHECKING:
    from processor.core.engine import Engine


def told_until(engine: Engine, entity: Timeline) -> int:
    """Up to and including which instant the deadlines of the entity have passed."""
    return engine.postponed.get((entity.kind, entity.key), engine.timer_time) if engine.postponed else engine.timer_time


def due_now(engine: Engine, entity: Timeline, told: int) -> int:
    """Up to and including which instant deadlines pass when its tail is folded anew: where the engine is patient, none that is new.

    `told` is up to when they have passed. An event that was ahead of timer time has let some pass that come after it.
    """
    if not engine.patient or entity.state is None:
        return engine.timer_time
    return min(entity.state.last_fired, told)


def note(engine: Engine, entity: Timeline, wake: int) -> None:
    """Remember, also for a restart, whether `wake` is postponed, its next deadline. All before that have passed."""
    name = entity.kind, entity.key
    if wake > engine.timer_time:
        forget(engine, entity)
    elif engine.postponed.get(name) != wake - 1:
        engine.postponed[name] = engine.step.records["o", entity.kind, entity.key] = wake - 1


def forget(engine: Engine, entity: Timeline) -> None:
    """Nothing of it is postponed any more."""
    if engine.postponed.pop((entity.kind, entity.key), None) is not None:
        engine.step.records["o", entity.kind, entity.key] = None
