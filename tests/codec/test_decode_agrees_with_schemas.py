"""The hand-written decoder and the JSON Schemas accept the same events, in both directions.

Documents are drawn from the schemas themselves, then spoilt. Where the two differ by design, a schema accepts what the decoder refuses:
dates that do not exist, leap seconds at the wrong minute, years out of range, a `partitionkey` that is not the entity's id, and scores that
do not lie on their scale.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from processor.codec.decode import decode
from processor.codec.envelope import key_of
from processor.codec.kinds import KINDS, TYPES
from processor.core.events import SURVEY_SCALES, Event, Reason, Rejected
from processor.schemas_path import schemas_path

NAMES = (
    *("support.ticket.v1", "support.message.v1", "support.contact.v1", "support.bot.v1", "support.survey.v1", "support.work.v1"),
    *("support.agent.v1", "support.kb.v1", "support.customer.v1", "support.cost.v1", "support.control.v1"),
)
SCHEMAS = {name: json.loads((schemas_path() / f"{name}.schema.json").read_text()) for name in NAMES}
VALIDATORS = [Draft202012Validator(schema) for schema in SCHEMAS.values()]
ACROSS_FIELDS = (
    *("data.score: outside of its scale", "data.scale_max: n"),  # not above data.scale_min; nps is asked on ...
    "data.merged_into: the ticket itself",
)
BY_DESIGN = {Reason.INVALID_TIME, Reason.TIME_OUT_OF_RANGE, Reason.KEY_MISMATCH}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@st.composite
def times(draw: st.DrawFn) -> str:
    offset = timezone(timedelta(minutes=draw(st.sampled_from((0, 0, 60, 330, -480, 1439, -1439)))))
    first, last = datetime(1990, 1, 2, tzinfo=UTC), datetime(2049, 12, 30, tzinfo=UTC)
    moment = first + timedelta(milliseconds=draw(st.integers(0, (last - first) // timedelta(milliseconds=1))))
    text = moment.astimezone(offset).isoformat(timespec=draw(st.sampled_from(("seconds", "milliseconds", "microseconds"))))
    text = text.replace("+00:00", draw(st.sampled_from(("Z", "z", "+00:00", "-00:00"))))
    return text.replace("T", draw(st.sampled_from("Tt")))


def drawn_from(schema: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema accepts, for the keywords that these schemas use."""
    if "$ref" in schema:
        return drawn_from(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if schema.get("format") == "date-time":
        return times()
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("pattern") == "^[A-Z]{3}$":
        return st.text("ABCXYZ", min_size=3, max_size=3)
    kinds = schema.get("type", "anything")
    if isinstance(kinds, list):
        return st.one_of([drawn_from({**schema, "type": kind}, root) for kind in kinds])
    match kinds:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "string":
            return st.text(min_size=schema.get("minLength", 0), max_size=12) | st.just("x" * schema.get("maxLength", 1))
        case "number":
            low, high = schema["minimum"], schema["maximum"]
            return st.sampled_from((low, high)) | st.integers(low, high) | st.floats(low, high)
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "array":
            return st.lists(drawn_from(schema["items"], root), max_size=3)
        case "object":
            properties = {name: drawn_from(inner, root) for name, inner in schema.get("properties", {}).items()}
            required = {name: properties[name] for name in schema.get("required", ())}
            optional = {name: value for name, value in properties.items() if name not in required}
            return st.fixed_dictionaries(required, optional=optional)
    return st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """An event that a schema accepts, with a partition key that fits."""
    schema = SCHEMAS[draw(st.sampled_from(NAMES))]
    branch = schema["$defs"][draw(st.sampled_from(schema["oneOf"]))["$ref"].rpartition("/")[2]]
    document: dict[str, Any] = draw(drawn_from({**schema, "properties": {**schema["properties"], **branch["properties"]}}, schema))
    if "merged_into" in document["data"] and document["data"]["merged_into"] == document["data"]["ticket_id"]:
        document["data"]["ticket_id"] = "another"
    key = key_of(document["type"].removeprefix("support."), document["data"])
    if isinstance(document.get("partitionkey"), str) and key is not None:
        document["partitionkey"] = key
    if "score" in document["data"]:
        put_on_a_scale(document["data"], draw)
    return document


def put_on_a_scale(data: dict[str, Any], draw: st.DrawFn) -> None:
    low, high = SURVEY_SCALES[data["survey"]]
    scales = (
        [(None, None), (low, high)] if data["survey"] == "nps" else [(None, None), (low, high), (low, 1000), (-1000, high), (-0.5, 7.5)]
    )
    data["scale_min"], data["scale_max"] = scale = draw(st.sampled_from(scales))
    data["score"] = draw(st.sampled_from((low, high)) if scale[0] is None else st.sampled_from(scale) | st.floats(*scale))


WORDS = sorted({word for schema in SCHEMAS.values() for word in json.dumps(schema).split('"') if 0 < len(word) < 20 and " " not in word})
SPOILS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from((10**12, -(10**30), 10**300, 0.5, -0.0, 1e300)),
    st.sampled_from(("", " ", "x" * 256, "x" * 257)),
    st.sampled_from([f"2026-{rest}Z" for rest in ("02-30T00:00:00", "02-28T24:00:00", "06-30T23:59:60", "06-30T12:00:60")]),
    st.sampled_from(WORDS),
    st.sampled_from([f"support.{kind}" for kind in KINDS]),
    times(),
    st.lists(st.none() | st.text(max_size=2), max_size=2),
    st.dictionaries(st.sampled_from(("type", "id", "ticket_id")), st.sampled_from(("agent", "", None)), max_size=2),
)


def objects_in(node: Any) -> list[dict[str, Any]]:
    if not isinstance(node, dict):
        return []
    return [node, *(inner for value in node.values() for inner in objects_in(value))]


def spoil(document: dict[str, Any], draw: st.DrawFn) -> None:
    """Replace, drop or add one field somewhere."""
    target = draw(st.sampled_from(objects_in(document)))
    names = sorted(target)
    action = draw(st.sampled_from(("replace", "replace", "replace", "drop", "add")))
    if action == "add" or not names:
        target[draw(st.sampled_from(WORDS))] = draw(SPOILS)
    elif action == "drop":
        del target[draw(st.sampled_from(names))]
    else:
        target[draw(st.sampled_from(names))] = draw(SPOILS)


@st.composite
def spoilt_documents(draw: st.DrawFn) -> dict[str, Any]:
    document = draw(documents())
    for _ in range(draw(st.integers(1, 2))):
        spoil(document, draw)
    return document


def schema_accepts(document: Any) -> bool:
    return any(validator.is_valid(document) for validator in VALIDATORS)


def check_refusal_by_design(document: dict[str, Any], refusal: Rejected) -> None:
    """A schema accepts what the decoder refused: it must be one of the documented differences, shown here by other means."""
    if refusal.reason is Reason.INVALID_VALUE:
        assert refusal.detail.startswith(ACROSS_FIELDS), refusal
        return
    assert refusal.reason in BY_DESIGN, refusal
    if refusal.reason is Reason.KEY_MISMATCH:
        assert document["partitionkey"] != key_of(document["type"].removeprefix("support."), document["data"])
        return
    text = document["data"]["at"] if refusal.detail.startswith("data.at") else document["time"]
    try:
        year = datetime.fromisoformat(text.upper()).astimezone(UTC).year
    except (ValueError, OverflowError):  # OverflowError: the last hours of the year 9999
        return
    assert not 1990 <= year < 2050


@given(documents())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_a_schema_describes_is_decoded(document: dict[str, Any]) -> None:
    assert schema_accepts(document)
    event = decode(json.dumps(document).encode())
    assert isinstance(event, Event), event
    assert f"support.{TYPES[event.kind][0]}" == document["type"]
    assert (event.id, event.source, event.sequence) == (document["id"], document["source"], document.get("sequence") or "")
    moment = datetime.fromisoformat(document["time"].upper())
    assert event.occurred_at == (moment - EPOCH) // timedelta(milliseconds=1)


@given(spoilt_documents())
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_decoder_and_schemas_refuse_the_same(document: dict[str, Any]) -> None:
    result = decode(json.dumps(document).encode())
    accepted = schema_accepts(document)
    if isinstance(result, Event):
        assert accepted
    elif accepted:
        check_refusal_by_design(document, result)


VALUES = {"score": 1, "seconds": 1, "survey": "csat", "state": "online", "helpful": True, "count": 1, "amount": 1, "currency": "EUR"} | {
    "author": {"type": "agent"},
    "channel": "web",
    "status": "open",
    "priority": "low",
    "visibility": "public",
    "wrap_up_seconds": 1,
}


@pytest.mark.parametrize("name", NAMES)
def test_both_sides_notice_when_any_required_field_of_any_type_is_missing(name: str) -> None:
    schema = SCHEMAS[name]
    for reference in schema["oneOf"]:
        branch = schema["$defs"][reference["$ref"].rpartition("/")[2]]["properties"]
        kind = branch["type"].get("const") or branch["type"]["enum"][0]
        for required in branch["data"]["required"]:
            data = {field: VALUES.get(field, "x") for field in branch["data"]["required"] if field != required}
            envelope = {"specversion": "1.0", "id": "E", "source": "/s", "type": kind, "time": "2026-11-21T09:14:03Z", "partitionkey": "x"}
            document = {**envelope, "data": data}
            assert not schema_accepts(document)
            result = decode(json.dumps(document).encode())
            assert isinstance(result, Rejected)
            assert result.reason is Reason.MISSING_FIELD
            assert f"data.{required}" in result.detail.removesuffix(": required").split(" or ")
