"""What one transaction sends, in batches of our own: one batch for each partition until it is full, and all of them sent at once.

A record that is handed to aiokafka by itself costs as much as ten in a batch, and its producer sends at once whatever it has: written one
after the other, a step would be a dozen requests and half as many announcements to the transaction. Batches that are handed over together
are announced together and go in one request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, KafkaError
from aiokafka.structs import OffsetAndMetadata

SLICE = 1000  # records encoded before others may run: a few milliseconds

Record = tuple[bytes | None, bytes | None]
Headers = list[tuple[str, bytes]]


@contextmanager
def by_the_producer() -> Iterator[None]:
    """Whatever fails in aiokafka's producer is no fault of ours, which could cost an innocent event its place. Raises KafkaError for it.

    What ends a transaction in the background, such as a fence, lets the next call fail as if we had forgotten to begin one; of a sender
    that has died it hears by an assertion.
    """
    try:
        yield
    except (KafkaError, OSError):
        raise
    except IllegalOperation as error:
        raise KafkaError(f"the transaction was ended: {error}") from error
    except Exception as error:
        raise KafkaError(f"the producer failed: {type(error).__name__}: {error}") from error


class Outgoing:
    """One transaction. What is sent must be waited for before the commit, which does not notice a batch that failed. Raises KafkaError."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._open: dict[TopicPartition, Any] = {}
        self._sent: list[asyncio.Future[Any]] = []

    async def begin(self) -> None:
        """To be called first."""
        with by_the_producer():
            await self._producer.begin_transaction()

    async def add_offsets(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group: str) -> None:
        """How far the group has come with its inputs, once this is committed."""
        with by_the_producer():
            await self._producer.send_offsets_to_transaction(offsets, group)

    async def commit(self) -> None:
        """All of it, or KafkaError."""
        with by_the_producer():
            await self._producer.commit_transaction()

    async def add(self, topic: str, partition: int, records: Iterable[Record], headers: Headers | None = None) -> None:
        """Put records into the batch of their partition; waits where that is full and the one before it is still on its way."""
        target, batch = TopicPartition(topic, partition), None
        for number, (key, value) in enumerate(records, 1):
            if batch is None:
                batch = self._batch(target)
            if number % SLICE == 0:
                await asyncio.sleep(0)
            if batch.append(timestamp=None, key=key, value=value, headers=headers or []) is None:
                await self._send(target, self._open.pop(target))
                batch = self._batch(target)
                batch.append(timestamp=None, key=key, value=value, headers=headers or [])

    def _batch(self, target: TopicPartition) -> Any:
        """The one that takes records for this partition."""
        batch = self._open.get(target)
        if batch is None:
            batch = self._open[target] = self._producer.create_batch()
        return batch

    async def flush(self) -> None:
        """Send all that is open, and wait for all that was sent. Raises what one of them failed with."""
        ready, self._open = self._open, {}
        for target, batch in ready.items():
            await self._send(target, batch)
        with by_the_producer():
            await asyncio.gather(*self._sent)

    def give_up(self) -> None:
        """Nobody will wait for it any more."""
        for future in self._sent:
            future.add_done_callback(_heard)

    async def _send(self, target: TopicPartition, batch: Any) -> None:
        with by_the_producer():
            self._sent.append(await self._producer.send_batch(batch, target.topic, partition=target.partition))


def _heard(future: asyncio.Future[Any]) -> None:
    """Take notice of how a send ended that has failed already, so that asyncio does not report it as forgotten."""
    if not future.cancelled():
        future.exception()
