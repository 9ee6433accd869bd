"""The bytes of a record to an `Event`, or the reason why not. Whatever the bytes are, `decode` returns; it never raises.

Every record passes here once, so it is written for speed: `orjson`, one pass, no intermediate objects (2 to 3 microseconds a record).
Envelope first, then `data`; the first fault found is the one that is reported. The JSON Schemas in `schemas/` say the same as this
package, and the tests hold them together. Beyond what a schema can say, the decoder also checks that dates exist and lie between 1990
and 2049, that `partitionkey`, where present, is the entity's id, and that a score lies on its scale.
"""

from __future__ import annotations

from functools import lru_cache
from json import JSONDecodeError
from typing import Any, Final

from orjson import loads

from processor.codec.fields import Refusal, choice, choices, identifier, instant, missing, optional_text, required_label, shown, wrong_type
from processor.codec.kinds import KINDS, PARTITION_KEY, Kind
from processor.codec.sharing import share
from processor.core.events import Event, Reason, Rejected

MAX_BYTES: Final = 1_000_000  # below Kafka's default limit of a record, so that the dead letter with its headers fits too
NAMESPACE = "support."

_SPECVERSION: Final = choices(("1.0",))
_TOMBSTONE: Final = Rejected(Reason.TOMBSTONE, "the record has no value; an event is deleted by support.ticket.deleted")
_ENCODING_ADVICE = "send UTF-8 without a byte order mark"


def decode(value: bytes | None, *, max_bytes: int = MAX_BYTES, prefix: str = "") -> Event | Rejected:
    """Decode one record value. `prefix` is the reverse-DNS name that types may carry before `support.`, such as `com.example`."""
    if value is None:
        return _TOMBSTONE
    if len(value) > max_bytes:
        return Rejected(Reason.PAYLOAD_TOO_LARGE, f"{len(value)} bytes, at most {max_bytes} are accepted")
    try:
        document = loads(value)
    except JSONDecodeError as fault:
        return _undecodable(value, fault)
    if type(document) is not dict:
        return Rejected(Reason.NOT_AN_OBJECT, "the record is JSON but no object; send one CloudEvent per record")
    path = ""
    try:
        choice(document["specversion"], _SPECVERSION, "specversion")
        event_id = identifier(document["id"], "id")
        source = required_label(document["source"], "source")
        type_name = document["type"]
        if type(type_name) is not str:
            raise wrong_type("type", "a string", type_name)
        kind = types_with(prefix).get(type_name)
        if kind is None:
            return Rejected(Reason.UNKNOWN_TYPE, f"type: {shown(type_name)} is not a documented type")
        occurred_at = instant(document["time"], "time")
        data = document["data"]
        if type(data) is not dict:
            raise wrong_type("data", "an object", data)
        sequence = document.get("sequence")
        sequence = "" if sequence is None else share(optional_text(sequence, "sequence") or "")
        path = "data."
        if kind.subjects:
            kind = _about(kind, document, data)
        name, rank, sequenced_rank, key_field, build, _ = kind
        key = "" if key_field is None else share(_key(document, data, key_field))  # all events of a ticket share it in memory
        # Past NamedTuple's own constructor, which is a Python function and takes twice as long.
        return tuple.__new__(Event, (occurred_at, sequenced_rank if sequence else rank, sequence, source, event_id, name, key, build(data)))
    except KeyError as absent:
        return _refused(missing(f"{path}{absent.args[0]}"))
    except Refusal as refusal:
        return _refused(refusal)


def _refused(refusal: Refusal) -> Rejected:
    return Rejected(refusal.reason, refusal.detail)


def _about(kind: Kind, document: dict[str, Any], data: dict[str, Any]) -> Kind:
    """The kind by whom the event is about: the first one that it names, or the one among them that `partitionkey` names."""
    asked = [(each, optional_text(data.get(each.key_field or ""), f"data.{each.key_field}")) for each in kind.subjects]
    named = [(each, key) for each, key in asked if key is not None]
    if not named:
        raise missing(" or ".join(f"data.{each.key_field}" for each in kind.subjects))
    partition_key = document.get(PARTITION_KEY)
    return next((each for each, key in named if key == partition_key), named[0][0])


def _key(document: dict[str, Any], data: dict[str, Any], key_field: str) -> str:
    """The entity's id, which `partitionkey` repeats where it is given."""
    partition_key = document.get(PARTITION_KEY)
    if key_field == PARTITION_KEY:
        if partition_key is None:
            raise missing(PARTITION_KEY)
        return identifier(partition_key, PARTITION_KEY)
    key = identifier(data[key_field], f"data.{key_field}")
    if partition_key is not None and partition_key != key:
        if type(partition_key) is not str:
            raise wrong_type(PARTITION_KEY, "a string", partition_key)
        raise Refusal(Reason.KEY_MISMATCH, f"partitionkey: differs from data.{key_field}")
    return key


@lru_cache(maxsize=16)
def types_with(prefix: str) -> dict[str, Kind]:
    """Every accepted spelling of every documented type: as it is, and with the prefix."""
    prefix = prefix if not prefix or prefix.endswith(".") else f"{prefix}."
    return {f"{before}{NAMESPACE}{name}": kind for before in ("", prefix) for name, kind in KINDS.items()}


def _undecodable(value: bytes, fault: JSONDecodeError) -> Rejected:
    """Tell other encodings (a producer's setting) from broken JSON (a producer's bug)."""
    head = bytes(value[:4])
    if head.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return Rejected(Reason.INVALID_ENCODING, f"begins with a byte order mark; {_ENCODING_ADVICE}")
    if len(head) == 4 and ((head[0] == 0) != (head[1] == 0) or head[:3] == b"\0\0\0" != head[1:]):
        return Rejected(Reason.INVALID_ENCODING, f"looks like UTF-16 or UTF-32; {_ENCODING_ADVICE}")
    try:
        str(value, "utf-8")
    except UnicodeDecodeError as error:
        return Rejected(Reason.INVALID_ENCODING, f"byte {error.start} is not UTF-8; {_ENCODING_ADVICE}")
    return Rejected(Reason.MALFORMED_JSON, f"character {fault.pos}: {fault.msg[:100]}")
