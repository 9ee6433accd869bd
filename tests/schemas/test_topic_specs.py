"""The topic specifications fit each other and the schemas."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from processor.codec.decode import MAX_BYTES
from processor.config.service import TOPIC_ROLES, Topics
from processor.schemas_path import schemas_path

ROOT = schemas_path()
SPECS: dict[str, dict[str, Any]] = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((ROOT / "topics").glob("*.yaml"))}
FIELDS = ["name", "description", "key", "partitions", "config", "writer", "readers", "schema", "dead_letter"]
DELIVERED = "support.events.v1"


def test_every_topic_is_specified() -> None:
    assert set(SPECS) == {Topics.model_fields[role].default for role in TOPIC_ROLES}


@pytest.mark.parametrize("name", SPECS)
def test_a_specification_is_complete(name: str) -> None:
    spec = SPECS[name]
    assert list(spec) == FIELDS
    assert spec["name"] == name
    assert all(spec[field] for field in ("description", "key", "writer", "readers"))
    assert all(isinstance(value, str) for value in spec["config"].values()), "Kafka takes the values of a configuration as text"
    assert spec["config"]["cleanup.policy"] in ("delete", "compact")
    assert "message.timestamp.type" in spec["config"]


def test_the_events_decide_the_number_of_partitions_but_for_the_kpi_stage() -> None:
    assert isinstance(SPECS[DELIVERED]["partitions"], int)
    others = {name: spec["partitions"] for name, spec in SPECS.items() if name != DELIVERED}
    assert {name for name, partitions in others.items() if partitions == "as kpis"} == {"support.partials.v1", "support.kpis.v1"}
    assert {name for name, partitions in others.items() if partitions == 1} == {"support.alerts.v1"}
    assert set(others.values()) == {"as events", "as kpis", 1}


NO_RECORDS = {"support.explanation.v1"}  # what is answered over HTTP and printed


def test_every_schema_belongs_to_a_topic_and_every_topic_names_schemas_that_exist() -> None:
    named = [schema for spec in SPECS.values() for schema in spec["schema"]]
    assert sorted(named) == sorted({path.name.removesuffix(".schema.json") for path in ROOT.glob("*.schema.json")} - NO_RECORDS)


def test_what_others_write_has_a_dead_letter_topic_with_room_for_the_largest_record() -> None:
    events = SPECS[DELIVERED]
    dead_letter = SPECS[events["dead_letter"]]
    assert MAX_BYTES < int(events["config"]["max.message.bytes"]) < int(dead_letter["config"]["max.message.bytes"])
    assert dead_letter["config"]["cleanup.policy"] == "delete", "compaction would drop all but the last refusal of a key"
    assert all(spec["dead_letter"] in (None, *SPECS) for spec in SPECS.values())


def test_the_events_carry_the_brokers_time_and_are_kept() -> None:
    config = SPECS[DELIVERED]["config"]
    assert config["message.timestamp.type"] == "LogAppendTime"
    assert config["retention.ms"] == "-1"


def test_what_is_looked_up_by_key_is_compacted() -> None:
    compacted = {name for name, spec in SPECS.items() if spec["config"]["cleanup.policy"] == "compact"}
    assert compacted == {"support.state.v1", "support.partials.v1", "support.kpis.v1"}
