"""Facts as they are written to the facts topic: one CloudEvent each. Schema: support.facts.v1.

There are about two facts to an event, so they are spelled out here: a document built as a dictionary and handed to orjson costs three times
as much. What repeats (dimensions, the layout of each kind) is spelled once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from processor.codec.envelope import format_time
from processor.codec.quoting import quoted
from processor.core.events import AGENT
from processor.core.facts import CONTENT_FIELDS, Dims, Fact, slot_text
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
_THOUSANDTHS = {"score": "score", "amount": "amount"}  # written in the unit of the survey, and of the currency
_RENAMED = {"in_target": "in_time", "escalation_kind": "escalation", "from_dims": "from"}
_NEVER_WRITTEN = {"visitor"}  # only there to be counted once

_REMEMBERED = 8192

# How the entries of a content are written: as thousandths, as they are, as segments of time, as dimensions, or not at all.
_DIVIDED, _AS_IT_IS, _SEGMENTS, _DIMENSIONS, _HIDDEN = range(5)
Layout = tuple[tuple[int, str], ...]


def fact_record(stated: Stated, *, agents: bool) -> tuple[bytes, bytes]:
    """Key and value of a fact or, for sign -1, of the retraction that takes it back. `agents`: whether it names the agent.

    The key is the id in its subject. Where agents are not named, what is said of one has its slot in the place of the id.
    """
    fact = stated.fact
    slot = slot_text(f"{stated.entity}/{stated.key}", fact)
    key = slot if stated.entity == AGENT and not agents else stated.key
    quoted_key = quoted(key)
    subject = f'"{stated.entity}/{quoted_key[1:]}'
    at = format_time(fact.at)
    kind, number, retracts = fact.kind, f"{stated.number:032x}", ""
    if stated.sign < 0:
        kind, number, retracts = retraction_type(kind), f"retracts-{number}", f',"retracts":"{number}"'
    causes = f',"causes":[{quoted(stated.cause)}]' if stated.cause else ""
    return key.encode(), (
        f'{{"specversion":"1.0","id":"{number}","source":"{SOURCE}","type":"support.{kind}","subject":{subject},"time":"{at}",'
        f'"partitionkey":{quoted_key},"data":{{"subject":{subject},"kind":"{fact.kind}","instance":{fact.instance},"slot":"{slot}",'
        f'"at":"{at}","dimensions":{_dimensions(fact.dims)}{_content(fact, agents)}{causes}{retracts}}}}}'
    ).encode()


def encode_fact(stated: Stated, *, agents: bool) -> bytes:
    """The record value alone."""
    return fact_record(stated, agents=agents)[1]


def retraction_type(kind: str) -> str:
    """The type of a retraction: a breach taken back is `clock.breach_retracted`, a solve taken back `ticket.solved_retracted`."""
    return "clock.breach_retracted" if kind == "clock.breached" else f"{kind}_retracted"


def content_of(fact: Fact, *, agents: bool) -> dict[str, Any]:
    """What a fact of its kind says, by the names and in the units in which it is written."""
    said: dict[str, Any] = orjson.loads(f"{{{_content(fact, agents)[1:]}}}")
    return said


def _content(fact: Fact, agents: bool) -> str:
    """The entries of its content as members of a JSON object, each behind a comma."""
    text = ""
    # Not strict: what a forerunner had stated with fewer entries is taken back as it was stated. What is new always stands last.
    for (form, name), value in zip(_LAYOUTS[agents][fact.kind], fact.content, strict=False):
        if value is None or form == _HIDDEN:
            continue
        if form == _AS_IT_IS:
            text += name + (_word(value) if type(value) is str else _json(value))
        elif form == _DIVIDED:
            text += f"{name}{value / 1000}"
        elif form == _DIMENSIONS:
            text += name + _dimensions(value)
        elif value:
            spans = ",".join([f'["{format_time(start)}","{format_time(end)}"]' for start, end in value])
            text += f"{name}[{spans}]"
    return text


# Clocks, policies, reasons: few words, over and over.
_word = lru_cache(maxsize=_REMEMBERED)(quoted)


def _json(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value) if isinstance(value, int) else orjson.dumps(value).decode()


@lru_cache(maxsize=_REMEMBERED)
def _dimensions(dims: Dims) -> str:
    return orjson.dumps(dict(zip(DIMENSIONS, dims, strict=True))).decode()


def _layout(fields: tuple[str, ...], *, agents: bool) -> Layout:
    return tuple(_entry(field, agents=agents) for field in fields)


def _entry(field: str, *, agents: bool) -> tuple[int, str]:
    """How an entry is written, and what stands before its value."""
    if field in _NEVER_WRITTEN or (field == "agent" and not agents):
        return _HIDDEN, ""
    name = _SECONDS.get(field) or _THOUSANDTHS.get(field)
    if name is not None:
        return _DIVIDED, f',"{name}":'
    form = {"segments": _SEGMENTS, "from_dims": _DIMENSIONS}.get(field, _AS_IT_IS)
    return form, f',"{_RENAMED.get(field, field)}":'


_LAYOUTS = {agents: {kind: _layout(fields, agents=agents) for kind, fields in CONTENT_FIELDS.items()} for agents in (False, True)}
