"""The whole worker on a real Kafka, exactly once: from the topic to committed state and facts; what it states, what it writes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.codec.times import parse_time
from processor.config.kpis import Limits
from processor.config.service import Worker as WorkerSection
from processor.core.facts import LEDGER_MODULUS
from processor.export.snapshot import compare_truth
from processor.stream.send import Sender
from tests.bench.engine import TIMED
from tests.bench.loaded import PARTITIONS, Loaded, Speed, until_committed
from tests.bench.log import CONFIG
from tests.kafka.deployment import Deployment, Worker, caught_up, until

PATIENCE_SECONDS = 300
WRITTEN = ("state", "facts", "partials")
TIMED_TYPES = tuple(f'"type":"support.{kind}"'.encode() for kind in TIMED)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: how fast, and the sum of all conclusions at its end."""

    speed: Speed
    digest: str


def deployment_of(bootstrap: str, name: str, folder: Path, **sections: Any) -> Deployment:
    """A deployment with the benchmarks' configuration, and otherwise the shipped settings."""
    document = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))
    for section, shipped in (("worker", WorkerSection()), ("limits", Limits())):  # of which deployments of tests have others
        sections[section] = shipped.model_dump(mode="json") | sections.get(section, {})
    return Deployment(bootstrap, name, folder, partitions=PARTITIONS, **document, **sections)


@contextmanager
def running(loaded: Loaded, name: str, count: int = 1) -> Iterator[tuple[Deployment, list[Worker]]]:
    """Workers that begin with the first event of the log, on topics of their own that are gone afterwards."""
    own = {"worker": {"clock": "log"}, "topics": {"events": loaded.events.name}}
    deployment = deployment_of(loaded.bootstrap, name, loaded.folder / name, **own).create_topics()
    try:
        with ExitStack() as stack:
            yield deployment, [stack.enter_context(deployment.worker(f"worker-{number}")) for number in range(count)]
    finally:
        loaded.delete(f"{name}-")


def measure(loaded: Loaded, name: str, count: int = 1) -> Run:
    """One run of so many workers, from their first commit to the last."""
    with running(loaded, name, count) as (_, workers):
        return _run(loaded, workers, name)


def measure_and_ask(loaded: Loaded, name: str) -> tuple[Run, dict[str, Any]]:
    """One run, after which all that came of it is looked at. It must be the last: at its end the log says that time has passed."""
    with running(loaded, name) as (deployment, workers):
        run = _run(loaded, workers, name)
        written = _bytes_written(deployment, loaded)
        told = asyncio.run(_facts(deployment))
        asyncio.run(_advance(deployment, loaded))
        (shown,) = _caught_up(loaded, workers, more=1)
        differences = compare_truth(loaded.log.truth, shown)
        assert not differences, [str(each) for each in differences[:10]]
        workers[0].end()
    assert all(told.values()), told
    return run, {**told, "digest": shown["digest"], **written}


def _run(loaded: Loaded, workers: list[Worker], name: str) -> Run:
    def alive() -> None:
        for worker in workers:
            assert worker.process.poll() is None, worker.log()[-4000:]

    speed = asyncio.run(until_committed(loaded.bootstrap, loaded.events, name, [each.process.pid for each in workers], alive))
    snapshots = _caught_up(loaded, workers)
    created = sum(sum(each["metrics"]["support_tickets_created_total"].values()) for each in snapshots)
    assert created == loaded.log.counts("support_tickets_created_total"), created
    digest = sum(int(part["digest"], 16) for each in snapshots for part in each["partitions"].values()) % LEDGER_MODULUS
    assert digest
    return Run(speed, f"{digest:032x}")


def _caught_up(loaded: Loaded, workers: list[Worker], *, more: int = 0) -> list[dict[str, Any]]:
    """What the workers show once they have applied everything; `more` records than the log has in each partition."""
    ends = {number: end + more for number, end in loaded.ends.items()}
    return until("everything is shown", lambda: caught_up(ends, *workers), seconds=PATIENCE_SECONDS, every=1.0)


async def _advance(deployment: Deployment, loaded: Loaded) -> None:
    """Say at the end of the log that time has passed, up to the instant of which the truth speaks."""
    at = loaded.log.truth["clock_advanced_at"]
    async with Sender(deployment.config.kafka, loaded.events.name) as sender:
        await sender.advance_clock(at, parse_time(at))


def _bytes_written(deployment: Deployment, loaded: Loaded) -> dict[str, float]:
    """Keys and values of all records that went to state, facts and partials, per byte of the events; and what they are on disk.

    Both compressed, or neither: the worker's batches are compressed as those of whoever wrote the events.
    """
    topics = deployment.config.topics
    records = {role: asyncio.run(_record_bytes(deployment, getattr(topics, role))) for role in WRITTEN}
    disk = sum(_disk_bytes(loaded.folder, getattr(topics, role)) for role in WRITTEN)
    return {
        **{f"{role}_bytes_per_input_byte": round(size / loaded.events.bytes, 2) for role, size in records.items()},
        "bytes_written_per_input_byte": round(sum(records.values()) / loaded.events.bytes, 2),
        "disk_bytes_per_input_disk_byte": round(disk / _disk_bytes(loaded.folder, loaded.events.name), 2),
        "disk_bytes_per_input_byte": round(disk / loaded.events.bytes, 2),
    }


async def _record_bytes(deployment: Deployment, topic: str) -> int:
    return sum([len(record.key or b"") + len(record.value or b"") async for record in _records(deployment, topic)])


async def _facts(deployment: Deployment) -> Counter[str]:
    """What the topic of facts says, as others read it."""
    told = Counter(facts=0, retractions=0, timers_fired=0)
    async for record in _records(deployment, deployment.config.topics.facts):
        told["facts"] += 1
        told["retractions"] += b'_retracted","' in record.value
        told["timers_fired"] += any(kind in record.value for kind in TIMED_TYPES)
    return told


async def _records(deployment: Deployment, topic: str) -> AsyncIterator[Any]:
    """All committed records of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=deployment.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        sources = [TopicPartition(topic, number) for number in range(PARTITIONS)]  # of partials there are as many
        consumer.assign(sources)
        ends = await consumer.end_offsets(sources)
        for source in sources:
            consumer.assign([source])
            await consumer.seek_to_beginning(source)
            while await consumer.position(source) < ends[source]:
                for record in (await consumer.getmany(source, timeout_ms=500)).get(source, ()):
                    yield record
    finally:
        await consumer.stop()


def _disk_bytes(folder: Path, topic: str) -> int:
    """What the broker has written of a topic."""
    return sum(path.stat().st_size for path in (folder / "kafka").rglob("*.log") if path.parent.name.rpartition("-")[0] == topic)
