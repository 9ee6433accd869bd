"""A downstream reader comes to the worker's digest, whatever happened to the worker, and gets again what it did not handle."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from processor.client import Fact, FactReader, FactRecord, Ledger, NoSuchTopicError
from processor.schemas_path import schemas_path
from tests.kafka.background import Background
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, caught_up, ends_of, until
from tests.kafka.test_worker_kill import Flow, synthetic

TopicName = Callable[[str], str]
KILLS = 4
EXAMPLES = schemas_path() / "examples/support.facts.v1"


async def everything(deployment: Deployment) -> list[FactRecord]:
    async with FactReader(deployment.config.kafka, deployment.config.topics.facts, follow=False) as reader:
        return [record async for batch in reader for record in batch]


def test_the_ledger_of_a_reader_is_that_of_a_worker_that_was_killed_on_the_way(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("ledger"), tmp_path, worker={"session_timeout_seconds": 1}).create_topics()
    log = synthetic(deployment.config, 4000, 17)
    with Flow(deployment, log) as flow:
        with deployment.worker("first", failpoint="step.after_flush:6") as first:  # facts are written, and not committed
            assert first.exit_code() == -signal.SIGKILL
        assert flow.flows()
        with deployment.worker("second") as second:
            flow.finish()
            (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), second))
    records = asyncio.run(everything(deployment))
    ledger, signs, last_of_slot = Ledger(), Counter[str](), dict[str, Fact]()
    for record in records:
        assert ledger.apply(record), "each statement and each retraction is committed once"
        signs[record.fact.conclusion] += 1 if record.fact.retracts is None else -1
        last_of_slot[record.fact.slot] = record.fact
    assert len(records) > len(ledger) > 0
    assert (ledger.digest, ledger.ledger_count) == (taken["digest"], taken["ledger_count"])
    of_partitions = {number: shown["digest"] for number, shown in taken["partitions"].items()}
    assert {str(partition): digest for (_, partition), digest in ledger.digests().items()} == of_partitions
    assert {number: count for number, count in signs.items() if count} == dict.fromkeys((fact.id for fact in ledger.facts()), 1)
    standing = {slot: fact for slot, fact in last_of_slot.items() if fact.retracts is None}
    assert standing == {fact.slot: fact for fact in ledger.facts()}  # the latest of each slot, as an SQL engine would select it
    assert all(ledger.latest(slot) == fact for slot, fact in standing.items())

class Following(Background):
    """A reader of a group that follows in the background, and its ledger."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.repeated: list[FactRecord] = []
        self._deployment = deployment

    def _work(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        config = self._deployment.config
        async with FactReader(config.kafka, config.topics.facts, group_id=f"{config.application_id}-reader") as reader:
            batches = aiter(reader)
            while not self._end.is_set():
                with suppress(TimeoutError):
                    self.repeated += [record for record in await asyncio.wait_for(anext(batches), 1) if not self.ledger.apply(record)]


def test_a_reader_that_follows_sees_each_fact_once_while_one_worker_after_the_other_is_killed(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("once"), tmp_path, worker={"session_timeout_seconds": 1}).create_topics()
    log = synthetic(deployment.config, KILLS * 1200, 23)
    with Following(deployment) as reader, Flow(deployment, log) as flow:
        for number in range(KILLS):
            before = reader.ledger.ledger_count
            with deployment.worker(f"worker-{number}") as worker:
                until("there is something new", lambda: reader.ledger.ledger_count > before + 50)  # noqa: B023 - asked at once
                assert worker.end(signal.SIGKILL) == -signal.SIGKILL
        assert flow.flows(), "the log has ended before the last kill"
        with deployment.worker("last") as last:
            flow.finish()
            (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), last))
            until("the reader has, too", lambda: reader.ledger.digest == taken["digest"])
    assert reader.ledger.ledger_count == taken["ledger_count"] > 1000
    assert reader.repeated == []


async def make_topic(broker: Broker, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def write(broker: Broker, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def test_a_block_that_fails_gets_its_batch_again_and_the_group_goes_on_after_what_was_handled(
    broker: Broker, topic_name: TopicName
) -> None:
    topic = topic_name("again")
    await make_topic(broker, topic)
    values = [path.read_bytes() for path in sorted(EXAMPLES.iterdir())]
    await write(broker, topic, *values[:2])
    async with FactReader(broker.bootstrap, topic, group_id=topic) as reader:
        with suppress(RuntimeError):
            async for batch in reader:
                assert batch[0].offset == 0
                raise RuntimeError
        async for batch in reader:  # the same reader, again from where nothing was handled
            assert batch[0].offset == 0
            break
    async with FactReader(broker.bootstrap, topic, group_id=topic) as reader:
        seen = 0
        async for batch in reader:
            assert batch[0].offset == seen
            seen = batch[-1].offset + 1
            if seen == 2:
                await reader.commit()
                break
    await write(broker, topic, *values[2:])
    async with FactReader(broker.bootstrap, topic, group_id=topic) as reader:
        async for batch in reader:
            assert batch[0].offset == 2
            break


async def test_latest_is_what_comes_after_entry_and_what_is_no_fact_has_a_place(broker: Broker, topic_name: TopicName) -> None:
    topic = topic_name("latest")
    await make_topic(broker, topic)
    value = (EXAMPLES / "ticket_solved.json").read_bytes()
    await write(broker, topic, value)
    async with FactReader(broker.bootstrap, topic, start="latest") as reader:
        await write(broker, topic, value)
        assert [record.offset for record in await anext(reader)] == [1]
    await write(broker, topic, b"no fact", value)
    async with FactReader(broker.bootstrap, topic, follow=False) as reader:
        with pytest.raises(ValueError, match=f"{topic}, partition 0, offset 2: not a fact"):
            _ = [batch async for batch in reader]
    problems: list[str] = []
    async with FactReader(broker.bootstrap, topic, follow=False, unreadable=problems.append) as reader:
        assert [record.offset async for batch in reader for record in batch] == [0, 1, 3]
    assert len(problems) == 1
    with pytest.raises(NoSuchTopicError):
        await FactReader(broker.bootstrap, f"{topic}-missing").__aenter__()
