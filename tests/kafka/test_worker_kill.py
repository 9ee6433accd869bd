"""A worker that dies at any point of a step or a takeover, and workers that come and go, change no number."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

from processor.compile import compile_settings
from processor.config import Config
from processor.core.settings import HOUR_MS
from processor.export.snapshot import compare
from processor.synthetic.generate import generate
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, caught_up, ends_of, failpoints, until
from tests.kafka.events import addressed
from tests.kafka.offline import expected, headers, written_facts

TopicName = Callable[[str], str]
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z


def synthetic(config: Config, events: int, seed: int) -> list[Sent]:
    """A generated log with duplicates, late and broken records, each on the partition where its key belongs."""
    made = generate(compile_settings(config), events=events, seed=seed, start=START, duration=24 * HOUR_MS, faults=True)
    return [addressed(line, config.topics.partitions) for line in made.lines]


class Flow:
    """Sends a log piece by piece in the background, slowly enough for other things to happen meanwhile; `finish` sends the rest."""

    def __init__(self, deployment: Deployment, log: list[Sent]) -> None:
        self._deployment, self._left = deployment, log
        self._hurry = Event()
        self._thread = Thread(target=self._send)

    def _send(self) -> None:
        while self._left:
            size = len(self._left) if self._hurry.wait(0.1) else 30
            self._deployment.send(self._left[:size])
            self._left = self._left[size:]

    def flows(self) -> bool:
        """Whether there was something left to send all the time."""
        return bool(self._left)

    def finish(self) -> None:
        """Send what is left."""
        self._hurry.set()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.finish()


def assert_as_offline(deployment: Deployment, *each: dict[str, Any]) -> None:
    """The workers' snapshots, ledger, facts and dead letters are what the log says, each once."""
    want = expected(deployment.config, deployment.read("events"))
    assert want.facts
    assert want.rejected
    for taken in each:
        assert compare(want.of(int(number) for number in taken["partitions"]), taken) == []
    letters = headers(deployment.read("rejected"))
    rejected = [(int(letter["partition"]), int(letter["offset"]), letter["reason"].decode()) for letter in letters]
    assert sorted(rejected) == sorted((*place, reason) for place, reason in want.rejected.items())
    facts = written_facts(deployment.read("facts"))
    assert set(facts.values()) == {1}
    assert facts == want.facts
    assert f"{sum(int(number, 16) for number in facts) % (1 << 128):032x}" == want.of(range(deployment.config.topics.partitions))["digest"]


def test_killed_at_every_failpoint_one_after_the_other(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    short = {"step_events_max": 80, "session_timeout_seconds": 1}
    deployment = Deployment(broker.bootstrap, topic_name("kill"), tmp_path, worker=short).create_topics()
    log = synthetic(deployment.config, 6000, 7)
    deployment.send(log)
    for failpoint in failpoints():
        with deployment.worker(failpoint=failpoint) as worker:
            assert worker.exit_code() == -signal.SIGKILL
    with deployment.worker() as worker:
        (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), worker))
    assert_as_offline(deployment, taken)


def test_workers_that_join_and_leave_while_events_flow_change_nothing(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("join"), tmp_path).create_topics()
    log = synthetic(deployment.config, 8000, 11)
    with deployment.worker("first") as first, Flow(deployment, log) as flow:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with deployment.worker("second") as second:
                until("the second worker has a share", lambda: len(second.applied()) == 1)
                assert flow.flows()
                assert second.end(number) == (0 if number == signal.SIGTERM else -number)
            until("the first worker has all again", lambda: len(first.applied()) == 2)
        flow.finish()
        (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), first))
    assert_as_offline(deployment, taken)


def test_a_worker_stopped_in_a_step_beyond_its_session_is_fenced_and_comes_back(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("zombie"), tmp_path).create_topics()
    log = synthetic(deployment.config, 8000, 13)
    with deployment.worker("first") as first, deployment.worker("second", failpoint="step.after_flush:9:STOP") as second:
        with Flow(deployment, log) as flow:
            until("the second worker has stopped in the middle of a transaction", second.stopped)
            until("the first worker has all", lambda: len(first.applied()) == 2)
            second.tell(signal.SIGCONT)
            until("both have a share again", lambda: len(first.applied()) == len(second.applied()) == 1)
            assert flow.flows()
        each = until("they have caught up", lambda: caught_up(ends_of(log), first, second))
    assert "ProducerFenced" in second.log()
    assert first.log().count("taken over at offset") <= 3  # two at the start, the other's once: they do not fence each other in turns
    assert second.log().count("taken over at offset") <= 3
    assert_as_offline(deployment, *each)
