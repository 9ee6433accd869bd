"""What ticket stages send to the KPI stage, made up here: slices whose sums tell which minute they are of; and what workers show of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from aiokafka import AIOKafkaProducer

from processor.codec.partials import Encoded, Sender, encode_levels, encode_report
from processor.config import Config
from processor.core.events import CHANNELS
from processor.core.outputs import Report
from processor.core.rows import Row
from processor.core.settings import MINUTE_MS
from tests.kafka.background import Background
from tests.kafka.deployment import Deployment, Worker

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
EPOCH = 1000  # above that of any ticket stage that runs beside


def first_responses(minute: int, partition: int) -> int:
    """How many there are in each window and segment of a slice."""
    return (minute + 1) * (partition + 1)


def all_first_responses(minute: int, partitions: int = 2) -> int:
    """The same over all partitions."""
    return sum(first_responses(minute, partition) for partition in range(partitions))


def slices(
    config: Config, minute: int, partitions: Iterable[int] = (0, 1), *, start: int = START, epoch: int = EPOCH, sequence: int = 1
) -> Iterator[Encoded]:
    """The slices of windows and levels that these partitions send at a minute: the total, and each channel."""
    group_bys = tuple(tuple(names) for names in config.segments.group_bys)
    total, channel = group_bys.index(()), group_bys.index(("channel",))
    segments = [(total, ()), *((channel, (name,)) for name in CHANNELS)]
    end = start + minute * MINUTE_MS
    for partition in partitions:
        sender = Sender(partition, config.topics.partitions, epoch, config.topics.kpi_partitions, group_bys, config.application_id)
        count = first_responses(minute, partition)
        row: Row = {"first_response:b:7": count, "first_response:sum": count * 60_000}
        report = Report(end, {segment: {"5m": row, "1h": row} for segment in segments}, dict.fromkeys(segments, count))
        yield from encode_report(report, sender, sequence)
        yield from encode_levels({segment: {"backlog": count} for segment in segments}, end, sender, sequence)


class TicketStages:
    """Sends slices in transactions, as ticket stages do. A context manager."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._loop = asyncio.new_event_loop()
        self._producer: AIOKafkaProducer | None = None

    def send(self, records: Iterable[Encoded], *, abort: bool = False) -> None:
        """One transaction with all of them."""
        self._loop.run_until_complete(self._send(list(records), abort=abort))

    async def _send(self, records: list[Encoded], *, abort: bool) -> None:
        producer, topic = self._producer, self._deployment.config.topics.partials
        assert producer is not None
        await producer.begin_transaction()
        await asyncio.gather(*[await producer.send(topic, key=key, value=value, partition=place) for place, key, value in records])
        await (producer.abort_transaction() if abort else producer.commit_transaction())

    async def _start(self) -> None:
        name = f"{self._deployment.config.application_id}-made-up"
        self._producer = AIOKafkaProducer(bootstrap_servers=self._deployment.bootstrap, transactional_id=name)
        await self._producer.start()

    def __enter__(self) -> Self:
        self._loop.run_until_complete(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        assert self._producer is not None
        self._loop.run_until_complete(self._producer.stop())
        self._loop.close()


class Minutes(Background):
    """Sends one minute after the other in the background, until left. `sent` is how many."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self.sent = 0
        self._deployment = deployment

    def _work(self) -> None:
        with TicketStages(self._deployment) as stages:
            while not self._end.wait(0.2):
                stages.send(slices(self._deployment.config, self.sent))
                self.sent += 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What one worker served for one KPI partition, at some instant between `begun` and `ended`."""

    worker: str
    begun: float
    ended: float
    epoch: int
    minute_end: int  # seconds
    segments: int


@dataclass(slots=True)
class Watch:
    """Asks workers for /metrics all the time, each in a thread of its own, and keeps what they say of KPI partitions."""

    seen: dict[int, list[Seen]] = field(default_factory=dict)
    _threads: list[Thread] = field(default_factory=list)
    _leave: Event = field(default_factory=Event)

    def add(self, name: str, worker: Worker) -> None:
        """From now on this one, too; it may die."""
        thread = Thread(target=self._follow, args=(name, worker.port))
        self._threads.append(thread)
        thread.start()

    def _follow(self, name: str, port: int) -> None:
        while not self._leave.wait(0.005):
            begun = time.monotonic()
            try:
                with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as response:
                    text = response.read().decode()
            except (HTTPError, URLError, ConnectionError, TimeoutError):
                continue
            ended = time.monotonic()
            for number, (epoch, minute_end, segments) in kpis_in(text).items():
                self.seen.setdefault(number, []).append(Seen(name, begun, ended, epoch, minute_end, segments))

    def owners_changed(self) -> int:
        """How often a partition was seen with a new epoch."""
        return sum(len({each.epoch for each in seen}) - 1 for seen in self.seen.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave.set()
        for thread in self._threads:
            thread.join()


def kpis_in(text: str) -> dict[int, tuple[int, int, int]]:
    """KPI partition -> epoch, end of the minute (seconds), and how many segments are served in all."""
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("support_") and "kpi" in line)
    segments = sum(1 for name in samples if name.startswith('support_window_kpi_observations{kpi="first_response",window="5m"'))
    epochs = _of_partitions(samples, "support_processor_kpi_epoch")
    ends = _of_partitions(samples, "support_kpi_end_timestamp_seconds")
    assert epochs.keys() == ends.keys(), text
    assert epochs or not segments, "segments of nobody"
    return {number: (epochs[number], ends[number], segments) for number in epochs}


def _of_partitions(samples: dict[str, str], family: str) -> dict[int, int]:
    found = ((name, value) for name, value in samples.items() if name.startswith(f"{family}{{"))
    return {int(name.split('kpi_partition="')[1].partition('"')[0]): int(float(value)) for name, value in found}


def contradictions(seen: list[Seen], what: Callable[[Seen], tuple[object, ...]]) -> list[tuple[Seen, Seen]]:
    """Pairs of answers of which the first had ended when the second was asked for, and yet `what` is greater in the first."""
    found = []
    newest: Seen | None = None
    ended = sorted(seen, key=lambda each: each.ended)
    done = 0
    for later in sorted(seen, key=lambda each: each.begun):
        while done < len(ended) and ended[done].ended < later.begun:
            if newest is None or what(ended[done]) > what(newest):
                newest = ended[done]
            done += 1
        if newest is not None and what(newest) > what(later):
            found.append((newest, later))
    return found
