"""A fact as a consumer sees it, from the bytes of one record. Schema: support.facts.v1; unknown fields and kinds are no fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from processor.client.records import instant, opened
from processor.codec.envelope import parse_time
from processor.core.facts import DETAIL_KINDS
from processor.core.settings import CLOCKS, DIMENSIONS

_SOURCE = re.compile(r"/ticket-kpis(/.*)?", re.DOTALL)
_TYPE = re.compile(r"support\.((?:ticket|contact|clock|backlog|survey|person|agent|organization|account)\.[a-z][a-z_]*)")
_SUBJECT = re.compile(r"(ticket|contact|person|agent|organization|account)/(.+)", re.DOTALL)
_HASH = re.compile(r"[0-9a-f]{32}")
_RETRACTED = "_retracted"

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Dimensions:
    """What an entity was at the instant of a fact; None where the fact does not say."""

    channel: str | None = None
    priority: str | None = None
    group: str | None = None
    tier: str | None = None
    topic: str | None = None
    queue: str | None = None
    language: str | None = None
    product: str | None = None
    complexity: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One record of the facts topic: a conclusion or, where `retracts` is set, the taking back of one. None is what was not said.

    `kind` is what was concluded ("clock.breached"), of a retraction what is taken back; `type` tells the two apart. `at_ms` (milliseconds
    since 1970, UTC) is the instant to which the fact belongs: the reply, the solve, the deadline of a breach. `segments` are the stretches
    [start, end) in which the clock ran. The same conclusion has the same `id`, however often it is stated.
    """

    id: str
    type: str
    kind: str
    entity: str  # ticket, contact, person, agent, organization or account
    entity_id: str
    instance: int | None
    slot: str
    at_ms: int
    dimensions: Dimensions
    moved_from: Dimensions | None
    value_seconds: float | None
    business_seconds: float | None
    target_seconds: float | None
    clock: str | None
    policy: str | None
    policy_version: int | None
    in_time: bool | None
    induced: bool | None
    short: bool | None
    segments: tuple[Stretch, ...]
    reason: str | None
    retracts: str | None
    causes: tuple[str, ...]
    # What only some kinds say; the schema tells of each what it is.
    silent: bool | None = None
    requester_wait_seconds: float | None = None
    agent_work_seconds: float | None = None
    turns: int | None = None
    transfers: int | None = None
    reopened: bool | None = None
    breached: bool | None = None
    automated: bool | None = None
    escalation: str | None = None
    first: bool | None = None
    first_of_kind: bool | None = None
    resolved: bool | None = None
    topic_eligible: bool | None = None
    survey: str | None = None
    result: str | None = None
    score: float | None = None
    response_band: str | None = None
    touchpoint: str | None = None
    talk_seconds: float | None = None
    hold_seconds: float | None = None
    wrap_up_seconds: float | None = None
    agent: str | None = None
    state: str | None = None
    first_of_session: bool | None = None
    helpful: bool | None = None
    count: int | None = None
    change: int | None = None
    currency: str | None = None
    amount: float | None = None

    @property
    def at(self) -> datetime:
        """`at_ms` as a time with a zone."""
        return instant(self.at_ms)

    @property
    def conclusion(self) -> str:
        """The id of the conclusion that is stated or, by a retraction, taken back."""
        return self.retracts or self.id

    @property
    def in_ledger(self) -> bool:
        """Whether a worker's digest counts it: an outcome, not a step on the way to one."""
        return self.kind not in DETAIL_KINDS


def decode_fact(value: bytes) -> Fact:
    """The fact that a record's value holds. Raises `ValueError`, which names the field, for what is no fact."""
    document, data = opened(value, "not a fact")
    if document.get("specversion") != "1.0":
        raise ValueError("not a fact: specversion is not 1.0")
    _matched(document, "source", _SOURCE)
    _time(document.get("time"), "time")
    retracts = _matched(data, "retracts", _HASH)[0] if _text(data, "retracts") else None
    entity, entity_id = _matched(document, "subject", _SUBJECT).groups()
    stated_type = _matched(document, "type", _TYPE)
    return Fact(
        id=_id(document, retracts),
        type=stated_type[0],
        kind=_kind(stated_type[1], retracts),
        entity=entity,
        entity_id=entity_id,
        instance=_count(data, "instance", least=1),
        slot=_matched(data, "slot", _HASH)[0],
        at_ms=_time(data.get("at"), "at"),
        dimensions=_dimensions(data, "dimensions") or Dimensions(),
        moved_from=_dimensions(data, "from"),
        value_seconds=_seconds(data, "value_seconds"),
        business_seconds=_seconds(data, "business_seconds"),
        target_seconds=_seconds(data, "target_seconds"),
        clock=_clock(data),
        policy=_text(data, "policy"),
        policy_version=_count(data, "policy_version"),
        in_time=_flag(data, "in_time"),
        induced=_flag(data, "induced"),
        short=_flag(data, "short"),
        segments=_segments(data.get("segments")),
        reason=_text(data, "reason"),
        retracts=retracts,
        causes=_causes(data.get("causes")),
        **{name: read(data, name) for name, read in _READ.items() if name in data},
    )


def _wrong(name: str, want: str) -> ValueError:
    return ValueError(f"not a fact: {name} is {want}")


def _matched(part: dict[str, Any], name: str, pattern: re.Pattern[str]) -> re.Match[str]:
    value = part.get(name)
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong(name, f"missing or not of the form {pattern.pattern}")
    return match


def _id(document: dict[str, Any], retracts: str | None) -> str:
    """A conclusion's id is a hash, of which the digest is made; a retraction is known by what it takes back, whatever its own id is."""
    if retracts is None:
        return _matched(document, "id", _HASH)[0]
    own = _text(document, "id")
    if own is None:
        raise _wrong("id", "missing")
    return own


def _kind(name: str, retracts: str | None) -> str:
    """To take a retraction for a statement, or the other way round, would count wrongly ever after: so both signs of it must agree."""
    if name.endswith(_RETRACTED) != (retracts is not None):
        raise _wrong("retracts", "missing in a retraction, or present in a statement")
    if retracts is None:
        return name
    return "clock.breached" if name == "clock.breach_retracted" else name.removesuffix(_RETRACTED)


def _text(part: dict[str, Any], name: str) -> str | None:
    value = part.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "not text")
    return value or None


def _flag(data: dict[str, Any], name: str) -> bool | None:
    value = data.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "neither true nor false")
    return value


def _whole(data: dict[str, Any], name: str) -> int | None:
    value = data.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise _wrong(name, "not a whole number")
    return value


def _count(data: dict[str, Any], name: str, *, least: int = 0) -> int | None:
    value = _whole(data, name)
    if value is not None and value < least:
        raise _wrong(name, f"not a whole number from {least}")
    return value


def _number(data: dict[str, Any], name: str) -> float | None:
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(name, "not a number")
    return float(value)


def _seconds(data: dict[str, Any], name: str) -> float | None:
    value = _number(data, name)
    if value is not None and value < 0:
        raise _wrong(name, "not a number of seconds from 0")
    return value


def _clock(data: dict[str, Any]) -> str | None:
    value = data.get("clock")
    if value is not None and value not in CLOCKS:
        raise _wrong("clock", f"none of {', '.join(CLOCKS)}")
    return value


def _time(value: Any, name: str) -> int:
    if not isinstance(value, str):
        raise _wrong(name, "missing or not a time as text")
    try:
        return parse_time(value)
    except ValueError as error:
        raise ValueError(f"not a fact: {name}: {error}") from None


def _dimensions(data: dict[str, Any], name: str) -> Dimensions | None:
    value = data.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _wrong(name, "not an object")
    return Dimensions(**{dimension: _text(value, dimension) for dimension in DIMENSIONS})


def _segments(value: Any) -> tuple[Stretch, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        raise _wrong("segments", "not a list of pairs")
    return tuple((instant(_time(start, "segments")), instant(_time(end, "segments"))) for start, end in value)


def _causes(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(cause, str) for cause in value):
        raise _wrong("causes", "not a list of ids")
    return tuple(value)


_READ: dict[str, Callable[[dict[str, Any], str], Any]] = {
    **dict.fromkeys(("silent", "reopened", "breached", "automated", "first", "first_of_kind", "resolved", "topic_eligible"), _flag),
    **dict.fromkeys(("first_of_session", "helpful"), _flag),
    **dict.fromkeys(("requester_wait_seconds", "agent_work_seconds", "talk_seconds", "hold_seconds", "wrap_up_seconds"), _seconds),
    **dict.fromkeys(("turns", "transfers", "count"), _count),
    **dict.fromkeys(("escalation", "survey", "result", "response_band", "touchpoint", "agent", "state", "currency"), _text),
    **dict.fromkeys(("score", "amount"), _number),
    "change": _whole,
}
