"""State that would lie is refused, on a real broker: each partition is damaged in another way, and each says what to do about it.

Where the check is pure, its cases are in tests/stream/test_takeover.py; deploy/runbook.md has the table that people read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Source
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType

from processor.codec.murmur2 import partition_of
from processor.codec.state import MARKER_KEY
from processor.stream.topics import create_topics, specs
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, Worker, caught_up, ends_of, until
from tests.kafka.events import created, keyed

TopicName = Callable[[str], str]
NOW = 1_767_225_600_000
BATCH_HEADER_BYTES = 61
RESET = "`ticket-kpis topics reset-state`"
IMPORT = "`ticket-kpis state import`"


def tickets(partitions: int, first: int = 0, each: int = 5) -> list[Sent]:
    """So many for each partition."""
    sent: dict[int, list[Sent]] = {number: [] for number in range(partitions)}
    number = first
    while min(map(len, sent.values())) < each:
        ticket = f"T-{number}"
        place = sent[partition_of(ticket.encode(), partitions)]
        if len(place) < each:
            place.append(keyed(ticket, created(ticket, NOW), partitions))
        number += 1
    return [record for place in sent.values() for record in place]


def run_once(deployment: Deployment, log: list[Sent]) -> None:
    """A good life of a worker, up to the end of the log."""
    with deployment.worker() as worker:
        until("it has caught up", lambda: caught_up(ends_of(log, deployment.config.topics.partitions), worker))
        assert worker.end() == 0


def refusals(worker: Worker) -> dict[int, str] | None:
    """What /readyz says of each partition, once none is starting."""
    answer = worker.get("/readyz")
    if answer is None or answer.status == 200 or b": starting" in answer.body or b"no partitions yet" in answer.body:
        return None
    told = [line for line in answer.body.decode().splitlines() if not line.startswith("kpis")]
    return {int(line.partition(":")[0].rpartition("-")[2]): line for line in told}


def markers(deployment: Deployment) -> dict[int, dict[str, Any]]:
    """The newest marker of each partition."""
    return {record.partition: orjson.loads(record.value) for record in deployment.read("state") if record.key == MARKER_KEY}


def configure(admin: KafkaAdminClient, deployment: Deployment, role: str, different: dict[str, str] | None = None) -> None:
    """Give a topic the settings of its specification, but for some."""
    (spec,) = (spec for spec in specs(deployment.config.topics) if spec.role == role)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, spec.name, configs=spec.config | (different or {}))])


def change_a_bit(segment: Path) -> None:
    """Of the first record, as a disk might."""
    with segment.open("r+b") as file:
        file.seek(BATCH_HEADER_BYTES + 8)
        (byte,) = file.read(1)
        file.seek(BATCH_HEADER_BYTES + 8)
        file.write(bytes([byte ^ 1]))


async def commit(deployment: Deployment, source: Source, offset: int) -> None:
    """As an operator would, while the group is empty."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=deployment.bootstrap, group_id=deployment.config.application_id, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([source])
        await consumer.commit({source: offset})
    finally:
        await consumer.stop()


def test_each_damage_is_told_with_its_repair_and_the_partition_beside_it_runs(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("damage"), tmp_path, partitions=13).create_topics()
    topics, log = deployment.config.topics, tickets(13)
    deployment.send(log)
    run_once(deployment, log)
    marked = markers(deployment)
    deployment.send(tickets(13, first=1000))

    def write(partition: int, key: bytes, value: bytes | None) -> None:
        deployment.send_to("state", [(partition, key, value)])

    def mark(partition: int, **changes: Any) -> None:
        write(partition, MARKER_KEY, orjson.dumps(marked[partition] | changes))

    with deployment.admin() as admin:
        configure(admin, deployment, "state", {"cleanup.policy": "delete"})
        admin.delete_records({TopicPartition(topics.state, 0): 3, TopicPartition(topics.events, 1): 7})
        configure(admin, deployment, "state")
        rekeyed_end = deployment.rekeyed_ends()[2]
        admin.delete_records({TopicPartition(topics.rekeyed, 2): rekeyed_end})
    mark(2, applied=marked[2]["applied"] | {topics.rekeyed: rekeyed_end - 2})
    write(3, MARKER_KEY, orjson.dumps(marked[4]))
    write(4, b"somebody", b"else")
    mark(5, state_version=1000)
    mark(6, application_id="another")
    asyncio.run(commit(deployment, Source(topics.events, 7), 9))
    mark(8, applied=marked[8]["applied"] | {topics.events: 4000})
    write(9, MARKER_KEY, None)
    mark(10, appended_at=marked[10]["appended_at"] - 3_600_000)
    change_a_bit(broker.directory / "data" / f"{topics.state}-11" / "00000000000000000000.log")
    expected = {
        0: ("state topic", "begins at offset 3", "must be compact", "`ticket-kpis topics verify`", RESET, IMPORT),
        1: ("the log begins at 7, but the state goes on at 5", "deleted unread", RESET),
        2: ("rekeyed-2: the log begins at", "deleted unread", RESET),
        3: ("that of partition 4", "Put them back", RESET),
        4: ("cannot be read", "somebody else wrote it", RESET, IMPORT),
        5: ("state version 1000 is unknown", "Run the release that wrote it", RESET),
        6: ("belongs to application 'another'", "application_id", IMPORT),
        7: ("committed 9, beyond the state's 5", "newest state was lost", RESET, IMPORT),
        8: ("the log ends at 10, before the state's 4001", "topics.events", IMPORT),
        9: ("records but no marker", "topics.state", RESET),
        10: ("the record at offset 4 is not the state's", "made anew", RESET),
        11: ("the batch at offset 0 is damaged", "checksum", RESET, IMPORT),
    }
    with deployment.worker() as worker:
        told = until("it refuses", lambda: refusals(worker))
        assert told.keys() == expected.keys()
        for number, words in expected.items():
            for word in words:
                assert word in told[number]
        assert worker.applied() == {12: 9}
        running = {labels: flag for labels, flag in worker.samples("support_processor_partition_running").items() if flag}
        assert list(running) == ['{partition="12"}']
        assert worker.end() == 0


def test_an_events_topic_that_was_made_anew_is_refused_though_it_is_as_long(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("anew"), tmp_path).create_topics()
    log = tickets(2)
    deployment.send(log)
    run_once(deployment, log)
    deployment.make_anew("events")
    deployment.send(log)  # the very same events, in the same places
    with deployment.worker() as worker:
        told = until("it refuses", lambda: refusals(worker))
        for number in range(2):
            assert "the topic was made anew or restored from elsewhere" in told[number]
            assert "`ticket-kpis state export`" in told[number]
        assert worker.snapshot()["partitions"] == {}
        assert worker.end() == 0


def test_a_rekeyed_topic_that_was_made_anew_is_refused_though_it_is_longer(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("handed"), tmp_path).create_topics()
    log = tickets(2)
    deployment.send(log)
    run_once(deployment, log)
    ends = deployment.rekeyed_ends()
    assert max(ends.values()) > 0  # how far each partition has come, at least
    deployment.make_anew("rekeyed")
    deployment.send_to("rekeyed", [(number, b"C-1", b"{}") for number, end in ends.items() for _ in range(end + 5)])
    with deployment.worker() as worker:
        told = until("it refuses", lambda: refusals(worker))
        for number in range(2):
            assert "the topic was made anew or restored from elsewhere. Check topics.rekeyed" in told[number]
        assert worker.end() == 0


@pytest.mark.parametrize(
    ("role", "settings", "words"),
    [
        ("state", {"cleanup.policy": "delete"}, ("cleanup.policy is delete, must be compact", "kafka-configs")),
        ("events", {"message.timestamp.type": "CreateTime"}, ("is CreateTime, must be LogAppendTime", "kafka-configs")),
    ],
)
def test_a_topic_whose_settings_would_lose_or_distort_what_is_in_it_ends_the_start(
    role: str, settings: dict[str, str], words: tuple[str, ...], broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("settings"), tmp_path).create_topics()
    with deployment.admin() as admin:
        configure(admin, deployment, role, settings)
    with deployment.worker() as worker:
        assert worker.exit_code() == 2
        for word in words:
            assert word in worker.log()


def test_a_topic_with_fewer_partitions_than_the_events_ends_the_start(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("fewer"), tmp_path)
    with deployment.admin() as admin:
        few = {"rekeyed": 1, "facts": 1, "state": 3}
        wanted = specs(deployment.config.topics)
        create_topics(admin, [spec if spec.role not in few else replace_partitions(spec, few[spec.role]) for spec in wanted])
    with deployment.worker() as worker:
        assert worker.exit_code() == 2
        for role, count in few.items():
            assert f"{getattr(deployment.config.topics, role)}: partition count is {count}, must be 2" in worker.log()
        assert "`ticket-kpis state export` and `import`" in worker.log()


def test_a_second_application_with_the_same_id_does_not_start(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    name = topic_name("one")
    first = Deployment(broker.bootstrap, name, tmp_path / "first").create_topics()
    second = Deployment(broker.bootstrap, topic_name("two"), tmp_path / "second", application_id=name).create_topics()
    with first.worker() as running:
        until("it is ready", running.ready)
        with second.worker() as worker:
            assert worker.exit_code() == 2
        for word in (f"a worker that reads {first.config.topics.events}", "two applications have one id", "Change application_id"):
            assert word in worker.log()
        assert running.ready()
        with first.worker("another") as beside:
            until("one of its own joins", lambda: len(beside.applied()) == 1)


def replace_partitions(spec: Any, partitions: int) -> Any:
    return type(spec)(spec.role, spec.name, partitions, spec.replication, spec.config)
