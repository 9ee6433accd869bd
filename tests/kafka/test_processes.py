"""`worker --processes 2`: two workers of one command, which share the partitions and end together."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, caught_up, ends_of, until
from tests.kafka.events import created, keyed

pytestmark = pytest.mark.kafka

NOW = 1_767_225_600_000
PARTITIONS = 4


def children(worker: Worker) -> list[int]:
    """The processes behind the command."""
    pid = worker.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def test_two_processes_share_the_partitions_and_one_that_is_killed_comes_back(
    broker: Broker, topic_name: Callable[[str], str], tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("pair"), tmp_path, partitions=PARTITIONS).create_topics()
    log = [keyed(f"T-{number}", created(f"T-{number}", NOW), PARTITIONS) for number in range(40)]
    deployment.send(log)
    ends = ends_of(log, PARTITIONS)
    with deployment.worker("worker", "--processes", "2", "--instance", "host") as first:
        second = first.second()
        until("each has its half", lambda: [len(each.applied()) for each in (first, second)] == [2, 2])
        until("everything is applied", lambda: caught_up(ends, first, second))
        before = children(first)
        os.kill(before[0], signal.SIGKILL)
        until("it is back", lambda: len(children(first)) == 2 and children(first) != before)
        until("each has its half again", lambda: [len(each.applied()) for each in (first, second)] == [2, 2])
        until("everything is applied", lambda: caught_up(ends, first, second))
        until("both are ready", lambda: first.ready() and second.ready())
        assert f"process {before[0]} has ended with -9; starting it again" in first.log()
        assert first.end() == 0
