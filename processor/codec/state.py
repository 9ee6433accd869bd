"""State records as they lie in the state topic: small keys, JSON values, and the marker that makes them one state.

    m                          marker: versions, applied offsets, clocks, digest
    e|KIND|SERIAL|ID           one event of an entity's tail
    h|KIND|ID                  an entity's base: [base, order key of its youngest event, next serial]; while it sleeps, what follows from
                               that and then the same, packed: [mark, next deadline, next look at it, when it is gone], levels, LINE FEEDS;
                               while it is quiet, the next serial stands behind those four, and what is packed may be missing
    o|KIND|ID                  up to when the deadlines of an entity have passed that has postponed ones; see `core/postponed.py`
    r|TIER|INDEX|NAMES|VALUES  one row: a segment in a minute, quarter or day; see `amounts`
    c|LABELS                   one cell of totals, as a row

A value of None is a tombstone. Ids stand last, so they may contain anything; label values are a JSON list for the same reason.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from processor.codec.amounts import amounts_of, encode_amounts
from processor.codec.upgrade import OLDEST_VERSION, upgrade_base, upgrade_event, upgrade_marker
from processor.core.business_hours import freeze_due, thaw_due
from processor.core.engine import Engine
from processor.core.events import ACCOUNT, AGENT, CONTACT, ORGANIZATION, PERSON, TICKET, Event
from processor.core.histogram import LADDER_VERSION
from processor.core.outputs import RecordKey
from processor.core.packing import tuples
from processor.core.sleep import Sleeping

STATE_VERSION = 6
MARKER_KEY = b"m"
ENTITY_FORMS = ("e", "h", "o")  # their keys end in the id of an entity
# What a reader must know before it reads anything else: the form of the records, and the edges that bucket numbers in rows stand for.
_VERSIONS = {"state_version": STATE_VERSION, "ladder_version": LADDER_VERSION}

_SEGMENTS_REMEMBERED = 8192  # each is written every minute

_SHORT = {TICKET: "t", CONTACT: "c", PERSON: "p", AGENT: "a", ORGANIZATION: "o", ACCOUNT: "x"}
_LONG = {short: kind for kind, short in _SHORT.items()}


def encode_record(key: RecordKey, value: Any) -> tuple[bytes, bytes | None]:
    """Key and value of a state record of the engine."""
    form = key[0]
    if form == "e":
        name = f"e|{_SHORT[key[1]]}|{key[2]}|{key[3]}"
        # The entity's id stands in the key; the rest of the event is a plain list.
        return name.encode(), None if value is None else orjson.dumps((*value[:6], value[7]))
    if form == "r" or form == "c":
        name = f"r|{key[1]}|{key[2]}|{_segment(key[3], key[4])}" if form == "r" else f"c|{_json(key[1])}"
        return name.encode(), None if value is None else encode_amounts(value)
    name = f"{form}|{_SHORT[key[1]]}|{key[2]}"
    if isinstance(value, Sleeping):
        return name.encode(), _encode_sleeping(value)
    return name.encode(), None if value is None else orjson.dumps(value, default=tuple)


def decode_record(key: bytes, value: bytes) -> tuple[RecordKey, Any]:
    """Undo `encode_record`, also that of older versions. Raises ValueError for a record that is none of ours."""
    text = key.decode()
    form, _, rest = text.partition("|")
    if form == "h" and _LINE in value:
        kind, entity = rest.split("|", 1)
        return ("h", _LONG[kind], entity), _decode_sleeping(value)
    data = orjson.loads(value)
    if form == "e":
        kind, serial, entity = rest.split("|", 2)
        occurred_at, rank, sequence, source, event_id, event_kind, content = data
        event = Event(occurred_at, rank, sequence, source, event_id, event_kind, entity, tuples(upgrade_event(event_kind, content)))
        return ("e", _LONG[kind], int(serial), entity), event
    if form == "o":
        kind, entity = rest.split("|", 1)
        return ("o", _LONG[kind], entity), data
    if form == "h":
        kind, entity = rest.split("|", 1)
        base, last, next_serial = data
        return ("h", _LONG[kind], entity), (tuples(upgrade_base(kind, base)), tuples(last), next_serial)
    if form == "r":
        tier, index, names, values = rest.split("|", 3)
        dimensions = tuple(names.split(",")) if names else ()
        return ("r", tier, int(index), dimensions, tuple(orjson.loads(values))), amounts_of(data)
    if form == "c":
        return ("c", tuple(orjson.loads(rest))), amounts_of(data)
    raise ValueError(f"state record with the unknown key {text[:40]!r}")


_LINE = b"\n"  # JSON of ours has none


def is_json(value: bytes) -> bool:
    """Whether the value of a record is JSON alone."""
    return _LINE not in value


def _encode_sleeping(record: Sleeping) -> bytes:
    head = [record.mark, *[freeze_due(at) for at in (record.wake, record.sweep_at, record.gone_at)]]
    if record.serial:
        head.append(record.serial)
    return _LINE.join((orjson.dumps(head), record.levels, record.packed))


def _decode_sleeping(value: bytes) -> Sleeping:
    head, levels, packed = value.split(_LINE, 2)
    mark, wake, sweep_at, gone_at, *serial = orjson.loads(head)
    return Sleeping(packed, mark, thaw_due(wake), thaw_due(sweep_at), thaw_due(gone_at), levels, serial[0] if serial else 0)


def quicken(engine: Engine) -> None:
    """Let an engine spell and read what sleeps by a JSON that is faster than the standard library's."""
    engine.dumps, engine.loads = _dumps, orjson.loads


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=tuple)


def encode_marker(marker: dict[str, Any]) -> bytes:
    """The marker's value."""
    return orjson.dumps({**_VERSIONS, **marker})


def decode_marker(value: bytes) -> dict[str, Any]:
    """The marker, in today's form. Raises ValueError where one of its versions cannot be read."""
    marker: dict[str, Any] = orjson.loads(value)
    version, ladder = marker.get("state_version"), marker.get("ladder_version")
    if not isinstance(version, int) or not OLDEST_VERSION <= version <= STATE_VERSION:
        raise ValueError(f"state version {version} is unknown to this release, which reads {OLDEST_VERSION} to {STATE_VERSION}")
    if ladder != LADDER_VERSION:
        raise ValueError(f"ladder version {ladder} is unknown to this release, whose buckets have the edges of {LADDER_VERSION}")
    return upgrade_marker(marker, STATE_VERSION)


@lru_cache(maxsize=_SEGMENTS_REMEMBERED)
def _segment(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    return f"{','.join(names)}|{_json(values)}"


def _json(labels: tuple[str, ...]) -> str:
    return orjson.dumps(labels).decode()
