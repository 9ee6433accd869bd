"""`worker --processes 2`: two workers of one command, which share the partitions and end together."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson
import pytest

from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, caught_up, ends_of, until
from tests.kafka.events import created, keyed, reply

pytestmark = pytest.mark.kafka

NOW = 1_767_225_600_000
PARTITIONS = 4
LATER = NOW + 65 * 60_000  # old events are reported hour by hour


def children(worker: Worker) -> list[int]:
    """The processes behind the command."""
    pid = worker.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def wall(worker: Worker) -> dict[str, tuple[str, str]]:
    """What the tiles of the wall of this worker show now, and of how many partitions where it is not all of them."""
    with urlopen(f"http://127.0.0.1:{worker.port}/wall/events", timeout=10) as stream:
        line = next(line for line in stream if line.startswith(b"data: "))
    state: dict[str, Any] = orjson.loads(line[6:])
    return {f"{board['name']}/{tile['name']}": (tile["value"], tile["note"]) for board in state["boards"] for tile in board["tiles"]}


def test_two_processes_share_the_partitions_and_one_that_is_killed_comes_back(
    broker: Broker, topic_name: Callable[[str], str], tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("pair"), tmp_path, partitions=PARTITIONS).create_topics()
    tickets = [f"T-{number}" for number in range(40)]
    log = [keyed(ticket, event(ticket, at), PARTITIONS) for event, at in ((created, NOW), (reply, LATER)) for ticket in tickets]
    deployment.send(log)
    ends = ends_of(log, PARTITIONS)
    with deployment.worker("worker", "--processes", "2", "--instance", "host") as first:
        second = first.second()
        until("each has its half", lambda: [len(each.applied()) for each in (first, second)] == [2, 2])
        until("everything is applied", lambda: caught_up(ends, first, second))
        # What each shows to people: KPIs and levels of all partitions from the topics, health from both workers.
        shown = {"backlog-flow/backlog": ("40", ""), "backlog-flow/created": ("40", ""), "processor-health/running": ("yes", "")}
        until("the wall of each shows both", lambda: all(wall(each).items() >= shown.items() for each in (first, second)), every=0.3)
        before = children(first)
        os.kill(before[0], signal.SIGKILL)
        until("it is back", lambda: len(children(first)) == 2 and children(first) != before)
        until("each has its half again", lambda: [len(each.applied()) for each in (first, second)] == [2, 2])
        until("everything is applied", lambda: caught_up(ends, first, second))
        until("both are ready", lambda: first.ready() and second.ready())
        assert f"process {before[0]} has ended with -9; starting it again" in first.log()
        with urlopen(f"http://127.0.0.1:{second.port}/wall/events", timeout=60) as watching:
            assert next(watching)
            assert first.end() == 0  # whoever watches holds nobody up
            assert watching.read().rstrip().endswith(b"}")
