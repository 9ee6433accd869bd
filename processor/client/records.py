"""What the readers of both topics have in common: the envelope of a record, and what becomes of one that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import orjson

from processor.config.service import Kafka

Decoded = TypeVar("Decoded")
Unreadable = Callable[[str], None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(ms: int) -> datetime:
    """Milliseconds since 1970 as a time with a zone."""
    return _EPOCH + timedelta(milliseconds=ms)


def opened(value: bytes, problem: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A CloudEvent and its `data`. Raises ValueError, whose text begins with `problem`, for what is none."""
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{problem}: no JSON ({error})") from None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        raise ValueError(f"{problem}: no object with an object `data`")  # noqa: TRY004 - one kind of error for all that is none
    return document, data


def decoded(record: Any, decode: Callable[[Any], Decoded], unreadable: Unreadable | None) -> Decoded | None:
    """What a record holds; None for what cannot be read, which `unreadable` is told with its place. Without that it raises ValueError."""
    try:
        return decode(record)
    except ValueError as error:
        problem = f"{record.topic}, partition {record.partition}, offset {record.offset}: {error}"
        if unreadable is None:
            raise ValueError(problem) from None
        unreadable(problem)
        return None


def cluster(kafka: Kafka | str) -> Kafka:
    """The cluster of a reader; text is host:port of one or more brokers, with commas between them."""
    return Kafka(bootstrap_servers=[each.strip() for each in kafka.split(",")]) if isinstance(kafka, str) else kafka
