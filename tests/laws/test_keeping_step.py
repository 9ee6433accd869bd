"""Partitions need not keep step: what each reports is the same however far one is ahead of the others, also where events come late.

The log is one of many stories, with events that come minutes late. Some of them go from one partition to a second and, with what that
one knew of a person before, on to a third.
"""

from __future__ import annotations

from random import Random

import pytest

from processor.codec.door import Door
from processor.compile import compile_settings
from processor.config import Config
from processor.core.events import Event
from processor.core.outputs import Report
from processor.core.settings import HOUR_MS
from processor.synthetic.generate import generate
from tests.kafka.events import addressed
from tests.laws.driving import Network, Partition, finish

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
PARTITIONS = 4
CONFIG = Config()
SETTINGS = compile_settings(CONFIG)

Reports = dict[tuple[int, int], Report]  # by partition and end


@pytest.fixture(scope="module")
def log() -> list[Event]:
    """In the order of arrival."""
    made = generate(SETTINGS, events=2000, seed=11, start=START, duration=4 * HOUR_MS)
    door = Door(CONFIG.worker.partitioner, PARTITIONS, SETTINGS.clock_skew, prefix=CONFIG.worker.event_type_prefix)
    admitted = (door.admit(value, key, 2 * START) for _, key, value in (addressed(line, PARTITIONS) for line in made.lines))
    return [event for event in admitted if isinstance(event, Event)]


class Deployment:
    """All partitions, each with what waits to be read."""

    def __init__(self, log: list[Event]) -> None:
        self.network = Network(PARTITIONS)
        self.partitions = [
            Partition(SETTINGS, number, network=self.network, report_every_minutes=5, hold=True) for number in range(PARTITIONS)
        ]
        self.unread = [[event for event in reversed(log) if partition.has(event)] for partition in self.partitions]

    def read(self, number: int, most: int) -> None:
        """So many events, then a step."""
        partition, unread = self.partitions[number], self.unread[number]
        for _ in range(min(most, len(unread))):
            partition.apply(unread.pop())
        partition.engine.advance_by_log()
        partition.step()

    def listen(self, number: int) -> None:
        """What the others have for a partition."""
        for source, target in self.network.waiting():
            while target == number and self.network.queues[source, target]:
                self.network.deliver(source, self.partitions[target])
        self.partitions[number].step()

    def settle(self) -> Reports:
        """Until nothing moves."""
        finish(self.partitions, self.network, Random(0))
        return {(partition.number, report.end): report for partition in self.partitions for report in partition.reports}


def in_step(log: list[Event]) -> Reports:
    """As the events come, and what is handed over at once."""
    deployment = Deployment(log)
    for event in log:
        deployment.read(deployment.network.place(event.key), 1)
        deployment.settle()
    return deployment.settle()


def out_of_step(log: list[Event], seed: int) -> Reports:
    """Some partitions read many times faster than others."""
    random = Random(seed)
    deployment = Deployment(log)
    speeds = [random.choice((1, 3, 10, 40)) for _ in range(PARTITIONS)]
    while any(deployment.unread):
        number = random.randrange(PARTITIONS)
        deployment.read(number, random.randrange(1, 20) * speeds[number])
        deployment.listen(random.randrange(PARTITIONS))
    return deployment.settle()


def test_reports_do_not_depend_on_which_partition_is_ahead(log: list[Event]) -> None:
    want = in_step(log)
    assert len({end for _, end in want}) > 30
    for seed in range(8):
        found = out_of_step(log, seed)
        assert found.keys() == want.keys()
        assert [name for name in want if found[name] != want[name]] == []
