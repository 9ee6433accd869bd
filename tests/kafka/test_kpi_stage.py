"""The KPI stage on a real broker: one owner for each segment whatever happens to workers, W's that never go back, and bad input."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from processor.codec.times import parse_time
from processor.compile import compile_settings
from processor.core.settings import MINUTE_MS
from processor.export.telemetry import NoRecorder
from processor.stream.kpi_app import KpiApp
from processor.stream.kpi_lease import Lease
from processor.stream.kpi_stage import KpiStage
from processor.wall_clock import WallClock
from tests.kafka.broker import Broker
from tests.kafka.deployment import PATIENCE_SECONDS, Deployment, Worker, until
from tests.kafka.events import created, keyed
from tests.kafka.in_process import until as until_true
from tests.kafka.kpi_slices import EPOCH, START, Minutes, TicketStages, Watch, all_first_responses, contradictions, kpis_in, slices

TopicName = Callable[[str], str]
ALL = {0, 1, 2, 3}  # KPI partitions
OBSERVATIONS = "support_window_kpi_observations"
TOTAL = '{kpi="first_response",window="5m",by="total"}'


def served(*workers: Worker) -> list[set[int]]:
    """The KPI partitions that each of them shows."""
    answers = [worker.get("/metrics") for worker in workers]
    return [set(kpis_in(answer.body.decode())) if answer else set() for answer in answers]


def shared(*workers: Worker) -> bool:
    """Whether together they show all, and each of them some."""
    each = served(*workers)
    return all(each) and set().union(*each) == ALL


def values(*workers: Worker) -> dict[str, float]:
    """First responses in the last five minutes by segment, as shown by whoever has it. Nobody else has it."""
    found: dict[str, float] = {}
    for worker in workers:
        mine = {name: value for name, value in worker.samples(OBSERVATIONS).items() if 'kpi="first_response",window="5m"' in name}
        assert not mine.keys() & found.keys()
        found |= mine
    return found


def published(deployment: Deployment) -> dict[int, list[tuple[bytes, int, int, int, dict[str, Any]]]]:
    """Partition -> (key, epoch, W, sequence, data) of the topic of KPIs, in its order; what takes a segment away is left out."""
    found: dict[int, list[tuple[bytes, int, int, int, dict[str, Any]]]] = {}
    for record in deployment.read("kpis"):
        if record.value is not None:
            document = orjson.loads(record.value)
            data = document["data"]
            entry = (record.key, data["epoch"], parse_time(document["time"]), data["sequence"], data)
            found.setdefault(record.partition, []).append(entry)
    return found


def assert_never_back(deployment: Deployment) -> None:
    """For each key (epoch, W, sequence) ascends strictly, W by itself never goes back, and so does each partition as a whole."""
    for records in published(deployment).values():
        newest: dict[bytes, tuple[int, int, int]] = {}
        for key, epoch, end, sequence, _ in records:
            before = newest.get(key)
            assert before is None or before < (epoch, end, sequence)
            assert before is None or before[1] <= end
            newest[key] = (epoch, end, sequence)
        assert [record[1:4] for record in records] == sorted(record[1:4] for record in records)


def test_workers_die_stop_and_come_back_and_no_segment_is_ever_shown_by_two(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("owners"), tmp_path).create_topics()
    with Watch() as watch, deployment.worker("first") as first, deployment.worker("second") as second:
        watch.add("first", first)
        watch.add("second", second)
        with Minutes(deployment) as minutes:
            until("both have a share", lambda: shared(first, second))
            second.end(signal.SIGKILL)
            until("the first has all", lambda: shared(first))
            with deployment.worker("third") as third:
                watch.add("third", third)
                until("the third has a share", lambda: shared(first, third))
                first.tell(signal.SIGSTOP)
                until("the third has all, after the first one's session", lambda: shared(third))
                known = minutes.sent
                first.tell(signal.SIGCONT)
                until("both have a share again", lambda: shared(first, third))
                assert third.end(signal.SIGTERM) == 0
                until("the first has all again", lambda: shared(first))
                until("it goes on", lambda: minutes.sent > known + 10)
        last = all_first_responses(minutes.sent - 1)
        until("the last minute is shown, and right", lambda: set(values(first).values()) == {last})
        assert len(values(first)) > len(ALL)
    for number, seen in watch.seen.items():
        assert contradictions(seen, lambda each: (each.epoch,)) == [], number
        assert contradictions(seen, lambda each: (each.minute_end,)) == [], number
        assert len({(each.worker, each.epoch) for each in seen}) == len({each.epoch for each in seen}), "an epoch has one owner"
    assert watch.seen.keys() == ALL
    assert watch.owners_changed() >= 2 * len(ALL)
    assert_never_back(deployment)


def test_a_new_owner_shows_the_last_minute_of_a_log_that_has_ended(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("ended"), tmp_path).create_topics()
    with TicketStages(deployment) as stages:
        for minute in range(3):
            stages.send(slices(deployment.config, minute))
        with deployment.worker("first") as first:
            until("it shows the last minute", lambda: shared(first) and set(values(first).values()) == {all_first_responses(2)})
            stages.send(slices(deployment.config, 3, [0]))  # one has reported the next minute, the other never does
            before = values(first)
            first.end(signal.SIGKILL)
        with deployment.worker("second") as second:
            until("it shows all", lambda: shared(second))
            assert values(second) == before
            assert second.samples("support_window_complete") == {f'{{kpi_partition="{number}"}}': 1 for number in ALL}
    assert_never_back(deployment)
    for records in published(deployment).values():
        assert {end for _, _, end, _, _ in records} <= {START + minute * MINUTE_MS for minute in range(3)}


def test_what_is_late_early_old_broken_or_aborted_changes_nothing_and_what_is_missing_is_said(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    sections: dict[str, Any] = {"worker": {"clock": "live"}, "kpis": {"incomplete_after": "2s"}}
    deployment = Deployment(broker.bootstrap, topic_name("input"), tmp_path, **sections).create_topics()
    start = (WallClock().now() // MINUTE_MS - 2) * MINUTE_MS
    config = deployment.config
    with TicketStages(deployment) as stages, deployment.worker() as worker:

        def ignored(reason: str) -> float:
            return worker.samples("support_processor_kpi_partials_ignored_total")[f'{{reason="{reason}"}}']

        stages.send(slices(config, 0, start=start))
        until("the first minute is shown", lambda: values(worker).get(TOTAL) == all_first_responses(0))
        stages.send(slices(config, 7, [0], start=start, epoch=EPOCH - 1))
        stages.send(slices(config, 60, start=start))
        stages.send([(number, key, value) for number in ALL for key, value in ((b"0|0|w", b"{"), (b"", b'{"kind":"other"}'))])
        stages.send(slices(config, 1, start=start, sequence=9), abort=True)
        stages.send(slices(config, 0, start=start))  # delivered twice
        until("old ones were ignored", lambda: ignored("old_epoch") >= len(ALL))
        until("those of the future were ignored", lambda: ignored("future") >= 2 * len(ALL))
        until("broken ones were ignored", lambda: ignored("undecodable") == 2 * len(ALL))
        until("repeated ones were ignored", lambda: ignored("repeated") >= 2 * len(ALL))
        assert values(worker)[TOTAL] == all_first_responses(0)
        stages.send(slices(config, 1, [0], start=start))
        until("the second minute is shown, marked incomplete", lambda: set(worker.samples("support_window_complete").values()) == {0})
        stages.send(slices(config, 1, [1], start=start))
        until("it is completed", lambda: set(worker.samples("support_window_complete").values()) == {1})
        assert values(worker)[TOTAL] == all_first_responses(1)
        assert worker.samples("support_processor_kpi_failures_total") == {"": 0}
    assert_never_back(deployment)
    second = [data for records in published(deployment).values() for *_, end, _, data in records if end == start + MINUTE_MS]
    assert {(data["sequence"], data["complete"], tuple(data["missing_partitions"])) for data in second} == {(0, False, (1,)), (1, True, ())}


def test_a_kpi_stage_that_cannot_begin_is_told_and_the_ticket_stage_runs_on(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    short = {"session_timeout_seconds": 1}  # it is replaced after some of them
    deployment = Deployment(broker.bootstrap, topic_name("trouble"), tmp_path, worker=short).create_topics()
    deployment.send([keyed("T-1", created("T-1", START), 2)])
    loop = asyncio.new_event_loop()
    stranger = loop.run_until_complete(_join(deployment))
    try:
        with deployment.worker() as worker:
            until("the ticket stage runs", lambda: len(worker.applied()) == 2)
            until("the KPI stage is tried again", lambda: worker.samples("support_processor_kpi_failures_total").get("", 0) > 0)
            answer = worker.get("/readyz")
            assert answer is not None
            assert answer.status == 200
            assert answer.body.startswith(b"ready\nkpis: ")
            loop.run_until_complete(stranger.stop())
            with TicketStages(deployment) as stages:
                stages.send(slices(deployment.config, 0))
            until("it has recovered", lambda: shared(worker))
            until("it has nothing to say any more", lambda: (answer := worker.get("/readyz")) and answer.body == b"ready\n")
            assert worker.end() == 0
    finally:
        loop.run_until_complete(stranger.stop())
        loop.close()


async def test_a_worker_that_does_not_hear_of_its_end_shows_nothing_before_the_next_owner_can(
    broker: Broker, topic_name: TopicName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stages in this process. The consumer of one hangs beyond its session, while everything else in it goes on."""
    deployment = await asyncio.to_thread(Deployment(broker.bootstrap, topic_name("lease"), tmp_path).create_topics)
    settings = compile_settings(deployment.config)
    deaf, other = (KpiStage(deployment.config, settings, NoRecorder()) for _ in range(2))
    both: list[frozenset[int]] = []
    apps: list[KpiApp] = []
    init = KpiApp.__init__

    def remembered(app: KpiApp, *arguments: Any) -> None:
        apps.append(app)
        init(app, *arguments)

    monkeypatch.setattr(KpiApp, "__init__", remembered)

    def owned(stage: KpiStage) -> frozenset[int]:
        return frozenset(number for number, _ in stage.owned())

    def compare() -> bool:
        both.append(owned(deaf) & owned(other))
        return True

    try:
        await deaf.start()
        await until_true("it owns all", lambda: owned(deaf) == ALL)
        loop = apps[0].consumer._thread.thread_loop
        loop.call_soon_threadsafe(time.sleep, 2.5 * deployment.config.worker.session_timeout_seconds)
        await other.start()
        await until_true("the other owns all", lambda: compare() and owned(other) == ALL)
        assert owned(deaf) == set()
        await until_true("they share", lambda: compare() and bool(owned(deaf)) and owned(deaf) | owned(other) == ALL)
    finally:
        await asyncio.gather(deaf.stop(), other.stop())
    assert not any(both)
    assert len(both) > 20
    assert owned(deaf) | owned(other) == set()


class StopsWhileJoining:
    """A listener that stops the application when it begins to join its group: partitions are dealt to it while it is stopping."""

    def __init__(self) -> None:
        self.app: KpiApp | None = None
        self.stopping: asyncio.Task[None] | None = None
        self.dealt: set[int] = set()

    def revoked(self) -> None:
        if self.stopping is None:
            assert self.app is not None
            self.stopping = asyncio.create_task(self.app.stop())

    def assigned(self, numbers: Iterable[int]) -> None:
        self.dealt |= set(numbers)

    def received(self, number: int, offset: int, key: bytes | None, value: bytes | None) -> None: ...


async def test_partitions_that_are_dealt_while_it_stops_leave_the_consumer_to_its_own_thread(
    broker: Broker, topic_name: TopicName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed on the loop of the application as well, the process may end with SIGSEGV."""
    deployment = await asyncio.to_thread(Deployment(broker.bootstrap, topic_name("joining"), tmp_path).create_topics)
    loops: list[asyncio.AbstractEventLoop] = []
    close = GroupCoordinator.close

    async def remembered(coordinator: GroupCoordinator) -> None:
        loops.append(asyncio.get_running_loop())
        await close(coordinator)

    monkeypatch.setattr(GroupCoordinator, "close", remembered)
    listener = StopsWhileJoining()
    app = listener.app = KpiApp(deployment.config, listener, Lease(30))
    await app.start()
    await until_true("it is stopping", lambda: listener.stopping is not None)
    assert listener.stopping is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        await listener.stopping
    assert listener.dealt == ALL
    assert loops == [app.consumer._thread.thread_loop]


async def _join(deployment: Deployment) -> AIOKafkaConsumer:
    """A consumer in the group of the KPI stage that agrees with it on nothing."""
    stranger = AIOKafkaConsumer(
        deployment.config.topics.partials,
        bootstrap_servers=deployment.bootstrap,
        group_id=f"{deployment.config.application_id}-kpis",
        partition_assignment_strategy=[RangePartitionAssignor],
        session_timeout_ms=60_000,
    )
    await stranger.start()
    while not stranger.assignment():  # noqa: ASYNC110 - the library has no event for it
        await asyncio.sleep(0.02)
    return stranger
