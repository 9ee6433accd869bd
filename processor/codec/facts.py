"""Facts as they are written to the facts topic: one CloudEvent each. Schema: support.facts.v1."""

from __future__ import annotations

from typing import Any

import orjson

from processor.codec.envelope import format_time
from processor.core.events import AGENT
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
    "seconds": "value_seconds",
    "target": "target_seconds",
    "requester_wait": "requester_wait_seconds",
    "agent_work": "agent_work_seconds",
    "talk": "talk_seconds",
    "hold": "hold_seconds",
    "wrap_up": "wrap_up_seconds",
}
_THOUSANDTHS = {"score", "amount"}  # written in the unit of the survey, and of the currency
_RENAMED = {"in_target": "in_time", "escalation_kind": "escalation"}
_NEVER_WRITTEN = {"visitor"}  # only there to be counted once


def subject_of(stated: Stated, *, agents: bool) -> str:
    """Whom or what a fact is about. Where agents are not named, what is said of one has its slot in the place of the id."""
    subject = f"{stated.entity}/{stated.key}"
    return subject if agents or stated.entity != AGENT else f"{AGENT}/{slot_text(subject, stated.fact)}"


def fact_key(stated: Stated, *, agents: bool) -> bytes:
    """The record key of a fact: the id in its subject."""
    return (stated.key if stated.entity != AGENT else subject_of(stated, agents=agents).partition("/")[2]).encode()


def encode_fact(stated: Stated, *, agents: bool) -> bytes:
    """The record value of a fact or, for sign -1, of the retraction that takes it back. `agents`: whether it names the agent."""
    fact = stated.fact
    subject = subject_of(stated, agents=agents)
    number = f"{stated.number:032x}"
    at = format_time(fact.at)
    data: dict[str, Any] = {
        "subject": subject,
        "kind": fact.kind,
        "instance": fact.instance,
        "slot": slot_text(f"{stated.entity}/{stated.key}", fact),
        "at": at,
        "dimensions": dict(zip(DIMENSIONS, fact.dims, strict=True)),
    }
    data |= content_of(fact, agents=agents)
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
        "partitionkey": subject.partition("/")[2],
        "data": data,
    }
    return orjson.dumps(envelope)


def retraction_type(kind: str) -> str:
    """The type of a retraction: a breach taken back is `clock.breach_retracted`, a solve taken back `ticket.solved_retracted`."""
    return "clock.breach_retracted" if kind == "clock.breached" else f"{kind}_retracted"


def content_of(fact: Fact, *, agents: bool) -> dict[str, Any]:
    """What a fact of its kind says, by the names and in the units in which it is written."""
    said: dict[str, Any] = {}
    # Not strict: what a forerunner had stated with fewer entries is taken back as it was stated. What is new always stands last.
    for name, value in zip(CONTENT_FIELDS[fact.kind], fact.content, strict=False):
        if value is None or name in _NEVER_WRITTEN or (name == "agent" and not agents):
            continue
        if name in _SECONDS:
            said[_SECONDS[name]] = value / 1000
        elif name in _THOUSANDTHS:
            said[name] = value / 1000
        elif name == "segments":
            if value:
                said["segments"] = [[format_time(start), format_time(end)] for start, end in value]
        elif name == "from_dims":
            said["from"] = dict(zip(DIMENSIONS, value, strict=True))
        else:
            said[_RENAMED.get(name, name)] = value
    return said
