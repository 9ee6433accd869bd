"""A broker with the log in its topics, and how fast a consumer group comes to their ends.

All competitors are measured alike, from outside: from the last instant at which nothing was committed to the one at which everything is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.config.service import Kafka
from processor.stream.connection import admin_client
from processor.stream.lines import read_line
from processor.stream.send import Sender
from tests.bench.log import Log
from tests.bench.processes import cpu_seconds
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, ends_of_topic

PARTITIONS = 4
PIECE = 5000
PATIENCE_SECONDS = 900
ASK_SECONDS = 0.05  # between two questions for committed offsets


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic that is filled, and how."""

    name: str
    events: int
    bytes: int  # of the values, before compression


@dataclass(frozen=True, slots=True)
class Loaded:
    """A broker at `bootstrap`, its files in `folder`, with a log in it: all events, those of tickets, and the first of these."""

    bootstrap: str
    folder: Path
    log: Log
    ends: dict[int, int]  # of the events, by partition
    events: Topic
    tickets: Topic
    few: Topic

    @property
    def kafka(self) -> Kafka:
        """How to connect."""
        return Kafka(bootstrap_servers=[self.bootstrap])

    def delete(self, prefix: str) -> None:
        """Remove the topics whose names begin so: each competitor's, once it is measured."""
        with admin_client(self.kafka, wait_seconds=60) as admin:
            admin.delete_topics([name for name in admin.list_topics() if name.startswith(prefix)])


@contextmanager
def loaded(folder: Path, log: Log, few: int) -> Iterator[Loaded]:
    """A running broker with everything in it; `few` is how many events a slow competitor gets."""
    with Broker(folder / "kafka") as broker:
        kafka = Kafka(bootstrap_servers=[broker.bootstrap])
        events = Deployment(broker.bootstrap, "bench", folder / "bench", partitions=PARTITIONS).create_topics().config.topics.events
        topics = {events: log.lines(), "bench-tickets": log.ticket_lines(), "bench-few": islice(log.ticket_lines(), few)}
        with admin_client(kafka, wait_seconds=60) as admin:
            admin.create_topics({name: {"num_partitions": PARTITIONS, "replication_factor": 1} for name in topics if name != events})
        filled = [asyncio.run(fill(kafka, name, lines)) for name, lines in topics.items()]
        yield Loaded(broker.bootstrap, folder, log, asyncio.run(ends_of_topic(broker.bootstrap, events, PARTITIONS)), *filled)


async def fill(kafka: Kafka, topic: str, lines: Iterable[bytes]) -> Topic:
    """Send lines as they are, each to the partition of its key."""
    events = size = 0
    source = iter(lines)
    async with Sender(kafka, topic, wait_seconds=60) as sender:
        while piece := list(islice(source, PIECE)):
            events += len(piece)
            size += sum(map(len, piece))
            await sender.send([read_line(line) for line in piece])
        await sender.flush()
    assert sender.report.sent == events, sender.report
    return Topic(topic, events, size)


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast somebody was, and what it took of a core."""

    events_per_second: float
    cpu_us_per_event: float


async def until_committed(bootstrap: str, topic: Topic, group: str, pids: Collection[int], alive: Callable[[], Any]) -> Speed:
    """Follow a group's committed offsets to the end of a topic. They are asked of the broker, which does not disturb the consumer.

    `pids` are whose processor time counts; `alive` raises where waiting makes no sense any more.
    """
    sources = [TopicPartition(topic.name, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        begun = now = time.monotonic()
        cpu_before, done, watched = 0.0, 0, False
        give_up = begun + PATIENCE_SECONDS
        while done < topic.events:
            alive()
            done = sum([await consumer.committed(source) or 0 for source in sources])
            now = time.monotonic()
            if not done:
                begun, cpu_before, watched = now, _cpu_seconds(pids), True  # the last instant at which nothing was committed
            assert now < give_up, f"only {done} of {topic.events} events in {PATIENCE_SECONDS} s"
            await asyncio.sleep(ASK_SECONDS)
        assert watched, "it had begun before anybody looked"
        return Speed(topic.events / (now - begun), (_cpu_seconds(pids) - cpu_before) / topic.events * 1e6)
    finally:
        await consumer.stop()


def _cpu_seconds(pids: Collection[int]) -> float:
    return sum(cpu_seconds(pid) for pid in pids)
