"""A topic of KPIs in memory, and a consumer that reads it as a broker would let it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from processor.codec.partials import Place
from processor.export.kpi_view import Merged
from processor.kpis.combine import Combined
from processor.kpis.encode import encode_kpis, key_of

W = 1_795_252_440_000
TOTAL: Place = ((), ())
PHONE: Place = (("channel",), ("phone",))


def record(place: Place = TOTAL, created: int = 1, *, end: int = W, epoch: int = 1, sequence: int = 0) -> tuple[bytes, bytes | None]:
    """A segment's last hour, in which so many tickets were created."""
    combined = Combined(end, sequence, True, (), {place: Merged({"1h": {"tickets_created": created}}, 0)}, ())
    key = key_of(place, "1h")
    return key, dict(encode_kpis(combined, epoch, ()))[key]


def gone(place: Place) -> tuple[bytes, bytes | None]:
    """That it has nothing any more."""
    return key_of(place, "1h"), None


class Record(NamedTuple):
    """As a consumer gets it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


class Topic:
    """Partitions with a first offset and what is left of their records."""

    def __init__(self, partitions: int = 1) -> None:
        self.starts = dict.fromkeys(range(partitions), 0)
        self.records: dict[int, list[Record]] = {number: [] for number in range(partitions)}

    def end(self, number: int) -> int:
        return self.records[number][-1].offset + 1 if self.records[number] else self.starts[number]

    def write(self, *written: tuple[bytes | None, bytes | None], partition: int = 0) -> None:
        for key, value in written:
            self.records[partition].append(Record("kpis", partition, self.end(partition), key, value))

    def expire(self, before: int, partition: int = 0) -> None:
        """The broker deletes what lies before that offset."""
        self.starts[partition] = before
        self.records[partition] = [each for each in self.records[partition] if each.offset >= before]

    def made_anew(self, partition: int = 0) -> None:
        """Somebody deleted the topic and made it again."""
        self.starts[partition], self.records[partition] = 0, []


class Consumer:
    """As much of AIOKafkaConsumer as the reader uses, with `auto_offset_reset="none"`."""

    def __init__(self, topic: Topic, poll_max: int = 2) -> None:
        self.topic, self.poll_max = topic, poll_max
        self.positions: dict[TopicPartition, int] = {}
        self.settings: dict[str, Any] = {}
        self.stopped = False

    async def start(self) -> None:
        self.stopped = False

    async def stop(self) -> None:
        self.stopped = True

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        self.positions = dict.fromkeys(partitions, -1)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    async def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: self.topic.starts[each.partition] for each in partitions}

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {each: self.topic.end(each.partition) for each in partitions}

    async def getmany(self, **_options: Any) -> dict[TopicPartition, list[Record]]:
        polled: dict[TopicPartition, list[Record]] = {}
        for partition, position in self.positions.items():
            number = partition.partition
            if not self.topic.starts[number] <= position <= self.topic.end(number):
                if polled:  # those first, the error with the next call
                    break
                raise OffsetOutOfRangeError({partition: position})
            records = [each for each in self.topic.records[number] if each.offset >= position][: self.poll_max]
            if records:
                polled[partition] = records
                self.positions[partition] = records[-1].offset + 1
        return polled
