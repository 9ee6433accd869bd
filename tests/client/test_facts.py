"""What is read is what was written; what is no fact is refused, whatever the bytes."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from processor.client import Dimensions, Fact, decode_fact
from processor.codec.facts import encode_fact
from processor.core import facts as core
from processor.core.outputs import Stated
from processor.schemas_path import schemas_path

AT = 1_795_252_443_120
DIMS = ("email", "high", "none", "none", "billing", "none", "de", "none", "hard")
VALUES: dict[str, Any] = {
    "clock": "resolution",
    "policy": "standard",
    "policy_version": 2,
    "segments": ((AT - 5000, AT - 3000), (AT - 2000, AT)),
    "from_dims": ("phone", *DIMS[1:]),
    "reason": "spam",
    "in_time": True,
    "in_target": False,
    "induced": False,
    "short": False,
    **dict.fromkeys(("silent", "reopened", "breached", "automated", "first", "first_of_kind", "resolved", "topic_eligible"), True),
    **dict.fromkeys(("first_of_session", "helpful"), False),
    **dict.fromkeys(("turns", "transfers", "count"), 3),
    "change": -2,
    "escalation_kind": "functional",
    "survey": "csat",
    "result": "satisfied",
    "response_band": "under_1h",
    "touchpoint": "chat",
    "agent": "0123456789abcdef",
    "visitor": "0123456789abcdef",
    "state": "busy",
    "currency": "EUR",
}
WRITTEN_AS = {
    "in_target": "in_time",
    "escalation_kind": "escalation",
    "target": "target_seconds",
    "business_duration": "business_seconds",
    "requester_wait": "requester_wait_seconds",
    "agent_work": "agent_work_seconds",
    "talk": "talk_seconds",
    "hold": "hold_seconds",
    "wrap_up": "wrap_up_seconds",
    "score": "score",
    "amount": "amount",
}
ENTITIES = {"clock": "ticket", "backlog": "ticket", "survey": "person"}  # by the head of the kind; others are the entity
SCHEMA: dict[str, Any] = json.loads((schemas_path() / "support.facts.v1.schema.json").read_text())
GOOD = sorted((schemas_path() / "examples/support.facts.v1").iterdir())
BAD = sorted((schemas_path() / "invalid/support.facts.v1").iterdir())
BREACH: dict[str, Any] = json.loads((schemas_path() / "examples/support.facts.v1/clock_breached.json").read_text())


def entity_of(kind: str) -> str:
    head = kind.partition(".")[0]
    return ENTITIES.get(head, head)


def encoded(kind: str, sign: int, *, agents: bool = True, entries: int | None = None) -> bytes:
    content = tuple(VALUES.get(name, 1500) for name in core.CONTENT_FIELDS[kind])[:entries]
    return encode_fact(Stated(sign, entity_of(kind), "X/1", 7, core.Fact(kind, 3, AT, DIMS, content), "E-1"), agents=agents)


def read_as(name: str, fact: Fact) -> Any:
    """What a reader sees of one entry of a fact's content, in the words in which it was put in."""
    if name == "from_dims":
        assert fact.moved_from is not None
        return tuple(getattr(fact.moved_from, each) for each in Dimensions.__slots__)
    if name == "segments":
        return tuple(tuple(round(instant.timestamp() * 1000) for instant in stretch) for stretch in fact.segments)
    value = getattr(fact, WRITTEN_AS.get(name, name if name in VALUES else "value_seconds"))
    return value if name in VALUES else value * 1000


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", core.CONTENT_FIELDS)
def test_every_kind_is_read_as_it_was_stated(kind: str, sign: int) -> None:
    fact = decode_fact(encoded(kind, sign))
    assert (fact.kind, fact.entity_id, fact.instance) == (kind, "X/1", 3)
    assert fact.entity == entity_of(kind)
    assert fact.conclusion == f"{7:032x}"
    assert (fact.id == fact.conclusion) == (fact.retracts is None) == (sign > 0)
    assert fact.at_ms == AT
    assert fact.at.timestamp() == AT / 1000
    assert fact.at.utcoffset() == timedelta(0)
    assert fact.dimensions == Dimensions(*DIMS)
    assert fact.causes == ("E-1",)
    assert fact.in_ledger == (kind not in core.DETAIL_KINDS)
    for name in set(core.CONTENT_FIELDS[kind]) - {"visitor"}:
        assert read_as(name, fact) == VALUES.get(name, 1500), name


@pytest.mark.parametrize("kind", [kind for kind, names in core.CONTENT_FIELDS.items() if {"agent", "visitor"} & set(names)])
def test_nobody_is_named_unless_asked_for_and_no_visitor_ever(kind: str) -> None:
    assert b"0123456789abcdef" not in encoded(kind, 1, agents=False)
    assert (b"0123456789abcdef" in encoded(kind, 1)) == ("agent" in core.CONTENT_FIELDS[kind])


def test_what_a_forerunner_stated_with_fewer_entries_can_be_taken_back() -> None:
    fact = decode_fact(encoded("ticket.summarized", -1, entries=1))
    assert (fact.value_seconds, fact.turns, fact.retracts) == (1.5, None, f"{7:032x}")


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_every_example_of_the_schema_is_read(path: Path) -> None:
    document = json.loads(path.read_text())
    fact = decode_fact(path.read_bytes())
    assert (fact.id, fact.type, f"{fact.entity}/{fact.entity_id}") == (document["id"], document["type"], document["subject"])
    assert (fact.kind, fact.slot, fact.retracts) == (document["data"]["kind"], document["data"]["slot"], document["data"].get("retracts"))
    assert hash(fact) == hash(decode_fact(path.read_bytes()))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_the_schema_refuses_is_refused_by_name(path: Path) -> None:
    name = path.stem.partition(".")[2].split("_is_")[0]
    name = {"a_segment": "segments", "foreign_source": "source", "negative_duration": "value_seconds"}.get(name, name)
    with pytest.raises(ValueError, match=f"not a fact.*{name}"):
        decode_fact(path.read_bytes())


@pytest.mark.parametrize("value", [b"", b"\xff", b"[]", b"null", b"{}", b'{"data": []}', b"[" * 5000])
def test_other_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="not a fact"):
        decode_fact(value)


def test_a_retraction_that_does_not_say_of_what_is_no_statement() -> None:
    with pytest.raises(ValueError, match="retracts"):
        decode_fact(json.dumps(BREACH | {"type": "support.clock.breach_retracted"}).encode())
    with pytest.raises(ValueError, match="retracts"):
        decode_fact(json.dumps(BREACH | {"data": BREACH["data"] | {"retracts": "0" * 32}}).encode())


def test_kinds_and_fields_of_later_versions_are_read() -> None:
    later = BREACH | {"type": "support.ticket.praised", "mood": 1, "data": BREACH["data"] | {"kind": "ticket.praised", "stars": 5}}
    assert decode_fact(json.dumps(later).encode()).kind == "ticket.praised"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


NAMES = st.sampled_from(sorted(SCHEMA["properties"]))
FIELDS = st.sampled_from(sorted(SCHEMA["properties"]["data"]["properties"]))


@given(NAMES, FIELDS, JSON.filter(lambda value: value is not None))  # null is absent, everywhere
def test_an_odd_field_gives_a_value_error_or_is_none_that_the_schema_refuses(name: str, field: str, odd: Any) -> None:
    for document in (BREACH | {name: odd}, BREACH | {"data": BREACH["data"] | {field: odd}}):
        try:
            decode_fact(json.dumps(document).encode())
        except ValueError:
            continue
        known = {"kind", "subject", "partitionkey"}  # said twice: the type, the subject and the record's key hold
        faults = [fault for fault in Draft202012Validator(SCHEMA).iter_errors(document) if not known & {str(step) for step in fault.path}]
        assert faults == []
