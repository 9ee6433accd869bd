"""The mapping file: every fault at once, each with its path; the examples that are shipped are good ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from processor.convert.mapping import MappingError, load_mapping, parse_mapping

MAPPINGS = Path(__file__).resolve().parents[2] / "deploy" / "mappings"


def minimal(**changes: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "source": "/test",
        "key": {"columns": "id"},
        "times": {"columns": "at"},
        "events": [{"type": "support.ticket.created", "at": "at", "data": {"channel": "email"}}],
        **changes,
    }


def faults_of(raw: Any) -> list[str]:
    with pytest.raises(MappingError) as caught:
        parse_mapping(raw)
    return caught.value.faults


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.name)
def test_a_shipped_example_is_valid(path: Path) -> None:
    assert load_mapping(path).events


def test_all_faults_are_reported_at_once_with_their_paths() -> None:
    raw = minimal(
        version=2,
        times={"columns": "at", "zone": "Europe/Atlantis"},
        input={"delimiter": ";;", "encoding": "klingon"},
        colour="blue",
    )
    faults = faults_of(raw)
    assert {fault.partition(":")[0] for fault in faults} >= {"version", "times", "input.delimiter", "colour"}
    assert any("Europe/Atlantis" in fault for fault in faults)


def test_references_within_the_file_are_checked() -> None:
    event = {
        "type": "support.ticket.created",
        "at": ["at", "then"],
        "when": [{"value": "mood", "equals": 1}],
        "data": {"channel": {"value": "medium"}},
    }
    text = " ".join(faults_of(minimal(events=[event])))
    assert "'then' is not among times.columns" in text
    assert "events.0.when.0: there is no value 'mood'" in text
    assert "events.0.data.channel: there is no value 'medium'" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"events": [{"type": "support.ticket.exploded", "at": "at"}]}, "is no type of an event about somebody"),
        ({"events": [{"type": "support.ticket.created", "at": "at", "data": {"ticket_id": "x"}}]}, "ticket_id comes from `key`"),
        ({"keep": [{"first": True}]}, "depend on which rows are kept"),
        ({"keep": [{"column": "x"}]}, "say what must hold"),
        ({"keep": [{"equals": "x"}]}, "name the column"),
        ({"values": {"a": {"column": "x", "constant": 1}}}, "exactly one of"),
        ({"events": [{"type": "support.message.added", "at": "at", "data": {"author": {"type": "agent"}}}]}, "such as author.type"),
        ({"events": [{"type": "support.message.added", "at": "at", "data": {"author": 1, "author.type": 2}}]}, "a value and an object"),
        ({"events": [{"type": "support.message.added", "at": "at", "data": {"author.": 1}}]}, "an empty name"),
        ({"events": [{"type": "support.ticket.deleted", "at": "at", "wen": []}]}, "events.0.wen: unknown key"),
        ({"values": {"a": {"column": "x", "map": {True: "open"}}}}, "quote the words"),
        ({"times": {"columns": "at", "date": "day", "format": "iso"}}, "must read a time of day"),
        ({"times": {"columns": "at", "format": "military"}}, "neither iso"),
    ],
)
def test_a_fault_says_what_to_do(change: dict[str, Any], words: str) -> None:
    assert words in " ".join(faults_of(minimal(**change)))


def test_numbers_as_keys_of_a_map_stand_for_their_text() -> None:
    mapping = parse_mapping(minimal(values={"priority": {"column": "p", "map": {1: "urgent", 2: "high"}}}))
    assert mapping.values["priority"].map == {"1": "urgent", "2": "high"}


def test_what_is_not_yaml_or_not_there_is_a_fault_not_a_crash(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1", encoding="utf-8")
    with pytest.raises(MappingError, match="not YAML"):
        load_mapping(broken)
    with pytest.raises(MappingError, match="No such file"):
        load_mapping(tmp_path / "absent.yaml")
    assert faults_of(["not", "a", "mapping"])
