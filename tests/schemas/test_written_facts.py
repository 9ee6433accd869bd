"""Every kind of fact, stated and retracted, is written as the schema says, with no field that the schema does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.codec.facts import encode_fact, fact_record
from processor.core.facts import CONTENT_FIELDS, Fact
from processor.core.outputs import Stated
from processor.schemas_path import schemas_path

AT = 1_795_252_443_120
DIMS = ("email", "high", "none", "none", "billing", "none", "de", "none", "hard")
SCHEMA: dict[str, Any] = json.loads((schemas_path() / "support.facts.v1.schema.json").read_text())
VALUES: dict[str, Any] = {
    "clock": "resolution",
    "policy": "standard",
    "policy_version": 2,
    "segments": ((AT - 5000, AT - 3000), (AT - 2000, AT)),
    "from_dims": DIMS,
    "reason": "spam",
    "in_time": True,
    "in_target": False,
    "induced": False,
    "short": False,
    **dict.fromkeys(("silent", "reopened", "breached", "automated", "first", "first_of_kind", "resolved", "topic_eligible"), True),
    **dict.fromkeys(("first_of_session", "helpful"), False),
    **dict.fromkeys(("escalation_kind", "survey", "result", "response_band", "touchpoint", "agent", "state", "currency"), "word"),
    "change": -2,
}
DURATION = 1500
EXAMPLES = sorted((schemas_path() / "examples/support.facts.v1").iterdir())


ENTITIES = {"clock": "ticket", "backlog": "ticket", "survey": "person"}  # by the head of the kind; others are the entity


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", CONTENT_FIELDS)
def test_a_fact_is_written_as_the_schema_says(kind: str, sign: int) -> None:
    content = tuple(VALUES.get(name, DURATION) for name in CONTENT_FIELDS[kind])
    head = kind.partition(".")[0]
    stated = Stated(sign, ENTITIES.get(head, head), "X-1", 7, Fact(kind, 1, AT, DIMS, content), "E-1")
    document = json.loads(encode_fact(stated, agents=True))
    assert [fault.message for fault in Draft202012Validator(SCHEMA).iter_errors(document)] == []
    assert set(document) <= set(SCHEMA["properties"])
    assert set(document["data"]) <= set(SCHEMA["properties"]["data"]["properties"])
    assert ("retracts" in document["data"]) == (sign < 0)


def test_agents_are_told_apart_only_where_facts_may_name_them() -> None:
    spans = [Stated(1, "agent", "A-17", 7, Fact("agent.time", number, AT, DIMS, ("busy", DURATION, "5e3f")), "") for number in (1, 2)]
    hidden, named = ([json.loads(encode_fact(span, agents=agents)) for span in spans] for agents in (False, True))
    assert "A-17" not in json.dumps(hidden)
    assert "5e3f" not in json.dumps(hidden)
    assert hidden[0]["subject"] != hidden[1]["subject"]
    assert [document["data"]["slot"] for document in hidden] == [document["data"]["slot"] for document in named]
    assert [document["subject"] for document in named] == ["agent/A-17"] * 2
    for agents, documents in ((False, hidden), (True, named)):
        assert [fact_record(span, agents=agents)[0].decode() for span in spans] == [document["partitionkey"] for document in documents]
        assert all(Draft202012Validator(SCHEMA).is_valid(document) for document in documents)


def test_the_longest_id_fits_into_a_subject() -> None:
    stated = Stated(1, "organization", "x" * 256, 7, Fact("organization.churned", 1, AT, DIMS, ()), "")
    document = json.loads(encode_fact(stated, agents=False))
    assert Draft202012Validator(SCHEMA).is_valid(document)


def test_every_kind_has_an_example_that_says_nothing_that_the_worker_does_not_say() -> None:
    shown = [json.loads(path.read_text())["data"] for path in EXAMPLES]
    assert {data["kind"] for data in shown} == set(CONTENT_FIELDS)
    for data in shown:
        content = tuple(VALUES.get(name, DURATION) for name in CONTENT_FIELDS[data["kind"]])
        stated = Stated(-1 if "retracts" in data else 1, "ticket", "X-1", 7, Fact(data["kind"], 1, AT, DIMS, content), "E-1")
        assert set(data) <= set(json.loads(encode_fact(stated, agents=False))["data"]), data["kind"]
