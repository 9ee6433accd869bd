"""The reader of KPIs on a real broker: committed records only, from the beginning, and again when the broker has deleted what it wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from processor.client import KpiChange, KpiKey, KpiReader
from processor.core.settings import MINUTE_MS
from tests.client.kpi_log import PHONE, W, gone, record
from tests.kafka.broker import Broker

TopicName = Callable[[str], str]
ALL, BY_PHONE = KpiKey((), (), "1h"), KpiKey(("channel",), ("phone",), "1h")


async def make_topic(broker: Broker, name: str, partitions: int = 2) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs={"cleanup.policy": "delete"})])  # as a slow reader meets it
    finally:
        await admin.close()


async def delete_before(broker: Broker, topic: str, partition: int, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, partition): RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


async def write(broker: Broker, topic: str, *records: tuple[bytes, bytes | None], partition: int = 0, commit: bool = True) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id=f"{topic}-writer")
    await producer.start()
    try:
        await producer.begin_transaction()
        for key, value in records:
            await producer.send_and_wait(topic, value, key=key, partition=partition)
        if commit:
            await producer.commit_transaction()
        else:
            await producer.abort_transaction()
    finally:
        await producer.stop()


def held(reader: KpiReader) -> dict[KpiKey, float | None]:
    return {key: each.kpis["tickets_created"].value for key, each in reader.latest.items()}


async def read_to_the_end(reader: KpiReader) -> list[KpiChange]:
    changes: list[KpiChange] = []
    while not reader.caught_up:
        changes += await anext(reader)
    return changes


async def present(broker: Broker, topic: str) -> dict[KpiKey, float | None]:
    async with KpiReader(broker.bootstrap, topic, follow=False) as reader:
        async for _ in reader:
            pass
        assert reader.caught_up
        return held(reader)


async def test_a_reader_holds_the_newest_committed_value_of_each_segment(broker: Broker, topic_name: TopicName) -> None:
    topic = topic_name("kpis")
    await make_topic(broker, topic)
    assert await present(broker, topic) == {}
    await write(broker, topic, record(created=1), record(created=2, end=W + MINUTE_MS))
    await write(broker, topic, record(created=99, end=W + 2 * MINUTE_MS, epoch=9), commit=False)
    await write(broker, topic, record(PHONE, 5), partition=1)
    assert await present(broker, topic) == {ALL: 2, BY_PHONE: 5}
    async with KpiReader(broker.bootstrap, topic) as reader:
        async with asyncio.timeout(30):
            await read_to_the_end(reader)
            assert held(reader) == {ALL: 2, BY_PHONE: 5}
            await write(broker, topic, record(created=7, epoch=2), gone(PHONE))
            (change, removed) = await anext(reader)
        assert (change.key, removed.key, removed.kpis) == (ALL, BY_PHONE, None)
        assert held(reader) == {ALL: 7}


async def test_a_reader_slower_than_retention_starts_over_and_says_so(broker: Broker, topic_name: TopicName) -> None:
    topic = topic_name("expired")
    await make_topic(broker, topic, partitions=1)
    await write(broker, topic, record(created=1), record(PHONE, 5))
    told: list[int] = []
    async with KpiReader(broker.bootstrap, topic, told_over=told.append) as reader, asyncio.timeout(60):
        await read_to_the_end(reader)
        assert (held(reader), told) == ({ALL: 1, BY_PHONE: 5}, [])
        # While nobody asks for the next batch, nothing is fetched beyond a buffer: so the broker can be ahead of the reader.
        reader._consumer.pause(TopicPartition(topic, 0))
        await write(broker, topic, *(record(created=number, end=W + number * MINUTE_MS) for number in range(2, 6)))
        await delete_before(broker, topic, 0, 6)
        reader._consumer.seek(TopicPartition(topic, 0), 3)  # what it had fetched is thrown away
        reader._consumer.resume(TopicPartition(topic, 0))
        changes = [*await anext(reader), *await read_to_the_end(reader)]
        assert (told, reader.started_over) == ([0], 1)
        assert held(reader) == {ALL: 5}
        assert [(each.key, each.kpis is None) for each in changes][-1] == (BY_PHONE, True)
