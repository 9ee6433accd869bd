"""`topics create` and `topics verify` on a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner
from kafka import KafkaAdminClient

from processor.cli.topics import command
from processor.config.service import TOPIC_ROLES, Kafka, Topics
from processor.stream.connection import admin_client
from processor.stream.topics import State, create_topics, specs, verify_topics
from tests.kafka.broker import Broker

TopicName = Callable[[str], str]


@pytest.fixture
def admin(broker: Broker) -> Iterator[KafkaAdminClient]:
    with admin_client(Kafka(bootstrap_servers=[broker.bootstrap]), wait_seconds=5) as client:
        yield client


def named(topic_name: TopicName) -> Topics:
    return Topics.model_validate({role: topic_name(role) for role in TOPIC_ROLES} | {"partitions": 3})


def test_created_topics_are_as_specified_and_creating_again_changes_nothing(admin: KafkaAdminClient, topic_name: TopicName) -> None:
    wanted = specs(named(topic_name))
    assert set(create_topics(admin, wanted).values()) == {State.CREATED}
    assert verify_topics(admin, wanted) == []
    assert set(create_topics(admin, wanted).values()) == {State.EXISTS}


def test_missing_topics_are_named_with_the_command_that_makes_them(admin: KafkaAdminClient, topic_name: TopicName) -> None:
    wanted = specs(named(topic_name))
    problems = verify_topics(admin, wanted)
    assert [problem.topic for problem in problems] == [spec.name for spec in wanted]
    assert all("topics create" in problem.remedy for problem in problems)


def test_wrong_partitions_copies_and_settings_are_each_reported(admin: KafkaAdminClient, topic_name: TopicName) -> None:
    wanted = specs(named(topic_name))
    wrong = replace(wanted[0], partitions=2, config=wanted[0].config | {"message.timestamp.type": "CreateTime"})
    create_topics(admin, [wrong, *wanted[1:]])
    problems = verify_topics(admin, [replace(spec, replication=2) if spec.role == "facts" else spec for spec in wanted])
    assert {(problem.topic, problem.what, problem.found) for problem in problems} == {
        (wanted[0].name, "partition count", "2"),
        (wanted[0].name, "message.timestamp.type", "CreateTime"),
        (wanted[1].name, "replication", "1"),
    }


def test_settings_that_only_make_takeovers_slower_keep_nobody_from_working(admin: KafkaAdminClient, topic_name: TopicName) -> None:
    wanted = specs(named(topic_name))
    state = next(spec for spec in wanted if spec.role == "state")
    chosen = state.config | {"segment.ms": "3600000", "min.cleanable.dirty.ratio": "0.5", "delete.retention.ms": "86400000"}
    create_topics(admin, [replace(spec, config=chosen) if spec is state else spec for spec in wanted])
    problems = verify_topics(admin, wanted)
    assert {problem.what: problem.refused for problem in problems} == {"segment.ms": False, "min.cleanable.dirty.ratio": False}


def test_the_commands_exit_1_when_topics_differ_and_0_when_they_do_not(broker: Broker) -> None:
    options = ["--bootstrap", broker.bootstrap]
    before = CliRunner().invoke(command, ["verify", *options])
    created = CliRunner().invoke(command, ["create", *options])
    after = CliRunner().invoke(command, ["verify", *options])
    assert (before.exit_code, created.exit_code, after.exit_code) == (1, 0, 0)
    assert "missing" in before.stdout
    assert "support.events.v1" in after.stdout
    assert "as specified" in after.stdout


def test_without_a_broker_the_command_exits_2_with_a_message() -> None:
    done = CliRunner().invoke(command, ["verify", "--bootstrap", "127.0.0.1:1", "--wait", "0"])
    assert done.exit_code == 2
    assert "no Kafka broker (127.0.0.1:1: connection refused)" in done.stderr
