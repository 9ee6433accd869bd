"""Read the facts topic: committed facts only, in batches, at least once.

    async with FactReader("localhost:9092", group_id="breach-mail") as reader:
        async for batch in reader:
            for record in batch:
                ...  # record.fact

A batch counts as handled when the next one is asked for; then, in a group, its offsets are committed. A block that is left by an error or
by `break` leaves its batch unhandled: it comes again, to this reader when it iterates again, else to the group's next one. What comes again
has the same partition and offset, and the same id.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError

from processor.client.facts import decode_fact
from processor.client.ledger import FactRecord
from processor.client.records import Unreadable, cluster, decoded
from processor.config.service import Kafka
from processor.stream.connection import aiokafka_settings, partitions_of

TOPIC = "support.facts.v1"
POLL_MS = 500
BATCH_RECORDS_MAX = 5000

Batch = tuple[FactRecord, ...]


class NoSuchTopicError(LookupError):
    """The topic is not there."""


class FactReader:
    """An asynchronous context manager and iterator over batches.

    Without a group it reads all partitions and commits nothing; with one it shares them with the others of the group, from where the group
    stopped. `start` says where to begin where no offset was committed: "latest" means what is written from now on. With `follow=False`
    (without a group only) it ends where the topic ended at entry. What is no fact raises `ValueError` with its place, unless `unreadable`
    is given: that is told, and reading goes on.

    In a group the block must not keep the event loop from running for longer than a session (10 s), nor take five minutes for a batch;
    otherwise others take its partitions over.
    """

    def __init__(
        self,
        kafka: Kafka | str,
        topic: str = TOPIC,
        *,
        group_id: str | None = None,
        start: Literal["earliest", "latest"] = "earliest",
        follow: bool = True,
        wait_seconds: float = 0,
        unreadable: Unreadable | None = None,
    ) -> None:
        if group_id is not None and not follow:
            raise ValueError("follow=False needs all partitions: leave out group_id")
        self._kafka = cluster(kafka)
        self._topic, self._group_id, self._start, self._follow = topic, group_id, start, follow
        self._wait_seconds, self._unreadable = wait_seconds, unreadable
        self._consumer: Any = None
        self._ends: dict[TopicPartition, int] = {}
        self._unhandled: dict[TopicPartition, tuple[int, int]] = {}  # first offset, offset after the last

    async def __aenter__(self) -> Self:
        numbers = await partitions_of(self._kafka, self._topic, wait_seconds=self._wait_seconds)
        if not numbers:
            raise NoSuchTopicError(f"there is no topic {self._topic}")
        self._consumer = AIOKafkaConsumer(
            **aiokafka_settings(self._kafka), group_id=self._group_id, isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset=self._start)
        try:
            await self._consumer.start()
            await self._take([TopicPartition(self._topic, number) for number in numbers])
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def _take(self, partitions: list[TopicPartition]) -> None:
        if self._group_id is not None:
            self._consumer.subscribe([self._topic])
            return
        self._consumer.assign(partitions)
        for partition in partitions:
            await self._consumer.position(partition)  # now, not at the first poll: "latest" is the moment of entry
        if not self._follow:
            self._ends = await self._consumer.end_offsets(partitions)

    async def __aexit__(self, *_error: object) -> None:
        await self._consumer.stop()

    def __aiter__(self) -> Self:
        """Begin again with the batch that was not handled, if there is one."""
        for partition, (first, _) in self._unhandled.items():
            if partition in self._consumer.assignment():
                self._consumer.seek(partition, first)
        self._unhandled = {}
        return self

    async def __anext__(self) -> Batch:
        await self.commit()
        while True:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH_RECORDS_MAX)
            wanted = {partition: self._wanted(partition, records) for partition, records in polled.items()}
            for partition, records in wanted.items():
                self._note(partition, records)
            found = (decoded(record, _fact_of, self._unreadable) for records in wanted.values() for record in records)
            batch = tuple(record for record in found if record is not None)
            if batch:
                return batch
            if self._ends and await self._ended():
                raise StopAsyncIteration

    async def commit(self) -> None:
        """Say that the last batch is handled, before the next one is asked for: for a block that is about to `break`."""
        assigned = self._consumer.assignment()
        offsets = {partition: end for partition, (_, end) in self._unhandled.items() if partition in assigned}
        self._unhandled = {}
        if self._group_id is None or not offsets:
            return
        try:
            await self._consumer.commit(offsets)
        except CommitFailedError:
            return  # the group has dealt out its partitions anew: whoever has them now gets the batch again

    def _wanted(self, partition: TopicPartition, records: list[Any]) -> list[Any]:
        end = self._ends.get(partition)
        return records if end is None else [record for record in records if record.offset < end]

    def _note(self, partition: TopicPartition, records: list[Any]) -> None:
        if records:
            first = self._unhandled.get(partition, (records[0].offset, 0))[0]
            self._unhandled[partition] = (first, records[-1].offset + 1)

    async def _ended(self) -> bool:
        """Positions move over aborted records and transaction markers too."""
        return all([await self._consumer.position(partition) >= end for partition, end in self._ends.items()])


def _fact_of(record: Any) -> FactRecord:
    return FactRecord(record.topic, record.partition, record.offset, decode_fact(record.value))
