"""Taking a partition over: fence the former owner, read the state, and refuse where going on would mean wrong numbers.

The order matters. After the fence no older write can commit, so what is read afterwards is final. The group's committed offset is only a
cross-check: the marker, written in the same transaction as the state, says where to go on.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CorruptRecordException

from processor.codec.state import decode_record, quicken
from processor.codec.upgrade import UPGRADED_FROM
from processor.config import Config
from processor.core.engine import Engine
from processor.core.outputs import RecordKey
from processor.core.settings import Settings
from processor.core.upgrading import catch_up
from processor.stream.committed import appended
from processor.stream.failpoints import Failpoints
from processor.stream.inputs import NO_RECORD, Appended
from processor.stream.refusals import (
    Log,
    check_counts,
    check_fresh,
    check_marker,
    check_rekeyed,
    check_same_log,
    check_settings,
    check_whole,
    damaged,
    read_marker,
    unreadable,
)
from processor.stream.state_topic import Share, StoredState, read_state, unheard

READING = 0.6  # of a takeover's time; the rest is making an engine of what was read


@dataclass(frozen=True, slots=True)
class Taken:
    """A partition ready to run."""

    engine: Engine
    applied: int
    rekeyed_applied: int
    rekeyed_end: int
    epoch: int
    newest_appended_at: int
    records_read: int
    end: int  # of the events topic
    appended_at: int  # of the event that was applied last (ms); 0 where that is not known
    rekeyed_record: Appended = NO_RECORD


async def take_over(
    config: Config,
    settings: Settings,
    connection: dict[str, Any],
    consumer: AIOKafkaConsumer,
    source: TopicPartition,
    partitions: int,
    failpoints: Failpoints,
    recovered: Share = unheard,
    *,
    from_log_start: bool,
) -> Taken:
    """Rebuild the partition's engine from the state topic. The caller has started the transactional producer before.

    Raises RefusedError. `recovered` hears now and then which share of the state is in place. `from_log_start` allows a start without state
    although the log does not begin at 0.
    """
    rekeyed = TopicPartition(config.topics.rekeyed, source.partition)
    check_counts(consumer, rekeyed, partitions)
    log, own = await _offsets(consumer, source), await _offsets(consumer, rekeyed)
    stored = await _read(config, connection, source, failpoints, recovered)
    failpoints.reach("takeover.after_read")
    check_whole(config, source, stored)
    engine = Engine(settings, source.partition, partitions)
    quicken(engine)
    if stored.marker is None:
        check_fresh(source, log, stored, from_log_start=from_log_start)
        check_fresh(rekeyed, own, stored, from_log_start=from_log_start)
        return Taken(engine, log.first - 1, own.first - 1, own.end, 1, 0, stored.read, log.end, 0)
    marker = read_marker(source, stored.marker)
    check_marker(config, source, log, marker, partitions)
    rekeyed_applied = check_rekeyed(rekeyed, own, marker)
    check_settings(source, settings, marker)
    applied, appended_at = marker["applied"][source.topic], marker.get("appended_at", 0)
    await _check_same_log(connection, consumer, source, log, (applied, appended_at), "topics.events")
    rekeyed_record = tuple(marker.get("rekeyed_record", NO_RECORD))
    await _check_same_log(connection, consumer, rekeyed, own, rekeyed_record, "topics.rekeyed")
    await _restore(engine, source, marker, stored, recovered)
    epoch, newest = marker["epoch"] + 1, marker["newest_appended_at"]
    return Taken(engine, applied, rekeyed_applied, own.end, epoch, newest, stored.read, log.end, appended_at, rekeyed_record)


async def _read(
    config: Config, connection: dict[str, Any], source: TopicPartition, failpoints: Failpoints, recovered: Share
) -> StoredState:
    def share(read: float) -> None:
        recovered(read * READING)
        failpoints.reach("takeover.while_reading")

    try:
        return await read_state(connection, config.topics.state, source.partition, share=share)
    except CorruptRecordException as error:
        raise damaged(source, error) from error


async def _restore(engine: Engine, source: TopicPartition, marker: dict[str, Any], stored: StoredState, recovered: Share) -> None:
    total = max(len(stored.records), 1)
    try:
        for _ in engine.restore(marker, _decoded(stored.records)):
            recovered(1 - (1 - READING) * len(stored.records) / total)
            gc.freeze()  # what is new stays: looking for cycles among it would take longer than heartbeats may wait
            await asyncio.sleep(0)  # heartbeats live on this loop
        if UPGRADED_FROM in marker:
            for _ in catch_up(engine, marker[UPGRADED_FROM]):
                await asyncio.sleep(0)
    except Exception as error:  # nobody is asked here, so it would be the same the next time
        raise unreadable(source, error) from error


def _decoded(records: dict[bytes, bytes]) -> Iterator[tuple[RecordKey, Any]]:
    """Each record, which is gone then: what is decoded takes its place in memory."""
    while records:
        yield decode_record(*records.popitem())


async def _check_same_log(
    connection: dict[str, Any], consumer: AIOKafkaConsumer, source: TopicPartition, log: Log, record: Appended, setting: str
) -> None:
    """The record that was applied last must still be the one that it was: its time stamp is the broker's.

    One question tells it where time only goes forward. Clocks of brokers differ, so before anything is refused the record itself is read.
    """
    applied, appended_at = record
    if appended_at <= 0 or applied < log.first:
        return
    found = (await consumer.offsets_for_times({source: appended_at}))[source]
    if found is None or found.timestamp != appended_at or found.offset > applied:
        check_same_log(source, applied, appended_at, await appended(connection, source, applied), setting)


async def _offsets(consumer: AIOKafkaConsumer, source: TopicPartition) -> Log:
    first = (await consumer.beginning_offsets([source]))[source]
    end = (await consumer.end_offsets([source]))[source]
    return Log(first, end, await consumer.committed(source))
