"""What a partition concludes from the records that it folds, without Kafka: records are made up, nothing is written."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from processor.compile import compile_settings
from processor.config import Config
from processor.core.engine import Engine
from processor.core.outputs import View
from processor.export.telemetry import Telemetry
from processor.stream import partition as partition_module
from processor.stream.environment import Environment
from processor.stream.failpoints import Failpoints
from processor.stream.partition import PartitionProcessor
from processor.wall_clock import WallClock
from tests.kafka.events import created, status

MINUTE = 60_000
NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z
FOLDED, LAG = "last_event_timestamp_seconds", "event_lag_seconds"


class FakeConsumer:
    """A consumer that has read an empty log to its end."""

    async def end_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(sources, 0)

    async def position(self, _source: TopicPartition) -> int:
        return 0


class IdleConsumer(FakeConsumer):
    """A consumer to which nothing is assigned while a takeover goes on."""

    def assignment(self) -> set[TopicPartition]:
        return set()

    def pause(self, *_: TopicPartition) -> None:
        pass


class EndlessConsumer(FakeConsumer):
    """A consumer with as many events as anybody asks for."""

    def __init__(self) -> None:
        self.given = 0

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition("events", 0)}

    def highwater(self, _source: TopicPartition) -> int:
        return 1_000_000

    async def getmany(self, *sources: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms >= 0
        events = TopicPartition("events", 0)
        if events not in sources:
            return {}
        first, self.given = self.given, self.given + max_records
        return {events: [record(offset, created(f"T-{offset}", NOON), NOON) for offset in range(first, self.given)]}


def record(offset: int, value: bytes, appended_at: int, key: bytes = b"T-1") -> Any:
    """One of the events topic."""
    return SimpleNamespace(topic="events", partition=0, offset=offset, timestamp=appended_at, key=key, value=value, headers=())


class PartedClock(WallClock):
    """The system's clock has jumped."""

    def parted(self) -> bool:
        return True


class Partition:
    """A partition of one, fed by hand."""

    def __init__(self, clock: WallClock, consumer: FakeConsumer | None = None) -> None:
        config, self.telemetry, self._offset = Config(), Telemetry(), 0
        parts: Any = (config, compile_settings(config), {}, consumer or FakeConsumer(), clock, self.telemetry, Failpoints(""), False)
        self.processor = PartitionProcessor(Environment(*parts), TopicPartition("events", 0), 1)

    async def fold(self, value: bytes, appended_at: int, key: bytes = b"T-1") -> bool:
        """One step with one record; whether the partition catches up with old records then."""
        self.processor._inputs.fetched = [record(self._offset, value, appended_at, key)]
        self._offset += 1
        await self.processor._fold()
        return self.processor._replaying


@pytest.fixture
def partition() -> Partition:
    return Partition(WallClock())


async def test_an_event_that_is_old_when_it_is_appended_is_a_backfill_until_a_fresh_one_comes(partition: Partition) -> None:
    assert await partition.fold(created("T-1", NOON), NOON + 11 * MINUTE)
    assert not await partition.fold(status("T-1", NOON + 11 * MINUTE, "open"), NOON + 11 * MINUTE)


@pytest.mark.parametrize(
    "value", [b"broken", created("T-1", NOON, id="twice"), status("T-1", NOON - MINUTE, "open")], ids=["rejected", "duplicate", "late"]
)
async def test_a_record_that_brings_no_newer_event_after_a_quiet_hour_is_no_backfill(partition: Partition, value: bytes) -> None:
    assert not await partition.fold(created("T-1", NOON, id="twice"), NOON)
    assert not await partition.fold(value, NOON + 60 * MINUTE)


async def test_the_lag_is_that_of_newer_events_only(partition: Partition) -> None:
    await partition.fold(b"broken", NOON)
    assert sum(partition.telemetry.histograms[LAG].counts) == 0
    await partition.fold(created("T-1", NOON), NOON)
    await partition.fold(b"broken", NOON + 60 * MINUTE)
    assert sum(partition.telemetry.histograms[LAG].counts) == 1
    assert partition.telemetry.values[FOLDED] == {("0",): NOON / 1000}


async def test_while_the_clock_has_parted_time_waits_but_the_broker_is_asked_all_the_same() -> None:
    """Else /readyz would say after a while that the broker is silent."""
    processor = Partition(PartedClock()).processor
    await processor._follow_wall_clock()
    assert processor.engine.timer_time == 0
    assert processor._answered_at > 0


async def test_the_numbers_are_copied_beside_the_loop_which_has_heartbeats_to_send(
    partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def view(engine: Engine) -> View:
        threads.append(threading.get_ident())
        return original(engine)

    original = Engine.view
    monkeypatch.setattr(Engine, "view", view)
    await partition.processor._show()
    assert partition.processor.shown is not None
    assert threads != [threading.get_ident()]


async def test_a_long_pause_is_made_up_for_hour_by_hour_and_left_off_where_the_partition_is_revoked(
    partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its reports at once would take as much memory as there are of them, and the loop would stand still."""
    processor, reported = partition.processor, list[list[int]]()

    async def commit(_rejected: object) -> None:
        reported.append([report.end for report in processor.engine.drain().reports])
        if len(reported) == 3:
            processor._open.clear()

    monkeypatch.setattr(processor, "_commit", commit)
    await partition.fold(created("T-1", NOON), NOON)
    processor.engine.advance_by_log()
    processor._open.set()
    await processor._advance(NOON + 60 * 60 * MINUTE)
    assert processor.engine.timer_time == NOON + 2 * 60 * MINUTE
    processor._open.set()
    await processor._advance(NOON + 60 * 60 * MINUTE)
    assert processor.engine.timer_time == NOON + 60 * 60 * MINUTE
    assert {NOON + quarter * 15 * MINUTE for quarter in range(60 * 4 + 1)} <= {end for ends in reported for end in ends}
    assert max(map(len, reported)) <= 5


async def test_after_a_pause_of_years_what_lies_behind_the_longest_window_is_passed_over(
    partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor, steps = partition.processor, list[int]()

    async def commit(_rejected: object) -> None:
        steps.append(len(processor.engine.drain().reports))

    monkeypatch.setattr(processor, "_commit", commit)
    await partition.fold(created("T-1", NOON), NOON)
    processor.engine.advance_by_log()
    processor._open.set()
    await processor._advance(NOON + 1000 * 24 * 60 * MINUTE)
    assert processor.engine.timer_time == NOON + 1000 * 24 * 60 * MINUTE
    assert len(steps) <= 8 * 24 + 3


async def test_while_the_broker_takes_long_for_a_step_nothing_more_is_read_however_much_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what waits in memory is one step, and what the consumer holds ready."""
    consumer = EndlessConsumer()
    processor = Partition(WallClock(), consumer).processor
    entered, answer, most = asyncio.Event(), asyncio.Event(), Config().worker.step_events_max

    async def commit(_rejected: object) -> None:
        entered.set()
        await answer.wait()

    monkeypatch.setattr(processor, "_commit", commit)
    processor._open.set()
    turn = asyncio.create_task(processor._turn())
    await entered.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    assert consumer.given == most
    assert not processor.environment.folding.locked()  # another partition may fold meanwhile
    answer.set()
    await turn
    left = len(processor._inputs.fetched)
    while left:  # what did not fit into the first step is folded before anything more is read
        await processor._turn()
        assert consumer.given == most
        left = len(processor._inputs.fetched)


async def test_partitions_fold_one_after_the_other(partition: Partition) -> None:
    """A step that shares its time with others has few events for its transaction, and rows are written once for each step."""
    processor = partition.processor
    processor._inputs.fetched = [record(0, created("T-1", NOON), NOON)]
    async with processor.environment.folding:
        step = asyncio.create_task(processor._step())
        for _ in range(100):
            await asyncio.sleep(0)
        assert processor._inputs.fetched
    step.cancel()


async def test_a_takeover_to_which_nobody_answers_any_more_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = 0
    again = asyncio.Event()

    class Unanswered:
        def __init__(self, *_: object) -> None:
            pass

        async def start(self) -> None:
            nonlocal begun
            begun += 1
            if begun == 2:
                again.set()
            await asyncio.Event().wait()

        async def stop(self) -> None:
            pass

    monkeypatch.setattr(partition_module, "Committer", Unanswered)
    monkeypatch.setattr(partition_module, "STALLED_SECONDS", 0.02)
    monkeypatch.setattr(partition_module, "FIRST_RETRY_SECONDS", 0.01)
    processor = Partition(WallClock(), IdleConsumer()).processor
    processor.start()
    async with asyncio.timeout(30):
        await again.wait()
    assert "the takeover has not moved" in processor.trouble()
    await processor.close()


class Resting:
    """A producer that has nothing to do."""

    def __init__(self, *_: object) -> None:
        pass

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


async def test_a_partition_that_is_lost_leaves_nothing_though_the_collector_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there while the engine works is never looked at by the collector again, so nothing may wait for it."""
    monkeypatch.setattr(partition_module, "Committer", Resting)
    taking = asyncio.Event()

    async def take_over(*_: object, **__: object) -> Any:
        state = Engine(compile_settings(Config()))
        kept.append(weakref.ref(state))
        taking.set()
        await asyncio.Event().wait()
        return state

    kept: list[weakref.ref[Any]] = []
    monkeypatch.setattr(partition_module, "take_over", take_over)
    processor = Partition(WallClock(), IdleConsumer()).processor
    kept += [weakref.ref(processor), weakref.ref(processor.engine)]
    gc.collect()
    gc.disable()
    try:
        for lives in (1, 2):
            taking.clear()
            processor.start()
            async with asyncio.timeout(30):
                await taking.wait()
            if lives == 1:
                await processor.hold(1)  # a rebalance in the middle of a takeover
        assert kept[2]() is None  # what the first one had read
        await processor.close()
        processor = None  # type: ignore[assignment]
        assert [each() for each in kept] == [None] * 4
    finally:
        gc.enable()


async def test_nothing_is_shown_that_came_into_doubt_while_it_was_copied(partition: Partition, monkeypatch: pytest.MonkeyPatch) -> None:
    def view(engine: Engine) -> View:
        partition.processor.doubt()  # the process was stopped for a session meanwhile
        return original(engine)

    original = Engine.view
    monkeypatch.setattr(Engine, "view", view)
    await partition.processor._show()
    assert partition.processor.shown is None
