"""A state that is computed anew from the log shows what the old one showed, and goes on as it did."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from processor.codec.state import decode_marker, decode_record
from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.settings import HOUR_MS
from processor.export.snapshot import compare
from processor.state_tools.moving import shown
from processor.state_tools.rebuilding import Old, _Build
from tests.laws.worlds import SETTINGS
from tests.state_tools.joined import Partitions, world


class Straight:
    """An intake for records that carry the event itself."""

    def take(self, engine: Engine, record: Any) -> None:
        engine.apply(record.event)


def lived(seed: int, log: list[Event], count: int = 3) -> Partitions:
    """Partitions that have read the log, and only some of what was handed over."""
    random, partitions = Random(seed), Partitions(SETTINGS, count)
    for event in log:
        partitions.apply(event)
        number = random.randrange(count)
        if random.random() < 0.4:
            partitions.engines[number].advance(partitions.engines[number].stream_time + random.choice((-5000, 0, 60_000)))
            partitions.engines[number].sweep()
        partitions.read(number, random.randrange(3))
        partitions.step(number)
    for number in partitions.engines:
        partitions.step(number)
    return partitions


def rebuilt(partitions: Partitions, log: list[Event], seed: int) -> tuple[_Build, dict[int, Old]]:
    stored = partitions.stored()
    old = {}
    for each in stored:
        old[each.number] = Old(decode_marker(orjson.dumps(each.marker)), shown([partitions.engines[each.number]]), each.pending)
    build = _Build(SETTINGS, old, {number: Straight() for number in old})  # type: ignore[misc]
    logs: dict[int, list[Any]] = {number: [] for number in old}
    for event in log:
        number = partitions.place(event.key)
        logs[number].append(SimpleNamespace(partition=number, timestamp=event.occurred_at + 7, event=event))
    random = Random(seed + 1)
    while any(logs.values()):
        number = random.choice([number for number, left in logs.items() if left])
        size = random.randrange(1, 30)
        build.fold(logs[number][:size])
        del logs[number][:size]
    build.finish()
    return build, old


@pytest.mark.parametrize("seed", [*range(40), 138, 183, 361])  # in the last ones something is handed over, taken back, handed over again
def test_it_shows_the_same_though_some_of_what_was_handed_over_was_not_read(seed: int) -> None:
    log = world(seed)
    partitions = lived(seed, log)
    build, old = rebuilt(partitions, log, seed)
    for number, engine in build.engines.items():
        assert compare(old[number].shown, shown([engine])) == []

    again = Partitions(SETTINGS, 3)
    for number, engine in build.engines.items():  # after the switch: from what was written, behind the old offsets
        restored = again.engines[number]
        marker = orjson.loads(orjson.dumps(engine.marker()))
        assert (marker["upstream"], marker["reported"]) == (old[number].marker["upstream"], old[number].marker["reported"])
        for _ in restored.restore(marker, [decode_record(key, value) for key, value in build.stores[number].items()]):
            pass
        again.topics[number].extend(old[number].pending)
    until = log[-1].occurred_at + 3 * HOUR_MS
    for each in (partitions, again):
        each.finish(until)
    assert compare(shown(list(partitions.engines.values())), shown(list(again.engines.values()))) == []


def test_in_these_worlds_something_is_handed_over_and_not_read() -> None:
    unread = [sum(len(each.pending) for each in lived(seed, world(seed)).stored()) for seed in range(40)]
    assert sum(bool(count) for count in unread) > 20
