"""The whole worker on a real Kafka: events a second from the topic to committed state and facts, recovery, and what the state costs."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.stream.lines import read_line
from processor.stream.send import Sender
from tests.bench.engine import CONFIG
from tests.bench.events import events
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, until

PARTITIONS = 4
PIECE = 5000
PATIENCE_SECONDS = 600
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def run(count: int) -> dict[str, Any]:
    """Start a broker, load the topic, then measure a worker from its first step to its last committed offset, and its next start."""
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-bench-") as folder, Broker(Path(folder) / "kafka") as broker:
        deployment = Deployment(
            broker.bootstrap,
            "bench",
            Path(folder),
            partitions=PARTITIONS,
            worker={"step_events_max": 4000, "session_timeout_seconds": 30, "transaction_timeout_seconds": 15, "snapshot_ms": 200},
        )
        deployment.document |= yaml.safe_load(CONFIG)
        deployment.create_topics()
        input_bytes = asyncio.run(_load(deployment, count))
        with deployment.worker("first") as worker:
            measured = asyncio.run(_measure(deployment, worker, count))
            snapshot = until("everything is shown", lambda: _complete(worker, count))
            worker.end()
        accepted = sum(shown["applied"] + 1 for shown in snapshot["partitions"].values())
        assert accepted == count, (accepted, count)
        created = sum(snapshot["metrics"]["support_tickets_created_total"].values())
        expected = sum(1 for line in events(count) if b'"support.ticket.created"' in line)
        assert created == expected, (created, expected)
        with deployment.worker("second") as worker:
            recovery = _recovery_seconds(worker)
            assert worker.snapshot()["digest"] == snapshot["digest"]
        state_bytes = _folder_bytes(Path(folder) / "kafka", "bench-state-")
        return {
            "events": count,
            "partitions": PARTITIONS,
            **measured,
            "open_tickets": round(sum(snapshot["metrics"]["support_backlog_tickets"].values())),
            "recovery_seconds": round(recovery, 2),
            "state_bytes_per_input_byte": round(state_bytes / input_bytes, 2),
        }


async def _load(deployment: Deployment, count: int) -> int:
    total = 0
    piece: list[bytes] = []
    async with Sender(deployment.config.kafka, deployment.config.topics.events) as sender:
        for line in events(count):
            total += len(line)
            piece.append(line)
            if len(piece) == PIECE:
                await sender.send([read_line(line) for line in piece])
                piece.clear()
        await sender.send([read_line(line) for line in piece])
    return total


async def _measure(deployment: Deployment, worker: Worker, count: int) -> dict[str, Any]:
    """Committed offsets are asked of the broker, so that asking does not disturb the worker."""
    topic = deployment.config.topics.events
    sources = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=deployment.bootstrap, group_id=deployment.config.application_id, enable_auto_commit=False
    )
    await consumer.start()
    try:
        begun, cpu_before = time.monotonic(), 0.0
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            done = sum([await consumer.committed(source) or 0 for source in sources])
            now = time.monotonic()
            if not done:
                begun, cpu_before = now, _cpu_seconds(worker)  # the last instant at which nothing was committed
            if done >= count:
                cpu = _cpu_seconds(worker) - cpu_before
                return {"worker_events_per_second": round(count / (now - begun)), "worker_cpu_us_per_event": round(cpu / count * 1e6, 1)}
            assert now < give_up, f"only {done} of {count} events in {PATIENCE_SECONDS} s: {worker.log()[-2000:]}"
            await asyncio.sleep(0.02)
    finally:
        await consumer.stop()


def _complete(worker: Worker, count: int) -> dict[str, Any]:
    """What the worker shows once it shows everything; empty before."""
    shown = worker.snapshot()
    return shown if sum(part["applied"] + 1 for part in shown.get("partitions", {}).values()) == count else {}


def _cpu_seconds(worker: Worker) -> float:
    fields = Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def _recovery_seconds(worker: Worker) -> float:
    """From the beginning of the first takeover to the end of the last, as the worker itself measured."""
    until("the worker is ready", worker.ready)
    return max(worker.samples("support_processor_recovery_seconds").values())


def _folder_bytes(data: Path, prefix: str) -> int:
    """Bytes of the log segments of a topic on the broker's disk."""
    return sum(path.stat().st_size for path in data.rglob("*.log") if path.parent.name.startswith(prefix))
