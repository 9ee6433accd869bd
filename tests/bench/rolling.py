"""A rolling restart: three workers restarted one after the other while events flow. How long does each partition stand still?

Told from outside, by the broker's own time stamps of the commits: a pause is the longest time without a commit around the restart.
Two ways to be a member of the group: without a name, and with one (`--instance`) that keeps a worker's partitions for it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from threading import Event, Thread
from typing import Any

from aiokafka import AIOKafkaProducer

from processor.codec.murmur2 import partition_of
from tests.kafka.broker import Broker
from tests.kafka.commits import commits, longest_pause, takeovers
from tests.kafka.deployment import Deployment, Worker, until
from tests.kafka.events import created

WORKERS = 3
PARTITIONS = 6
SESSION_SECONDS = 30
EVERY_SECONDS = 0.02  # an event for each partition
SETTLED_SECONDS = 3.0  # of flow without a restart, before and after each


def run(_events: int = 0) -> dict[str, Any]:
    """Both ways, each with a deployment of its own on one broker."""
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-rolling-") as folder, Broker(Path(folder) / "kafka") as broker:
        return {
            f"{way}_{name}": value
            for way in ("nameless", "named")
            for name, value in _roll(broker, Path(folder) / way, way, named=way == "named").items()
        }


def _roll(broker: Broker, folder: Path, name: str, *, named: bool) -> dict[str, Any]:
    worker = {"clock": "live", "session_timeout_seconds": SESSION_SECONDS, "step_events_max": 4000, "snapshot_ms": 200}
    deployment = Deployment(broker.bootstrap, f"rolling-{name}", folder, partitions=PARTITIONS, worker=worker).create_topics()
    names = [f"worker-{number}" for number in range(WORKERS)]

    def begin(each: str) -> Worker:
        return deployment.worker(each, *(("--instance", each) if named else ()))

    windows: list[tuple[int, int, int, set[int]]] = []  # SIGTERM, its end, all in order again, and what it had
    with ExitStack() as stack:
        running = {each: stack.enter_context(begin(each)) for each in names}
        stack.enter_context(flow(deployment))
        until("all have a share", lambda: all(len(each.applied()) == PARTITIONS // WORKERS for each in running.values()))
        for each in names:
            time.sleep(SETTLED_SECONDS)
            had, began = set(running[each].applied()), _now()
            assert running[each].end() == 0
            ended = _now()
            running[each] = stack.enter_context(begin(each))
            until("all have a share", lambda: all(len(each.applied()) == PARTITIONS // WORKERS for each in running.values()))
            windows.append((began, ended, _now(), had))
        time.sleep(SETTLED_SECONDS)
    history = commits(deployment)
    others = [
        (longest_pause(history[number], began, ready), takeovers(history[number], began, ready))
        for began, _, ready, had in windows
        for number in range(PARTITIONS)
        if number not in had
    ]
    own = [longest_pause(history[number], began, ready) for began, _, ready, had in windows for number in had]
    kept, moved = ([pause for pause, taken in others if bool(taken) is each] for each in (False, True))
    assert kept, "every partition of the others was taken over: none stayed where it was"
    return {
        **_pauses("kept_partitions", kept),
        **_pauses("moved_partitions", moved),
        "others_taken_over": sum(taken for _, taken in others),
        **_pauses("its_own", own),
        "takeovers": sum(takeovers(each, windows[0][0], windows[-1][2]) for each in history.values()),
        "stop_ms_max": max(ended - began for began, ended, _, _ in windows),
        "restart_ms_median": round(statistics.median(ready - began for began, _, ready, _ in windows)),
    }


def _pauses(name: str, each: list[int]) -> dict[str, int]:
    """Nothing where there was none."""
    return {f"pause_of_{name}_ms_median": round(statistics.median(each)), f"pause_of_{name}_ms_max": max(each)} if each else {}


def _now() -> int:
    return time.time_ns() // 1_000_000


@contextmanager
def flow(deployment: Deployment) -> Iterator[None]:
    """Events for every partition all the time, in the background."""
    stop = Event()
    thread = Thread(target=lambda: asyncio.run(_send_until(deployment, stop)))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def _send_until(deployment: Deployment, stop: Event) -> None:
    topics, number = deployment.config.topics, 0
    async with AIOKafkaProducer(bootstrap_servers=deployment.bootstrap) as producer:
        while not stop.is_set():
            for partition in range(topics.partitions):
                ticket = _ticket_of(partition, topics.partitions, number)
                await producer.send(topics.events, key=ticket.encode(), value=created(ticket, _now()), partition=partition)
            number += 1
            await asyncio.sleep(EVERY_SECONDS)


def _ticket_of(partition: int, partitions: int, number: int) -> str:
    """A ticket that belongs there."""
    names = (f"T-{number}-{attempt}" for attempt in count())
    return next(name for name in names if partition_of(name.encode(), partitions) == partition)
