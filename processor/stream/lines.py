"""Lines of a file as records for Kafka, and records as lines: bare events (one CloudEvent a line), captures (one record a line, exact).

A capture line is {"partition", "offset", "timestamp", "key" | "key_base64", "headers", "value" | "value_base64"}: bytes that are UTF-8 as a
string, others in base64, both absent for null. Pure functions, no broker.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, NamedTuple

import orjson

from processor.codec.envelope import key_of

Headers = list[tuple[str, bytes | None]]


class Outgoing(NamedTuple):
    """A record to be sent. `partition` None: the key decides, or turn and turn about where there is no key."""

    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers
    flaw: str | None = None  # why the line is not a proper event; it is sent as it is all the same


def read_line(line: bytes) -> Outgoing:
    """The record of a line, without its line feed. Never raises: what cannot be understood goes out untouched, without a key."""
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return Outgoing(None, None, line, [], f"not JSON: {error.msg}")
    if not isinstance(document, dict):
        return Outgoing(None, None, line, [], "not a JSON object")
    if "specversion" not in document and isinstance(document.get("partition"), int) and "offset" in document:
        return _captured(document, line)
    key = _key(document)
    if key is not None:
        return Outgoing(None, key, line, [])
    control = str(document.get("type", "")).endswith((".clock_advanced", ".heartbeat"))
    return Outgoing(None, None, line, [], None if control else "no partitionkey, and no id of an entity in data")


def _key(document: dict[str, Any]) -> bytes | None:
    """`partitionkey`, else the id of the entity that an event of this type is about."""
    key = document.get("partitionkey")
    if key is None:
        kind, data = document.get("type"), document.get("data")
        if isinstance(kind, str) and isinstance(data, dict):
            key = key_of(kind.rpartition("support.")[2], data)
    return key.encode("utf-8", "surrogatepass") if isinstance(key, str) else None


def _captured(document: dict[str, Any], line: bytes) -> Outgoing:
    try:
        headers = [(str(name), _bytes(value)) for name, value in document.get("headers") or []]
        return Outgoing(document["partition"], _field(document, "key"), _field(document, "value"), headers)
    except (ValueError, TypeError, AttributeError) as error:
        return Outgoing(None, None, line, [], f"not a capture line: {error}")


def _field(document: dict[str, Any], name: str) -> bytes | None:
    encoded = document.get(f"{name}_base64")
    return _bytes(document.get(name)) if encoded is None else b64decode(encoded, validate=True)


def _bytes(value: Any) -> bytes | None:
    """A string, or {"base64": ...} where the bytes of a header are not UTF-8."""
    if value is None:
        return None
    if isinstance(value, dict):
        return b64decode(value["base64"], validate=True)
    return bytes(value.encode())


def capture_line(partition: int, offset: int, timestamp_ms: int, key: bytes | None, headers: Any, value: bytes | None) -> bytes:
    """One record as a line, line feed included."""
    document: dict[str, Any] = {"partition": partition, "offset": offset, "timestamp": timestamp_ms}
    _put(document, "key", key)
    document["headers"] = [(name, _header(content)) for name, content in headers]
    _put(document, "value", value)
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


def _put(document: dict[str, Any], name: str, content: bytes | None) -> None:
    try:
        document[name] = None if content is None else content.decode()
    except UnicodeDecodeError:
        document[f"{name}_base64"] = b64encode(content or b"").decode()


def _header(content: bytes | None) -> str | dict[str, str] | None:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode()}
