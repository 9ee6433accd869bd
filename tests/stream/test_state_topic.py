"""The state topic is read to its end: the newest value of each key, and again where tombstones may have gone meanwhile."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any

import pytest
import yaml
from aiokafka import TopicPartition

from processor.codec.state import MARKER_KEY
from processor.schemas_path import schemas_path
from processor.stream import state_topic
from processor.stream.batches import Pair
from processor.stream.state_topic import TOMBSTONES_KEPT_SECONDS, read_state

Pass = list[list[Pair]]  # the answers of the broker


class FakeConsumer:
    """Knows where the topic begins and ends."""

    def __init__(self, end: int) -> None:
        self._end = end

    async def beginning_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(sources, 0)

    async def end_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(sources, self._end)


class FakeSlice(list[list[Pair]]):
    """One answer."""

    next_offset = 0


def serve(monkeypatch: pytest.MonkeyPatch, passes: list[Pass]) -> None:
    """What the broker answers each time that the topic is read."""

    @asynccontextmanager
    async def open_reader(_: object) -> Any:
        yield FakeConsumer(len(passes[0]))

    async def slices(_connection: object, _source: object, begin: int, _end: int) -> Any:
        for number, pairs in enumerate(passes.pop(0), begin + 1):
            answer = FakeSlice([pairs[:1000], pairs[1000:]])
            answer.next_offset = number
            yield answer

    monkeypatch.setattr(state_topic, "open_reader", open_reader)
    monkeypatch.setattr(state_topic, "slices", slices)


def test_tombstones_are_kept_as_long_as_a_reader_relies_on() -> None:
    spec = yaml.safe_load((schemas_path() / "topics" / "support.state.v1.yaml").read_text())
    assert int(spec["config"]["delete.retention.ms"]) == TOMBSTONES_KEPT_SECONDS * 1000


async def test_the_newest_value_of_each_key_is_taken_and_what_was_deleted_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    many: list[Pair] = [(b"n%d" % number, b"") for number in range(2500)]
    last: list[Pair] = [(b"a", None), (b"b", None), (b"b", b"2"), (b"c", b"3"), (b"c", None), (MARKER_KEY, b"m"), (b"never", None)]
    serve(monkeypatch, [[[(b"a", b"1"), (b"b", b"1")], many, last]])
    shares: list[float] = []
    state = await read_state({}, "state", 0, share=shares.append)
    assert state.records == {b"b": b"2", **dict(many)}
    assert (state.marker, state.read) == (b"m", 2509)
    assert shares == [1 / 3, 2 / 3, 1.0]


async def test_what_took_longer_than_tombstones_are_kept_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time the value of `gone` is read, and its tombstone has gone when its place is reached."""
    serve(monkeypatch, [[[(b"gone", b"1"), (b"a", b"1"), (MARKER_KEY, b"m")]], [[(b"a", b"1"), (MARKER_KEY, b"m")]]])
    monkeypatch.setattr(state_topic, "TOMBSTONES_KEPT_SECONDS", -1)
    state = await read_state({}, "state", 0)
    assert state.records == {b"a": b"1"}
    assert state.marker == b"m"
