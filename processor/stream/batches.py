"""Reading a partition from one offset to another in pairs of key and value, nothing else of a record.

A takeover reads millions of records, and most of what a consumer does for each of them is to make an object that nobody wants. So this asks
the broker itself, by the client below aiokafka's consumer, and takes the batches of its answers apart with aiokafka's own reader, which
leaves out what was aborted. Records come by the batch, so that taking them is no call for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException, KafkaError, RecordTooLargeError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

WAIT_MS = 500  # for an answer at the end of the log
RETRY_SECONDS = 0.2
FETCH_BYTES = 4 * 1024 * 1024  # compressed; above max.message.bytes of every topic, and not much more memory than that

Pair = tuple[bytes, bytes | None]


class _Batches(PartitionRecords):
    """The batches of one answer, each a list of keys with values. Lazy: they are decompressed on the way."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[list[Pair]]:
        records = self._records
        while records.has_next():
            batch = records.next_batch()
            if not batch.validate_crc():
                raise CorruptRecordException(f"{self._tp.topic}-{self._tp.partition}: the batch at offset {batch.base_offset} is damaged")
            if not self._aborted(batch) and not batch.is_control_batch:
                begin = self.next_fetch_offset  # a batch may begin before the offset that was asked for
                yield [(record.key, record.value) for record in batch if record.offset >= begin]
            self.next_fetch_offset = batch.next_offset

    def _aborted(self, batch: Any) -> bool:
        """Whether it belongs to a transaction that was aborted. Batches must be asked about in their order."""
        if batch.producer_id is None:  # of an older format
            return False
        self._consume_aborted_up_to(batch.base_offset)
        if batch.is_control_batch and self._contains_abort_marker(batch):
            self._aborted_producers.discard(batch.producer_id)
        return batch.is_transactional and batch.producer_id in self._aborted_producers


class Slice:
    """The committed records of one answer by batches, and where the next one begins once they have been taken."""

    def __init__(self, records: _Batches | None, offset: int) -> None:
        self._records = records
        self._offset = offset

    def __iter__(self) -> Iterator[list[Pair]]:
        return iter(self._records or ())

    @property
    def next_offset(self) -> int:
        """Behind what has been taken so far."""
        return self._offset if self._records is None else int(self._records.next_fetch_offset)


async def slices(connection: dict[str, Any], source: TopicPartition, begin: int, end: int) -> AsyncIterator[Slice]:
    """The records from `begin` up to `end`, in answers of the broker. Each is to be taken whole before the next one is asked for.

    Raises KafkaError for what does not pass by itself, CorruptRecordException where a disk or the network has changed a batch.
    """
    client = AIOKafkaClient(**connection)
    await client.bootstrap()
    try:
        await client.set_topics([source.topic])
        offset = begin
        while offset < end:
            taken = await _fetch(client, source, offset)
            yield taken
            offset = taken.next_offset
    finally:
        await client.close()


async def _fetch(client: AIOKafkaClient, source: TopicPartition, offset: int) -> Slice:
    node = client.cluster.leader_for_partition(source)
    if node is None or node == -1:
        await _refresh(client)
        return Slice(None, offset)
    request = FetchRequest(WAIT_MS, 1, FETCH_BYTES, READ_COMMITTED, [(source.topic, [(source.partition, offset, FETCH_BYTES)])])
    try:
        answer = await client.send(node, request)
    except KafkaError as error:
        if not error.retriable:
            raise
        await _refresh(client)
        return Slice(None, offset)
    (_, ((_, code, _, *rest),)) = answer.topics[0]
    error_type = for_code(code)
    if code and not error_type.retriable:
        raise error_type(f"{source.topic}-{source.partition} at offset {offset}")
    if code:
        await _refresh(client)
        return Slice(None, offset)
    return _taken_apart(source, offset, rest, answer.API_VERSION)


def _taken_apart(source: TopicPartition, offset: int, rest: list[Any], version: int) -> Slice:
    aborted, raw = rest[2] if version >= 11 else rest[-2], rest[-1]  # from 11 on a replica to prefer stands between them
    records = MemoryRecords(raw)
    if records.has_next():
        return Slice(_Batches(source, records, aborted, offset, None, None, False, READ_COMMITTED), offset)
    if records.size_in_bytes():
        raise RecordTooLargeError(f"{source.topic}-{source.partition}: a batch at offset {offset} is larger than {FETCH_BYTES} bytes")
    return Slice(None, offset)


async def _refresh(client: AIOKafkaClient) -> None:
    await asyncio.sleep(RETRY_SECONDS)
    await client.force_metadata_update()
