"""For any bytes at all, `decode` returns an event, a skipped type or a refusal; it never raises. So does the door."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from processor.codec.decode import decode
from processor.codec.door import Door
from processor.codec.kinds import KINDS
from processor.core.events import Event, Rejected, Skipped
from processor.schemas_path import schemas_path

EXAMPLES = [path.read_bytes() for path in sorted(schemas_path().glob("examples/support.*.v1/*.json"))]
DOOR = Door("murmur2", 4, 5000)

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ("specversion", "id", "source", "type", "time", "data", "partitionkey", "sequence", "subject")
DATA_FIELDS = (
    *("ticket_id", "contact_id", "channel", "status", "priority", "author", "visibility", "automated", "message_id", "agent_id"),
    *("queue", "at", "source", "merged_into", "tags", "group", "assignee_id", "talk_seconds", "wrap_up_seconds", "outcome", "kind"),
    *("survey_id", "survey", "score", "scale_min", "scale_max", "respondent_id", "visitor_id", "helpful", "organization_id", "count"),
    *("amount", "currency", "seconds", "state", "capacity", "first_contact_resolved"),
)


def assert_returns(value: bytes) -> None:
    result = decode(value)
    assert type(result) in (Event, Rejected)
    if isinstance(result, Rejected):
        result.detail.encode()  # goes into a header
        assert len(result.detail) < 300
    assert type(DOOR.admit(value, b"T-1", 0)) in (Event, Skipped, Rejected)


@given(st.binary(max_size=200))
@example(b'{"specversion": "1.0", "id": "\\u0000", "source": "\\u0000", "type": "\\u0000"}')
def test_any_bytes(value: bytes) -> None:
    assert_returns(value)


@given(st.data())
@settings(max_examples=300)
def test_examples_with_bytes_cut_out_or_put_in(data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(EXAMPLES))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(value)))
        end = data.draw(st.integers(start, min(len(value), start + 20)))
        value = value[:start] + data.draw(st.binary(max_size=6)) + value[end:]
    assert_returns(value)


@given(anything)
def test_any_json(document: Any) -> None:
    assert_returns(json.dumps(document).encode())


@given(
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=3),
    st.dictionaries(st.sampled_from(DATA_FIELDS), anything, max_size=5),
)
@settings(max_examples=300)
def test_any_json_in_the_places_of_an_event(kind: str, envelope: dict[str, Any], data: dict[str, Any]) -> None:
    document = {"specversion": "1.0", "id": "E-1", "source": "/test", "type": f"support.{kind}", "time": "2026-11-21T09:14:03.120Z"}
    ids = {"ticket_id": "T-1", "contact_id": "C-1", "message_id": "M-1"}
    assert_returns(json.dumps({**document, "data": {**ids, **data}, **envelope}).encode())
