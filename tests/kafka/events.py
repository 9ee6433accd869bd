"""Events for tests, in as few words as possible. Times in milliseconds; every event gets an id of its own."""

from __future__ import annotations

import itertools
from typing import Any

import orjson

from processor.codec.envelope import cloud_event, encode
from processor.codec.murmur2 import partition_of
from tests.kafka.deployment import Sent

_numbers = itertools.count(1)


def event(kind: str, at: int, /, **data: Any) -> bytes:
    """The bytes of one event; `id` in `data` is the event's own."""
    name = data.pop("id", None) or f"event-{next(_numbers)}"
    return encode(cloud_event(kind=kind, id=name, source="/tests", occurred_at_ms=at, data=data))


def created(ticket: str, at: int, /, **data: Any) -> bytes:
    """A ticket."""
    return event("ticket.created", at, **{"ticket_id": ticket, "channel": "email"} | data)


def reply(ticket: str, at: int, /, **data: Any) -> bytes:
    """An agent's public reply."""
    content = {"ticket_id": ticket, "message_id": f"M-{next(_numbers)}", "author": {"type": "agent"}, "visibility": "public"}
    return event("message.added", at, **content | data)


def status(ticket: str, at: int, value: str) -> bytes:
    """A change of status."""
    return event("ticket.status_changed", at, ticket_id=ticket, status=value)


def keyed(ticket: str, value: bytes | None, partitions: int) -> Sent:
    """The record where it belongs."""
    return partition_of(ticket.encode(), partitions), ticket.encode(), value


def addressed(line: bytes, partitions: int) -> Sent:
    """A line where its key belongs; one that has none, or cannot be read, anywhere."""
    try:
        key = orjson.loads(line)["partitionkey"].encode()
    except (ValueError, LookupError, TypeError, AttributeError):
        return len(line) % partitions, None, line
    return partition_of(key, partitions), key, line
