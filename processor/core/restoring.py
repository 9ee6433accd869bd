"""The stored form of an engine: its part of the marker, and the engine anew from a marker and all live records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from processor.core import ageing, sleep
from processor.core.business_hours import NEVER
from processor.core.outputs import RecordKey
from processor.core.settings import DAY_MS
from processor.core.sleep import Sleeping
from processor.core.timeline import Timeline

if TYPE_CHECKING:
    from processor.core.engine import Engine

SLICE = 1000  # records that are taken before others may run
SLEEPERS_SLICE = 200  # of those that sleep: to let one nap with its tail takes 40 us


def marker_of(engine: Engine) -> dict[str, Any]:
    """What belongs to the partition as a whole. Plain values."""
    return {
        "stream_time": engine.stream_time,
        "timer_time": engine.timer_time,
        "digest": f"{engine.digest:032x}",
        "ledger_count": engine.ledger_count,
        "minute_floor": engine.rows.minute_floor,
        "quarter_floor": engine.rows.quarter_floor,
        "counts": dict(engine.counts),
        "upstream": engine.upstream.stored(),
        "history": engine.upstream.history,
        "reported": [engine.reports.since, engine.reports.sent_until, engine.reports.taken_until],
    }


def restore(engine: Engine, marker: dict[str, Any], records: Iterable[tuple[RecordKey, Any]]) -> Iterator[int]:
    """Rebuild from a marker and all live records.

    A generator: yields now and then how many records it has taken, so that the caller can let others run.
    Raises LookupError where the configuration lacks what the state refers to.
    """
    engine.stream_time, engine.timer_time = marker["stream_time"], marker["timer_time"]
    engine.digest, engine.ledger_count = int(marker["digest"], 16), marker["ledger_count"]
    engine.rows.minute_floor, engine.rows.quarter_floor = marker["minute_floor"], marker["quarter_floor"]
    engine.counts.update(marker["counts"])
    engine.upstream.restore(marker["upstream"], history=marker["history"])
    engine.reports.since, engine.reports.sent_until, engine.reports.taken_until = marker["reported"]
    taken = 0
    asleep: list[tuple[str, str, Sleeping]] = []
    for key, value in records:
        if isinstance(value, Sleeping):
            asleep.append((key[1], key[2], value))
        else:
            _restore_record(engine, key, value)
        taken += 1
        if taken % SLICE == 0:
            yield taken
    woken = [entity for entities in engine.entities.values() for entity in entities.values()]
    for _ in _restore_sleeping(engine, asleep, woken):
        yield taken
    for number, entity in enumerate(woken, 1):
        if entity.stowed is None:
            _restore_entity(engine, entity)
        if number % (SLICE // 10) == 0:
            yield taken + number


def _restore_sleeping(engine: Engine, asleep: list[tuple[str, str, Sleeping]], woken: list[Timeline]) -> Iterator[int]:
    """Let sleep who slept. Those of whom there are younger events, and whose records were written under other rules, are woken."""
    levels: Counter[bytes] = Counter()
    stubs: dict[int, list[tuple[str, int]]] = {}  # by the day on which they are gone: who goes first when there are too many
    asleep.reverse()
    mark = sleep.mark_for(engine)
    while asleep:
        if len(asleep) % SLEEPERS_SLICE == 0:
            yield len(asleep)
        kind, key, record = asleep.pop()
        entity = engine.entities[kind].get(key)
        if entity is not None:
            entity.rest_on(record.packed)
            if record.serial > max(entity.serials) and record.mark == mark and record.wake > engine.timer_time:
                _nap_on(engine, entity, record)
            continue  # else it is of before it was heard of again
        if not record.packed:
            continue  # it was about events alone
        entity = engine.entities[kind][key] = Timeline(kind, key, None, record.packed)
        if record.mark != mark or record.wake <= engine.timer_time:
            woken.append(entity)
            continue
        _expect(engine, entity, record)
        if record.gone_at != NEVER:
            stubs.setdefault(record.gone_at // DAY_MS, []).append((key, record.gone_at))
        if record.levels:
            levels.update(record.levels.split(sleep.SEPARATOR))
    for day in sorted(stubs):
        engine.stubs.update(stubs.pop(day))
        yield day
    for number, (spelled, count) in enumerate(levels.items(), 1):
        for level in sleep.read_keys(spelled):
            engine.levels.add(level, count)
        if number % SLICE == 0:
            yield number


def _restore_record(engine: Engine, key: RecordKey, value: Any) -> None:
    form = key[0]
    if form == "o":
        engine.postponed[key[1], key[2]] = value
    elif form == "c":
        engine.rows.restore_cell(tuple(key[1]), value)
    elif form == "r":
        tier, index, names, values = key[1], key[2], tuple(key[3]), tuple(key[4])
        if names in engine.rows.group_bys:
            segment = engine.rows.segment_id((engine.rows.group_bys.index(names), values))
            engine.rows.tiers[tier].rows(index)[segment] = value
    else:
        kind, entity_key = key[1], key[-1]
        entity = engine.entities[kind].get(entity_key)
        if entity is None:
            entity = engine.entities[kind][entity_key] = Timeline(kind, entity_key, None)
            entity.tail, entity.serials = [], []
        if form == "h":
            base, base_last, next_serial = value
            entity.settle(base, tuple(base_last) if base_last else None)
            entity.next_serial = max(entity.next_serial, next_serial)
        else:
            entity.tail.append(value)
            entity.serials.append(key[2])
            entity.next_serial = max(entity.next_serial, key[2] + 1)


def _nap_on(engine: Engine, entity: Timeline, record: Sleeping) -> None:
    """Its events are those of which the record says what follows: they need not be folded."""
    entity.next_serial = record.serial
    _put_in_order(entity)
    _expect(engine, entity, record)
    entity.stow(sleep.spell_tail(engine, entity))


def _put_in_order(entity: Timeline) -> None:
    order = sorted(zip(entity.tail, entity.serials, strict=True))
    entity.tail = [event for event, _ in order]
    entity.serials = [serial for _, serial in order]


def _expect(engine: Engine, entity: Timeline, record: Sleeping) -> None:
    """Its next deadline, and the next look at it."""
    if record.wake != NEVER:
        engine.set_timer(entity, record.wake)
    if record.sweep_at != NEVER:
        ageing.schedule(engine, entity, record.sweep_at)


def _restore_entity(engine: Engine, entity: Timeline) -> None:
    if not entity.tail:
        entity.tail, entity.serials = [], []
    else:
        _put_in_order(entity)
    state, _ = engine._folded(entity)
    engine.settle(entity, state, [], "")
    if entity.tail:
        ageing.schedule(engine, entity, entity.tail[-1].occurred_at + ageing.first_look(entity.kind, engine.settings))
        return
    ageing.doze(engine, entity, state, engine.settled)
    engine.step.records.pop(("h", entity.kind, entity.key), None)  # its record is there already; a restart must not write all of them anew
