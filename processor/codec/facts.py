"""Facts as they are written to the facts topic: one CloudEvent each. Schema: support.facts.v1."""

from __future__ import annotations

from typing import Any

import orjson

from processor.codec.envelope import format_time
from processor.core.facts import CONTENT_FIELDS, Fact, slot_text
from processor.core.outputs import Stated
from processor.core.settings import DIMENSIONS

SOURCE = "/ticket-kpis"

# Entries of a fact's content that are durations, by the name under which they are written, in seconds.
_SECONDS = {
    "since_created": "value_seconds",
    "since_solved": "value_seconds",
    "duration": "value_seconds",
    "business_duration": "business_seconds",
    "active": "value_seconds",
    "wait": "value_seconds",
    "target": "target_seconds",
}


def encode_fact(stated: Stated) -> bytes:
    """The record value of a fact or, for sign -1, of the retraction that takes it back."""
    fact = stated.fact
    subject = f"{stated.entity}/{stated.key}"
    number = f"{stated.number:032x}"
    at = format_time(fact.at)
    data: dict[str, Any] = {
        "subject": subject,
        "kind": fact.kind,
        "instance": fact.instance,
        "slot": slot_text(subject, fact),
        "at": at,
        "dimensions": dict(zip(DIMENSIONS, fact.dims, strict=True)),
    }
    _add_content(data, fact)
    if stated.cause:
        data["causes"] = [stated.cause]
    kind = fact.kind
    if stated.sign < 0:
        data["retracts"] = number
        number = f"retracts-{number}"
        kind = retraction_type(kind)
    envelope = {
        "specversion": "1.0",
        "id": number,
        "source": SOURCE,
        "type": f"support.{kind}",
        "subject": subject,
        "time": at,
        "partitionkey": stated.key,
        "data": data,
    }
    return orjson.dumps(envelope)


def retraction_type(kind: str) -> str:
    """The type of a retraction: a breach taken back is `clock.breach_retracted`, a solve taken back `ticket.solved_retracted`."""
    return "clock.breach_retracted" if kind == "clock.breached" else f"{kind}_retracted"


def _add_content(data: dict[str, Any], fact: Fact) -> None:
    for name, value in zip(CONTENT_FIELDS[fact.kind], fact.content, strict=True):
        if value is None:
            continue
        if name in _SECONDS:
            data[_SECONDS[name]] = value / 1000
        elif name == "segments":
            if value:
                data["segments"] = [[format_time(start), format_time(end)] for start, end in value]
        elif name == "in_target":
            data["in_time"] = value
        elif name == "from_dims":
            data["from"] = dict(zip(DIMENSIONS, value, strict=True))
        else:
            data[name] = value
