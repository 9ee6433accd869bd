"""`clock: live`: deadlines are noticed without events, and never while a reply waits unread in the log."""

from __future__ import annotations

import asyncio
import logging
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from processor.codec.envelope import format_time, parse_time
from processor.codec.partials import WindowsPartial, decode_partial
from tests.kafka import in_process
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, caught_up, ends_of, until
from tests.kafka.events import created, event, keyed, reply
from tests.kafka.in_process import has_applied, running

log = logging.getLogger(__name__)

TopicName = Callable[[str], str]
DELAY_MS = 1000
SESSION_SECONDS = 60
BREACHED = "support_sla_clocks_breached_total"
RETRACTED = "support_sla_clocks_breached_retracted_total"


def now_ms() -> int:
    """The present instant."""
    return time.time_ns() // 1_000_000


def live(broker: Broker, name: str, directory: Path, target: str, session_seconds: int = 6, partitions: int = 2) -> Deployment:
    """A deployment with a live clock and one target for urgent tickets; all others have an hour."""
    policies = [
        {"id": "urgent", "match": {"priority": "urgent"}, "targets": {"first_response": target}},
        {"id": "rest", "targets": {"first_response": "1h"}},
    ]
    worker = {"clock": "live", "session_timeout_seconds": session_seconds}
    delay = {"timer_delay": f"{DELAY_MS}ms"}
    made = Deployment(broker.bootstrap, name, directory, partitions=partitions, worker=worker, time=delay, policies=policies)
    return made.create_topics()


def breaches(deployment: Deployment) -> list[tuple[dict[str, Any], int]]:
    """All facts about breaches, retracted or not, with the time at which each was written."""
    facts = [(orjson.loads(record.value), record.timestamp) for record in deployment.read("facts")]
    return [(fact, written) for fact, written in facts if "breach" in fact["type"]]


def test_a_ticket_without_further_events_breaches_on_a_quiet_partition(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = live(broker, topic_name("quiet"), tmp_path, "3s")
    with deployment.worker() as worker:
        until("it is ready", worker.ready)
        times = [now_ms() - 500 * number for number in range(5)]
        deployment.send(keyed(f"T-{at}", created(f"T-{at}", at, priority="urgent"), 2) for at in times)
        until("/metrics shows the last breach", lambda: sum(worker.samples(BREACHED).values()) == len(times))
        seen = now_ms()
        assert sum(worker.samples(RETRACTED).values()) == 0
    found = breaches(deployment)
    assert sorted(parse_time(fact["data"]["at"]) for fact, _ in found) == sorted(at + 3000 for at in times)  # the deadlines, exactly
    delays = sorted(written - parse_time(fact["data"]["at"]) - DELAY_MS for fact, written in found)
    shown = seen - max(times) - 3000 - DELAY_MS
    log.info("milliseconds after deadline + timer_delay: facts %s, the last one at /metrics %d", delays, shown)
    assert min(delays) >= 0
    assert statistics.median(delays) < 1000
    assert shown < 3000


class Waiting:
    """A ticket whose reply waits in the log, unread and in time, while the deadline passes by the wall clock."""

    TARGET_MS = 24_000  # four workers start meanwhile, on a machine that is busy with other tests

    def __init__(self, deployment: Deployment, failpoint: str) -> None:
        self.deployment = deployment
        self.created_at = now_ms()
        self.log = [keyed("T-1", created("T-1", self.created_at, priority="urgent"), 1)]
        self.deployment.send(self.log)
        self.worker = self.deployment.worker(failpoint=failpoint)

    def read(self) -> bool:
        """Whether the worker has applied the ticket's creation."""
        return self.worker.applied() == {0: 0}

    def answer(self) -> None:
        """The reply comes when nobody reads."""
        answered = reply("T-1", now_ms())
        assert now_ms() < self.created_at + self.TARGET_MS, "the machine is too slow for this test"
        self.log.append(keyed("T-1", answered, 1))
        self.deployment.send(self.log[1:])

    def overdue(self) -> bool:
        """Whether a clock that did not look into the log would have raised a breach."""
        return now_ms() > self.created_at + self.TARGET_MS + 2 * DELAY_MS

    def assert_no_breach(self, worker: Worker) -> None:
        """Not even one that was taken back, with timers past the deadline and the reply applied."""
        deadline = self.created_at + self.TARGET_MS
        until("timers are past the deadline", lambda: min(timers(worker), default=0) > deadline)
        (taken,) = until("the reply is applied", lambda: caught_up(ends_of(self.log, 1), worker))
        assert sum(taken["metrics"]["support_sla_clocks_started_total"].values()) == 1
        for gross in (BREACHED, RETRACTED):
            assert sum(worker.samples(gross).values()) == 0
        assert breaches(self.deployment) == []


def timers(worker: Worker) -> list[int]:
    """Timer time of each partition."""
    return [partition["timer_time"] for partition in worker.snapshot().get("partitions", {}).values()]


def test_no_breach_while_the_reply_waits_in_the_log(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    """Stopped anywhere, or exactly between the two readings of the clock's proof, for less than half of the session; or dead."""
    failpoints = {"anywhere": "", "now": "clock.after_now:6:STOP", "end": "clock.after_end:6:STOP", "dead": ""}
    target = f"{Waiting.TARGET_MS}ms"
    sessions = dict.fromkeys(failpoints, SESSION_SECONDS) | {"dead": 6}  # the group waits for the dead one that long
    deployments = {name: live(broker, topic_name(name), tmp_path / name, target, sessions[name], 1) for name in failpoints}
    with ExitStack() as stack:
        cases = {name: Waiting(deployments[name], failpoint) for name, failpoint in failpoints.items()}
        for case in cases.values():
            stack.enter_context(case.worker)
        for name in ("anywhere", "dead"):
            until("the ticket is read", cases[name].read)
        began = now_ms()
        cases["anywhere"].worker.tell(signal.SIGSTOP)
        assert cases["dead"].worker.end(signal.SIGKILL) == -signal.SIGKILL
        for name in ("now", "end"):
            until("it has stopped at the failpoint", cases[name].worker.stopped)
        for case in cases.values():
            case.answer()
        until("all deadlines have passed", lambda: all(case.overdue() for case in cases.values()))
        for name in ("anywhere", "now", "end"):
            cases[name].worker.tell(signal.SIGCONT)
        assert now_ms() - began < SESSION_SECONDS * 1000 / 2
        for name in ("anywhere", "now", "end"):
            cases[name].assert_no_breach(cases[name].worker)
        with cases["dead"].deployment.worker() as second:
            cases["dead"].assert_no_breach(second)


def test_in_a_backfill_deadlines_wait_for_the_log_or_for_the_word_that_it_has_ended(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = live(broker, topic_name("backfill"), tmp_path, "2s")
    old = now_ms() - 2 * 3_600_000
    records = [keyed("T-old", created("T-old", old), 2), keyed("T-new", created("T-new", now_ms(), priority="urgent"), 2)]
    behind, present = records[0][0], records[1][0]
    assert behind != present
    deployment.send(records)
    with deployment.worker() as worker:
        until("the wall clock was followed on the other partition", lambda: sum(worker.samples(BREACHED).values()) == 1)
        assert replaying(worker) == {behind: 1, present: 0}
        assert min(timers(worker)) == old - DELAY_MS
        at = now_ms()
        deployment.send([(behind, None, event("control.clock_advanced", at, at=format_time(at)))])
        until("the old ticket breaches", lambda: sum(worker.samples(BREACHED).values()) == 2)
        until("the backfill has ended", lambda: replaying(worker) == {0: 0, 1: 0})
    found = {fact["data"]["subject"]: parse_time(fact["data"]["at"]) for fact, _ in breaches(deployment)}
    assert found["ticket/T-old"] == old + 3_600_000


def test_a_backfill_into_a_worker_whose_clock_has_run_ahead_breaches_nothing_that_was_answered(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    """The log is empty, so timers stand at the present; then a log of two days ago comes, and the worker dies in the middle of it."""
    deployment = live(broker, topic_name("ahead"), tmp_path, "1h", partitions=1)
    old = now_ms() - 48 * 3_600_000
    log = [keyed(f"T-{number}", created(f"T-{number}", old + number), 1) for number in range(4)]
    with deployment.worker() as worker:
        until("timers have followed the wall clock", lambda: min(timers(worker), default=0) > old + 47 * 3_600_000)
        deployment.send(log)
        until("the tickets are read", lambda: caught_up(ends_of(log, 1), worker))
        assert worker.end(signal.SIGKILL) == -signal.SIGKILL
    answers = [keyed(f"T-{number}", reply(f"T-{number}", old + 1_800_000), 1) for number in range(3)]
    with deployment.worker() as worker:
        until("it has taken over", worker.ready)
        assert postponed(worker) == 4
        deployment.send(answers)
        until("the answers are read", lambda: caught_up(ends_of(log + answers, 1), worker))
        until("they wait no longer", lambda: postponed(worker) == 1)
        assert breaches(deployment) == []
        at = now_ms()
        deployment.send([(0, None, event("control.clock_advanced", at, at=format_time(at)))])
        until("the one without an answer breaches", lambda: sum(worker.samples(BREACHED).values()) == 1)
        assert postponed(worker) == 0
    ((fact, _),) = breaches(deployment)
    assert (fact["data"]["subject"], parse_time(fact["data"]["at"])) == ("ticket/T-3", old + 3 + 3_600_000)


def postponed(worker: Worker) -> int:
    """Of how many tickets deadlines wait for the rest of the log."""
    return sum(partition["postponed"] for partition in worker.snapshot().get("partitions", {}).values())


def test_each_full_minute_is_reported_when_it_has_passed_by_quiet_and_by_empty_partitions(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = live(broker, topic_name("minute"), tmp_path, "1h")
    with deployment.worker() as worker:
        until("it is ready", worker.ready)
        deployment.send([keyed("T-1", created("T-1", now_ms()), 2)])
        until("the ticket is read", lambda: sum(worker.applied().values()) == -1)
        minute = now_ms() // 60_000 * 60_000 + 60_000
        until("the minute has passed", lambda: now_ms() > minute + DELAY_MS, seconds=70)
        found = until("it is reported", lambda: reports_of(deployment, minute))
    delays = {partial.partition: written - minute - DELAY_MS for partial, written in found}
    log.info("milliseconds after the minute + timer_delay: %s", delays)
    assert min(delays.values()) >= 0
    assert max(delays.values()) < 3000
    backlogs = [backlog for partial, _ in found for place, (_, backlog) in partial.segments.items() if place == ((), ())]
    assert backlogs == [1]


def reports_of(deployment: Deployment, end: int) -> list[tuple[WindowsPartial, int]]:
    """The slices of windows that end then, with the times at which they were written, once there is one for each place; else nothing."""
    partials = [(decode_partial(record.value), record.timestamp) for record in deployment.read("partials")]
    found = [(partial, written) for partial, written in partials if isinstance(partial, WindowsPartial) and partial.end == end]
    topics = deployment.config.topics
    return found if len(found) == topics.partitions * topics.kpi_partitions else []


async def test_while_the_broker_gives_no_proof_deadlines_wait_and_nothing_is_lost(
    broker: Broker, topic_name: TopicName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = await asyncio.to_thread(live, broker, topic_name("proof"), tmp_path, "1s", 6, 1)
    asked, answers = Counter[str](), asyncio.Event()
    original = AIOKafkaConsumer.end_offsets

    async def end_offsets(consumer: Any, sources: list[TopicPartition]) -> Any:
        asked["with answer" if answers.is_set() else "without"] += 1
        if not answers.is_set() and consumer._group_id is not None:  # takeovers read the state topic with another consumer
            raise KafkaTimeoutError
        return await original(consumer, sources)

    async with running(deployment, []) as runtime:
        await in_process.until("it runs", lambda: runtime.ready()[0])
        monkeypatch.setattr(AIOKafkaConsumer, "end_offsets", end_offsets)
        sent = [keyed("T-1", created("T-1", now_ms(), priority="urgent"), 1)]
        await asyncio.to_thread(deployment.send, sent)
        await in_process.until("the ticket is read", lambda: has_applied(runtime, {0: 1}))
        before = asked["without"]
        await in_process.until("it has asked in vain", lambda: asked["without"] >= before + 4)
        (shown,) = runtime.shown()
        assert runtime.ready() == (True, [])
        answers.set()
        await in_process.until("the breach", lambda: runtime.shown()[0].view.ledger_count > shown.view.ledger_count)
        assert runtime.shown()[0].epoch == shown.epoch  # not taken over again
    ((fact, _),) = await asyncio.to_thread(breaches, deployment)
    assert fact["type"] == "support.clock.breached"


def replaying(worker: Worker) -> dict[int, int]:
    """Partition -> whether it catches up with old records."""
    return {int(labels.split('"')[1]): int(flag) for labels, flag in worker.samples("support_processor_replaying").items()}
