"""How long a restarted worker takes until it is ready: a real broker, the shipped topic settings, and the state that a long log has left.

The state is written as a worker would have: the records of a few thousand tickets of each kind come from the engine, and stand for those of
all others, which differ by their ids alone. Every event's record and its tombstone is written in the order of a log of many days, in
transactions of a step each, so that compaction has as much to do as it has behind a worker; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiokafka import AIOKafkaProducer

from processor.codec.state import MARKER_KEY, encode_record
from processor.core.engine import Engine
from processor.core.settings import DAY_MS, Settings
from processor.stream.marker import MarkerWriter
from tests.bench.loaded import PARTITIONS
from tests.bench.log import settings
from tests.bench.options import Size
from tests.bench.processes import cpu_seconds
from tests.bench.tickets import BEGIN, EVENTS_EACH, STEP_EVENTS, stories
from tests.bench.worker import deployment_of
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, until

TICKETS, TICKETS_TINY = 1_000_000, 2_000  # open ones, and as many stubs
SAMPLE = 1_000
DAYS = 30  # that the log has lasted: events of the last two are kept one by one
BATCH_BYTES = 900_000
PATIENCE_SECONDS = 600

Pair = tuple[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Lives:
    """What an engine has left of some tickets, in order: the records of events, those of falling asleep, and those of coming to rest.

    Keys are without the id.
    """

    events: list[list[Pair]]
    asleep: list[list[Pair]]
    rest: list[list[Pair]]
    rows: list[Pair]
    engine: Engine


def run(size: Size) -> dict[str, Any]:
    """Seconds from the start of the process to ready, and the longest wait of its event loop."""
    count = TICKETS_TINY if size.tiny else TICKETS
    with TemporaryDirectory(prefix="ticket-kpis-bench-") as folder, Broker(Path(folder) / "kafka") as broker:
        return measure(broker, Path(folder), count)


def measure(broker: Broker, folder: Path, count: int) -> dict[str, Any]:
    """Fill, start, wait."""
    own = {"worker": {"clock": "log", "session_timeout_seconds": 6}}
    deployment = deployment_of(broker.bootstrap, "recovery", folder / "deployment", **own)
    deployment.create_topics()
    records = asyncio.run(_fill(deployment, count))
    started = time.monotonic()
    with deployment.worker() as worker:
        until("the worker is ready", worker.ready, seconds=PATIENCE_SECONDS)
        seconds = time.monotonic() - started
        cpu = cpu_seconds(worker.process.pid)
        shown = worker.snapshot()
        lag = worker.samples("support_processor_loop_lag_seconds_bucket")
        rebalances = worker.samples("support_processor_rebalances_total")
        worker.end()
    side_by_side = _measure_two(deployment, count)
    found = sum(shown["metrics"]["support_backlog_tickets"].values())
    assert found == count, f"{found} open tickets of {count}"
    return {
        "recovered_open": count,
        "recovered_stubs": count,
        "records_written": records,
        f"recovery_seconds_of_{'a_few' if count < TICKETS else 'a_million'}": round(seconds, 1),
        "recovery_cpu_seconds": round(cpu, 1),
        "recovery_seconds_of_two_processes": round(side_by_side, 1),
        "recovery_rebalances": round(sum(rebalances.values())),
        "longest_wait_of_the_loop_seconds": _longest(lag),
    }


def _measure_two(deployment: Deployment, count: int) -> float:
    """The same state taken over by two processes, each with half of the partitions."""
    started = time.monotonic()
    with deployment.worker("pair", "--processes", "2") as first:
        both = [first, first.second()]

        def all_there() -> bool:
            return sum(sum(each.snapshot().get("metrics", {}).get("support_backlog_tickets", {}).values()) for each in both) == count

        until("both are ready", lambda: all(each.ready() for each in both) and all_there(), seconds=PATIENCE_SECONDS, every=0.2)
        seconds = time.monotonic() - started
        first.end()
    return seconds


def _longest(buckets: dict[str, float]) -> float:
    """The smallest edge of a cumulative histogram that nothing exceeded."""
    counts = {float(labels.partition('le="')[2].partition('"')[0]): count for labels, count in buckets.items()}
    return min(edge for edge, count in counts.items() if count == max(counts.values()))


def lives(rules: Settings, *, solved: bool) -> Lives:
    """Of a sample that is created within a day and looked at until it sleeps, or rests."""
    engine = Engine(rules)
    events: dict[str, list[Pair]] = defaultdict(list)
    later: list[dict[str, list[Pair]]] = [defaultdict(list), defaultdict(list)]
    rows: dict[bytes, bytes] = {}

    def take(into: dict[str, list[Pair]]) -> None:
        engine.advance_by_log()
        engine.sweep()
        for key, value in engine.drain().records.items():
            name, stored = encode_record(key, value)
            if key[0] in "eh" and key[1] == "ticket":
                into[key[-1]].append((name.removesuffix(key[-1].encode()), stored))
            elif key[0] in "rc" and stored is not None:
                rows[name] = stored

    for event in stories(0, SAMPLE, BEGIN, DAY_MS, solved=solved):
        engine.apply(event)
    take(events)
    for days, into in ((4, later[0]), (18, later[1])):
        engine.stream_time = BEGIN + days * DAY_MS
        take(into)
        take(into)
    ids = sorted(events)
    if len(engine.stubs) != (SAMPLE if solved else 0):
        raise RuntimeError(f"{len(engine.stubs)} of {SAMPLE} tickets are stubs")
    in_order = [[every[key] for key in ids] for every in (events, later[0], later[1])]
    return Lives(in_order[0], in_order[1], in_order[2], list(rows.items()), engine)


def written(count: int, opened: Lives, closed: Lives) -> Iterator[list[list[Pair]]]:
    """Steps of a log: for each partition what one transaction writes."""
    each = STEP_EVENTS // EVENTS_EACH // 2  # so many of both kinds in a step
    steps = -(-count // each)
    age, old = steps * 2 // DAYS, steps * 5 // DAYS
    rows = max(len(opened.rows) // 20, 1)
    for step in range(steps):
        parts: list[list[Pair]] = [[] for _ in range(PARTITIONS)]
        for number in range(step * each, min((step + 1) * each, count)):
            _put(parts, number, opened.events, b"O")
            _put(parts, number, closed.events, b"S")
        for number in _those_of(step - age, each, count):
            _put(parts, number, opened.asleep, b"O")
            _put(parts, number, closed.asleep, b"S")
        for number in _those_of(step - old, each, count):
            _put(parts, number, opened.rest, b"O")
            _put(parts, number, closed.rest, b"S")
        for part in parts:  # of the present minutes, rewritten again and again
            part += opened.rows[step % 20 * rows : (step % 20 + 1) * rows]
        yield parts
    for step in range(steps - age, steps):  # no stub is younger: what would come to rest next does so now
        yield [_settled(step, each, count, closed, partition) for partition in range(PARTITIONS)]


def _settled(step: int, each: int, count: int, closed: Lives, partition: int) -> list[Pair]:
    parts: list[list[Pair]] = [[] for _ in range(PARTITIONS)]
    for number in _those_of(step, each, count):
        _put(parts, number, closed.asleep, b"S")
        _put(parts, number, closed.rest, b"S")
    return parts[partition]


def _those_of(step: int, each: int, count: int) -> range:
    return range(step * each, min((step + 1) * each, count)) if step >= 0 else range(0)


def _put(parts: list[list[Pair]], number: int, sample: list[list[Pair]], letter: bytes) -> None:
    key = b"%s-%07d" % (letter, number)
    parts[number % PARTITIONS] += [(name + key, value) for name, value in sample[number % SAMPLE]]


async def _fill(deployment: Deployment, count: int) -> int:
    rules = settings()
    opened, closed = lives(rules, solved=False), lives(rules, solved=True)
    config = deployment.config
    writer = MarkerWriter(config, rules, PARTITIONS)
    producer = AIOKafkaProducer(
        bootstrap_servers=deployment.bootstrap, transactional_id="filling", compression_type="zstd",
        max_batch_size=BATCH_BYTES, max_request_size=4_000_000, linger_ms=0,
    )  # fmt: skip
    await producer.start()
    total = 0
    try:
        for parts in written(count, opened, closed):
            async with producer.transaction():
                total += await _send(producer, writer, deployment, closed.engine, parts)
    finally:
        await producer.stop()
    return total


async def _send(producer: AIOKafkaProducer, writer: MarkerWriter, deployment: Deployment, engine: Engine, parts: list[list[Pair]]) -> int:
    topics, sent, count = deployment.config.topics, [], 0
    for partition, records in enumerate(parts):
        moving = {"applied": {topics.events: -1, topics.rekeyed: -1}, "epoch": 1, "newest_appended_at": 0, "appended_at": 0}
        marker = writer.write_of(engine.marker(), partition, **moving)
        sent.append(await producer.send(topics.state, key=MARKER_KEY, value=marker, partition=partition))
        batch = producer.create_batch()
        for key, value in records:
            if batch.append(key=key, value=value, timestamp=None) is None:
                sent.append(await producer.send_batch(batch, topics.state, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        if batch.record_count():
            sent.append(await producer.send_batch(batch, topics.state, partition=partition))
        count += len(records) + 1
    await asyncio.gather(*sent)
    return count
