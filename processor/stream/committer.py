"""One transaction per step: marker, changed records, all that goes out and the offsets of the inputs stand or fall together.

aiokafka's `send_batch` does not announce a partition to the transaction, `send` does: so the first record for each partition of a topic
goes by `send`, the rest in batches of our own, which cost a fraction per record. Every send is awaited before the commit, since the commit
itself does not notice a batch that failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError
from aiokafka.structs import OffsetAndMetadata

from processor.codec.state import MARKER_KEY
from processor.config import Config
from processor.stream.failpoints import Failpoints

BATCH_BYTES = 900_000  # below max.message.bytes of every topic
REQUEST_BYTES = 4_000_000
SLICE = 1000  # records encoded before others may run: a few milliseconds

Record = tuple[bytes | None, bytes | None]


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


def transactional_producer(config: Config, connection: dict[str, Any], name: str, *, linger_ms: int) -> AIOKafkaProducer:
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
        linger_ms=linger_ms,
    )


class Committer:
    """The transactional producer of one partition."""

    def __init__(self, config: Config, connection: dict[str, Any], partition: int, failpoints: Failpoints) -> None:
        self._config = config
        self._partition = partition
        self._reach = failpoints.reach
        self._producer = transactional_producer(config, connection, f"{config.application_id}-{partition}", linger_ms=0)

    async def start(self) -> None:
        """Fence whoever owned the partition before: after this no older write can commit."""
        await self._producer.start()

    async def stop(self) -> None:
        """Close the producer; an open transaction is aborted by the next owner or the broker."""
        await self._producer.stop()

    async def commit(self, transaction: Transaction) -> None:
        """Write one step. Raises KafkaError (ProducerFenced included); then nothing of it is visible to anybody."""
        with one_transaction():
            await self._commit(transaction)

    async def _commit(self, transaction: Transaction) -> None:
        sent: list[asyncio.Future[Any]] = []
        await self._producer.begin_transaction()
        try:
            self._reach("step.after_begin")
            await self._send_state(transaction, sent)
            await self._send_out(transaction, sent)
            await asyncio.gather(*sent)
            self._reach("step.after_flush")
            if transaction.next_offsets:
                offsets = {source: OffsetAndMetadata(offset, "") for source, offset in transaction.next_offsets.items()}
                await self._producer.send_offsets_to_transaction(offsets, self._config.application_id)
            self._reach("step.after_offsets")
        except BaseException:
            for future in sent:
                future.add_done_callback(heard)
            await self._abort()
            raise
        await self._producer.commit_transaction()
        self._reach("step.after_commit")

    async def _send_state(self, transaction: Transaction, sent: list[asyncio.Future[Any]]) -> None:
        topic = self._config.topics.state
        sent.append(await self._producer.send(topic, key=MARKER_KEY, value=transaction.marker, partition=self._partition))
        self._reach("step.after_marker")
        await self._send_batches(topic, self._partition, transaction.records, sent)
        self._reach("step.after_records")

    async def _send_out(self, transaction: Transaction, sent: list[asyncio.Future[Any]]) -> None:
        producer, topics = self._producer, self._config.topics
        await self._send(topics.facts, self._partition, transaction.facts, sent)
        self._reach("step.after_facts")
        for letter in transaction.rejected:
            send = producer.send(topics.rejected, key=letter.key, value=letter.value, headers=letter.headers, partition=self._partition)
            sent.append(await send)
        for partition, records in transaction.rekeyed.items():
            await self._send(topics.rekeyed, partition, iter(records), sent)
        self._reach("step.after_rekeyed")
        for partition, key, value in transaction.partials:
            sent.append(await producer.send(topics.partials, key=key, value=value, partition=partition))
            await asyncio.sleep(0)
        self._reach("step.after_partials")

    async def _send(self, topic: str, partition: int, records: Iterator[Record], sent: list[asyncio.Future[Any]]) -> None:
        """The first one alone; the batches take the rest."""
        for key, value in records:
            sent.append(await self._producer.send(topic, key=key, value=value, partition=partition))
            await self._send_batches(topic, partition, records, sent)

    async def _send_batches(self, topic: str, partition: int, records: Iterator[Record], sent: list[asyncio.Future[Any]]) -> None:
        producer = self._producer
        batch = producer.create_batch()
        for number, (key, value) in enumerate(records, 1):
            if number % SLICE == 0:
                await asyncio.sleep(0)
            if batch.append(timestamp=None, key=key, value=value) is None:
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value)
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topic, partition=partition))

    async def _abort(self) -> None:
        """Best effort: the next owner's fence aborts what is left open."""
        with suppress(Exception):  # the first error is the one that counts
            await asyncio.wait_for(self._producer.abort_transaction(), timeout=5)


@contextmanager
def one_transaction() -> Iterator[None]:
    """What ends a transaction in the background, such as a fence, and is heard of by the next call, counts as the broker's doing.

    aiokafka lets that call fail as if we had forgotten to begin one. Taken for a fault of ours it could cost an innocent event its place.
    """
    try:
        yield
    except IllegalOperation as error:
        raise KafkaError(f"the transaction was ended: {error}") from error


def heard(future: asyncio.Future[Any]) -> None:
    """Take notice of how a send of a step ended that has failed already, so that asyncio does not report it as forgotten."""
    if not future.cancelled():
        future.exception()
