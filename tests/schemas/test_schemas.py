"""The schemas are sound, complete and speak of the same things as the engine; every example is what its folder says."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.codec.kinds import KINDS
from processor.core import events
from processor.core.events import Reason
from processor.core.settings import CLOCKS, DIMENSIONS
from processor.schemas_path import schemas_path

ROOT = schemas_path()
FILES = sorted(ROOT.glob("*.schema.json"))
NAMES = [path.name.removesuffix(".schema.json") for path in FILES]
EVENT_FAMILIES = (
    *("support.ticket.v1", "support.message.v1", "support.contact.v1", "support.bot.v1", "support.survey.v1", "support.work.v1"),
    *("support.agent.v1", "support.kb.v1", "support.customer.v1", "support.cost.v1", "support.control.v1"),
)
EXAMPLES = sorted(ROOT.glob("examples/*/*.json"))
INVALID = sorted(ROOT.glob("invalid/*/*.json"))


def schema(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ROOT / f"{name}.schema.json").read_text())
    return document


def data_of(name: str, branch: str) -> dict[str, Any]:
    properties: dict[str, Any] = schema(name)["$defs"][branch]["properties"]["data"]["properties"]
    return properties


VALIDATORS = {name: Draft202012Validator(schema(name)) for name in NAMES}


def label(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_says_its_name(name: str) -> None:
    document = schema(name)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(document)
    assert document["$id"] == f"urn:ticket-kpis:schema:{name}"
    assert document["description"]


@pytest.mark.parametrize("name", NAMES)
def test_no_keyword_is_misspelt(name: str) -> None:
    """A validator ignores what it does not know, so a misspelt keyword would silently allow everything."""
    structure = {"$schema", "$id", "$ref", "$defs", "title", "description", "format", "contentEncoding"}
    known = structure | set(Draft202012Validator.VALIDATORS)

    def check(node: Any) -> None:
        if not isinstance(node, dict):
            return
        assert set(node) <= known
        for keyword, inner in node.items():
            if keyword in ("properties", "$defs"):
                for child in inner.values():
                    check(child)
            elif keyword in ("oneOf", "anyOf", "allOf"):
                for child in inner:
                    check(child)
            elif keyword in ("items", "additionalProperties"):
                check(inner)

    check(schema(name))


def test_versions_have_no_gaps() -> None:
    versions: dict[str, list[int]] = defaultdict(list)
    for name in NAMES:
        match = re.fullmatch(r"(support\.[a-z_]+)\.v([1-9][0-9]*)", name)
        assert match, f"{name}: name it NAME.vN.schema.json"
        versions[match[1]].append(int(match[2]))
    for name, found in versions.items():
        assert sorted(found) == list(range(1, len(found) + 1)), name


@pytest.mark.parametrize("kind", ["examples", "invalid"])
def test_every_schema_has_examples_and_none_is_without_a_schema(kind: str) -> None:
    folders = {path.name for path in (ROOT / kind).iterdir()}
    assert folders == set(NAMES)
    assert all(any(path.glob("*.json")) for path in (ROOT / kind).iterdir())


def test_shared_definitions_are_the_same_everywhere() -> None:
    seen: dict[str, Any] = {}
    for name in NAMES:
        for key, definition in schema(name)["$defs"].items():
            if "properties" not in definition:
                assert seen.setdefault(key, definition) == definition, f"{name}: $defs/{key}"


@pytest.mark.parametrize("path", EXAMPLES, ids=label)
def test_every_example_is_valid(path: Path) -> None:
    faults = [fault.message for fault in VALIDATORS[path.parent.name].iter_errors(json.loads(path.read_text()))]
    assert not faults


@pytest.mark.parametrize("path", INVALID, ids=label)
def test_every_invalid_example_is_refused_and_named_after_its_reason(path: Path) -> None:
    assert not VALIDATORS[path.parent.name].is_valid(json.loads(path.read_text()))
    assert path.name.partition(".")[0] in set(Reason)


def test_the_event_schemas_describe_exactly_the_types_that_are_folded() -> None:
    described = [kind for name in EVENT_FAMILIES for kind in schema(name)["properties"]["type"]["enum"]]
    assert len(described) == len(set(described))
    assert set(described) == {f"support.{kind}" for kind in KINDS}


def test_every_type_has_an_example_and_a_branch() -> None:
    shown = {json.loads(path.read_text())["type"] for path in EXAMPLES if path.parent.name in EVENT_FAMILIES}
    assert shown == {f"support.{kind}" for kind in KINDS}
    for name in EVENT_FAMILIES:
        branches = [schema(name)["$defs"][branch["$ref"].rpartition("/")[2]]["properties"]["type"] for branch in schema(name)["oneOf"]]
        types = {kind for branch in branches for kind in branch.get("enum", [branch.get("const")])}
        assert sorted(types) == sorted(schema(name)["properties"]["type"]["enum"])


def test_vocabularies_are_those_of_the_engine() -> None:
    ticket, message = schema("support.ticket.v1")["$defs"], schema("support.message.v1")["$defs"]
    assert tuple(ticket["channel"]["enum"]) == events.CHANNELS
    assert tuple(ticket["status"]["enum"]) == events.STATUSES
    assert tuple(ticket["priority"]["enum"]) == events.PRIORITIES
    assert tuple(message["visibility"]["enum"]) == events.VISIBILITIES
    created = data_of("support.ticket.v1", "created")
    assert created["status"]["enum"] == [*events.STATUSES, None]
    assert created["priority"]["enum"] == [*events.PRIORITIES, None]
    assert created["direction"]["enum"] == [*events.DIRECTIONS, None]
    assert data_of("support.ticket.v1", "escalated")["kind"]["enum"] == [*events.ESCALATION_KINDS, None]
    assert data_of("support.message.v1", "added")["author"]["properties"]["type"]["enum"] == list(events.AUTHOR_TYPES)
    assert data_of("support.contact.v1", "ended")["outcome"]["enum"] == [*events.CONTACT_OUTCOMES, None]
    agent = data_of("support.agent.v1", "state_changed")
    assert agent["state"]["enum"] == list(events.AGENT_STATES)
    assert agent["channel"]["enum"] == [*events.CHANNELS, None]
    assert schema("support.survey.v1")["$defs"]["survey"]["enum"] == list(events.SURVEYS)


def test_facts_and_dead_letters_speak_of_the_engines_clocks_dimensions_and_reasons() -> None:
    facts = schema("support.facts.v1")
    assert facts["properties"]["data"]["properties"]["clock"]["enum"] == [*CLOCKS, None]
    assert tuple(facts["$defs"]["dimensions"]["properties"]) == DIMENSIONS
    assert schema("support.rejected.v1")["properties"]["headers"]["properties"]["reason"]["enum"] == [reason.value for reason in Reason]
