"""Every field of every type, each spoilt in every way that matters: decoder and schema refuse the same. Enumerated, not drawn."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.codec.decode import decode
from processor.codec.kinds import KINDS
from processor.core.events import Event, Reason, Rejected
from processor.schemas_path import schemas_path

NAMES = (
    *("support.ticket.v1", "support.message.v1", "support.contact.v1", "support.bot.v1", "support.survey.v1", "support.work.v1"),
    *("support.agent.v1", "support.kb.v1", "support.customer.v1", "support.cost.v1", "support.control.v1"),
)
SCHEMAS = [json.loads((schemas_path() / f"{name}.schema.json").read_text()) for name in NAMES]
DROPPED = object()
SUBJECTS = ("ticket_id", "contact_id", "agent_id", "visitor_id", "organization_id", "respondent_id")
SCALE = (("data", "score"), ("data", "scale_min"), ("data", "scale_max"), ("data", "survey"))
OF_THEIR_OWN = {"scale_max": 2, "merged_into": "T"}  # not what other fields of the same form get: above scale_min, another ticket
SPOILS: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, -0.0, 366 * 86_400, 366 * 86_400 + 1, 10**20, 1e300),
    *([], {}, [None], [1], [""], ["x"], ["x" * 257], {"type": "agent"}),
    *("", " ", "0", "x" * 256, "x" * 257, "é" * 256, "1.0", "New", "public", "internal", "system", "high"),
    *("2026-11-21", "2026-11-21T10:00:00Z", "2026-11-21T10:00:00.5+23:59", "2026-11-21T10:00:00+24:00", "2026-11-21T25:00:00Z"),
    *("2026-11-21T10:00:00.Z", DROPPED),
)


def whole(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """A value that a schema accepts, with every optional field there."""
    if "$ref" in schema:
        return whole(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if schema.get("format") == "date-time":
        return "2026-11-21T09:14:03.120Z"
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if schema.get("pattern") == "^[A-Z]{3}$":
        return "EUR"
    kind = schema.get("type", "string")
    match kind if isinstance(kind, str) else kind[0]:
        case "object":
            return {name: OF_THEIR_OWN.get(name) or whole(inner, root) for name, inner in schema["properties"].items()}
        case "array":
            return [whole(schema["items"], root)]
        case "boolean":
            return True
        case "number" | "integer":
            return 1
    return "x"


def whole_documents() -> dict[str, tuple[dict[str, Any], Draft202012Validator]]:
    """One document for each type and whom it may be about, and the schema of its family."""
    found = {}
    for schema in SCHEMAS:
        envelope = {name: inner for name, inner in schema["properties"].items() if name not in ("type", "data")}
        for reference in schema["oneOf"]:
            name = reference["$ref"].rpartition("/")[2]
            branch = schema["$defs"][name]["properties"]
            for kind in branch["type"].get("enum") or [branch["type"]["const"]]:
                document = whole({"type": "object", "properties": {**envelope, "data": branch["data"]}}, schema)
                found[f"{kind} {name}"] = ({**document, "type": kind}, Draft202012Validator(schema))
    return found


DOCUMENTS = whole_documents()


def places(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if path:
        yield path
    if isinstance(node, dict):
        for name, value in node.items():
            yield from places(value, (*path, name))


def spoilt(document: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(document)
    target = result
    for name in place[:-1]:
        target = target[name]
    if value is DROPPED:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    return result


def test_there_is_a_document_for_each_type() -> None:
    assert {name.partition(" ")[0] for name in DOCUMENTS} == {f"support.{kind}" for kind in KINDS}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_decoder_and_schema_refuse_the_same_in_every_field(kind: str) -> None:
    whole_document, validator = DOCUMENTS[kind]
    assert isinstance(decode(json.dumps(whole_document).encode()), Event)
    for place in places(whole_document):
        for value in SPOILS:
            document = spoilt(whole_document, place, value)
            result = decode(json.dumps(document).encode())
            accepted = validator.is_valid(document)
            if isinstance(result, Rejected) and result.reason is Reason.KEY_MISMATCH:
                assert place in (("partitionkey",), *(("data", name) for name in SUBJECTS))
                continue
            if place in SCALE and isinstance(result, Rejected) and result.reason is Reason.INVALID_VALUE and accepted:
                assert "scale" in result.detail, "what a schema cannot say: a score lies on its scale"
                continue
            assert isinstance(result, Event) == accepted, f"{'.'.join(place)} = {value!r:.60}: {result}"
            if isinstance(result, Rejected) and place not in (("data",), ("data", "author")):
                named = result.detail.partition(":")[0].split(" or ")
                assert any(name.startswith(".".join(place)) for name in named), "a refusal names the field that is wrong"
