"""Topic specifications meet the configuration: names, partitions and copies come from there, settings from the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.config.service import TOPIC_ROLES, Topics
from processor.stream.topics import specs


def test_every_role_has_a_specification_in_the_repository() -> None:
    wanted = specs(Topics())
    assert [spec.role for spec in wanted] == list(TOPIC_ROLES)
    assert [spec.name for spec in wanted] == [getattr(Topics(), role) for role in TOPIC_ROLES]


def test_names_partitions_and_copies_are_the_configured_ones() -> None:
    wanted = specs(Topics(events="mine", partitions=7, kpi_partitions=2, replication=3))
    assert wanted[0].name == "mine"
    assert {spec.role for spec in wanted if spec.partitions == 2} == {"partials", "kpis"}
    assert {spec.role: spec.partitions for spec in wanted if spec.partitions not in (2, 7)} == {"alerts": 1}
    assert {spec.replication for spec in wanted} == {3}


def test_the_log_keeps_the_brokers_time_and_the_state_only_the_latest() -> None:
    by_role = {spec.role: spec for spec in specs(Topics())}
    assert by_role["events"].config["message.timestamp.type"] == "LogAppendTime"
    assert by_role["state"].config["cleanup.policy"] == "compact"


def test_a_dead_letter_has_room_for_the_largest_event_and_its_headers() -> None:
    by_role = {spec.role: spec for spec in specs(Topics())}
    assert int(by_role["rejected"].config["max.message.bytes"]) > int(by_role["events"].config["max.message.bytes"])


def test_a_missing_specification_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no specification of support\.events\.v1"):
        specs(Topics(), tmp_path)
