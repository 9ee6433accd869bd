"""The ends of the topics: only what is needed is read, as far back as it takes and no further."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.codec.partials import Sender, encode_levels, encode_report, place_of
from processor.core.outputs import Report
from processor.core.settings import MINUTE_MS
from processor.core.windows import WINDOWS
from processor.export.kpi_view import Merged
from processor.kpis.combine import TOTAL, Combined
from processor.kpis.encode import encode_kpis
from processor.wall import tails as tails_module
from processor.wall.tails import Tails
from tests.wall.made import NOW, config

CONFIG = config()
NUMBER = place_of(*TOTAL, CONFIG.topics.kpi_partitions)
KPIS = TopicPartition(CONFIG.topics.kpis, NUMBER)
PARTIALS = TopicPartition(CONFIG.topics.partials, NUMBER)
GROUP_BYS = ((), ("channel",))
Record = tuple[int, bytes, bytes | None]  # when, key, value


class Log:
    """Both topics, as a reader of aiokafka shows them. Counts what is read."""

    def __init__(self, kpis: Iterable[Record] = (), partials: Iterable[Record] = ()) -> None:
        self.records = {KPIS: list(kpis), PARTIALS: list(partials)}
        self.read = 0
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()

    def reader(self) -> AIOKafkaConsumer:
        return cast("AIOKafkaConsumer", self)

    def assign(self, sources: list[TopicPartition]) -> None:
        assert sources == [KPIS, PARTIALS]

    def pause(self, source: TopicPartition) -> None:
        self._paused.add(source)

    def resume(self, source: TopicPartition) -> None:
        self._paused.discard(source)

    def seek(self, source: TopicPartition, offset: int) -> None:
        self._positions[source] = offset

    async def position(self, source: TopicPartition) -> int:
        return self._positions[source]

    async def beginning_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(sources, 0)

    async def end_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {source: len(self.records[source]) for source in sources}

    async def offsets_for_times(self, times: Mapping[TopicPartition, int]) -> dict[TopicPartition, Any]:
        def at(source: TopicPartition, instant: int) -> SimpleNamespace | None:
            return next((SimpleNamespace(offset=offset) for offset, each in enumerate(self.records[source]) if each[0] >= instant), None)

        return {source: at(source, instant) for source, instant in times.items()}

    async def getmany(self, *wanted: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms
        polled = {}
        for source in wanted or tuple(self.records.keys() - self._paused):
            start = self._positions[source]
            records = [
                SimpleNamespace(offset=start + number, key=key, value=value)
                for number, (_, key, value) in enumerate(self.records[source][start : start + max_records])
            ]
            if records:
                polled[source], self._positions[source] = records, start + len(records)
                self.read += len(records)
        return polled


def minute(end: int, backlog: int, others: int = 0) -> list[Record]:
    """What a minute W leaves in the topic of KPIs: the total, and as many other segments."""
    segments = {TOTAL: Merged({}, backlog)} | {(("topic",), (f"t{number}",)): Merged({}, 1) for number in range(others)}
    return [(end, key, value) for key, value in encode_kpis(Combined(end, 0, True, (), segments, ()), 1, (0,))]


def levels(partition: int, at: int, backlog: int) -> list[Record]:
    """A slice of levels of a partition on the total's partition."""
    sender = Sender(partition, 2, 1, CONFIG.topics.kpi_partitions, GROUP_BYS, CONFIG.application_id)
    encoded = encode_levels({(0, ()): {"backlog": backlog}, (1, ("email",)): {"backlog": 1}}, at, sender, at)
    return [(at, key, value) for number, key, value in encoded if number == NUMBER]


def windows(partition: int, end: int) -> list[Record]:
    """A slice of windows, which the wall does not need."""
    sender = Sender(partition, 2, 1, CONFIG.topics.kpi_partitions, GROUP_BYS, CONFIG.application_id)
    return [(end, key, value) for number, key, value in encode_report(Report(end, {}, {}), sender, 1) if number == NUMBER]


async def begun(log: Log) -> tuple[Tails, list[int]]:
    """The tails after their first look, and the minutes of the windows that were heard of."""
    heard: list[int] = []
    tails = Tails(CONFIG, lambda window: heard.append(window.at_ms))
    await tails.begin(log.reader(), NOW)
    return tails, heard


async def test_the_newest_windows_and_levels_are_found_and_followed() -> None:
    told = [*levels(0, NOW - 5000, 3), *windows(0, NOW), *levels(1, NOW - 4000, 4), *levels(0, NOW - 3000, 5)]
    log = Log(minute(NOW - MINUTE_MS, 7), told)
    tails, _ = await begun(log)
    assert list(tails.windows) == list(WINDOWS)
    assert tails.windows["1h"].kpis["backlog_tickets"].value == 7
    assert tails.levels == {"backlog": 9}
    assert tails.levels_from == frozenset({0, 1})
    log.records[KPIS] += minute(NOW, 8)
    log.records[PARTIALS] += levels(1, NOW, 0)
    await tails.follow(log.reader())
    assert tails.windows["1h"].kpis["backlog_tickets"].value == 8
    assert tails.levels == {"backlog": 5}


async def test_topics_without_anything_are_no_numbers() -> None:
    tails, _ = await begun(Log())
    assert (tails.windows, tails.levels, tails.levels_from) == ({}, None, frozenset())


async def test_the_last_quarter_of_an_hour_is_read_for_the_trends_and_nothing_before() -> None:
    ends = [NOW - number * MINUTE_MS for number in range(60, -1, -1)]
    log = Log([record for end in ends for record in minute(end, 1, others=3)], [*levels(0, NOW, 1), *levels(1, NOW, 1)])
    _, heard = await begun(log)
    assert sorted(set(heard)) == ends[-16:]
    assert log.read == 16 * 4 * len(WINDOWS) + 2


async def test_what_is_further_back_is_looked_for_and_each_record_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails_module, "FIRST_LOOK_RECORDS", 10)
    monkeypatch.setattr(tails_module, "POLL_RECORDS", 7)
    quiet = levels(1, NOW - 90 * MINUTE_MS, 4)  # has had nothing to tell since
    log = Log(minute(NOW, 7, others=100), [*levels(0, NOW - 91 * MINUTE_MS, 1), *quiet, *(levels(0, NOW, 3) * 300)])
    tails, _ = await begun(log)
    assert tails.levels == {"backlog": 7}
    assert tails.windows["7d"].kpis["backlog_tickets"].value == 7
    everything = sum(len(records) for records in log.records.values())
    assert log.read <= everything + 10 * 7  # a poll may go beyond what was asked for


async def test_there_is_an_end_to_looking_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails_module, "FIRST_LOOK_RECORDS", 10)
    monkeypatch.setattr(tails_module, "LOOK_BACK_RECORDS_MAX", 50)
    log = Log(minute(NOW, 7), [*levels(1, NOW, 4), *(levels(0, NOW, 3) * 300)])
    tails, _ = await begun(log)
    assert tails.levels == {"backlog": 3}
    assert tails.levels_from == frozenset({0})
    assert log.read < 10 + 50 + 500 * 3
