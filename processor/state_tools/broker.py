"""The state tools' view of the broker: stored partitions with what they have not read, and where topics begin and end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.codec.rekeyed import decode_rekeyed
from processor.codec.state import decode_marker
from processor.config import Config
from processor.state_tools.file import Pending, StoredPartition
from processor.stream.committed import open_reader
from processor.stream.connection import aiokafka_settings, partitions_of
from processor.stream.state_topic import read_state, unheard

Progress = Callable[[int], None]

WAIT_SECONDS = 10.0  # for a broker that has answered before


class ToolError(Exception):
    """It cannot be done as things are. The message says what to do about it."""


def reading(config: Config) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
    """A consumer that belongs to no group and reads what is committed. What is not there is an error, and what is damaged, too."""
    return open_reader(aiokafka_settings(config.kafka), auto_offset_reset="none")


async def bounds(config: Config, consumer: AIOKafkaConsumer, topic: str) -> list[tuple[int, int]]:
    """(first, end) of each partition. Raises ToolError where there are not as many as configured."""
    wanted = config.topics.partitions
    found = len(await partitions_of(config.kafka, topic, wait_seconds=WAIT_SECONDS))
    if found != wanted:
        raise ToolError(f"{topic} has {found} partitions, topics.partitions says {wanted}; `ticket-kpis topics verify` says more")
    sources = [TopicPartition(topic, number) for number in range(wanted)]
    first, end = await consumer.beginning_offsets(sources), await consumer.end_offsets(sources)
    return [(first[source], end[source]) for source in sources]


async def records_of(consumer: AIOKafkaConsumer, source: TopicPartition, first: int, end: int) -> AsyncIterator[list[Any]]:
    """The records of offsets [first, end), in batches."""
    if first >= end:
        return
    consumer.assign([source])
    consumer.seek(source, first)
    while await consumer.position(source) < end:
        for records in (await consumer.getmany(source, timeout_ms=500)).values():
            yield [record for record in records if record.offset < end]


async def stored_partition(config: Config, number: int, *, live: bool = False, progress: Progress = unheard) -> StoredPartition | None:
    """A partition as it lies in the state topic; None where nothing is stored. Raises ToolError for a state that is not ours to read."""
    topic = config.topics.state
    stored = await read_state(aiokafka_settings(config.kafka), topic, number, live=live, progress=progress)
    if stored.marker is None:
        if stored.records:
            raise ToolError(f"{topic}-{number} holds {len(stored.records)} records but no marker, so they are not ours. Check topics.state")
        return None
    try:
        decode_marker(stored.marker)
    except ValueError as error:
        raise ToolError(f"{topic}-{number}: {error}. Use the release that wrote it, or a later one") from error
    marker = orjson.loads(stored.marker)
    if marker["application_id"] != config.application_id:
        raise ToolError(f"{topic}-{number} belongs to application {marker['application_id']!r}. Check application_id and topics.state")
    return StoredPartition(number, marker, stored.records)


async def stored_partitions(config: Config, *, live: bool = False, progress: Progress = unheard) -> AsyncIterator[StoredPartition]:
    """All partitions of a deployment, one by one. Raises ToolError where one has no state."""
    for number in range(config.topics.partitions):
        partition = await stored_partition(config, number, live=live, progress=progress)
        if partition is None:
            raise ToolError(f"{config.topics.state}-{number} has no state: let a worker run until every partition has one")
        if partition.marker["partitions"] != config.topics.partitions:
            many = partition.marker["partitions"]
            raise ToolError(f"the state has {many} partitions, topics.partitions says {config.topics.partitions}: set it to {many}")
        yield partition


async def pending_of(
    consumer: AIOKafkaConsumer, topic: str, number: int, marker: dict[str, Any], first: int, end: int
) -> list[Pending]:
    """The re-keyed records that a partition has not read, without those that no worker could read. Raises ToolError where they are gone."""
    applied = marker["applied"].get(topic)
    if applied is not None and applied + 1 < first:
        raise ToolError(f"{topic}-{number} begins at {first}, but the state goes on at {applied + 1}: what lay between is lost")
    following = first if applied is None else applied + 1
    pending: list[Pending] = []
    async for records in records_of(consumer, TopicPartition(topic, number), following, end):
        for record in records:
            with suppress(ValueError):
                decode_rekeyed(record.value, record.key)
                pending.append((record.key, record.value))
    return pending


def size_of(parts: Sequence[tuple[int, int]]) -> int:
    """How many offsets there are."""
    return sum(end - first for first, end in parts)
