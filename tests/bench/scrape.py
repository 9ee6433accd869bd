"""How long /metrics takes with as many samples as one worker may serve, while it works at half load.

The benchmarks' log and configuration make at least `SAMPLES` lines with numbers. The figure is the time from the request to the last byte
of the answer, as Prometheus sees it: asked by a process of its own, once a second, fifteen times as often as Prometheus does.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import uvloop

from processor.config.service import Kafka
from processor.core.settings import MS
from processor.export.catalogue import estimate_samples
from processor.stream.send import Sender
from tests.bench.latency import BACKLOG_EVENTS, full_speed, half_load, quantile_seconds
from tests.bench.loaded import Topic
from tests.bench.log import log_of
from tests.bench.options import Size
from tests.bench.paced import Traffic, lines_of
from tests.bench.worker import deployment_of
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, until

SAMPLES = 50_000
SCRAPE_SECONDS = 1.0


def run(size: Size) -> dict[str, Any]:
    """How long a scrape takes, p50, p99 and the longest, and how large the answers are."""
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-bench-") as folder, Broker(Path(folder) / "kafka") as broker:
        # Groups and topics come from the log; the queues are there so that they are enough before the log has told of many.
        known = {"channel": ["email", "web", "chat", "messaging", "phone"], "queue": ["hotline", "callback"]}
        segments = {"windows": [[]], "known": known}
        deployment = deployment_of(broker.bootstrap, "scrape", Path(folder) / "scrape", segments=segments).create_topics()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_measure(deployment, size))


async def _measure(deployment: Deployment, size: Size) -> dict[str, Any]:
    config = deployment.config
    async with Sender(Kafka(bootstrap_servers=[deployment.bootstrap]), config.topics.events) as sender:
        traffic = Traffic(sender, lines_of(log_of(size.events)), 0)
        traffic.watching = False
        backlog = min(BACKLOG_EVENTS, size.events)
        await traffic.send(backlog)
        await sender.flush()
        with deployment.worker("scraped") as worker, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as prometheus:
            speed = await full_speed(deployment, worker, Topic(config.topics.events, backlog, 0))
            await asyncio.to_thread(until, "the worker is ready", worker.ready)
            traffic.rate = await half_load(traffic, [worker], size, speed)
            busy = asyncio.create_task(traffic.run(size.minutes * 60))
            times, samples, size_bytes = [], 0, 0
            while not busy.done():
                taken, samples, size_bytes = await asyncio.get_running_loop().run_in_executor(prometheus, _scrape, worker.port)
                times.append(taken)
                await asyncio.sleep(min(SCRAPE_SECONDS, size.minutes))
            await busy
            worker.end()
    assert samples >= SAMPLES, f"{samples:,} samples are too few"
    return {
        "scrape_samples": samples,
        "scrape_bytes": size_bytes,
        "samples_estimated": estimate_samples(config),
        "paced_events_per_second": round(traffic.rate),
        "scrapes": len(times),
        "scrape_p50_seconds": quantile_seconds(times, 0.5),
        "scrape_p99_seconds": quantile_seconds(times, 0.99),
        "scrape_max_seconds": quantile_seconds(times, 1),
    }


def _scrape(port: int) -> tuple[float, int, int]:
    """Milliseconds, and how many samples and bytes the answer has."""
    began = time.monotonic()
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as response:
        answer = response.read()
    taken = (time.monotonic() - began) * MS
    return taken, sum(not line.startswith(b"#") for line in answer.splitlines()), len(answer)
