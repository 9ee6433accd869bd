"""One transaction per step: marker, changed records, all that goes out and the offsets of the inputs stand or fall together.

Every batch is awaited before the commit, since the commit itself does not notice one that failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from processor.codec.state import MARKER_KEY
from processor.config import Config
from processor.stream.failpoints import Failpoints
from processor.stream.outgoing import Outgoing, Record
from processor.stream.tasks import within

BATCH_BYTES = 900_000  # below max.message.bytes of every topic
REQUEST_BYTES = 4_000_000
STOP_SECONDS = 2.0  # for a producer to end, and again for its connections


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected record on its way out."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


@dataclass(slots=True)
class Transaction:
    """Everything that one step writes. `next_offsets` are those to go on at; inputs that it does not name stay as they are.

    `rekeyed` is by partition of the re-keyed topic; partials are (partition of their topic, key, value). Records, facts and partials are
    taken one by one and encoded on the way into a batch: thousands of encoded values kept at once cost more in fresh memory than their
    encoding.
    """

    marker: bytes
    next_offsets: Mapping[TopicPartition, int]
    records: Iterator[Record] = field(default_factory=lambda: iter(()))
    facts: Iterator[Record] = field(default_factory=lambda: iter(()))
    rekeyed: Mapping[int, list[Record]] = field(default_factory=dict)
    partials: Iterable[tuple[int, bytes, bytes]] = ()
    rejected: list[DeadLetter] = field(default_factory=list)


def transactional_producer(config: Config, connection: dict[str, Any], name: str) -> AIOKafkaProducer:
    """A producer whose start fences every other one with this transactional id."""
    timeout_ms = config.worker.transaction_timeout_seconds * 1000
    return AIOKafkaProducer(
        **connection,
        transactional_id=name,
        transaction_timeout_ms=timeout_ms,
        request_timeout_ms=timeout_ms,
        compression_type="zstd",
        max_batch_size=BATCH_BYTES,
        max_request_size=REQUEST_BYTES,
        linger_ms=0,
    )


async def stop_producer(producer: AIOKafkaProducer) -> None:
    """Close it within a bound. Raises TimeoutError where its transaction could not be ended; its connections are closed then, too."""
    try:
        await within(STOP_SECONDS, producer.stop())
    except TimeoutError:  # it counts as stopped and would not be closed by anybody
        await within(STOP_SECONDS, producer.client.close())
        raise


class Committer:
    """The transactional producer of one partition."""

    def __init__(self, config: Config, connection: dict[str, Any], partition: int, failpoints: Failpoints) -> None:
        self._config = config
        self._partition = partition
        self._failpoints = failpoints
        self._producer = transactional_producer(config, connection, f"{config.application_id}-{partition}")

    async def start(self) -> None:
        """Fence whoever owned the partition before: after this no older write can commit."""
        await self._producer.start()

    async def stop(self) -> None:
        """Close the producer; an open transaction is aborted by the next owner or the broker. Raises what `stop_producer` does."""
        await stop_producer(self._producer)

    async def commit(self, transaction: Transaction) -> None:
        """Write one step. Raises KafkaError (ProducerFenced included); then nothing of it is visible to anybody."""
        outgoing = Outgoing(self._producer)
        await outgoing.begin()
        try:
            self._failpoints.reach("step.after_begin")
            await self._add_state(transaction, outgoing)
            await self._add_others(transaction, outgoing)
            await outgoing.flush()
            self._failpoints.reach("step.after_flush")
            if transaction.next_offsets:
                offsets = {source: OffsetAndMetadata(offset, "") for source, offset in transaction.next_offsets.items()}
                await outgoing.add_offsets(offsets, self._config.application_id)
            self._failpoints.reach("step.after_offsets")
        except BaseException:
            outgoing.give_up()
            await self._abort()
            raise
        await outgoing.commit()
        self._failpoints.reach("step.after_commit")

    async def _add_state(self, transaction: Transaction, outgoing: Outgoing) -> None:
        topic = self._config.topics.state
        await outgoing.add(topic, self._partition, [(MARKER_KEY, transaction.marker)])
        await self._reach("step.after_marker", outgoing)
        await outgoing.add(topic, self._partition, transaction.records)
        await self._reach("step.after_records", outgoing)

    async def _add_others(self, transaction: Transaction, outgoing: Outgoing) -> None:
        topics = self._config.topics
        await outgoing.add(topics.facts, self._partition, transaction.facts)
        await self._reach("step.after_facts", outgoing)
        for letter in transaction.rejected:
            await outgoing.add(topics.rejected, self._partition, [(letter.key, letter.value)], letter.headers)
        for partition, records in transaction.rekeyed.items():
            await outgoing.add(topics.rekeyed, partition, records)
        await self._reach("step.after_rekeyed", outgoing)
        for partition, key, value in transaction.partials:
            await outgoing.add(topics.partials, partition, [(key, value)])
            await asyncio.sleep(0)
        await self._reach("step.after_partials", outgoing)

    async def _reach(self, point: str, outgoing: Outgoing) -> None:
        """Where something is to happen, the broker has everything up to there: a transaction that was cut off in the middle."""
        if self._failpoints.armed(point):
            await outgoing.flush()
        self._failpoints.reach(point)

    async def _abort(self) -> None:
        """Best effort: the next owner's fence aborts what is left open."""
        with suppress(Exception):  # the first error is the one that counts
            await asyncio.wait_for(self._producer.abort_transaction(), timeout=5)
