"""Entities of which nothing has been heard for long sleep: in memory they are their base, packed, and nothing else.

Of tickets that have been quiet for a while and count in no level, which are most solved ones, a record says when to look at them again: a
restart folds none of their events, which are in the state topic one by one, as long as none is younger than that record
(`Sleeping.serial`). Where there are many quiet tickets, those that have been quiet for longest nap: their tail is put away as bytes, and
folded again when somebody asks.

An entity falls asleep when the last event of its tail has aged, and wakes up when an event finds it. A deadline that passes wakes it for
that moment alone. Its record in the state topic also says how it counts in the levels and when to look at it again, as of the deadlines
that have passed until then: so a restart need not wake everybody to learn that. That holds for the very rules by which it was concluded,
of which the record has a mark; under others the entity is woken once at the restart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, Final, NamedTuple

from processor.core.business_hours import NEVER
from processor.core.events import TICKET, Event
from processor.core.facts import Out
from processor.core.levels import Key, Level
from processor.core.mark import mark_of
from processor.core.packing import pack, tuples, unpack
from processor.core.postponed import told_until
from processor.core.timeline import State, Timeline, fold, thaw

if TYPE_CHECKING:
    from processor.core.engine import Engine

# JSON has none of these inside. Keys that end in no number come first, as one group: very many entities have the same.
SEPARATOR: Final = b"\t"
IN_GROUP: Final = b"\v"


class Sleeping(NamedTuple):
    """The record of an entity that sleeps: its base, packed, and what follows from that under the rules of `mark`.

    `wake` is its next deadline, `sweep_at` when to look whether it may be forgotten, `gone_at` that of a stub; each NEVER where there is
    none. `levels` are the keys of what it contributes, as JSON each. `serial` is that of the next event of one that naps, whose events
    have records of their own: it is about those before, on top of what is packed (b"": nothing); 0: it sleeps without any.
    """

    packed: bytes
    mark: str
    wake: int
    sweep_at: int
    gone_at: int
    levels: bytes
    serial: int = 0


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
    _await_deadline(engine, entity, wake)
    engine.step.records["h", entity.kind, entity.key] = Sleeping(
        packed, mark_for(engine), wake, entity.sweep_at, gone_at, _spelled(entity.levels)
    )
    entity.sleep(packed)


def _await_deadline(engine: Engine, entity: Timeline, wake: int) -> None:
    if wake == NEVER:
        entity.timer = NEVER
    elif wake != entity.timer:
        engine.set_timer(entity, wake)  # what is asked sooner than needed would be woken for nothing


def leave_word(engine: Engine, entity: Timeline) -> None:
    """Say in its record what follows from its events, for a restart. When to look at it again is scheduled already."""
    state = entity.state
    assert state is not None
    engine.levels.settle(entity)
    if not entity.levels:  # else the record would be long
        engine.step.records["h", entity.kind, entity.key] = Sleeping(
            _packed_base(engine, entity), mark_for(engine), state.wake, entity.sweep_at, NEVER, b"", entity.next_serial
        )


def nap(engine: Engine, entity: Timeline) -> None:
    """Put its tail away."""
    state = entity.state
    assert state is not None
    engine.levels.settle(entity)
    _await_deadline(engine, entity, state.wake)
    entity.stow(spell_tail(engine, entity))


def _packed_base(engine: Engine, entity: Timeline) -> bytes:
    if not entity.has_base:
        return b""
    return entity.packed or pack(engine.dumps((entity.base, entity.base_last, entity.next_serial)))


def spell_tail(engine: Engine, entity: Timeline) -> bytes:
    """Tail and serials as bytes."""
    events = [(at, rank, sequence, source, name, kind, data) for at, rank, sequence, source, name, kind, _, data in entity.tail]
    return engine.dumps((events, entity.serials))


def tail_of(engine: Engine, entity: Timeline) -> tuple[list[Event], list[int]]:
    """Tail and serials, also of one that naps on."""
    if entity.stowed is None:
        return entity.tail, entity.serials
    events, serials = engine.loads(entity.stowed)
    key = entity.key
    tail = [
        Event(at, rank, sequence, intern(source), name, intern(kind), key, tuples(data))
        for at, rank, sequence, source, name, kind, data in events
    ]
    return tail, serials


def wake_up(engine: Engine, entity: Timeline, until: int) -> State:
    """It is heard of again. Deadlines up to `until` have passed: what they stated is known, so nothing is stated now."""
    if entity.stowed is not None:
        tail, serials = tail_of(engine, entity)
        state, _ = fold(entity.kind, entity.base, tail, until, engine.policies)
        entity.take_up(state, tail, serials)
    else:
        assert entity.packed is not None
        base, last, next_serial = unpack(entity.packed, engine.loads)
        state = thaw(entity.kind, base, engine.policies)
        state.fire(until, [])
        entity.wake_up(state, last, next_serial)
    entity.levels = engine.levels.of(state)
    return state


def look_at(engine: Engine, entity: Timeline) -> State:
    """The state of an entity, which sleeps on if it does."""
    if entity.state is not None:
        return entity.state
    if entity.stowed is not None:
        return fold(entity.kind, entity.base, tail_of(engine, entity)[0], told_until(engine, entity), engine.policies)[0]
    assert entity.base is not None
    state = thaw(entity.kind, entity.base, engine.policies)
    state.fire(told_until(engine, entity), [])
    return state


def pass_deadline(engine: Engine, entity: Timeline, due: int, to: int) -> None:
    """A deadline passes over a sleeping entity, with all up to `to`: it states what follows from that, and sleeps on."""
    state = wake_up(engine, entity, due - 1)
    out: Out = []
    state.fire(to, out)
    engine.settle(entity, state, out, "")


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
