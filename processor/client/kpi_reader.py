"""Read the topic of KPIs: the present state first, then each change.

    async with KpiReader("localhost:9092") as reader:
        async for changes in reader:
            ...  # reader.latest holds the newest KPIs of each segment and window

It belongs to no group and commits nothing: a program that starts again reads the topic from its beginning again, which is short, since it
is compacted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from processor.client.kpis import decode_key, decode_kpis
from processor.client.latest import KpiChange, LatestKpis
from processor.client.reader import NoSuchTopicError
from processor.client.records import Unreadable, cluster, decoded
from processor.config.service import Kafka
from processor.stream.connection import aiokafka_settings, partitions_of

TOPIC = "support.kpis.v1"
POLL_MS = 500
BATCH_RECORDS_MAX = 5000

Changes = tuple[KpiChange, ...]
StartedOver = Callable[[int], None]


class KpiReader:
    """An asynchronous context manager and iterator over changes; `latest` is what holds after them.

    The first changes are the whole present state, however much of the past the topic still holds. `caught_up` says whether all that was
    there at entry has been read. With `follow=False` the iteration ends then. What is no KPI raises `ValueError` with its place, unless
    `unreadable` is given: that is told, and reading goes on.

    A reader that was away for longer than the topic keeps its records, or whose topic was made anew, starts over from the beginning of that
    partition: `started_over` counts it, and `told_over` is told the partition. What went away meanwhile is reported as a change to None.
    """

    def __init__(
        self,
        kafka: Kafka | str,
        topic: str = TOPIC,
        *,
        follow: bool = True,
        wait_seconds: float = 0,
        unreadable: Unreadable | None = None,
        told_over: StartedOver | None = None,
    ) -> None:
        self._kafka = cluster(kafka)
        self._topic, self._follow, self._wait_seconds = topic, follow, wait_seconds
        self._unreadable, self._told_over = unreadable, told_over
        self._consumer: Any = None
        self._awaited: dict[TopicPartition, int] = {}  # where the partition ended when its reading began
        self._entering = True  # nothing has been told yet
        self.latest = LatestKpis()
        self.started_over = 0

    @property
    def caught_up(self) -> bool:
        """Whether `latest` is the state at entry or a later one."""
        return not self._awaited

    async def __aenter__(self) -> Self:
        numbers = await partitions_of(self._kafka, self._topic, wait_seconds=self._wait_seconds)
        if not numbers:
            raise NoSuchTopicError(f"there is no topic {self._topic}")
        self._consumer = AIOKafkaConsumer(
            **aiokafka_settings(self._kafka), isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="none")
        try:
            await self._consumer.start()
            partitions = [TopicPartition(self._topic, number) for number in numbers]
            self._consumer.assign(partitions)
            await self._to_beginning(partitions)
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._consumer.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Changes:
        while True:
            if not self._follow and self.caught_up:
                raise StopAsyncIteration
            changes = await self._poll()
            for partition in await self._reached():
                del self._awaited[partition]
                changes += self.latest.settle(partition.partition)
            if self._entering:
                if not self.caught_up:
                    continue
                self._entering = False
                changes = [KpiChange(key, kpis) for key, kpis in self.latest.items()]
            if changes:
                return tuple(changes)

    async def _poll(self) -> list[KpiChange]:
        try:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=BATCH_RECORDS_MAX)
        except OffsetOutOfRangeError as error:
            await self._start_over(error.args[0])
            return []
        try:
            found = [
                (partition.partition, decoded(record, _change_of, self._unreadable))
                for partition, records in polled.items()
                for record in records
            ]
        except ValueError:
            for partition, records in polled.items():  # nothing of this poll was taken in
                self._consumer.seek(partition, records[0].offset)
            raise
        return [change for number, change in found if change is not None and self.latest.apply(number, change)]

    async def _start_over(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self.latest.start_over(partition.partition)
            self.started_over += 1
            if self._told_over is not None:
                self._told_over(partition.partition)
        await self._to_beginning(list(partitions))

    async def _to_beginning(self, partitions: list[TopicPartition]) -> None:
        for partition, start in (await self._consumer.beginning_offsets(partitions)).items():
            self._consumer.seek(partition, start)
        self._awaited |= await self._consumer.end_offsets(partitions)

    async def _reached(self) -> list[TopicPartition]:
        """Positions move over aborted records and transaction markers too."""
        return [partition for partition, end in self._awaited.items() if await self._consumer.position(partition) >= end]


def _change_of(record: Any) -> KpiChange:
    return KpiChange(decode_key(record.key), None if record.value is None else decode_kpis(record.value))
