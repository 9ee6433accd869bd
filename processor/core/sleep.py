"""Entities of which nothing has been heard for long sleep: in memory they are their base, packed, and nothing else.

An entity falls asleep when the last event of its tail has aged, and wakes up when an event finds it. A deadline that passes wakes it for
that moment alone. Its record in the state topic also says how it counts in the levels and when to look at it again, as of the deadlines
that have passed until then: so a restart need not wake everybody to learn that. That holds for the very rules by which it was concluded,
of which the record has a mark; under others the entity is woken once at the restart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from processor.core.business_hours import NEVER
from processor.core.events import TICKET
from processor.core.facts import Out
from processor.core.levels import Key, Level
from processor.core.mark import mark_of
from processor.core.packing import pack, tuples
from processor.core.timeline import State, Timeline, thaw

if TYPE_CHECKING:
    from processor.core.engine import Engine

# JSON has none of these inside. Keys that end in no number come first, as one group: very many entities have the same.
SEPARATOR: Final = b"\t"
IN_GROUP: Final = b"\v"


class Sleeping(NamedTuple):
    """The record of an entity that sleeps: its base, packed, and what follows from that under the rules of `mark`.

    `wake` is its next deadline, `sweep_at` when to look whether it may be forgotten, `gone_at` that of a stub; each NEVER where there is
    none. `levels` are the keys of what it contributes, as JSON each.
    """

    packed: bytes
    mark: str
    wake: int
    sweep_at: int
    gone_at: int
    levels: bytes


def mark_for(engine: Engine) -> str:
    """The mark of an engine's rules; worked out when it is asked for first."""
    if not engine.mark:
        engine.mark = mark_of(engine.settings)
    return engine.mark


def fall_asleep(engine: Engine, entity: Timeline) -> None:
    """From here on it is its base. It must have no tail; when to look at it again is scheduled already."""
    packed, state = entity.packed, entity.state
    assert state is not None
    engine.levels.settle(entity)
    if packed is None:
        packed = pack(engine.dumps((entity.base, entity.base_last, entity.next_serial)))
    gone_at = engine.stubs.get(entity.key, NEVER) if entity.kind == TICKET else NEVER
    wake = state.wake if gone_at == NEVER else NEVER
    if wake == NEVER:
        entity.timer = NEVER
    elif wake != entity.timer:
        engine.set_timer(entity, wake)  # what is asked sooner than needed would be woken for nothing
    engine.step.records["h", entity.kind, entity.key] = Sleeping(
        packed, mark_for(engine), wake, entity.sweep_at, gone_at, _spelled(entity.levels)
    )
    entity.sleep(packed)


def wake_up(engine: Engine, entity: Timeline, until: int) -> State:
    """It is heard of again. Deadlines up to `until` have passed: what they stated is known, so nothing is stated now."""
    assert entity.packed is not None
    base, last, next_serial = engine.unpack(entity.packed)
    state = thaw(entity.kind, base, engine.policies)
    state.fire(until, [])
    entity.wake_up(state, last, next_serial)
    entity.levels = engine.levels.of(state)
    return state


def look_at(engine: Engine, entity: Timeline) -> State:
    """The state of an entity, which sleeps on if it does."""
    if entity.state is not None:
        return entity.state
    assert entity.base is not None
    state = thaw(entity.kind, entity.base, engine.policies)
    state.fire(engine.timer_time, [])
    return state


def pass_deadline(engine: Engine, entity: Timeline, due: int) -> None:
    """A deadline passes over a sleeping entity: it states what follows from that, and sleeps on."""
    state = wake_up(engine, entity, due - 1)
    out: Out = []
    state.fire(engine.timer_time, out)
    engine._settle(entity, state, out, "")


def _spelled(levels: Iterable[Level]) -> bytes:
    group: list[bytes] = []
    alone: list[bytes] = []
    for level in levels:
        (alone if isinstance(level.key[-1], int) else group).append(_spell(level.key))
    return SEPARATOR.join([IN_GROUP.join(group), *alone] if group else alone)


@lru_cache(maxsize=16_384)
def _spell(key: Key) -> bytes:
    return json.dumps(key, separators=(",", ":")).encode()


def read_keys(spelled: bytes) -> Iterator[Key]:
    """One key, or those of a group."""
    for key in spelled.split(IN_GROUP):
        yield tuples(json.loads(key))
