"""Every kind of fact, stated and retracted, is written as the schema says, with no field that the schema does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.codec.facts import encode_fact
from processor.core.facts import CONTENT_FIELDS, Fact
from processor.core.outputs import Stated
from processor.schemas_path import schemas_path

AT = 1_795_252_443_120
DIMS = ("email", "high", "none", "none", "billing", "none")
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
}
DURATION = 1500


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", CONTENT_FIELDS)
def test_a_fact_is_written_as_the_schema_says(kind: str, sign: int) -> None:
    content = tuple(VALUES.get(name, DURATION) for name in CONTENT_FIELDS[kind])
    entity = "contact" if kind.startswith("contact.") else "ticket"
    document = json.loads(encode_fact(Stated(sign, entity, "X-1", 7, Fact(kind, 1, AT, DIMS, content), "E-1")))
    assert [fault.message for fault in Draft202012Validator(SCHEMA).iter_errors(document)] == []
    assert set(document) <= set(SCHEMA["properties"])
    assert set(document["data"]) <= set(SCHEMA["properties"]["data"]["properties"])
    assert ("retracts" in document["data"]) == (sign < 0)


def test_the_longest_id_fits_into_a_subject() -> None:
    document = json.loads(encode_fact(Stated(1, "contact", "x" * 256, 7, Fact("contact.offered", 1, AT, DIMS, ()), "")))
    assert Draft202012Validator(SCHEMA).is_valid(document)
