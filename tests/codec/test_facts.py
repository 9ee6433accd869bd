"""Facts are spelled out by hand; the same document, built as a dictionary and handed to orjson, must agree byte for byte."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec.envelope import format_time
from processor.codec.facts import FactWriter, content_of, encode_fact, fact_record, retraction_type
from processor.codec.quoting import quoted
from processor.core.events import AGENT
from processor.core.facts import CONTENT_FIELDS, Fact, slot_text
from processor.core.outputs import Stated
from processor.core.settings import DIMENSIONS

AT = 1_767_603_605_007
DIMS = tuple(f'{name} "ä\\' for name in DIMENSIONS)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ENTRIES = st.one_of(st.none(), st.booleans(), TEXTS, st.integers(-(2**40), 2**40))
INSTANTS = st.integers(0, AT)
ODD = {"from_dims": st.just(DIMS), "segments": st.lists(st.tuples(INSTANTS, INSTANTS), max_size=3).map(tuple)}
NUMBERS = ["since_created", "since_solved", "duration", "business_duration", "active", "wait", "seconds", "target"]
NUMBERS += ["requester_wait", "agent_work", "talk", "hold", "wrap_up", "score", "amount"]


def contents(kind: str) -> st.SearchStrategy[tuple[Any, ...]]:
    """Contents of a kind; also shorter ones, as a forerunner would have stated them."""
    number = st.one_of(st.none(), st.integers(-(2**40), 2**40))
    of = {**ODD, **dict.fromkeys(NUMBERS, number)}
    whole = st.tuples(*(of.get(field, ENTRIES) for field in CONTENT_FIELDS[kind]))
    return st.tuples(whole, st.integers(0, 1)).map(lambda pair: pair[0][: len(pair[0]) - pair[1]])


@st.composite
def statements(draw: st.DrawFn) -> Stated:
    kind = draw(st.sampled_from(sorted(CONTENT_FIELDS)))
    fact = Fact(kind, draw(st.integers(0, 99)), draw(st.integers(0, AT)), DIMS, draw(contents(kind)))
    entity, key, cause = draw(st.sampled_from(["ticket", AGENT])), draw(TEXTS.filter(bool)), draw(TEXTS)
    return Stated(draw(st.sampled_from([1, -1])), entity, key, draw(st.integers(0, 2**128 - 1)), fact, cause)


def document_of(stated: Stated, *, agents: bool) -> dict[str, Any]:
    """The same, as plainly as it can be said."""
    fact = stated.fact
    slot = slot_text(f"{stated.entity}/{stated.key}", fact)
    key = slot if stated.entity == AGENT and not agents else stated.key
    subject, at, kind, number = f"{stated.entity}/{key}", format_time(fact.at), fact.kind, f"{stated.number:032x}"
    dimensions = dict(zip(DIMENSIONS, fact.dims, strict=True))
    data = {"subject": subject, "kind": kind, "instance": fact.instance, "slot": slot, "at": at, "dimensions": dimensions}
    data |= content_of(fact, agents=agents)
    if stated.cause:
        data["causes"] = [stated.cause]
    if stated.sign < 0:
        data["retracts"] = number
        number, kind = f"retracts-{number}", retraction_type(kind)
    head = {"specversion": "1.0", "id": number, "source": "/ticket-kpis", "type": f"support.{kind}", "subject": subject, "time": at}
    return {**head, "partitionkey": key, "data": data}


@given(statements(), st.booleans())
def test_what_is_written_is_what_orjson_would_write(stated: Stated, agents: bool) -> None:
    document = document_of(stated, agents=agents)
    assert fact_record(stated, agents=agents) == (document["partitionkey"].encode(), orjson.dumps(document))
    assert encode_fact(stated, agents=agents) == orjson.dumps(document)


@given(st.lists(statements(), max_size=6), st.booleans())
def test_a_writer_says_of_each_what_it_would_say_of_it_alone(several: list[Stated], agents: bool) -> None:
    """Also where the entity, the instant or both are those of the one before."""
    writer = FactWriter(agents=agents)
    for stated in several:
        other = replace(stated, key=f"{stated.key}'", fact=replaced(stated.fact, at=stated.fact.at + 1))
        for each in (stated, stated, replace(other, key=stated.key), other, replace(other, entity="contact")):
            assert writer.record(each) == fact_record(each, agents=agents)


def replaced(fact: Fact, at: int) -> Fact:
    return Fact(fact.kind, fact.instance, at, fact.dims, fact.content)


@given(st.one_of(st.integers(-(10**16), 10**16), st.sampled_from([0, 1, 999, 1000, 10**15 - 1, 10**15, 10**16 - 1, 1 - 10**16])))
def test_a_duration_is_written_as_the_float_that_it_is(milliseconds: int) -> None:
    fact = Fact("ticket.solved", 1, AT, DIMS, (milliseconds,))
    value = fact_record(Stated(1, "ticket", "T", 1, fact, ""), agents=True)[1]
    assert f'"value_seconds":{milliseconds / 1000!r}'.encode() in value


@given(TEXTS)
def test_quoted_text_is_what_orjson_would_write(text: str) -> None:
    assert quoted(text).encode() == orjson.dumps(text)


@pytest.mark.parametrize("text", ['"', "\\", "\n", "\x7f", "\u2028", "ä", "", "\x00"])
def test_signs_that_mean_something_in_json_are_escaped_as_orjson_does(text: str) -> None:
    assert quoted(text).encode() == orjson.dumps(text)


def test_each_entry_has_its_name_and_unit() -> None:
    segments = ((AT, AT + 1500),)
    content = ("first_response", "standard", 1, 14_400_000, 3_600_500, True, segments)
    assert content_of(Fact("clock.fulfilled", 1, AT, DIMS, content), agents=False) == {
        "clock": "first_response",
        "policy": "standard",
        "policy_version": 1,
        "target_seconds": 14400.0,
        "value_seconds": 3600.5,
        "in_time": True,
        "segments": [["2026-01-05T09:00:05.007Z", "2026-01-05T09:00:06.507Z"]],
    }
    assert content_of(Fact("ticket.moved", 1, AT, DIMS, (DIMS,)), agents=False) == {"from": dict(zip(DIMENSIONS, DIMS, strict=True))}


@pytest.mark.parametrize(("agents", "said"), [(False, {}), (True, {"agent": "abc"})])
def test_the_agent_is_named_only_where_the_configuration_says_so(agents: bool, said: dict[str, str]) -> None:
    assert content_of(Fact("contact.agent_offered", 1, AT, DIMS, ("abc",)), agents=agents) == said


def test_a_visitor_is_never_named() -> None:
    said = content_of(Fact("person.article_viewed", 1, AT, DIMS, ("somebody", True)), agents=True)
    assert said == {"first_of_session": True}
