"""Records into a topic, fast: whole record batches for each partition, built here and handed to aiokafka.

Why not `send()` for each record: that costs a coroutine, a future and a timer each time. Records of one key keep their order: one
partition, one batch after the other, an idempotent producer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import cycle
from typing import Any, BinaryIO, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError

from processor.codec.envelope import cloud_event, encode
from processor.codec.murmur2 import partition_of
from processor.config.service import Kafka
from processor.stream.connection import Notify, aiokafka_settings, partitions_of, silent
from processor.stream.lines import Outgoing, read_line

BATCH_BYTES = 512 * 1024
LINE_BYTES_MAX = 64 * 1024 * 1024  # a file without line feeds must not fill the memory
READ_BYTES = 1024 * 1024
SLICES_PER_SECOND = 20  # how finely --rate is spread
KEYS_REMEMBERED = 65_536
FLAWS_TOLD = 5

Progress = Callable[[int, int], None]  # records and bytes of input since the last call


class SendError(Exception):
    """Nothing more can be sent. The message says what to do."""


@dataclass(slots=True)
class SendReport:
    """What became of the input."""

    sent: int = 0
    keyless: int = 0
    refused: int = 0
    seconds: float = 0.0
    flaws: list[str] = field(default_factory=list)  # the first FLAWS_TOLD, with line numbers
    flawed: int = 0  # how many there were


async def read_chunks(source: BinaryIO) -> AsyncIterator[list[bytes]]:
    """Lines without line feeds, in lists as large as what could be read at once: a pipe's events go out as they come."""
    raw = getattr(source, "raw", source)
    rest = b""
    while data := await asyncio.to_thread(raw.read, READ_BYTES):
        lines = (rest + data).split(b"\n")
        rest = lines.pop()
        if len(rest) > LINE_BYTES_MAX:
            raise SendError(f"a line is longer than {LINE_BYTES_MAX} bytes: is this a file of JSON lines?")
        if lines:
            yield lines
    if rest:
        yield [rest]


class Sender:
    """Sends records to one topic. A context manager: `async with Sender(...) as sender`."""

    def __init__(self, kafka: Kafka, topic: str, *, wait_seconds: float = 0, notify: Notify = silent) -> None:
        self._kafka, self._topic = kafka, topic
        self._wait_seconds, self._notify = wait_seconds, notify
        self._pending: set[asyncio.Future[Any]] = set()
        self._producer: Any = None
        self._large_producer: Any = None
        self._partitions: list[int] = []
        self._turn: Any = None
        self.report = SendReport()
        self._partition_of = lru_cache(KEYS_REMEMBERED)(lambda key: partition_of(key, len(self._partitions)))

    async def __aenter__(self) -> Self:
        self._partitions = await partitions_of(self._kafka, self._topic, wait_seconds=self._wait_seconds, notify=self._notify)
        if not self._partitions:
            raise SendError(f"there is no topic {self._topic}; `ticket-kpis topics create` makes the configured ones")
        self._producer = await self._start_producer(idempotent=True)
        self._turn = cycle(self._partitions)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._producer.stop()
        if self._large_producer is not None:
            await self._large_producer.stop()

    async def _start_producer(self, *, idempotent: bool) -> Any:
        producer = AIOKafkaProducer(
            **aiokafka_settings(self._kafka), compression_type="zstd", enable_idempotence=idempotent, max_batch_size=BATCH_BYTES)
        await producer.start()
        return producer

    async def send(self, records: Iterable[Outgoing]) -> None:
        """Send records; returns when all are with the producer, not yet with the broker."""
        batches: dict[int, Any] = {}
        for record in records:
            partition = self._place(record)
            if len(record.value or b"") > BATCH_BYTES:
                await self._dispatch_all(batches)
                await self._send_large(partition, record)
                continue
            batch = batches.get(partition)
            if batch is None or self._append(batch, record) is None:
                if batch is not None:
                    await self._dispatch(partition, batch)
                batches[partition] = batch = self._producer.create_batch()
                self._append(batch, record)
        await self._dispatch_all(batches)

    async def _send_large(self, partition: int, record: Outgoing) -> None:
        """Send what the broker may refuse for its size, alone and by a producer of its own.

        A refusal leaves a hole in the numbers of an idempotent producer, and the broker would refuse all that follows.
        """
        await self.flush()
        if self._large_producer is None:
            self._large_producer = await self._start_producer(idempotent=False)
        batch = self._large_producer.create_batch()
        self._append(batch, record)
        await self._dispatch(partition, batch, self._large_producer)
        await self.flush()

    async def flush(self) -> None:
        """Return when the broker has everything that was sent, or has refused it."""
        while self._pending:
            await asyncio.wait(set(self._pending))
            await asyncio.sleep(0)  # lets the callbacks take the finished ones away

    async def advance_clock(self, at: str, at_ms: int) -> None:
        """Tell every partition that nothing older than `at` will come: timers up to it may fire, although no event moves the clock on."""
        await self.flush()
        for partition in self._partitions:
            name = f"clock-advanced-{partition}-{at}"
            event = cloud_event(
                kind="control.clock_advanced", id=name, source="/ticket-kpis/send", occurred_at_ms=at_ms, data={"at": at})
            await self.send([Outgoing(partition, None, encode(event), [])])
        await self.flush()

    def _place(self, record: Outgoing) -> int:
        if record.partition is not None:
            if not 0 <= record.partition < len(self._partitions):
                raise SendError(
                    f"the capture has a record for partition {record.partition}, topic {self._topic} has {len(self._partitions)} "
                    "partitions; make one with as many as the captured topic had")
            return record.partition
        if record.key is not None:
            return self._partition_of(record.key)
        self.report.keyless += 1
        return int(next(self._turn))

    @staticmethod
    def _append(batch: Any, record: Outgoing) -> Any:
        return batch.append(key=record.key, value=record.value, timestamp=None, headers=record.headers)

    async def _dispatch_all(self, batches: dict[int, Any]) -> None:
        for partition, batch in batches.items():
            await self._dispatch(partition, batch)
        batches.clear()

    async def _dispatch(self, partition: int, batch: Any, producer: Any = None) -> None:
        """Hand over a batch; aiokafka holds one per partition back, which is the brake when the broker is slower than we are."""
        future = await (producer or self._producer).send_batch(batch, self._topic, partition=partition)
        count = batch.record_count()
        self._pending.add(future)
        future.add_done_callback(lambda done: self._done(done, count))

    def _done(self, future: asyncio.Future[Any], count: int) -> None:
        self._pending.discard(future)
        error = future.exception()
        if error is None:
            self.report.sent += count
        else:
            self.report.refused += count
            kind = "larger than the topic's max.message.bytes" if isinstance(error, MessageSizeTooLargeError) else repr(error)
            self.note(f"{count} records refused by the broker: {kind}")

    def note(self, flaw: str) -> None:
        """Count a flaw, and keep the first few for the report."""
        self.report.flawed += 1
        if len(self.report.flaws) < FLAWS_TOLD:
            self.report.flaws.append(flaw)


async def send_lines(
    sender: Sender, source: BinaryIO, *, strict: bool = False, rate: float | None = None, progress: Progress | None = None
) -> None:
    """Send a file of bare events or captured records. `strict`: raise `SendError` at the first line that is neither, before it is sent."""
    started = time.monotonic()
    number = 0
    due = started
    async for lines in read_chunks(source):
        for piece in _pieces(lines, rate):
            records = []
            for line in piece:
                number += 1
                if line.strip():
                    records.append(_checked(sender, read_line(line), number, strict=strict))
            await sender.send(records)
            if progress:
                progress(len(records), sum(map(len, piece)) + len(piece))
            if rate:
                due = max(due, time.monotonic() - 1) + len(piece) / rate  # a stalled source is not made up for by a burst
                await asyncio.sleep(max(0.0, due - time.monotonic()))
    await sender.flush()
    sender.report.seconds = time.monotonic() - started


def _pieces(lines: list[bytes], rate: float | None) -> Iterable[list[bytes]]:
    """The lines as they are, or in pieces small enough that a rate is smooth."""
    if not rate:
        return [lines]
    size = max(1, int(rate / SLICES_PER_SECOND))
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def _checked(sender: Sender, record: Outgoing, number: int, *, strict: bool) -> Outgoing:
    if record.flaw:
        if strict:
            raise SendError(f"line {number}: {record.flaw} (without --strict it is sent as it is)")
        sender.note(f"line {number}: {record.flaw}")
    return record
