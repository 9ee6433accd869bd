"""Records of the re-keyed topic: what one entity hands to another, and how far each partition has come.

Internal: written and read by workers alone. A hand-over has the id of its target as key, a heartbeat has none. Each names the application
whose worker wrote it, so that two that share the topic by mistake do not count each other's.
"""

from __future__ import annotations

from typing import Any

import orjson

from processor.codec.owner import OWNER, check_owner
from processor.core.events import HANDED_RANKS
from processor.core.outputs import Rekeyed

Heartbeat = tuple[int, ...]


def encode_rekeyed(record: Rekeyed, source: int, application: str) -> tuple[bytes, bytes]:
    """Key and value of a hand-over from an entity of partition `source`."""
    document = {
        OWNER: application,
        "source": source,
        "sign": record.sign,
        "kind": record.kind,
        "number": f"{record.number:032x}",
        "at": record.at,
        "known": record.known or record.at,
        "data": record.data,
    }
    return record.target.encode(), orjson.dumps(document)


def encode_heartbeat(source: int, heartbeat: Heartbeat, application: str) -> tuple[None, bytes]:
    """Key and value of a heartbeat of partition `source`."""
    return None, orjson.dumps({OWNER: application, "source": source, "heartbeat": heartbeat})


def decode_rekeyed(value: bytes | None, key: bytes | None, application: str = "") -> tuple[int, Rekeyed | Heartbeat]:
    """The partition that it is from, and what it says.

    Raises ValueError for a record that is none of ours, or of another application than `application` ("" = any).
    """
    try:
        document: dict[str, Any] = orjson.loads(value or b"")
        source = int(document["source"])
        check_owner(document, application)
        if "heartbeat" in document:
            return source, tuple(int(level) for level in document["heartbeat"])
        if key is None:
            raise ValueError("a hand-over without the key of its target")
        number, at, kind = int(document["number"], 16), int(document["at"]), str(document["kind"])
        if kind not in HANDED_RANKS:
            raise ValueError(f"a hand-over of the unknown kind {kind[:40]!r}")
        known = int(document.get("known", at))  # not told by older releases
        return source, Rekeyed(int(document["sign"]), kind, key.decode(), number, at, _tuples(document["data"]), known)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no record of a re-keyed topic: {error!r}") from error


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
