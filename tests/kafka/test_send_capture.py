"""`send` and `capture` on a real broker: nothing lost, nothing changed, order kept."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner
from kafka import KafkaAdminClient

from processor.cli.capture import command as capture_command
from processor.cli.send import command as send_command
from processor.codec.murmur2 import partition_of
from processor.config.service import Kafka
from processor.stream.capture import Capture
from processor.stream.lines import Outgoing
from processor.stream.send import Sender, SendError, send_lines
from tests.kafka.broker import Broker

NewTopic = Callable[[str, int], str]
AWKWARD = [
    Outgoing(2, b"\xff\x00", b"\xfe\n\r", [("reason", b"\xff"), ("none", None)]),
    Outgoing(0, None, None, []),
    Outgoing(0, b"T-1", None, []),
    Outgoing(1, "ä".encode(), '{"text": "ä\\n"}'.encode(), [("a", b""), ("a", b"b")]),
    Outgoing(1, b"", b"", []),
]


@pytest.fixture
def new_topic(broker: Broker, topic_name: Callable[[str], str]) -> NewTopic:
    def make(word: str, partitions: int) -> str:
        name = topic_name(word)
        admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.create_topics({name: {"num_partitions": partitions, "replication_factor": 1}}, wait_for_metadata=True)
        admin.close()
        return name

    return make


def event_line(number: int) -> bytes:
    return orjson.dumps({"specversion": "1.0", "id": str(number), "partitionkey": f"T-{number % 50}", "data": {"n": number}})


async def captured(broker: Broker, topic: str) -> list[dict[str, Any]]:
    target = io.BytesIO()
    async with Capture(Kafka(bootstrap_servers=[broker.bootstrap]), topic) as capture:
        await capture.write(target)
    return [orjson.loads(line) for line in target.getvalue().splitlines()]


def sender(broker: Broker, topic: str) -> Sender:
    return Sender(Kafka(bootstrap_servers=[broker.bootstrap]), topic)


async def test_events_arrive_once_on_javas_partition_in_the_order_of_their_ticket(broker: Broker, new_topic: NewTopic) -> None:
    topic, lines = new_topic("order", 3), [event_line(number) for number in range(5000)]
    async with sender(broker, topic) as sending:
        await send_lines(sending, io.BytesIO(b"\n".join(lines)))
    records = await captured(broker, topic)
    assert sorted(record["value"] for record in records) == sorted(line.decode() for line in lines)
    assert all(record["partition"] == partition_of(record["key"].encode(), 3) for record in records)
    numbers = [(record["key"], orjson.loads(record["value"])["data"]["n"]) for record in records]
    assert all([n for key, n in numbers if key == ticket] == sorted(n for key, n in numbers if key == ticket) for ticket in ("T-0", "T-49"))
    assert sending.report.sent == 5000


async def test_a_capture_sent_to_another_topic_is_the_same_log(broker: Broker, new_topic: NewTopic, tmp_path: Path) -> None:
    first, second = new_topic("first", 3), new_topic("second", 3)
    async with sender(broker, first) as sending:
        await sending.send(AWKWARD)
        await sending.flush()
    file = tmp_path / "log.jsonl"
    with file.open("wb") as target:
        async with Capture(Kafka(bootstrap_servers=[broker.bootstrap]), first) as capture:
            await capture.write(target)
    with file.open("rb") as source:
        async with sender(broker, second) as sending:
            await send_lines(sending, source)
    assert without_time(await captured(broker, second)) == without_time(await captured(broker, first))
    assert sending.report.sent == len(AWKWARD)


def without_time(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(
        ({name: value for name, value in record.items() if name != "timestamp"} for record in records),
        key=lambda record: (record["partition"], record["offset"]))


async def test_a_capture_has_what_was_committed_and_ends_behind_aborted_transactions(broker: Broker, new_topic: NewTopic) -> None:
    topic = new_topic("transactions", 1)
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id=topic)
    await producer.start()
    for value in (b"kept", b"dropped"):
        await producer.begin_transaction()
        await producer.send_and_wait(topic, value, partition=0)
        await (producer.commit_transaction() if value == b"kept" else producer.abort_transaction())
    await producer.stop()
    assert [record["value"] for record in await captured(broker, topic)] == ["kept"]


async def test_lines_that_are_no_events_are_sent_untouched_and_reported(broker: Broker, new_topic: NewTopic) -> None:
    topic = new_topic("junk", 2)
    async with sender(broker, topic) as sending:
        await send_lines(sending, io.BytesIO(b'{"no": "key"}\n\nnot json\n'))
    assert sorted(record["value"] for record in await captured(broker, topic)) == ["not json", '{"no": "key"}']
    assert (sending.report.sent, sending.report.keyless) == (2, 2)
    assert [flaw.split(",")[0][:16] for flaw in sending.report.flaws] == ["line 1: no parti", "line 3: not JSON"]


async def test_of_many_such_lines_the_first_are_told_and_all_are_counted(broker: Broker, new_topic: NewTopic) -> None:
    async with sender(broker, new_topic("much-junk", 1)) as sending:
        await send_lines(sending, io.BytesIO(b"not json\n" * 12))
    assert (len(sending.report.flaws), sending.report.flawed, sending.report.sent) == (5, 12, 12)


async def test_strict_refuses_such_a_line(broker: Broker, new_topic: NewTopic) -> None:
    async with sender(broker, new_topic("strict", 1)) as sending:
        with pytest.raises(SendError, match="line 1: not JSON"):
            await send_lines(sending, io.BytesIO(b"not json"), strict=True)


async def test_a_record_that_the_broker_refuses_does_not_take_others_along(broker: Broker, new_topic: NewTopic) -> None:
    topic = new_topic("huge", 1)
    async with sender(broker, topic) as sending:
        await sending.send([Outgoing(0, b"a", b"before", []), Outgoing(0, b"b", noise(6_000_000), []), Outgoing(0, b"c", b"after", [])])
        await sending.flush()
    assert [record["value"] for record in await captured(broker, topic)] == ["before", "after"]
    assert (sending.report.sent, sending.report.refused) == (2, 1)
    assert "max.message.bytes" in sending.report.flaws[0]


async def test_the_clock_is_advanced_on_every_partition(broker: Broker, new_topic: NewTopic) -> None:
    topic = new_topic("clock", 3)
    async with sender(broker, topic) as sending:
        await sending.advance_clock("2026-01-01T00:00:00.000Z", 1_767_225_600_000)
    events = [(record["partition"], orjson.loads(record["value"])) for record in await captured(broker, topic)]
    assert sorted(partition for partition, _ in events) == [0, 1, 2]
    assert {event["data"]["at"] for _, event in events} == {"2026-01-01T00:00:00.000Z"}
    assert len({event["id"] for _, event in events}) == 3


def test_the_commands_work_on_files_and_refuse_a_topic_that_is_not_there(broker: Broker, new_topic: NewTopic, tmp_path: Path) -> None:
    topic, source, target = new_topic("commands", 2), tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"\n".join(event_line(number) for number in range(10)))
    options = ["--bootstrap", broker.bootstrap, "--topic", topic]
    sent = CliRunner().invoke(send_command, [str(source), *options, "--rate", "1000"])
    assert sent.exit_code == 0, sent.output
    assert "sent 10 records" in sent.stderr
    assert CliRunner().invoke(capture_command, ["-o", str(target), *options]).exit_code == 0
    assert len(target.read_bytes().splitlines()) == 10
    advanced = CliRunner().invoke(send_command, ["--advance-clock", "2026-01-01T00:00:00Z", *options])
    assert (advanced.exit_code, "sent 2 records" in advanced.stderr) == (0, True)  # one for each partition
    assert CliRunner().invoke(send_command, options).exit_code == 2
    for command, arguments in ((send_command, [str(source)]), (capture_command, [])):
        refused = CliRunner().invoke(command, [*arguments, "--bootstrap", broker.bootstrap, "--topic", "nowhere"])
        assert refused.exit_code == 2
        assert "there is no topic nowhere" in refused.stderr


def noise(size_bytes: int) -> bytes:
    """Bytes that no codec makes smaller, the same every time."""
    return random.Random(7).randbytes(size_bytes)
