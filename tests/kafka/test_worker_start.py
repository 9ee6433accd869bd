"""How a worker begins: without a broker, with a wrong configuration, and where going on would mean wrong numbers."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from kafka import TopicPartition

from processor.export.snapshot import compare
from tests.kafka.broker import Broker
from tests.kafka.deployment import ROOT, Deployment, Sent, Worker, caught_up, ends_of, until
from tests.kafka.events import created, keyed
from tests.kafka.offline import expected

TopicName = Callable[[str], str]
NOW = 1_767_225_600_000


def tickets(count: int, first: int = 0) -> list[Sent]:
    return [keyed(f"T-{number}", created(f"T-{number}", NOW), 2) for number in range(first, first + count)]


def run_until_caught_up(deployment: Deployment, log: list[Sent], *options: str) -> None:
    """One life of a worker, at the end of which it has read the log and shows what it says."""
    with deployment.worker("worker", *options) as worker:
        (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), worker))
        until("it is ready", worker.ready)
        assert worker.end() == 0
    assert compare(expected(deployment.config, deployment.read("events")).of(range(2)), taken) == []


def refusals(worker: Worker) -> str | None:
    """What /readyz says once no partition is starting any more."""
    answer = worker.get("/readyz")
    if answer is None or answer.status == 200 or b"starting" in answer.body or b"no partitions yet" in answer.body:
        return None
    return answer.body.decode()


def test_without_a_broker_it_says_so_waits_longer_each_time_and_then_works(topic_name: TopicName, tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    broker.start()
    deployment = Deployment(broker.bootstrap, topic_name("broker"), tmp_path).create_topics()
    log = tickets(40)
    deployment.send(log)
    broker.stop()
    with deployment.worker() as worker:
        until("it has tried three times", lambda: worker.log().count("trying again") >= 3)
        pauses = [float(pause) for pause in re.findall(r"trying again in ([0-9.]+) s", worker.log())]
        assert pauses == sorted(set(pauses))
        assert f"no Kafka broker yet ({broker.bootstrap}: connection refused)" in worker.log()
        assert worker.process.poll() is None
        alive, ready = worker.get("/healthz"), worker.get("/readyz")
        assert alive is not None
        assert alive.status == 200
        assert ready is not None
        assert ready.status == 503
        assert f"no Kafka broker yet ({broker.bootstrap}: connection refused)" in ready.body.decode()
        with broker:
            until("it has caught up", lambda: caught_up(ends_of(log), worker))
            broker.kill()
            broker.start()
            log += tickets(40, first=40)
            deployment.send(log[40:])
            (taken,) = until("it has caught up after a power cut of the broker", lambda: caught_up(ends_of(log), worker))
            until("it is ready", worker.ready)
            assert compare(expected(deployment.config, deployment.read("events")).of(range(2)), taken) == []
            assert worker.end() == 0


def test_a_wrong_configuration_ends_it_with_all_faults_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("worker: {clock: sundial, step_events_max: 0}\ntopics: {partitions: none}\nhtp: {}\n", encoding="utf-8")
    call = [sys.executable, "-m", "processor.cli.main", "worker", "--config", str(path)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    for fault in ("worker.clock", "worker.step_events_max", "topics.partitions", "htp"):
        assert f"{path}: {fault}" in done.stderr


def test_missing_topics_end_it_with_the_command_that_makes_them(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("missing"), tmp_path)
    with deployment.worker() as worker:
        assert worker.exit_code() == 2
        assert "ticket-kpis topics create" in worker.log()


def test_a_lost_state_is_refused_until_it_is_reset(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("lost"), tmp_path).create_topics()
    log = tickets(40)
    deployment.send(log)
    run_until_caught_up(deployment, log)
    deployment.make_anew("state")
    with deployment.worker() as worker:
        told = until("it refuses", lambda: refusals(worker))
        assert told.count("the state was lost") == 2
        assert "`ticket-kpis topics reset-state`" in told
        assert worker.snapshot()["partitions"] == {}
        # A refusal needs a person: two seconds later (the loop is measured ten times a second) it has not been tried again and again.
        until("the loop has run on for a while", lambda: worker.samples("support_processor_loop_lag_seconds_count").get("", 0) > 25)
        assert worker.samples("support_processor_step_failures_total") == {"": 2}
        assert worker.log().count("the state was lost") == 2
        assert worker.end() == 0
    call = [sys.executable, "-m", "processor.cli.main", "topics", "reset-state", "--yes", "--config", str(tmp_path / "config.yaml")]
    subprocess.run(call, cwd=ROOT, check=True, timeout=60)
    run_until_caught_up(deployment, log)


def test_settings_that_contradict_the_state_are_refused_until_they_are_mended(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("settings"), tmp_path).create_topics()
    log = tickets(40)
    deployment.send(log)
    run_until_caught_up(deployment, log)
    deployment.document["policies"] = [{"id": "default", "targets": {"first_response": "1h"}}]
    with deployment.worker() as worker:
        told = until("it refuses", lambda: refusals(worker))
        assert told.count("the configuration does not fit the state") == 2
        assert "policy default version 1 was changed" in told
        assert "policy default-phone version 1 is gone" in told
        assert worker.end() == 0
    del deployment.document["policies"]
    deployment.document["limits"] = {"tail_max": 100}  # concerns only what comes
    run_until_caught_up(deployment, log)


def test_a_log_without_its_beginning_is_refused_unless_told(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("cut"), tmp_path).create_topics()
    log = tickets(40)
    deployment.send(log)
    with deployment.admin() as admin:
        admin.delete_records({TopicPartition(deployment.config.topics.events, 0): 5})
    with deployment.worker() as worker:
        told = until("it refuses", lambda: refusals(worker))
        assert "events-0: no state, and the log begins at offset 5" in told
        assert "--from-log-start" in told
        until("the other partition runs", lambda: worker.applied() == {1: ends_of(log)[1] - 1})
        assert worker.end() == 0
    run_until_caught_up(deployment, log, "--from-log-start")
