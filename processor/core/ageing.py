"""How the state of a partition stays small: aged tails are folded into bases, final tickets shrink to stubs, what has gone is forgotten.

Nothing here changes a number: it is about events that nothing that may still come can reach. So it does not matter when it is done.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from processor.core.business_hours import NEVER
from processor.core.events import TICKET
from processor.core.lateness import horizon_of, latest_of
from processor.core.ticket import Ticket
from processor.core.timeline import State, Timeline, thaw

if TYPE_CHECKING:
    from processor.core.engine import Engine

SWEEPS_MAX = 10_000  # entities that one sweep looks at: after a jump in time the rest waits, so that no step is long


def sweep(engine: Engine) -> None:
    """Look at the entities whose time has come."""
    sweeps, now, left = engine.sweeps, engine.settled, SWEEPS_MAX
    while sweeps and sweeps[0][0] < now and left:
        at, kind, key = heappop(sweeps)
        entity = engine.entities[kind].get(key)
        if entity is not None and entity.sweep_at == at:
            entity.sweep_at = NEVER
            _sweep(engine, entity, now)
            left -= 1
    while len(engine.stubs) > engine.settings.max_stubs:
        forget(engine, engine.entities[TICKET][next(iter(engine.stubs))])


def schedule(engine: Engine, entity: Timeline, at: int) -> None:
    """Look at the entity again at `at`."""
    entity.sweep_at = at
    heappush(engine.sweeps, (at, entity.kind, entity.key))


def _sweep(engine: Engine, entity: Timeline, now: int) -> None:
    state, settings = entity.state, engine.settings
    gone_at = engine.stubs[entity.key] if state is None else state.gone_at
    aged_at = entity.aged_at(settings)
    if aged_at >= now:
        if entity.tail[-1].occurred_at + horizon_of(entity.kind, settings) < now:
            shorten(engine, entity)  # it is kept because of a survey: from there on
        schedule(engine, entity, aged_at)  # what may still come may be a twin of its last event
        return
    pending = isinstance(state, Ticket) and not state.rests  # a timer that has yet to tell something
    if gone_at + latest_of(entity.kind, settings) < now and not pending:
        forget(engine, entity)  # whatever may still come begins a new life
        return
    if entity.tail:
        shorten(engine, entity)
    if isinstance(state, Ticket) and rests(engine, entity, state, now):
        entity.base = state.freeze()
        _write_base(engine, entity)
        shrink(engine, entity, state)
    await_end(engine, entity, gone_at, now)


def rests(engine: Engine, entity: Timeline, state: State, now: int) -> bool:
    """Whether nothing is expected of it any more, and nothing that may still come can lie before its last deadline."""
    if isinstance(state, Ticket) and not state.rests:
        return False
    return state.gone_at != NEVER and state.last_fired + horizon_of(entity.kind, engine.settings) < now


def await_end(engine: Engine, entity: Timeline, gone_at: int, now: int) -> None:
    """Look again when the entity, whose tail is empty, may have come to rest or may be forgotten."""
    state, settings = entity.state, engine.settings
    if state is None or rests(engine, entity, state, now):
        schedule(engine, entity, max(gone_at + latest_of(entity.kind, settings), now))
    elif state.wake != NEVER or gone_at != NEVER:
        at = max(state.wake if gone_at == NEVER else state.last_fired, now)
        schedule(engine, entity, at + horizon_of(entity.kind, settings))


def shorten(engine: Engine, entity: Timeline) -> None:
    """Move aged events from the tail into the base; where the tail is full of young ones, the oldest of them."""
    serials = entity.drop_aged(engine.settled, engine.policies)
    tail_max = engine.settings.tail_max
    if len(entity.tail) >= tail_max:
        serials += entity.drop_oldest(len(entity.tail) - tail_max + 1, engine.policies)
    if serials:
        _write_base(engine, entity)
        for serial in serials:
            engine.step.records["e", entity.kind, serial, entity.key] = None


def _write_base(engine: Engine, entity: Timeline) -> None:
    engine.step.records["h", entity.kind, entity.key] = (entity.base, entity.base_last, entity.next_serial)


def shrink(engine: Engine, entity: Timeline, state: Ticket) -> None:
    """A ticket that rests becomes a stub: its base, nothing else."""
    entity.state = None
    engine.stubs[entity.key] = state.gone_at


def revive(engine: Engine, entity: Timeline) -> State:
    """A stub is heard of again."""
    entity.state = state = thaw(entity.kind, entity.base, engine.policies)
    state.fire(engine.timer_time, [])  # nothing that is stated: a discarded ticket's deadlines pass in silence
    entity.sweep_at = NEVER
    engine.stubs.pop(entity.key, None)
    return state


def forget(engine: Engine, entity: Timeline) -> None:
    """Give up the memory of an entity."""
    del engine.entities[entity.kind][entity.key]
    if entity.kind == TICKET:
        engine.stubs.pop(entity.key, None)
    engine.levels.change(entity.levels, ())
    if entity.base is not None:
        engine.step.records["h", entity.kind, entity.key] = None
    for serial in entity.serials:
        engine.step.records["e", entity.kind, serial, entity.key] = None
