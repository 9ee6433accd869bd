"""`ticket-kpis state import`: an exported state into the empty topics of a deployment, whatever its number of partitions.

Where the events topic is another one, it is read from its beginning: it must hold what comes after the export, and nothing of before.
Where it is the same, each partition goes on behind what it had applied, and partitions that came later begin at theirs.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.codec.facts import FactWriter
from processor.codec.murmur2 import partition_of
from processor.config import Config
from processor.core.settings import Settings
from processor.state_tools.broker import Progress, ToolError, bounds, reading, records_of
from processor.state_tools.file import Exported
from processor.state_tools.moving import Moved, MovedPartition, MoveError, move
from processor.state_tools.writing import fenced
from processor.stream.committer import Transaction
from processor.stream.connection import aiokafka_settings
from processor.stream.marker import MarkerWriter
from processor.stream.state_topic import read_state, unheard

Applied = dict[str, int]

EMPTY = "`ticket-kpis topics reset-state` empties it, or import into topics of another name"


async def import_state(config: Config, settings: Settings, exported: Exported, *, progress: Progress = unheard) -> Moved:
    """Write the state; returns what was moved. `progress` hears of records read and written. Raises ToolError or MoveError."""
    header, partitions = exported.header, config.topics.partitions
    if config.worker.partitioner == "any" and header["partitions"] != partitions:
        raise MoveError("worker.partitioner is any: nobody can tell where an entity's events will go. Import to as many partitions")
    async with reading(config) as consumer:
        await _require_empty(config, consumer)
        applied = await _applied(config, exported, consumer)
    stay = header["partitions"] == partitions
    moved = move(settings, exported.partitions, partitions, stay=stay, progress=progress)
    if found := moved.differences():
        raise MoveError(f"the state does not add up after the move ({found[0]}), a fault of the processor; please report it")
    await _write(config, settings, exported, moved, applied, progress)
    return moved


async def _require_empty(config: Config, consumer: AIOKafkaConsumer) -> None:
    topics = config.topics
    for number, (first, end) in enumerate(await bounds(config, consumer, topics.state)):
        if first < end:  # perhaps only of transactions that were aborted
            stored = await read_state(aiokafka_settings(config.kafka), topics.state, number)
            if stored.marker is not None or stored.records:
                raise ToolError(f"{topics.state}-{number} holds a state already; {EMPTY}")
    for number, (first, end) in enumerate(await bounds(config, consumer, topics.rekeyed)):
        async for records in records_of(consumer, TopicPartition(topics.rekeyed, number), first, end):
            if records:
                raise ToolError(f"{topics.rekeyed}-{number} holds records already; {EMPTY}")


async def _applied(config: Config, exported: Exported, consumer: AIOKafkaConsumer) -> list[Applied]:
    """The offsets behind which each new partition goes on."""
    topics, header = config.topics, exported.header
    events = await bounds(config, consumer, topics.events)
    rekeyed = [end - 1 for _, end in await bounds(config, consumer, topics.rekeyed)]
    if header["events_topic"] != topics.events:
        return [{topics.events: first - 1, topics.rekeyed: own} for (first, _), own in zip(events, rekeyed, strict=True)]
    found = []
    for number, ((first, end), own) in enumerate(zip(events, rekeyed, strict=True)):
        applied = first - 1
        if number < header["partitions"]:
            applied = exported.partitions[number].marker["applied"][topics.events]
            if not first <= applied + 1 <= end:
                raise ToolError(
                    f"{topics.events}-{number} reaches from {first} to {end}, the exported state goes on at {applied + 1}: "
                    "events in between are gone, or it is another topic. Export again, or import beside a topic of another name"
                )
            if header["partitions"] != topics.partitions:
                await _require_in_place(consumer, TopicPartition(topics.events, number), applied + 1, end, topics.partitions)
        found.append({topics.events: applied, topics.rekeyed: own})
    return found


async def _require_in_place(consumer: AIOKafkaConsumer, source: TopicPartition, first: int, end: int, partitions: int) -> None:
    """Events that were written under the old number of partitions and not applied would be refused as misplaced."""
    async for records in records_of(consumer, source, first, end):
        for record in records:
            if record.key and partition_of(record.key, partitions) != source.partition:
                raise ToolError(
                    f"{source.topic}-{source.partition} has an event at {record.offset} that was not applied and that belongs to another "
                    f"of {partitions} partitions: let the workers read to the end before the topic gets more partitions, and export then"
                )


async def _write(config: Config, settings: Settings, exported: Exported, moved: Moved, applied: list[Applied], progress: Progress) -> None:
    markers = [partition.marker for partition in exported.partitions]
    moving: dict[str, Any] = {
        "epoch": max(marker["epoch"] for marker in markers) + 1,
        "newest_appended_at": max(marker["newest_appended_at"] for marker in markers),
        "appended_at": 0,  # the log is another one
    }
    writer = MarkerWriter(config, settings, config.topics.partitions)
    for partition in moved.partitions:
        async with fenced(config, partition.number) as committer:
            marker = writer.write_of(partition.marker, partition.number, applied=applied[partition.number], **moving)
            await committer.commit(_transaction(partition, marker, applied[partition.number], agents=config.facts.agents))
        progress(len(partition.records))


def _transaction(partition: MovedPartition, marker: bytes, applied: Applied, *, agents: bool) -> Transaction:
    return Transaction(
        marker,
        {TopicPartition(topic, partition.number): offset + 1 for topic, offset in applied.items()},
        records=partition.encoded(),
        facts=map(FactWriter(agents=agents).record, partition.facts),
    )
