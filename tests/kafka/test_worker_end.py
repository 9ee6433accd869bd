"""SIGTERM ends a worker within a bound, whatever the broker does; what it did not commit, the next one does."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from processor.stream.host import STOP_SECONDS
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, caught_up, ends_of, until
from tests.kafka.events import created, keyed

TopicName = Callable[[str], str]
NOW = time.time_ns() // 1_000_000 - 60_000
BUSY_SECONDS = 10.0  # more than the bound, for a busy machine; aiokafka's own time-outs are 40 s


def tickets(count: int, first: int = 0) -> list[Sent]:
    return [keyed(f"T-{number}", created(f"T-{number}", NOW), 2) for number in range(first, first + count)]


def test_a_worker_that_hears_nothing_for_a_session_shows_nothing_until_it_does(topic_name: TopicName, tmp_path: Path) -> None:
    """Somebody else might show the same by then. What it knows is kept: the partitions have not been given to others."""
    with Broker(tmp_path / "broker") as broker:
        deployment = Deployment(broker.bootstrap, topic_name("cut-off"), tmp_path).create_topics()
        log = tickets(40)
        deployment.send(log)
        with deployment.worker() as worker:
            until("it has caught up", lambda: caught_up(ends_of(log), worker))
            before = worker.snapshot()
            broker.tell(signal.SIGSTOP)
            try:
                until("it shows nothing", lambda: not worker.samples("support_tickets_created_total"))
                assert not worker.applied()
                answer = worker.get("/readyz")
                assert answer is not None
                assert b"the consumer group has not answered" in answer.body
            finally:
                broker.tell(signal.SIGCONT)
            (after,) = until("it shows all of it again", lambda: caught_up(ends_of(log), worker))
            assert after["digest"] == before["digest"]
            assert worker.end() == 0


def test_a_broker_that_is_frozen_keeps_no_worker_alive(topic_name: TopicName, tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker:
        usual = {"clock": "live", "session_timeout_seconds": 30, "transaction_timeout_seconds": 30}
        deployment = Deployment(broker.bootstrap, topic_name("frozen"), tmp_path, worker=usual).create_topics()
        log = tickets(40)
        deployment.send(log)
        with deployment.worker() as worker:
            until("it has caught up", lambda: caught_up(ends_of(log), worker))
            broker.tell(signal.SIGSTOP)
            try:
                began = time.monotonic()
                assert worker.end() == 0
                assert time.monotonic() - began < STOP_SECONDS + BUSY_SECONDS
            finally:
                broker.tell(signal.SIGCONT)
        log += tickets(40, first=40)
        deployment.send(log[40:])
        with deployment.worker() as worker:
            (taken,) = until("the next one has everything", lambda: caught_up(ends_of(log), worker))
            assert sum(taken["metrics"]["support_tickets_created_total"].values()) == len(log)
            assert worker.end() == 0
