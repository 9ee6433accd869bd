"""Twenty minutes at half load, two workers: neither may grow, and neither may fall behind the other. By hand: `--only soak --minutes 20`.

So that whatever grows is a leak, what is remembered is in balance: 20,000 tickets are open at any time, nothing may be late by more than
half a minute, and what is solved is forgotten soon; nobody is said to have asked, since people are remembered for a day at least,
whatever the settings. Until it is in balance some minutes pass at a rate that leaves room; only then, with
all that tickets cost at their end, is it seen what half load is. The slope is that of the second half; it is a straight line through the
resident memory of each worker, seen every two seconds.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from processor.config.service import Kafka
from processor.stream.send import Sender
from tests.bench.events import events
from tests.bench.latency import applied_in, full_speed, half_load
from tests.bench.loaded import PARTITIONS, Topic
from tests.bench.options import Size
from tests.bench.paced import Line, Traffic, split
from tests.bench.processes import cpu_seconds, resident_bytes
from tests.bench.worker import deployment_of
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, until

WORKERS = 2
BACKLOG_EVENTS = 150_000
BALANCE_SECONDS = 240.0  # until a ticket of the first second is forgotten
BALANCE_SHARE = 0.2  # of the speed on a backlog, while nothing has come to its end yet
SAMPLE_SECONDS = 2.0
ENDLESS = 10**9
MB = 1e6
CREATED = b'"type":"support.ticket.created"'
TIMER = "support_processor_timer_timestamp_seconds"
DRIFT_EVERY = 5  # samples
SHORT: dict[str, Any] = {
    "time": {"allowed_lateness": "30s", "final_after": "30s", "reopen_horizon": "60s", "contact_expires_after": "1h"},
    "surveys": {"lateness": "30s", "edit_window": "30s", "nps_window": "60s"},
    "solving": {"benign_reopen_window": "30s"},
    "first_contact": {"repeat_window": "60s"},
    "limits": {"max_stubs": 1000},
}


@dataclass(slots=True)
class Sample:
    """One look at one worker."""

    second: float
    resident: int
    cpu: float


def run(size: Size) -> dict[str, Any]:
    """Megabytes a minute, processor time per event, and the greatest lag between workers."""
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-bench-") as folder, Broker(Path(folder) / "kafka") as broker:
        deployment = deployment_of(broker.bootstrap, "soak", Path(folder) / "soak", **SHORT).create_topics()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_soak(deployment, size))


async def _soak(deployment: Deployment, size: Size) -> dict[str, Any]:
    config, lines = deployment.config, Lines()
    async with Sender(Kafka(bootstrap_servers=[deployment.bootstrap]), config.topics.events) as sender:
        traffic = Traffic(sender, lines, 0)
        traffic.watching = False
        await traffic.send(min(BACKLOG_EVENTS, size.events))
        await sender.flush()
        with ExitStack() as stack:
            first = stack.enter_context(deployment.worker("worker-0"))
            speed = await full_speed(deployment, first, Topic(config.topics.events, traffic.sent, 0))
            workers = [first, *(stack.enter_context(deployment.worker(f"worker-{number}")) for number in range(1, WORKERS))]
            share = PARTITIONS // WORKERS
            await asyncio.to_thread(until, "each has its share", lambda: all(len(each.applied()) == share for each in workers))
            traffic.rate = speed * BALANCE_SHARE
            await traffic.run(min(BALANCE_SECONDS, size.minutes * 12))
            traffic.rate = await half_load(traffic, workers, size, speed)
            before = traffic.sent
            watch = asyncio.create_task(_watch(workers, size.minutes * 60))
            await traffic.run(size.minutes * 60)
            samples, drift = await watch
            await sender.flush()
            shown = await asyncio.to_thread(until, "everything is counted", lambda: _all(workers, traffic.sent))
            for each in workers:
                each.end()
    created = sum(sum(each["metrics"]["support_tickets_created_total"].values()) for each in shown)
    assert created == lines.created, (created, lines.created)
    return {
        "minutes": size.minutes,
        "workers": WORKERS,
        "full_events_per_second": round(speed),
        "paced_events_per_second": round((traffic.sent - before) / (size.minutes * 60)),
        **_figures(samples),
        "worker_drift_seconds": round(drift, 3),
    }


class Lines:
    """The stream of a busy desk without end, and how many tickets were created in it."""

    def __init__(self) -> None:
        self.created = 0

    def __iter__(self) -> Iterator[Line]:
        for line in events(ENDLESS, requesters=0, balanced=True):
            self.created += CREATED in line
            yield split(line)


async def _watch(workers: list[Worker], seconds: float) -> tuple[list[list[Sample]], float]:
    """What each worker held and cost, and by how much timer time ever differed between any two partitions, in the second half."""
    began, drift = time.monotonic(), 0.0
    samples: list[list[Sample]] = [[] for _ in workers]
    while (second := time.monotonic() - began) < seconds:
        for taken, each in zip(samples, workers, strict=True):
            taken.append(Sample(second, resident_bytes(each.process.pid), cpu_seconds(each.process.pid)))
        if second > seconds / 2 and len(samples[0]) % DRIFT_EVERY == 0:
            found = await asyncio.gather(*[asyncio.to_thread(each.samples, TIMER) for each in workers])
            times = [value for shown in found for value in shown.values()]
            drift = max(drift, max(times) - min(times))
        await asyncio.sleep(min(SAMPLE_SECONDS, seconds / 20))
    return [taken[len(taken) // 2 :] for taken in samples], drift


def _figures(samples: list[list[Sample]]) -> dict[str, float]:
    slopes = [_slope([(each.second, each.resident) for each in taken]) * 60 / MB for taken in samples]
    shares = [(taken[-1].cpu - taken[0].cpu) / (taken[-1].second - taken[0].second) for taken in samples]
    return {
        "resident_mb": round(max(taken[-1].resident for taken in samples) / MB),
        "memory_slope_mb_per_minute": round(max(slopes), 3),
        "percent_of_a_core": round(max(shares) * 100, 1),
        "percent_of_a_core_of_the_other": round(min(shares) * 100, 1),
    }


def _slope(points: list[tuple[float, float]]) -> float:
    """Of the straight line through them, by least squares."""
    middle_x, middle_y = (sum(each) / len(points) for each in zip(*points, strict=True))
    rise = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return float(rise / sum((x - middle_x) ** 2 for x, _ in points))


def _all(workers: list[Worker], sent: int) -> list[dict[str, Any]] | None:
    shown = [each.snapshot() for each in workers]
    return shown if applied_in(shown) == sent else None
