"""What one partition of the KPI stage does without a broker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from processor.codec.partials import Place
from processor.compile import compile_rules, compile_settings
from processor.config import Config
from processor.export.kpi_view import Merged
from processor.export.telemetry import Telemetry
from processor.kpis.combine import Combined
from processor.kpis.encode import encode_kpis
from processor.stream import kpi_partition
from processor.stream.failpoints import Failpoints
from processor.stream.kpi_lease import Lease
from processor.stream.kpi_partition import KpiEnvironment, KpiPartition
from processor.stream.kpi_table import SLICE, published_in


async def test_what_was_published_is_read_back_in_slices_between_which_others_run() -> None:
    """With thousands of segments it takes longer than the event loop may stand still."""
    config = Config()
    settings = compile_settings(config)
    environment = KpiEnvironment(config, settings.midnights, compile_rules(config), {}, lambda: 0, Telemetry(), Lease(30.0), Failpoints(""))
    partition: Any = KpiPartition(environment, 0)
    segments: dict[Place, Merged] = {(("topic",), (f"T{number}",)): Merged({}, number) for number in range(100)}
    records = list(encode_kpis(Combined(1_767_600_000_000, 0, True, (), segments, ()), 3, settings.midnights))
    for offset, (key, value) in enumerate(records):
        partition._kpis.put(offset, key, value)
    partition._kpis.put(len(records), b"none of ours", b"{}")
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    published = await published_in(partition._kpis)
    running.cancel()
    assert len(published) == len(records)
    assert {each.epoch for each in published} == {3}
    assert turns >= len(records) // SLICE


async def test_a_partition_that_is_revoked_while_news_come_does_not_go_on() -> None:
    config = Config()
    settings = compile_settings(config)
    environment = KpiEnvironment(config, settings.midnights, compile_rules(config), {}, lambda: 0, Telemetry(), Lease(30.0), Failpoints(""))
    partition: Any = KpiPartition(environment, 0)
    partition._combiner = SimpleNamespace(wake_at=lambda: 60_000)
    waiting = asyncio.create_task(partition._wait())
    for _ in range(3):
        await asyncio.sleep(0)
    partition._news.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


class Topic:
    """A partition of partials, and the table of it: `catch_up` reads what it has, and somebody writes when the reader is closed."""

    def __init__(self, last: bytes) -> None:
        self.table, self.position, self._last = [b"first"], 1, last
        self.partition: Any = None

    async def catch_up(self, _reader: Any) -> int:
        return 0

    def rows(self) -> list[tuple[bytes, bytes]]:
        return [(value, value) for value in self.table]

    def put(self, _offset: int, _key: bytes | None, value: bytes) -> bool:
        self.table.append(value)
        return True

    @asynccontextmanager
    async def reader(self, *_: Any, **__: Any) -> AsyncIterator[None]:
        yield
        self.partition.take(1, b"key", self._last)


def ready(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A partition that may take over, with a topic and no broker."""
    config = Config()
    settings = compile_settings(config)
    lease = Lease(30.0)
    lease.begin()
    lease.prove(lease.ask())
    environment = KpiEnvironment(config, settings.midnights, compile_rules(config), {}, lambda: 0, Telemetry(), lease, Failpoints("", ""))
    partition: Any = KpiPartition(environment, 0)
    partition._partials = partition._kpis = topic
    topic.partition = partition
    producer = SimpleNamespace(start=partial(asyncio.sleep, 0), stop=partial(asyncio.sleep, 0))
    monkeypatch.setattr(kpi_partition, "open_reader", topic.reader)
    monkeypatch.setattr(kpi_partition, "transactional_producer", lambda *_: producer)
    return partition


async def test_what_comes_while_the_reader_of_a_takeover_is_closed_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    topic, added = Topic(b"last"), []
    partition = ready(topic, monkeypatch)
    monkeypatch.setattr(partition, "_add", lambda _combiner, value: added.append(value))
    await partition._take_over()
    assert set(added) == {b"first", b"last"}


async def test_a_partition_that_is_revoked_while_a_library_swallows_that_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf(Topic):
        @asynccontextmanager
        async def reader(self, *_: Any, **__: Any) -> AsyncIterator[None]:
            yield
            self.partition.hold()
            with suppress(asyncio.CancelledError):  # as aiokafka does while it stops
                await asyncio.sleep(1)

    partition = ready(Deaf(b"last"), monkeypatch)
    monkeypatch.setattr(partition, "_add", lambda _combiner, _value: None)
    partition.start()
    (ended,) = (await asyncio.wait({partition._task}, timeout=5))[0]
    assert ended.cancelled()
    assert (partition.phase, partition.problem, partition.view()) == ("waiting", "", None)


async def test_a_takeover_that_a_broker_never_answers_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = ready(Topic(b"last"), monkeypatch)
    attempts: list[float] = []

    async def start() -> None:
        attempts.append(0.0)
        await asyncio.sleep(0 if len(attempts) > 1 else 3600)

    producer = SimpleNamespace(start=start, stop=partial(asyncio.sleep, 0))
    monkeypatch.setattr(kpi_partition, "transactional_producer", lambda *_: producer)
    monkeypatch.setattr(partition, "_add", lambda _combiner, _value: None)
    monkeypatch.setattr(kpi_partition, "TAKE_OVER_SECONDS", 0.5)
    partition.start()
    async with asyncio.timeout(10):
        while partition.phase != "running":  # noqa: ASYNC110 - it has no event for it
            await asyncio.sleep(0.01)
    assert len(attempts) == 2
    await partition.close()


async def test_a_minute_that_is_given_out_because_it_waited_too_long_is_added_up_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """One partition is silent: nothing comes, and what is there is as large as ever."""
    partition = ready(Topic(b"last"), monkeypatch)
    threads: list[int] = []

    def due(_now: int) -> list[Any]:
        threads.append(threading.get_ident())
        return []

    overdue = [False, True]
    combiner: Any = SimpleNamespace(due=due, overdue=lambda _now: overdue.pop(0))
    partition._windows_came = False
    for _ in range(2):
        await partition._due(combiner)
    here = threading.get_ident()
    assert [thread == here for thread in threads] == [True, False]
