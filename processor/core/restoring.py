"""The stored form of an engine: its part of the marker, and the engine anew from a marker and all live records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from processor.core import ageing
from processor.core.lateness import horizon_of
from processor.core.outputs import RecordKey
from processor.core.ticket import Ticket
from processor.core.timeline import Timeline

if TYPE_CHECKING:
    from processor.core.engine import Engine


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
    engine.upstream.restore(marker["upstream"])
    engine.reports.since, engine.reports.sent_until, engine.reports.taken_until = marker["reported"]
    taken = 0
    for key, value in records:
        _restore_record(engine, key, value)
        taken += 1
        if taken % 1000 == 0:
            yield taken
    for entities in engine.entities.values():
        for entity in list(entities.values()):
            _restore_entity(engine, entity)
            taken += 1
            if taken % 200 == 0:
                yield taken


def _restore_record(engine: Engine, key: RecordKey, value: Any) -> None:
    form = key[0]
    if form == "c":
        engine.rows.cells.setdefault(tuple(key[1]), {}).update(value)
    elif form == "r":
        tier, index, names, values = key[1], key[2], tuple(key[3]), tuple(key[4])
        if names in engine.rows.group_bys:
            segment = engine.rows.segment_id((engine.rows.group_bys.index(names), values))
            engine.rows.tiers[tier].setdefault(index, {})[segment] = value
    else:
        kind, entity_key = key[1], key[-1]
        entity = engine.entities[kind].get(entity_key)
        if entity is None:
            entity = engine.entities[kind][entity_key] = Timeline(kind, entity_key, None)
        if form == "h":
            entity.base, base_last, next_serial = value
            entity.base_last = tuple(base_last) if base_last else None
            entity.next_serial = max(entity.next_serial, next_serial)
        else:
            entity.tail.append(value)
            entity.serials.append(key[2])
            entity.next_serial = max(entity.next_serial, key[2] + 1)


def _restore_entity(engine: Engine, entity: Timeline) -> None:
    if entity.tail:
        order = sorted(zip(entity.tail, entity.serials, strict=True))
        entity.tail = [event for event, _ in order]
        entity.serials = [serial for _, serial in order]
    state, _ = engine._folded(entity)
    engine._settle(entity, state, [], "")
    if entity.tail:
        ageing.schedule(engine, entity, entity.tail[-1].occurred_at + horizon_of(entity.kind, engine.settings))
        return
    if isinstance(state, Ticket) and ageing.rests(engine, entity, state, engine.settled):
        ageing.shrink(engine, entity, state)  # its record is there already; a restart must not write every stub anew
    ageing.await_end(engine, entity, state.gone_at, engine.settled)
