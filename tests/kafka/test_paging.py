"""From a surge of tickets to the page: real Kafka, worker, Prometheus, Alertmanager and receiver, with all ranges sixty times shorter.

On the way everything is away once: Alertmanager when the alert begins, the receiver when it is told, Prometheus and the first worker while
it fires. The page comes once all the same, and its end once.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from processor.alerting import rule_files
from processor.schemas_path import schemas_path
from processor.wall_clock import WallClock
from tests.deploy.receivers import Receivers
from tests.deploy.servers import Alertmanager, LivePrometheus, Server, until
from tests.kafka.background import Background
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, free_port
from tests.kafka.events import created, keyed, status

log = logging.getLogger("paging")

TopicName = Callable[[str], str]
SCALE = 60
PAGED_SECONDS = 180  # from the first ticket of the surge to the page
BEFORE = 20  # tickets that were there before
A_SECOND = 4  # tickets of the surge
ROOT = Path(__file__).resolve().parents[2]
VALIDATOR = Draft202012Validator(json.loads((schemas_path() / "support.alerts.v1.schema.json").read_text()))


def now_ms() -> int:
    """The present instant."""
    return WallClock().now()


class Surge(Background):
    """As it was recorded one morning: so many tickets about one topic, second by second, and nobody solves any."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__()
        self._deployment = deployment
        self.tickets = [f"T-before-{number}" for number in range(BEFORE)]

    def before(self) -> None:
        """What is open when it begins."""
        self._create(self.tickets, "refund")

    def _work(self) -> None:
        second = 0
        while not self._end.wait(1):
            second += 1
            tickets = [f"T-{second}-{number}" for number in range(A_SECOND)]
            self._create(tickets, "invoice")
            self.tickets += tickets

    def _create(self, tickets: list[str], topic: str) -> None:
        at = now_ms()
        self._deployment.send(keyed(ticket, created(ticket, at, group="billing", topic=topic, priority="normal"), 2) for ticket in tickets)

    def solve(self) -> None:
        """It is mended: all of them are solved."""
        at = now_ms()
        self._deployment.send(keyed(ticket, status(ticket, at, "solved"), 2) for ticket in self.tickets)


@contextmanager
def receiving(deployment: Deployment, port: int, *workers: Worker) -> Iterator[subprocess.Popen[bytes]]:
    """`ticket-kpis alerts` as a process of its own."""
    addresses = [f"--worker=http://127.0.0.1:{worker.port}" for worker in workers]
    options = ["--config", str(deployment.directory / "config.yaml"), "--host", "127.0.0.1", "--port", str(port), *addresses]
    with (deployment.directory / "alerts.log").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "processor.cli.main", "alerts", *options], cwd=ROOT, env=dict(os.environ), stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(60) == 0, (deployment.directory / "alerts.log").read_text()


def written(deployment: Deployment) -> list[dict[str, Any]]:
    """The records of the topic of alerts about the surge, each as the schema says."""
    documents = [json.loads(record.value) for record in deployment.read("alerts")]
    assert [fault.message for document in documents for fault in VALIDATOR.iter_errors(document)] == []
    return [each for each in documents if (each["data"]["alert"], each["data"]["severity"]) == ("SupportBacklogGrowing", "critical")]


def firing(prometheus: LivePrometheus) -> bool:
    """Whether the page is due."""
    return prometheus.alerts().get(("SupportBacklogGrowing", "critical")) == "firing"


def pages(receivers: Receivers) -> list[tuple[str, str]]:
    """What the pager was told of the backlog: trigger or resolve, and the summary.

    Where the machine is slow, a takeover of some seconds, which stand for minutes here, is a page of its own, and rightly so.
    """
    told = [page for page in receivers.at("/pager") if page["payload"]["class"] == "backlog"]
    return [(page["event_action"], page["payload"]["summary"]) for page in told]


class Scene:
    """Everything that takes part. What is not entered yet is away."""

    def __init__(self, deployment: Deployment, receivers: Receivers, directory: Path, worker: Worker) -> None:
        self.deployment, self.receivers = deployment, receivers
        self.receiver_port = free_port()
        topic = f"http://127.0.0.1:{self.receiver_port}/alerts"
        self.alertmanager = Alertmanager(directory / "am", free_port(), receivers, time_scale=SCALE, topic=topic)
        rules = directory / "rules"
        rules.mkdir()
        for name, text in rule_files(deployment.config, time_scale=SCALE).items():
            (rules / name).write_text(text, encoding="utf-8")
        targets = [f"127.0.0.1:{worker.port}"]
        self.prometheus = LivePrometheus(
            directory / "prometheus", free_port(), targets=targets, rules=rules, alertmanager=self.alertmanager
        )

    def backlog(self) -> float:
        """As Prometheus sees it."""
        found = self.prometheus.query('sum(job_group:support_backlog_tickets:sum{group="billing"})')
        return float(found[0]["value"][1]) if found else 0.0


def restart(server: Server) -> None:
    """Down and up again."""
    server.stop()
    server.start()


def test_a_surge_pages_once_and_its_end_is_told_once_whoever_is_away(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    worker_settings = {"clock": "live", "session_timeout_seconds": 6}
    known = {"known": {"group": ["billing"], "topic": ["invoice", "refund"]}}
    deployment = Deployment(broker.bootstrap, topic_name("paging"), tmp_path / "kpis", worker=worker_settings, segments=known)
    deployment.create_topics()
    with ExitStack() as stack:
        receivers = stack.enter_context(Receivers())
        one = stack.enter_context(deployment.worker("one"))
        scene = Scene(deployment, receivers, tmp_path, one)
        prometheus = stack.enter_context(scene.prometheus)
        until("the worker is ready", one.ready)
        surge = Surge(deployment)
        surge.before()
        until("Prometheus sees what is open", lambda: scene.backlog() == BEFORE)
        with surge:
            began = time.monotonic()
            until("the alert fires while Alertmanager is away", lambda: firing(prometheus), seconds=PAGED_SECONDS, every=0.5)
            log.info("firing after %.0f s", time.monotonic() - began)
            stack.enter_context(scene.alertmanager)
            until("the page has arrived", lambda: pages(receivers))
            log.info("paged after %.0f s", time.monotonic() - began)
            assert time.monotonic() - began < PAGED_SECONDS
            stack.enter_context(receiving(deployment, scene.receiver_port, one))
            (record,) = until("the topic has it, although its receiver came later", lambda: written(deployment), every=1)
            two = stack.enter_context(deployment.worker("two"))
            prometheus.scrape([f"127.0.0.1:{worker.port}" for worker in (one, two)])
            until("both workers have a partition", lambda: len(one.applied()) == len(two.applied()) == 1)
            restart(prometheus)
            assert one.end() == 0
            until("the second worker has all", lambda: two.ready() and len(two.applied()) == 2)
            seen = len(surge.tickets)
            until("Prometheus sees it, and the alert fires still", lambda: scene.backlog() >= seen and firing(prometheus))
            assert [action for action, _ in pages(receivers)] == ["trigger"]
        surge.solve()
        until("the end is told", lambda: len(pages(receivers)) > 1)
        log.info("over after %.0f s", time.monotonic() - began)
        last = until("the end is written", lambda: [each for each in written(deployment) if each["data"]["status"] == "resolved"], every=1)
    (page, over) = pages(receivers)
    assert page[0] == "trigger"
    assert "SupportBacklogGrowing" in page[1]
    assert "group billing" in page[1]
    assert over[0] == "resolve"
    check_evidence(record)
    assert [(each["data"]["status"], each["id"]) for each in written(deployment)] == [("firing", record["id"]), ("resolved", last[0]["id"])]
    assert last[0]["partitionkey"] == record["partitionkey"]


def check_evidence(record: dict[str, Any]) -> None:
    """What the alert's record says of the surge."""
    evidence = record["data"]["evidence"]
    assert (evidence["complete"], evidence["problems"], evidence["partitions"]) == (True, [], [0, 1])
    assert evidence["segment"] == {"group": "billing"}
    assert [topic["name"] for topic in evidence["topics"]] == ["invoice", "refund"]
    assert evidence["groups"][0]["name"] == "billing"
    assert evidence["open_tickets"] == evidence["created_tickets"] > BEFORE
    assert all(ticket["ticket"].startswith("T-before-") for ticket in evidence["oldest_tickets"])
    assert len(evidence["oldest_tickets"]) == 5
