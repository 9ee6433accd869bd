"""What the consumer group tells a worker that is on its way out."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from processor.compile import compile_settings
from processor.config import Config
from processor.export.progress import Progress
from processor.export.telemetry import NoRecorder, Telemetry
from processor.stream import runtime as module
from processor.stream.membership import steady_seconds
from processor.stream.runtime import Runtime

SOURCE = TopicPartition("support.events.v1", 0)


class FakeConsumer:
    """A member of the group that knows one partition."""

    def subscribe(self, _topics: list[str], listener: Runtime) -> None:
        self.listener = listener

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self._coordinator = SimpleNamespace(member_id="member-1", check_errors=self._check_errors, _do_heartbeat=self._do_heartbeat)

    async def _do_heartbeat(self) -> bool:
        return True

    def _check_errors(self) -> None:
        if self.errors:
            raise self.errors.pop()

    total = 1

    def partitions_for_topic(self, _topic: str) -> set[int]:
        return set(range(self.total))

    async def stop(self) -> None:
        """A rebalance that was under way ends while the consumer leaves."""
        await self.listener.on_partitions_assigned([SOURCE])


class FakePartition:
    """Remembers what it was told; closing takes a moment."""

    made: int = 0
    closed: int = 0

    def __init__(self, _environment: object, _source: TopicPartition, partitions: int) -> None:
        FakePartition.made += 1
        self.partitions = partitions

    shown: Any = None
    doubted = 0
    distance = Progress(0, 1.0)
    problem = ""

    def doubt(self) -> None:
        """As PartitionProcessor."""
        self.shown, self.doubted = None, self.doubted + 1

    def progress(self) -> Progress:
        """As PartitionProcessor."""
        return self.distance

    def trouble(self) -> str:
        """As PartitionProcessor."""
        return self.problem

    def start(self) -> None:
        """As PartitionProcessor."""

    def rejoin(self) -> None:
        """As PartitionProcessor."""

    async def hold(self, _bound_seconds: float) -> None:
        """As PartitionProcessor."""

    async def close(self) -> None:
        await asyncio.sleep(0)
        FakePartition.closed += 1


@pytest.fixture
async def runtime(monkeypatch: pytest.MonkeyPatch) -> Runtime:
    async def connect(*_: object) -> FakeConsumer:
        return FakeConsumer()

    FakePartition.made = FakePartition.closed = 0
    monkeypatch.setattr(module, "PartitionProcessor", FakePartition)
    monkeypatch.setattr(Runtime, "_connect", connect)
    made = Runtime(Config(), compile_settings(Config()), NoRecorder())
    await made.start()
    return made


async def test_a_partition_that_is_assigned_during_the_stop_is_not_begun(runtime: Runtime) -> None:
    await runtime.on_partitions_assigned([SOURCE])
    await runtime.stop()
    assert (FakePartition.made, FakePartition.closed) == (1, 1)
    assert runtime.partitions == {}


async def test_the_stop_waits_for_partitions_that_are_still_closing(runtime: Runtime) -> None:
    await runtime.on_partitions_assigned([SOURCE])
    await runtime.on_partitions_assigned([])
    await runtime.stop()
    assert (FakePartition.made, FakePartition.closed) == (1, 1)


async def test_a_partition_that_comes_back_is_kept_unless_the_topic_has_got_more(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await runtime.on_partitions_assigned([SOURCE])
    await runtime.on_partitions_assigned([SOURCE])
    assert FakePartition.made == 1
    monkeypatch.setattr(FakeConsumer, "total", 2)
    await runtime.on_partitions_assigned([SOURCE])
    await runtime.stop()
    assert (FakePartition.made, FakePartition.closed) == (2, 2)


async def test_where_the_broker_does_not_know_the_topic_yet_the_configuration_says_how_many_partitions_it_has(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeConsumer, "total", 0)
    await runtime.on_partitions_assigned([SOURCE])
    assert runtime.partitions[SOURCE].partitions == runtime.config.topics.partitions > 0
    await runtime.stop()


async def test_who_was_away_for_a_session_shows_nothing_until_each_partition_has_proven_itself(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [steady_seconds()]
    monkeypatch.setattr(module, "steady_seconds", lambda: now[0])
    await runtime.on_partitions_assigned([SOURCE])
    partition: Any = runtime.partitions[SOURCE]
    partition.shown = shown = object()
    now[0] += 1
    assert runtime.shown() == [shown]
    now[0] += runtime.config.worker.session_timeout_seconds
    assert runtime.shown() == []
    assert partition.doubted == 1
    assert runtime.shown() == []
    assert partition.doubted == 1
    await runtime.stop()


async def test_who_is_cut_off_for_a_session_shows_nothing_until_the_group_answers(runtime: Runtime) -> None:
    now = [steady_seconds()]
    runtime._membership._clock = lambda: now[0]
    await runtime.on_partitions_assigned([SOURCE])
    partition: Any = runtime.partitions[SOURCE]
    partition.shown = shown = object()
    consumer: Any = runtime._consumer
    await consumer._coordinator._do_heartbeat()
    assert runtime.shown() == [shown]
    now[0] += runtime.config.worker.session_timeout_seconds
    assert runtime.shown() == []
    ready, (told,) = runtime.ready()
    assert not ready
    assert told == "the consumer group has not answered for 30 s: others may have our partitions, so nothing is shown"
    await consumer._coordinator._do_heartbeat()
    assert runtime.shown() == [shown]
    assert runtime.ready() == (True, [])
    assert partition.doubted == 0  # nobody has taken over what was never given away
    await runtime.stop()


@pytest.mark.parametrize("holders", [["other", "other", ""], ["other", "member-1"]])
async def test_whoever_was_replaced_by_its_namesake_owns_nothing_until_the_name_is_free(
    holders: list[str], runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer: Any = runtime._consumer
    runtime._instance = "same"
    told, asked = [], iter(holders)

    def member_named(*_: object) -> str:
        told.append((runtime.ready(), dict(runtime.partitions)))
        return next(asked)

    monkeypatch.setattr(module, "member_named", member_named)
    monkeypatch.setattr(module, "pauses", lambda: itertools.repeat(0))
    await runtime.on_partitions_assigned([SOURCE])
    await runtime.on_partitions_revoked([SOURCE])  # an ordinary rebalance: nobody is asked
    assert told == []
    await runtime.on_partitions_assigned([SOURCE])
    consumer._coordinator.member_id = ""
    await runtime.on_partitions_revoked([SOURCE])
    assert len(told) == len(holders)
    assert told[0][1].keys() == {SOURCE}
    for (ready, reasons), partitions in told[1:]:
        assert not ready
        assert "another worker has the name 'same'" in reasons[0]
        assert partitions == {}
    consumer._coordinator.member_id = "member-2"
    await runtime.on_partitions_assigned([SOURCE])
    assert runtime.ready() == (True, [])
    await runtime.stop()


@pytest.mark.parametrize(("instance", "holder"), [(None, "other"), ("same", ""), ("same", "member-1")])
async def test_whoever_was_only_forgotten_joins_again_at_once(
    instance: str | None, holder: str, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer: Any = runtime._consumer
    runtime._instance = instance
    monkeypatch.setattr(module, "member_named", lambda *_: holder)
    await runtime.on_partitions_assigned([SOURCE])
    consumer._coordinator.member_id = ""
    await runtime.on_partitions_revoked([SOURCE])
    assert runtime.partitions.keys() == {SOURCE}
    await runtime.stop()


async def test_how_far_behind_is_told_beside_being_ready(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await runtime.on_partitions_assigned([SOURCE])
    assert runtime.ready() == (True, [])
    monkeypatch.setattr(FakePartition, "distance", Progress(0, 1.0, 12_000, 34.5))
    assert runtime.ready() == (True, ["support.events.v1-0: 12,000 records and 34 s behind"])
    monkeypatch.setattr(FakePartition, "problem", "support.events.v1-0: starting, 12% of the state read")
    assert runtime.ready() == (False, ["support.events.v1-0: starting, 12% of the state read"])
    await runtime.stop()


async def test_a_broker_that_does_not_answer_keeps_nobody_from_leaving(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop(_: FakeConsumer) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "LEAVE_SECONDS", 0.01)
    monkeypatch.setattr(FakeConsumer, "stop", stop)
    async with asyncio.timeout(30):
        await runtime.stop()


async def test_a_clock_that_has_agreed_again_is_told_without_any_partition(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = runtime.recorder = Telemetry()
    answers, told = iter((True, True)), asyncio.Event()

    def parted() -> bool:
        flag = next(answers, False)
        if telemetry.values["clock_parted"][()] and not flag:
            told.set()
        return flag

    monkeypatch.setattr(runtime._clock, "parted", parted)
    async with asyncio.timeout(30):
        await told.wait()
    await runtime.stop()
    assert telemetry.values["clock_parted"] == {(): 0}


async def test_an_error_of_the_group_is_heard_though_nobody_reads(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else aiokafka would not join again: a broker that was loading the group when it was asked kept a worker out for ever."""
    await runtime.on_partitions_assigned([SOURCE])
    (partition,) = runtime.partitions.values()
    partition.shown = shown = object()  # type: ignore[assignment]
    await runtime.on_partitions_revoked([SOURCE])
    consumer: Any = runtime._consumer
    consumer.errors = [KafkaError("the group is loading")]
    runtime._hear_of_the_group()
    assert consumer.errors == []
    ready, (told,) = runtime.ready()
    assert not ready
    assert "the group is loading" in told
    assert partition.shown is shown  # it may come back at once
    monkeypatch.setattr(module, "steady_seconds", lambda: runtime._revoked_at + runtime.config.worker.session_timeout_seconds + 1)
    runtime._hear_of_the_group()
    assert partition.shown is None
    await runtime.on_partitions_assigned([SOURCE])
    consumer.errors = [KafkaError("for those who read")]
    runtime._hear_of_the_group()
    assert len(consumer.errors) == 1
    await runtime.stop()
