"""What leaves a partition in one transaction: to which topics and partitions, in which order, and how often levels go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition

from processor.codec.murmur2 import partition_of
from processor.codec.partials import LevelsPartial, WindowsPartial, decode_partial
from processor.codec.rekeyed import decode_rekeyed
from processor.codec.state import decode_marker
from processor.compile import compile_settings
from processor.config import Config
from processor.core.outputs import Rekeyed, Report, Step
from processor.stream.committer import Transaction
from processor.stream.inputs import Inputs
from processor.stream.outbox import LEVELS_SECONDS, Outbox

PARTITIONS = 4
SOURCE = TopicPartition("support.events.v1", 2)
CONFIG = Config()
TOTAL = (0, ())


class FakeEngine:
    """An engine that has concluded what it is told to have."""

    partition = 0
    stream_time, timer_time = 1_767_603_605_000, 1_767_603_600_000

    def __init__(self) -> None:
        self.step = Step()
        self.levels: Mapping[Any, Mapping[str, int]] = {}

    def drain(self) -> Step:
        step, self.step = self.step, Step()
        return step

    def level_sums(self) -> Mapping[Any, Mapping[str, int]]:
        return dict(self.levels)

    def marker(self) -> dict[str, Any]:
        return {"stream_time": self.stream_time, "timer_time": self.timer_time}


class Leaving:
    """One partition and its outbox, driven by hand."""

    def __init__(self) -> None:
        consumer: Any = None
        self.engine: Any = FakeEngine()
        self.inputs = Inputs(consumer, SOURCE, CONFIG.topics.rekeyed)
        self.outbox = Outbox(CONFIG, compile_settings(CONFIG), SOURCE, PARTITIONS, epoch=7)

    def pack(self, now: float, step: Step | None = None) -> Transaction:
        self.engine.step = step or Step()
        return self.outbox.pack(self.engine, self.inputs, now, [])


@pytest.fixture
def leaving() -> Leaving:
    return Leaving()


def levels_of(transaction: Transaction) -> dict[Any, dict[str, int]] | None:
    """The levels that go out with it; None where none do."""
    found = [partial for _, _, value in transaction.partials if isinstance(partial := decode_partial(value), LevelsPartial)]
    return {place: sums for partial in found for place, sums in partial.segments.items()} if found else None


def test_what_is_handed_over_goes_to_its_targets_and_the_heartbeat_behind_it_to_everybody(leaving: Leaving) -> None:
    handed = [Rekeyed(1, "ticket.wait_handed", f"T-{number}", number, 5, ("T-0", 3, 1)) for number in range(20)]
    transaction = leaving.pack(0.0, Step(rekeyed=handed, heartbeat=(9, 8, 7, 6)))
    assert sorted(transaction.rekeyed) == list(range(PARTITIONS))
    found = []
    for partition, records in transaction.rekeyed.items():
        *others, last = [decode_rekeyed(value, key) for key, value in records]
        assert last == (SOURCE.partition, (9, 8, 7, 6))
        for source, said in others:
            assert isinstance(said, Rekeyed)
            assert (source, partition) == (SOURCE.partition, partition_of(said.target.encode(), PARTITIONS))
            found.append(said)
    assert sorted(found, key=lambda said: said.number) == handed


def test_a_report_goes_to_every_partition_of_the_kpi_stage_and_sequences_grow(leaving: Leaving) -> None:
    reports = [Report(end, {TOTAL: {"5m": {"tickets_created": 1}}}, {TOTAL: 1}) for end in (60_000, 120_000)]
    first = list(leaving.pack(0.0, Step(reports=reports)).partials)
    partials = [decode_partial(value) for _, _, value in first]
    windows = [partial for partial in partials if isinstance(partial, WindowsPartial)]
    assert [partial.end for partial in windows] == [60_000] * CONFIG.topics.kpi_partitions + [120_000] * CONFIG.topics.kpi_partitions
    assert [place for place, _, _ in first] == list(range(CONFIG.topics.kpi_partitions)) * 3  # two reports, and the first levels
    assert {(partial.partition, partial.partitions, partial.epoch) for partial in partials} == {(SOURCE.partition, PARTITIONS, 7)}
    (later, *_) = [decode_partial(value) for _, _, value in leaving.pack(0.1, Step(reports=reports[:1])).partials]
    sequences = [partial.sequence for partial in (*partials, later)]
    assert sequences == sorted(sequences)
    assert len(set(sequences)) == 4


def test_levels_go_out_at_once_then_once_a_second_and_only_where_they_changed(leaving: Leaving) -> None:
    assert levels_of(leaving.pack(100.0)) == {}  # a new epoch says what it has, even if it is nothing
    leaving.engine.levels = {TOTAL: {"backlog": 1}}
    assert levels_of(leaving.pack(100.5)) is None
    assert not leaving.outbox.levels_wait(leaving.engine, 100.9)
    assert leaving.outbox.levels_wait(leaving.engine, 100.0 + LEVELS_SECONDS)  # no further step came
    assert levels_of(leaving.pack(101.0)) == {((), ()): {"backlog": 1}}
    assert levels_of(leaving.pack(103.0)) is None
    assert not leaving.outbox.levels_wait(leaving.engine, 110.0)


def test_levels_that_changed_and_changed_back_are_no_reason_to_write(leaving: Leaving) -> None:
    leaving.pack(100.0)
    leaving.engine.levels = {TOTAL: {"backlog": 1}}
    leaving.pack(100.2)
    leaving.engine.levels = {}
    assert not leaving.outbox.levels_wait(leaving.engine, 102.0)


def test_the_marker_and_the_offsets_speak_of_both_inputs(leaving: Leaving) -> None:
    leaving.inputs.events_applied, leaving.inputs.rekeyed_applied = 41, 17
    transaction = leaving.pack(0.0)
    marker = decode_marker(transaction.marker)
    assert marker["applied"] == {SOURCE.topic: 41, CONFIG.topics.rekeyed: 17}
    assert marker["epoch"] == 7
    assert transaction.next_offsets == {SOURCE: 42, TopicPartition(CONFIG.topics.rekeyed, SOURCE.partition): 18}
    leaving.inputs.committed()
    assert leaving.pack(0.0).next_offsets == {}
