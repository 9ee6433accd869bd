"""What a transaction sends goes together: one batch for each partition, unless that is full."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaError, KafkaStorageError
from aiokafka.producer.message_accumulator import BatchBuilder

from processor.stream.outgoing import Outgoing, by_the_producer


class Producer:
    """Takes batches and answers them when it is told to."""

    def __init__(self, batch_bytes: int = 10_000) -> None:
        self.batch_bytes = batch_bytes
        self.sent: list[tuple[str, int, int]] = []  # topic, partition, number of records
        self.answers: list[asyncio.Future[None]] = []

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(self.batch_bytes, 0, is_transactional=True)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[None]:
        self.sent.append((topic, partition, batch.record_count()))
        self.answers.append(asyncio.get_running_loop().create_future())
        return self.answers[-1]


async def test_nothing_is_sent_before_everything_is_there_and_then_each_partition_once() -> None:
    producer: Any = Producer()
    outgoing = Outgoing(producer)
    await outgoing.add("state", 1, [(b"marker", b"{}")])
    await outgoing.add("facts", 1, [])
    await outgoing.add("rekeyed", 0, [(None, b"1"), (b"2", b"2")])
    await outgoing.add("state", 1, [(b"e", None)])
    await outgoing.add("rejected", 1, [(b"k", b"v")], [("reason", b"too late")])
    assert not producer.sent
    flushing = asyncio.create_task(outgoing.flush())
    await asyncio.sleep(0)
    assert producer.sent == [("state", 1, 2), ("rekeyed", 0, 2), ("rejected", 1, 1)]
    for answer in producer.answers:
        assert not flushing.done()
        answer.set_result(None)
        await asyncio.sleep(0)
    await flushing


async def test_a_full_batch_goes_on_its_way_and_no_record_is_lost() -> None:
    producer: Any = Producer(batch_bytes=1000)
    outgoing = Outgoing(producer)
    await outgoing.add("state", 0, [(b"key", b"x" * 300) for _ in range(7)])
    assert producer.sent == [("state", 0, 3)] * 2
    flushing = asyncio.create_task(outgoing.flush())
    await asyncio.sleep(0)
    assert sum(number for _, _, number in producer.sent) == 7
    for answer in producer.answers:
        answer.set_result(None)
    await flushing


async def test_a_batch_that_failed_fails_the_flush() -> None:
    producer: Any = Producer()
    outgoing = Outgoing(producer)
    await outgoing.add("state", 0, [(b"key", b"value")])
    flushing = asyncio.create_task(outgoing.flush())
    await asyncio.sleep(0)
    producer.answers[0].set_exception(KafkaError("no"))
    with pytest.raises(KafkaError):
        await flushing


@pytest.mark.parametrize("error", [AssertionError("from IN_TRANSACTION to ABORTABLE_ERROR"), ValueError("gone")])
async def test_whatever_fails_in_the_library_is_an_error_of_kafka_and_of_no_event(error: Exception) -> None:
    with pytest.raises(KafkaError, match=f"the producer failed: {type(error).__name__}"), by_the_producer():
        raise error


async def test_what_the_broker_answers_stays_what_it_is() -> None:
    with pytest.raises(KafkaStorageError), by_the_producer():
        raise KafkaStorageError("full")
