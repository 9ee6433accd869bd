"""The way out: canonical CloudEvents for whatever writes events (the generator, the converter, tests)."""

from __future__ import annotations

from typing import Any

import orjson

from processor.codec.kinds import PARTITION_KEY, TYPES
from processor.codec.times import format_time, parse_time
from processor.core.events import DATA_FIELDS, Event

__all__ = ["cloud_event", "encode", "encode_event", "format_time", "key_of", "parse_time"]

# Family of types -> the fields of `data` that may hold the entity's id, the first one present counts. Other families have no entity.
_KEY_FIELDS = {
    "ticket": ("ticket_id",),
    "message": ("ticket_id",),
    "work": ("ticket_id",),
    "contact": ("contact_id",),
    "survey": ("ticket_id", "respondent_id"),
    "bot": ("ticket_id", "contact_id"),
    "agent": ("agent_id",),
    "kb": ("visitor_id",),
    "customer": ("organization_id",),
}


def key_of(kind: str, data: dict[str, Any]) -> str | None:
    """The id of the entity that an event is about: its Kafka key. None for control events."""
    for name in _KEY_FIELDS.get(kind.partition(".")[0], ()):
        key: str | None = data.get(name)
        if key:
            return key
    return None


def cloud_event(
    *,
    kind: str,
    id: str,  # noqa: A002  (CloudEvents' name)
    source: str,
    occurred_at_ms: int,
    data: dict[str, Any],
    sequence: str | None = None,
) -> dict[str, Any]:
    """One event as CloudEvents 1.0, fields in the documented order. `kind` is the type without `support.`."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": f"support.{kind}",
        "time": format_time(occurred_at_ms),
    }
    key = key_of(kind, data)
    if key is not None:
        event["subject"] = event["partitionkey"] = key
    if sequence is not None:
        event["sequence"] = sequence
    event["data"] = data
    return event


def encode(event: dict[str, Any]) -> bytes:
    """One line of JSON, without the line's end."""
    return orjson.dumps(event)


def encode_event(event: Event) -> bytes:
    """A decoded event as a record value again: what was kept of it, in the fields that its kind has. What was absent is null."""
    type_name, key_field = TYPES[event.kind]
    data: dict[str, Any] = {} if key_field in (None, PARTITION_KEY) else {str(key_field): event.key}
    for name, value in zip(DATA_FIELDS[event.kind], event.data, strict=True):
        if name == "changes":
            data.update(dict(value))
        elif name == "author_type":
            data["author"] = {"type": value}
        elif name == "author_id":
            data["author"]["id"] = value
        elif name == "amount":
            data[name] = value / 1000  # inside in thousandths
        elif event.kind == "control.clock_advanced":
            data[name] = format_time(value)
        else:
            data[name] = value
    sequence = event.sequence or None
    document = cloud_event(kind=type_name, id=event.id, source=event.source, occurred_at_ms=event.occurred_at, data=data, sequence=sequence)
    if event.key:
        document["subject"] = document[PARTITION_KEY] = event.key
    return encode(document)
