"""A topic as lines: every record with its partition, offset, timestamp, key, headers and bytes, so that a replay reads the same log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.config.service import Kafka
from processor.stream.connection import Notify, aiokafka_settings, partitions_of, silent
from processor.stream.lines import capture_line

POLL_MS = 500
POLL_RECORDS = 20_000
FETCH_BYTES = 4 * 1024 * 1024


class CaptureError(Exception):
    """The topic cannot be read. The message says what to do."""


class Capture:
    """Reads one topic from its start, read_committed. A context manager; `total` is the number of offsets up to the end at entry."""

    def __init__(self, kafka: Kafka, topic: str, *, wait_seconds: float = 0, notify: Notify = silent) -> None:
        self._kafka, self._topic = kafka, topic
        self._wait_seconds, self._notify = wait_seconds, notify
        self._consumer: Any = None
        self._ends: dict[TopicPartition, int] = {}
        self.total = 0
        self.written = 0

    async def __aenter__(self) -> Self:
        numbers = await partitions_of(self._kafka, self._topic, wait_seconds=self._wait_seconds, notify=self._notify)
        if not numbers:
            raise CaptureError(f"there is no topic {self._topic}; `ticket-kpis topics verify` lists what should be there")
        self._consumer = AIOKafkaConsumer(
            **aiokafka_settings(self._kafka), isolation_level="read_committed", auto_offset_reset="none", enable_auto_commit=False,
            fetch_max_bytes=4 * FETCH_BYTES, max_partition_fetch_bytes=FETCH_BYTES)
        await self._consumer.start()
        partitions = [TopicPartition(self._topic, number) for number in numbers]
        self._consumer.assign(partitions)
        self._ends = await self._consumer.end_offsets(partitions)
        starts = await self._consumer.beginning_offsets(partitions)
        for partition, start in starts.items():
            self._consumer.seek(partition, start)
        self.total = sum(end - starts[partition] for partition, end in self._ends.items())
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._consumer.stop()

    async def write(self, target: BinaryIO, *, follow: bool = False, progress: Callable[[int], None] | None = None) -> None:
        """Write up to the end at entry; with `follow` go on until cancelled. `progress` gets the offsets covered since the last call."""
        open_partitions = {partition for partition, end in self._ends.items() if await self._position(partition) < end}
        covered = 0
        while open_partitions or follow:
            polled = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            for partition, records in polled.items():
                self._write_records(target, records, None if follow else self._ends[partition])
            if follow:
                target.flush()
            positions = {partition: await self._position(partition) for partition in self._ends}
            open_partitions = {partition for partition in open_partitions if positions[partition] < self._ends[partition]}
            reached = self.total - sum(max(0, self._ends[partition] - position) for partition, position in positions.items())
            if progress:
                progress(reached - covered)
            covered = reached

    def _write_records(self, target: BinaryIO, records: list[Any], end: int | None) -> None:
        """What came after the end at entry stays out: a capture is one instant's log."""
        lines = [
            capture_line(record.partition, record.offset, record.timestamp, record.key, record.headers, record.value)
            for record in records if end is None or record.offset < end
        ]
        target.write(b"".join(lines))
        self.written += len(lines)

    async def _position(self, partition: TopicPartition) -> int:
        """The next offset to be read; moves over aborted records and transaction markers too."""
        return int(await self._consumer.position(partition))
