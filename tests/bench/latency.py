"""How long things take at half load, clock live: from a deadline to the breach that others can read, from an event to /metrics.

What a worker can do is seen first: on the log of a whole day, whose evening costs more than its morning, and with events that come one by
one, as fast as it works off a backlog. After that they come at half of the lower rate, among them watched tickets that nobody answers, in
each partition one every 25 ms, with a target of two seconds.

Breach: from deadline + timer_delay, the earliest instant at which it may be stated, to the one at which a reader of committed facts has it.
Metric: /metrics is scraped every two seconds, at random moments: seven times as often as Prometheus does, at a cost that does not show.
Each answer tells for each partition which watched ticket it counted last, and the figure is the age of that ticket when the answer was
there. So it is never too small, and by up to 25 ms too large. All on one machine, by one clock.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.config.service import Kafka
from processor.core.settings import MS
from processor.stream.send import Sender
from processor.wall_clock import WallClock
from tests.bench.loaded import PARTITIONS, Topic, loaded, until_committed
from tests.bench.log import Log, log_of, settings
from tests.bench.options import Size
from tests.bench.paced import GROUP, Traffic, Watched, lines_of
from tests.bench.processes import cpu_seconds
from tests.bench.worker import deployment_of, measure
from tests.kafka.deployment import Deployment, Worker, until

BACKLOG_EVENTS = 150_000
TARGET = "2s"
SCRAPE_SECONDS = 2.0
TRIAL_SECONDS = 8.0  # to see what can be done
BREACHED = b'"type":"support.clock.breached"'
CREATED = "support_tickets_created_total"
PATIENCE_SECONDS = 60


def run(size: Size) -> dict[str, Any]:
    """Both latencies, p50 and p99."""
    log = log_of(size.events)
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-bench-") as folder, loaded(Path(folder), log, few=1) as ready:
        day_speed = size.rate or measure(ready, "day").speed.events_per_second
        deployment = watching(ready.bootstrap, "latency", ready.folder / "latency").create_topics()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_measure(deployment, log, size, day_speed))


def watching(bootstrap: str, name: str, folder: Path) -> Deployment:
    """A deployment in which a watched ticket has its own policy."""
    deployment = deployment_of(bootstrap, name, folder, segments={"known": {"group": [GROUP]}})
    policies = deployment.document["policies"]
    policies.insert(0, {"id": GROUP, "match": {"group": [GROUP]}, "targets": {"first_response": TARGET}})
    return deployment


async def _measure(deployment: Deployment, log: Log, size: Size, day_speed: float) -> dict[str, Any]:
    config = deployment.config
    async with Sender(Kafka(bootstrap_servers=[deployment.bootstrap]), config.topics.events) as sender:
        traffic = Traffic(sender, lines_of(log), 0)
        backlog = min(BACKLOG_EVENTS, size.events)
        traffic.watching = False
        await traffic.send(backlog)
        await sender.flush()
        with deployment.worker("watched") as worker:
            speed = await full_speed(deployment, worker, Topic(config.topics.events, backlog, 0))
            await asyncio.to_thread(until, "the worker is ready", worker.ready)
            rate = min(await half_load(traffic, [worker], size, speed), day_speed / 2)
            traffic.rate, traffic.watching = rate, True
            reader = asyncio.create_task(_breaches(deployment, traffic.watched))
            ages: list[int] = []
            scraper = asyncio.create_task(_ages(worker, traffic.watched, ages, min(SCRAPE_SECONDS, size.minutes * 6)))
            began, cpu_before = time.monotonic(), cpu_seconds(worker.process.pid)
            while not ages:
                await traffic.run(size.minutes * 60)
            share = (cpu_seconds(worker.process.pid) - cpu_before) / (time.monotonic() - began)
            scraper.cancel()
            async with asyncio.timeout(PATIENCE_SECONDS):
                lateness = await reader
            worker.end()
    assert all(traffic.watched.sent.values())
    return {
        "full_events_per_second": round(day_speed),
        "paced_events_per_second": round(rate),
        "worker_percent_of_a_core": round(share * 100, 1),
        "producer_behind_seconds": round(traffic.behind_seconds, 3),
        "watched_tickets": len(lateness),
        "breach_p50_seconds": quantile_seconds(lateness, 0.5),
        "breach_p99_seconds": quantile_seconds(lateness, 0.99),
        "breach_max_seconds": quantile_seconds(lateness, 1),
        "metric_samples": len(ages),
        "metric_p50_seconds": quantile_seconds(ages, 0.5),
        "metric_p99_seconds": quantile_seconds(ages, 0.99),
        "metric_max_seconds": quantile_seconds(ages, 1),
    }


async def full_speed(deployment: Deployment, worker: Worker, backlog: Topic) -> float:
    """Events a second of a worker that works off a backlog."""

    def alive() -> None:
        assert worker.process.poll() is None, worker.log()[-4000:]

    name = deployment.config.application_id
    return (await until_committed(deployment.bootstrap, backlog, name, [worker.process.pid], alive)).events_per_second


async def half_load(traffic: Traffic, workers: list[Worker], size: Size, speed: float) -> float:
    """Half of what the workers can do while events come one by one: seen while they come as fast as a backlog is worked off.

    That is faster than they can be taken, with a producer on the same cores. Returns when everything is taken.
    """
    if size.rate:
        return size.rate / 2
    traffic.rate = speed
    seconds = min(TRIAL_SECONDS, size.minutes * 20)
    await traffic.run(seconds)  # until it is used to it
    began, before = time.monotonic(), await asyncio.to_thread(applied, workers)
    await traffic.run(seconds)
    done = await asyncio.to_thread(applied, workers) - before
    seconds = time.monotonic() - began
    await asyncio.to_thread(_until_taken, traffic, workers)
    return done / seconds / 2


def _until_taken(traffic: Traffic, workers: list[Worker]) -> None:
    """However much that is: of a few events nobody can tell how fast many are taken. But more must come each time within the patience."""
    taken = 0
    while taken < traffic.sent:
        taken = until("more is taken", partial(_more_than, taken, workers), every=0.2)


def _more_than(taken: int, workers: list[Worker]) -> int | None:
    now = applied(workers)
    return now if now > taken else None


def applied(workers: list[Worker]) -> int:
    """How many records they have taken."""
    return applied_in(each.snapshot() for each in workers)


def applied_in(snapshots: Iterable[dict[str, Any]]) -> int:
    """The same of what they have shown."""
    return sum(part["applied"] + 1 for shown in snapshots for part in shown.get("partitions", {}).values())


def quantile_seconds(values: Sequence[float], share: float) -> float:
    """So large a share of the values (milliseconds) is not above this many seconds."""
    assert values, "nothing was seen"
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] / MS


async def _breaches(deployment: Deployment, watched: Watched) -> list[int]:
    """How late each breach of a watched ticket could be read, in milliseconds; returns when all are there."""
    clock, due = WallClock(), settings().timer_delay + int(TARGET[:-1]) * MS
    lateness: list[int] = []
    consumer = AIOKafkaConsumer(bootstrap_servers=deployment.bootstrap, isolation_level="read_committed", auto_offset_reset="latest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(deployment.config.topics.facts, number) for number in range(PARTITIONS)])
        while not lateness or len(lateness) < sum(map(len, watched.sent.values())):
            found = await consumer.getmany(timeout_ms=100)
            now = clock.now()
            for batch in found.values():
                for record in batch:
                    if BREACHED in record.value and record.key.startswith(b"WATCHED-"):
                        lateness.append(now - watched.at[record.key] - due)
                        assert orjson.loads(record.value)["data"]["clock"] == "first_response"
        assert min(lateness) >= 0, f"{min(lateness)} ms: a breach was stated before its time"
        return lateness
    finally:
        await consumer.stop()


async def _ages(worker: Worker, watched: Watched, ages: list[int], every: float) -> None:
    """Add the age of what each partition counted last, in milliseconds, at random moments, until cancelled."""
    clock, moments = WallClock(), random.Random(1)
    while True:
        await asyncio.sleep(moments.uniform(0.5, 1.5) * every)
        samples = await asyncio.to_thread(worker.samples, CREATED)
        now = clock.now()
        counted = dict.fromkeys(range(PARTITIONS), 0.0)
        for labels, value in samples.items():
            if f'group="{GROUP}"' in labels:
                counted[int(labels.partition('partition="')[2].partition('"')[0])] += value
        ages += [now - watched.sent[number][int(count) - 1] for number, count in counted.items() if count]
