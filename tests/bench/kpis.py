"""The KPI stage on a real Kafka, alone in this process: what it costs of a core at 100 segments and 16 partitions of events.

Live, each partition sends its levels once a second and its windows once a minute. The seconds are lived through, since what they cost is
waking up; the minutes are sent one right after the other, since what they cost is work. Both are sent by another process, and the processor
time of this one, all threads included, is what the stage takes: 60 seconds, a minute's windows, and four scrapes.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import uvloop
from aiokafka import AIOKafkaProducer

from processor.codec.partials import Encoded, Sender, encode_levels, encode_report
from processor.compile import compile_settings
from processor.config import Config, load
from processor.core.events import CHANNELS
from processor.core.kpis import COUNTED
from processor.core.outputs import Report
from processor.core.postings import HISTOGRAMS
from processor.core.rows import Row, Segment
from processor.core.settings import MINUTE_MS
from processor.core.windows import WINDOWS
from processor.export.collector import Exporter
from processor.export.kpi_view import KpiView
from processor.export.telemetry import Telemetry
from processor.stream.kpi_stage import KpiStage
from tests.bench.options import Size
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment

START = 1_767_225_600_000
EVENTS = 400_000  # the size for which the figures are meant; smaller runs have fewer of everything
PARTITIONS = 16
GROUPS = 92  # with the channels and the total a hundred segments
MINUTES = 10
SECONDS = 20
SCRAPES_PER_MINUTE = 4
PATIENCE_SECONDS = 120
BUCKETS = range(6, 16)  # of each histogram: what a window of a day or a week fills


def run(size: Size) -> dict[str, Any]:
    """Processor seconds per minute of live operation, and the share of a core that this is."""
    scale = min(size.events / EVENTS, 1.0)
    minutes, seconds, groups = max(round(MINUTES * scale), 2), max(round(SECONDS * scale), 1), max(round(GROUPS * scale), 2)
    partitions = max(round(PARTITIONS * scale), 2)
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-bench-") as folder, Broker(Path(folder) / "kafka") as broker:
        sections: dict[str, Any] = {
            "segments": {"known": {"group": [f"group {number}" for number in range(groups)]}},
            "worker": {"session_timeout_seconds": 30},  # as shipped: on a busy machine shorter ones end now and then
        }
        deployment = Deployment(broker.bootstrap, "kpis", Path(folder), partitions=partitions, **sections).create_topics()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            measured = runner.run(_measure(deployment.config, Path(folder) / "config.yaml", minutes, seconds))
    segments = 1 + len(CHANNELS) + groups
    return {"segments": segments, "partitions": partitions, "kpi_partitions": deployment.config.topics.kpi_partitions, **measured}


async def _measure(config: Config, path: Path, minutes: int, seconds: int) -> dict[str, Any]:
    telemetry = Telemetry()
    stage, exporter = KpiStage(config, compile_settings(config), telemetry), Exporter(config)
    await stage.start()
    try:
        with TicketStages(path) as stages:
            await _until(stage, 0, config, lambda: len(stage.owned()) == config.topics.kpi_partitions)
            await stages.send(first=0, minutes=1, seconds=0)
            await _until(stage, 1, config)
            before = time.process_time()
            await stages.send(first=1, minutes=minutes, seconds=0)
            await _until(stage, minutes + 1, config)
            minute = (time.process_time() - before) / minutes
            before = time.process_time()
            await stages.send(first=minutes + 1, minutes=0, seconds=seconds)
            second = (time.process_time() - before) / max(seconds, 1)
        views, _ = stage.shown()
        _check(views, config, minutes)
        before = time.process_time()
        text = exporter.render([], telemetry, views)
        scrape = time.process_time() - before
    finally:
        await stage.stop()
    total = 60 * second + minute + SCRAPES_PER_MINUTE * scrape
    return {
        "kpi_cpu_seconds_of_windows_per_minute": round(minute, 3),
        "kpi_cpu_seconds_of_levels_per_minute": round(60 * second, 3),
        "kpi_cpu_seconds_of_a_scrape": round(scrape, 3),
        "kpi_scrape_lines": text.count(b"\n"),
        "kpi_cpu_seconds_per_minute": round(total, 3),
        "kpi_percent_of_a_core": round(total / 60 * 100, 2),
    }


async def _until(stage: KpiStage, minutes: int, config: Config, also: Any = lambda: True) -> None:
    """Until so many minutes were given out by every KPI partition."""
    end = START + (minutes - 1) * MINUTE_MS
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not also() or (minutes and [view.end for view in stage.shown()[0]] != [end] * config.topics.kpi_partitions):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def _check(views: list[KpiView], config: Config, minutes: int) -> None:
    """The benchmark's own answer: what all partitions have sent of the last minute, in every segment and window."""
    partitions = config.topics.partitions
    merged = [each for view in views for each in view.segments.values()]
    assert len(merged) == 1 + len(CHANNELS) + len(config.segments.known.group)
    expected = sum(_amount(minutes, partition) for partition in range(partitions))
    assert {each.windows[window]["tickets_created"] for each in merged for window in WINDOWS} == {expected}
    assert {each.backlog for each in merged} == {expected}


def _amount(minute: int, partition: int) -> int:
    return (minute + 1) * 100 + partition


# -- the ticket stages, in a process of their own -----------------------------------------------------------------------------------


class TicketStages:
    """All partitions of events, in one process. A context manager; `send` returns when everything is committed."""

    def __init__(self, path: Path) -> None:
        self._here, self._there = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(target=_as_ticket_stages, args=(path, self._there))

    async def send(self, *, first: int, minutes: int, seconds: int) -> None:
        """Windows of so many minutes at once, then so many seconds of levels."""
        self._here.send((first, minutes, seconds))
        await asyncio.to_thread(self._here.recv)

    def __enter__(self) -> Self:
        self._process.start()
        self._there.close()  # so that its end, whatever the reason, is the end of waiting for it
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._here.send(None)
        self._process.join(PATIENCE_SECONDS)


def _as_ticket_stages(path: Path, orders: Connection) -> None:
    asyncio.run(_send_as_told(load(path), orders))


async def _send_as_told(config: Config, orders: Connection) -> None:
    partitions = range(config.topics.partitions)
    producers = await asyncio.gather(*[_producer(config, partition) for partition in partitions])
    try:
        while order := await asyncio.to_thread(orders.recv):
            first, minutes, seconds = order
            for minute in range(first, first + minutes):
                await asyncio.gather(*[_commit(config, producers[number], _windows(config, minute, number)) for number in partitions])
            await asyncio.gather(*[_each_second(config, producers[number], number, first, seconds) for number in partitions])
            orders.send(order)
    finally:
        await asyncio.gather(*[producer.stop() for producer in producers])


async def _each_second(config: Config, producer: AIOKafkaProducer, partition: int, minute: int, seconds: int) -> None:
    """At the instants of its own at which a partition commits a step."""
    await asyncio.sleep(partition / config.topics.partitions)
    for second in range(seconds):
        started = time.monotonic()
        await _commit(config, producer, _levels(config, minute, partition, second))
        await asyncio.sleep(max(1 - (time.monotonic() - started), 0))


async def _producer(config: Config, partition: int) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=config.kafka.bootstrap_servers,
        transactional_id=f"bench-{partition}",
        max_batch_size=1_000_000,
        max_request_size=4_000_000,
        compression_type="zstd",
    )
    await producer.start()
    return producer


async def _commit(config: Config, producer: AIOKafkaProducer, records: Iterator[Encoded]) -> None:
    await producer.begin_transaction()
    sent = [await producer.send(config.topics.partials, key=key, value=value, partition=place) for place, key, value in records]
    await asyncio.gather(*sent)
    await producer.commit_transaction()


def _sender(config: Config, partition: int) -> Sender:
    group_bys = tuple(tuple(names) for names in config.segments.group_bys)
    return Sender(partition, config.topics.partitions, 1, config.topics.kpi_partitions, group_bys, config.application_id)


def _segments(config: Config) -> list[Segment]:
    group_bys = [tuple(names) for names in config.segments.group_bys]
    channels = [(group_bys.index(("channel",)), (name,)) for name in CHANNELS]
    return [(group_bys.index(()), ()), *channels, *((group_bys.index(("group",)), (name,)) for name in config.segments.known.group)]


def _windows(config: Config, minute: int, partition: int) -> Iterator[Encoded]:
    """Everything that can be counted, in every segment and window."""
    amount = _amount(minute, partition)
    row: Row = dict.fromkeys(COUNTED, amount)
    for name in HISTOGRAMS:
        row |= {f"{name}:b:{bucket}": amount + bucket for bucket in BUCKETS} | {f"{name}:sum": amount * 60_000}
    for clock in ("first_response", "resolution", "queue_wait"):
        row |= {f"sla_{verb}:{clock}": amount for verb in ("started", "measured", "breached")}
    segments = _segments(config)
    report = Report(START + minute * MINUTE_MS, {each: dict.fromkeys(WINDOWS, row) for each in segments}, dict.fromkeys(segments, amount))
    return encode_report(report, _sender(config, partition), minute)


def _levels(config: Config, minute: int, partition: int, second: int) -> Iterator[Encoded]:
    numbers = {"backlog": 1000 + second, "awaiting": 300, "contacts_waiting": 5}
    at = START + minute * MINUTE_MS + second * 1000
    return encode_levels(dict.fromkeys(_segments(config), numbers), at, _sender(config, partition), second)
