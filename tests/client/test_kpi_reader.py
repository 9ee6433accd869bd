"""A reader holds the newest KPIs of each segment, in whatever order they come, and says when it had to begin again."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from processor.client import KpiChange, KpiKey, KpiReader, LatestKpis, NoSuchTopicError, decode_kpis, kpi_reader
from processor.core.settings import MINUTE_MS
from tests.client.kpi_log import PHONE, TOTAL, Consumer, Topic, W, gone, record

ALL = KpiKey((), (), "1h")
BY_PHONE = KpiKey(("channel",), ("phone",), "1h")
Open = Callable[..., KpiReader]


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def consumer(topic: Topic) -> Consumer:
    return Consumer(topic)


@pytest.fixture
def opened(topic: Topic, consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> Open:
    async def partitions_of(*_args: Any, **_options: Any) -> list[int]:
        return sorted(topic.records)

    def make(**settings: Any) -> Consumer:
        consumer.settings = settings
        return consumer

    monkeypatch.setattr(kpi_reader, "partitions_of", partitions_of)
    monkeypatch.setattr(kpi_reader, "AIOKafkaConsumer", make)
    return lambda **options: KpiReader("localhost:9092", "kpis", **options)


def held(reader: KpiReader) -> dict[KpiKey, float | None]:
    return {key: each.kpis["tickets_created"].value for key, each in reader.latest.items()}


async def read_all(reader: KpiReader) -> list[KpiChange]:
    return [change async for changes in reader for change in changes]


async def read_to_the_end(reader: KpiReader) -> list[KpiChange]:
    changes: list[KpiChange] = []
    while not reader.caught_up:
        changes += await anext(reader)
    return changes


async def test_the_present_state_is_the_newest_of_each_key(topic: Topic, consumer: Consumer, opened: Open) -> None:
    topic.write(record(created=1), record(PHONE, 5), record(created=2, end=W + MINUTE_MS), record(PHONE, 6, sequence=1))
    async with opened(follow=False) as reader:
        changes = await read_all(reader)
        assert held(reader) == {ALL: 2, BY_PHONE: 6}
        assert {change.key: change.kpis for change in changes} == dict(reader.latest)
        assert len(changes) == 2  # what they were before is not told
        assert reader.caught_up
    assert consumer.stopped
    assert consumer.settings["isolation_level"] == "read_committed"
    assert consumer.settings["auto_offset_reset"] == "none"


async def test_the_present_state_is_told_at_once_however_it_is_polled(topic: Topic, consumer: Consumer, opened: Open) -> None:
    topic.write(*(record(created=number, end=W + number * MINUTE_MS) for number in range(4)), record(PHONE, 5), gone(PHONE))
    consumer.poll_max = 1
    async with opened() as reader:
        (change,) = await anext(reader)
        assert (change.key, reader.caught_up, held(reader)) == (ALL, True, {ALL: 3})
        topic.write(record(created=4, end=W + 4 * MINUTE_MS))
        assert [change.key for change in await anext(reader)] == [ALL]


async def test_an_empty_topic_is_read_at_once_and_a_missing_one_is_said_to_be(topic: Topic, opened: Open) -> None:
    async with opened(follow=False) as reader:
        assert await read_all(reader) == []
    topic.records.clear()
    with pytest.raises(NoSuchTopicError, match="no topic kpis"):
        await opened().__aenter__()


async def test_what_is_written_later_is_followed_and_only_changes_are_told(topic: Topic, opened: Open) -> None:
    topic.write(record(created=1))
    async with opened() as reader:
        assert [change.key for change in await anext(reader)] == [ALL]
        topic.write(record(created=1), record(created=1, end=W - MINUTE_MS), record(PHONE, 3), gone(PHONE), gone(PHONE))
        assert [(change.key, change.kpis is None) for change in await anext(reader)] == [(BY_PHONE, False), (BY_PHONE, True)]
        assert held(reader) == {ALL: 1}
        assert reader.latest.older == 1


@pytest.mark.parametrize("expired", [True, False])
async def test_a_reader_that_was_away_for_too_long_begins_again_and_says_so(
    topic: Topic, consumer: Consumer, opened: Open, *, expired: bool
) -> None:
    topic.write(*(record(created=number, end=W + number * MINUTE_MS) for number in range(9)), record(PHONE, 1))
    told: list[int] = []
    async with opened(told_over=told.append) as reader:
        await read_to_the_end(reader)
        assert (held(reader), told) == ({ALL: 8, BY_PHONE: 1}, [])
        if expired:
            topic.write(*(record(created=10 + number, end=W + (10 + number) * MINUTE_MS) for number in range(5)))
            topic.expire(12)
        else:
            topic.made_anew()
            topic.write(record(created=14, end=W - MINUTE_MS, epoch=0))  # everything begins again, epochs too
        changes = [*await anext(reader), *await read_to_the_end(reader)]
        assert (told, reader.started_over) == ([0], 1)
        assert held(reader) == {ALL: 14}  # the other segment went meanwhile
        assert changes[-1] == KpiChange(BY_PHONE, None)


async def test_what_is_held_stays_while_the_topic_is_read_again(topic: Topic, consumer: Consumer, opened: Open) -> None:
    topic.write(record(created=1), record(PHONE, 2), record(created=3, end=W + MINUTE_MS))
    consumer.poll_max = 1
    async with opened() as reader:
        await read_to_the_end(reader)
        topic.expire(1)
        topic.write(record(PHONE, 9, end=W + 2 * MINUTE_MS), record(PHONE, 10, end=W + 3 * MINUTE_MS))
        consumer.seek(next(iter(consumer.positions)), 0)
        for phone in (9, 10):
            assert [change.key for change in await anext(reader)] == [BY_PHONE]
            assert held(reader) == {ALL: 3, BY_PHONE: phone}
        assert reader.started_over == 1


async def test_partitions_begin_again_one_by_one(opened: Open, topic: Topic) -> None:
    topic.records[1], topic.starts[1] = [], 0
    topic.write(record(created=1))
    topic.write(record(PHONE, 2), record(PHONE, 3, end=W + MINUTE_MS), partition=1)
    told: list[int] = []
    async with opened(told_over=told.append) as reader:
        await read_to_the_end(reader)
        topic.made_anew(1)
        topic.write(record(created=5, end=W + MINUTE_MS))
        changes = [*await anext(reader), *await anext(reader)]
        assert [(change.key, change.kpis is None) for change in changes] == [(ALL, False), (BY_PHONE, True)]
        assert (told, held(reader)) == ([1], {ALL: 5})


async def test_what_is_no_kpi_has_a_place_and_nothing_is_skipped_because_of_it(topic: Topic, opened: Open) -> None:
    topic.write(record(created=1), (b"no key", b"no value"), record(PHONE, 2))
    async with opened(follow=False) as reader:
        for _ in range(2):  # it is met again until somebody decides to pass it
            with pytest.raises(ValueError, match="kpis, partition 0, offset 1: no KPIs"):
                await read_all(reader)
    problems: list[str] = []
    async with opened(follow=False, unreadable=problems.append) as reader:
        await read_all(reader)
        assert held(reader) == {ALL: 1, BY_PHONE: 2}
    assert len(problems) == 1


def test_the_latest_does_not_depend_on_the_order() -> None:
    written = [
        record(created=10 * epoch + number, end=W + number * MINUTE_MS, epoch=epoch, sequence=sequence)
        for epoch in (1, 2) for number in (0, 1, 2) for sequence in (0, 1)
    ]  # fmt: skip
    for seed in range(20):
        latest = LatestKpis()
        for _, value in random.Random(seed).sample(written, len(written)):
            assert value is not None
            kpis = decode_kpis(value)
            latest.apply(0, KpiChange(kpis.key, kpis))
        assert latest[ALL].order == (2, W + 2 * MINUTE_MS, 1)
        assert len(latest) == 1
        assert list(latest) == [ALL]


def test_the_total_and_a_segment_are_different_keys() -> None:
    latest = LatestKpis()
    for place in (TOTAL, PHONE):
        value = record(place)[1]
        assert value is not None
        assert latest.apply(0, KpiChange(decode_kpis(value).key, decode_kpis(value)))
    assert set(latest) == {ALL, BY_PHONE}
