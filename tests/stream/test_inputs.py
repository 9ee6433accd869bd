"""Two topics, one partition: what is fetched, what was applied, and what is known to be unread."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from processor.export.progress import Progress
from processor.stream.inputs import SLICE_MAX, Inputs

EVENTS, REKEYED = TopicPartition("events", 3), TopicPartition("rekeyed", 3)


class FakeConsumer:
    """Logs of offsets; one that is missing is the end of a transaction."""

    def __init__(self) -> None:
        self.logs: dict[TopicPartition, list[int]] = {EVENTS: [], REKEYED: []}
        self.ends = {EVENTS: 0, REKEYED: 0}
        self.positions = {EVENTS: 0, REKEYED: 0}
        self.assigned = {EVENTS, REKEYED}

    def pause(self, *_sources: TopicPartition) -> None:
        """As aiokafka."""

    resume = pause

    def seek(self, source: TopicPartition, offset: int) -> None:
        assert source in self.assigned
        self.positions[source] = offset

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def highwater(self, source: TopicPartition) -> int | None:
        return self.ends[source] or None

    async def position(self, source: TopicPartition) -> int:
        return self.positions[source]

    async def getmany(self, *sources: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms >= 0
        found: dict[TopicPartition, list[Any]] = {}
        for source in sources:
            offsets = [offset for offset in self.logs[source] if offset >= self.positions[source]][:max_records]
            found[source] = [SimpleNamespace(topic=source.topic, offset=offset, timestamp=1000 + offset) for offset in offsets]
            self.positions[source] = offsets[-1] + 1 if len(offsets) == max_records else self.ends[source]
        return found


@pytest.fixture
def consumer() -> FakeConsumer:
    return FakeConsumer()


def begun(consumer: FakeConsumer, events: int, rekeyed: int, end: int = 0) -> Inputs:
    anything: Any = consumer
    inputs = Inputs(anything, EVENTS, "rekeyed")
    inputs.begin(events, rekeyed, 0, end)
    return inputs


async def test_how_far_behind_it_is_shrinks_while_it_catches_up(consumer: FakeConsumer) -> None:
    consumer.logs = {EVENTS: [5, 6, 7], REKEYED: []}
    inputs = Inputs(cast(Any, consumer), EVENTS, "rekeyed")
    inputs.begin(5, -1, 0, 0, events_appended_at=1005, events_end=8)
    assert inputs.progress(61_005) == Progress(EVENTS.partition, 1.0, 2, 60.0)  # known at once, before anything is fetched
    consumer.ends = {EVENTS: 9, REKEYED: 0}
    await inputs.fetch(0.1, 2)
    assert inputs.progress(61_005).unread == 3
    inputs.folded(inputs.fetched)
    assert inputs.progress(61_007) == Progress(EVENTS.partition, 1.0, 1, 60.0)
    consumer.assigned = set()  # revoked: what was known stays
    inputs.events_applied = 8
    assert inputs.progress(61_007) == Progress(EVENTS.partition, 1.0, 0, 0.0)


async def test_both_are_read_from_behind_what_is_applied_the_re_keyed_ones_first(consumer: FakeConsumer) -> None:
    consumer.logs = {EVENTS: [5, 6, 7], REKEYED: [2, 4]}
    consumer.ends = {EVENTS: 8, REKEYED: 6}
    inputs = begun(consumer, 5, 2)
    await inputs.fetch(0.1, 10)
    assert [(record.topic, record.offset) for record in inputs.fetched] == [("rekeyed", 4), ("events", 6), ("events", 7)]
    assert inputs.has_events()
    assert inputs.rekeyed_unread() == 3
    inputs.folded(inputs.fetched[:2])
    assert inputs.applied() == {"events": 6, "rekeyed": 4}
    assert inputs.moved() == {EVENTS: 7, REKEYED: 5}
    inputs.committed()
    assert inputs.moved() == {}
    inputs.folded(inputs.fetched)
    assert not inputs.has_events()
    assert inputs.moved() == {EVENTS: 8}


async def test_ends_of_transactions_are_nothing_unread(consumer: FakeConsumer) -> None:
    consumer.logs[REKEYED], consumer.ends[REKEYED] = [0], 3
    inputs = begun(consumer, -1, -1, end=3)
    assert inputs.rekeyed_unread() == 3
    await inputs.fetch(0.1, 10)
    inputs.folded(inputs.fetched)
    assert inputs.rekeyed_applied == 0
    await inputs.fetch(0.1, 10)
    assert (inputs.rekeyed_applied, inputs.rekeyed_unread()) == (2, 0)


async def test_what_was_revoked_meanwhile_is_left_as_it_is(consumer: FakeConsumer) -> None:
    consumer.ends[REKEYED] = 9
    consumer.assigned = set()
    inputs = begun(consumer, -1, 4)
    await inputs.fetch(0.1, 10)
    assert inputs.applied() == {"events": -1, "rekeyed": 4}


def test_a_partition_without_a_counterpart_may_be_claimed(consumer: FakeConsumer) -> None:
    consumer.assigned = {EVENTS}
    anything: Any = consumer
    consumer.positions[EVENTS] = 7
    Inputs(anything, EVENTS, "rekeyed").claim()
    assert consumer.positions[EVENTS] == 0


async def test_after_a_rebalance_it_is_read_again_from_what_is_applied(consumer: FakeConsumer) -> None:
    consumer.logs, consumer.ends = {EVENTS: [0, 1], REKEYED: [0]}, {EVENTS: 2, REKEYED: 2}
    inputs = begun(consumer, -1, -1)
    await inputs.fetch(0.1, 10)
    inputs.folded(inputs.fetched[:1])
    inputs.read_on()
    assert inputs.fetched == []
    assert consumer.positions == {EVENTS: 0, REKEYED: 1}


async def test_what_was_fetched_is_folded_by_slices_re_keyed_records_first(consumer: FakeConsumer) -> None:
    consumer.logs, consumer.ends = {EVENTS: list(range(400)), REKEYED: list(range(15))}, {EVENTS: 400, REKEYED: 15}
    inputs = begun(consumer, -1, -1)
    await inputs.fetch(0.1, 500)
    first = inputs.next_slice()
    assert [record.topic for record in first] == ["rekeyed"] * 15 + ["events"] * (SLICE_MAX - 15)
    inputs.folded(first[:20])  # the rest of a slice that took too long comes again
    assert inputs.next_slice()[0] is first[20]
    while inputs.fetched:
        inputs.folded(inputs.next_slice())
    assert inputs.applied() == {"events": 399, "rekeyed": 14}


async def test_events_without_end_do_not_keep_re_keyed_records_waiting(consumer: FakeConsumer) -> None:
    consumer.logs, consumer.ends = {EVENTS: list(range(50)), REKEYED: [0, 1]}, {EVENTS: 50, REKEYED: 2}
    inputs = begun(consumer, -1, -1)
    await inputs.fetch(0.1, 5)
    assert [(record.topic, record.offset) for record in inputs.fetched] == [
        ("rekeyed", 0),
        ("rekeyed", 1),
        *(("events", n) for n in range(3)),
    ]
    assert inputs.full
    inputs.folded(inputs.fetched)
    await inputs.fetch(0.1, 50)
    assert len(inputs.fetched) == 47
    assert not inputs.full


async def test_one_record_may_be_asked_for_alone(consumer: FakeConsumer) -> None:
    consumer.logs, consumer.ends = {EVENTS: [0], REKEYED: [0]}, {EVENTS: 1, REKEYED: 1}
    inputs = begun(consumer, -1, -1)
    await inputs.fetch(0.1, 1)
    assert [record.topic for record in inputs.fetched] == ["rekeyed"]
    inputs.folded(inputs.fetched)
    await inputs.fetch(0.1, 1)
    assert [record.topic for record in inputs.fetched] == ["events"]
