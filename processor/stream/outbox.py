"""From what the engine has concluded to the records of one transaction: one place that knows what goes to which topic.

Facts and changed records stay on the partition's own number. Re-keyed records go where their target lives, heartbeats to every partition,
partials to every partition of the KPI stage. Levels go out at most once a second, and only where they have changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka import TopicPartition

from processor.codec.facts import FactWriter
from processor.codec.murmur2 import partition_of
from processor.codec.partials import Encoded, Sender, encode_levels, encode_report
from processor.codec.rekeyed import encode_heartbeat, encode_rekeyed
from processor.codec.state import encode_record
from processor.config import Config
from processor.core.engine import Engine
from processor.core.outputs import Report, Step
from processor.core.settings import Settings
from processor.stream.committer import DeadLetter, Transaction
from processor.stream.inputs import Inputs
from processor.stream.marker import MarkerWriter
from processor.stream.outgoing import Record

LEVELS_SECONDS = 1.0

Levels = Mapping[Any, Mapping[str, int]]


class Outbox:
    """What leaves one partition in one epoch."""

    def __init__(self, config: Config, settings: Settings, source: TopicPartition, partitions: int, epoch: int) -> None:
        self.epoch = epoch
        self._partition = source.partition
        self._partitions = partitions
        self._application = config.application_id
        self._marker = MarkerWriter(config, settings, partitions)
        self._sender = Sender(source.partition, partitions, epoch, config.topics.kpi_partitions, settings.group_bys, self._application)
        self._sequence = 0
        self._agents = config.facts.agents
        self._levels: Levels | None = None  # as they were sent last
        self._levels_at = -LEVELS_SECONDS
        self._levels_open = False  # a step was committed without a look at them
        self._levels_seen: Levels | None = None  # by that look, for the commit that follows at once

    def pack(self, engine: Engine, inputs: Inputs, now: float, rejected: list[DeadLetter]) -> Transaction:
        """Everything since the last call, to be committed as one. `now` is the loop's time in seconds."""
        step = engine.drain()
        marker = self._marker.write(
            engine,
            applied=inputs.applied(),
            epoch=self.epoch,
            newest_appended_at=inputs.newest_appended_at,
            appended_at=inputs.events_appended_at,
            rekeyed_record=inputs.rekeyed_record,
        )
        return Transaction(
            marker,
            inputs.moved(),
            records=(encode_record(key, value) for key, value in step.records.items()),
            facts=map(FactWriter(agents=self._agents).record, step.facts),
            rekeyed=self._rekeyed(step),
            partials=self._partials(step.reports, self._changed_levels(engine, now), engine.timer_time),
            rejected=rejected,
        )

    def levels_wait(self, engine: Engine, now: float) -> bool:
        """Whether levels have changed with a step that came too soon after the last time that they went out."""
        if self._levels_open and now - self._levels_at >= LEVELS_SECONDS:
            levels = engine.level_sums()
            self._levels_open = levels != self._levels
            self._levels_seen = levels if self._levels_open else None
            return self._levels_open
        return False

    def _changed_levels(self, engine: Engine, now: float) -> Levels | None:
        if now - self._levels_at < LEVELS_SECONDS:
            self._levels_open = True
            return None
        before, self._levels = self._levels, self._levels_seen or engine.level_sums()
        self._levels_open, self._levels_at, self._levels_seen = False, now, None
        return None if self._levels == before else self._levels

    def _rekeyed(self, step: Step) -> dict[int, list[Record]]:
        by_partition: dict[int, list[Record]] = defaultdict(list)
        for record in step.rekeyed:
            key, value = encode_rekeyed(record, self._partition, self._application)
            by_partition[partition_of(key, self._partitions)].append((key, value))
        if step.heartbeat is not None:  # behind the others: it says that they have been sent
            beat = encode_heartbeat(self._partition, step.heartbeat, self._application)
            for partition in range(self._partitions):
                by_partition[partition].append(beat)
        return by_partition

    def _partials(self, reports: list[Report], levels: Levels | None, at: int) -> Iterator[Encoded]:
        for report in reports:
            self._sequence += 1
            yield from encode_report(report, self._sender, self._sequence)
        if levels is not None:
            self._sequence += 1
            yield from encode_levels(levels, at, self._sender, self._sequence)
