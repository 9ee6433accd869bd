"""A line of a capture back to the record that it was.

{"partition", "offset", "timestamp", "key", "headers", "value"}. Other bytes than UTF-8 are in base64, under `key_base64`, `value_base64`.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from orjson import JSONDecodeError, loads

Record = tuple[bytes | None, bytes | None, int, int, int | None]


def is_capture(line: bytes) -> bool:
    """Whether a line is a captured record rather than an event."""
    try:
        document = loads(line)
    except JSONDecodeError:
        return False
    if not isinstance(document, dict) or "specversion" in document:
        return False
    return isinstance(document.get("partition"), int) and "offset" in document


def captured_record(line: bytes) -> Record:
    """(value, key, partition, offset, timestamp). Raises ValueError for what is no capture line."""
    try:
        document = loads(line)
        value, key = _bytes_of(document, "value"), _bytes_of(document, "key")
        return value, key, document["partition"], document["offset"], document.get("timestamp")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _bytes_of(document: dict[str, Any], name: str) -> bytes | None:
    text = document.get(name)
    if text is not None:
        return bytes(text.encode())
    encoded = document.get(f"{name}_base64")
    return None if encoded is None else b64decode(encoded, validate=True)
