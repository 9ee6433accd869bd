"""Partitions in one process whose re-keyed records lie in topics of their own until they are read, as they would at a broker."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import orjson

from processor.codec.murmur2 import partition_of
from processor.codec.rekeyed import decode_rekeyed, encode_heartbeat, encode_rekeyed
from processor.codec.state import encode_marker, encode_record
from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.outputs import Rekeyed
from processor.core.settings import MINUTE_MS, Settings
from processor.state_tools.file import Pending, StoredPartition
from processor.versions import stamp
from tests.laws.worlds import START

CREATED = ("email", "new", "normal", "inbound", *(None,) * 10)
TICKETS = [f"T-{number}" for number in range(12)]

APPLICATION = "tests"
EVENTS = "events"


def world(seed: int) -> list[Event]:
    """Tickets that are merged into each other again and again, and answered, over some hours."""
    random, at, events = Random(seed), START, []
    for number in range(160):
        at += random.choice((0, 1000, MINUTE_MS, 9 * MINUTE_MS))
        key = random.choice(TICKETS)
        says: list[tuple[str, tuple[Any, ...]]] = [
            ("ticket.created", CREATED),
            ("ticket.created", CREATED),
            ("ticket.merged", (random.choice(TICKETS),)),
            ("ticket.unmerged", ()),
            ("message.added", (f"M{number}", "agent", "public", False, None)),
            ("ticket.status_changed", (random.choice(("open", "solved")), None, None)),
        ]
        kind, data = random.choice(says)
        late = random.choice((0, 0, 0, 5000, 3 * MINUTE_MS))
        events.append(Event(max(at - late, START), 2, "", "a", f"e{number}", kind, key, data))
    return events


class Partitions:
    """Engines, their stores, and the re-keyed records that each has not read."""

    def __init__(self, settings: Settings, count: int, engines: Mapping[int, Engine] | None = None) -> None:
        self.settings = settings
        self.engines = dict(engines or {number: Engine(settings, number, count) for number in range(count)})
        self.stores: dict[int, dict[bytes, bytes]] = {number: {} for number in self.engines}
        self.topics: dict[int, list[Pending]] = {number: [] for number in self.engines}
        self.positions = dict.fromkeys(self.engines, 0)
        self.outcomes: list[Any] = []

    def place(self, key: str) -> int:
        """Where an entity lives."""
        return partition_of(key.encode(), len(self.engines))

    def apply(self, event: Event) -> None:
        """An event on its partition; one without an entity on all of them."""
        places = [self.place(event.key)] if event.key else list(self.engines)
        for number in places:
            outcome = self.engines[number].apply(event)
            self.outcomes.append(getattr(outcome, "reason", ""))

    def step(self, number: int) -> None:
        """What a transaction of one partition does."""
        step = self.engines[number].drain()
        for key, value in step.records.items():
            name, stored = encode_record(key, value)
            if stored is None:
                self.stores[number].pop(name, None)
            else:
                self.stores[number][name] = stored
        for handed in step.rekeyed:
            self.topics[self.place(handed.target)].append(encode_rekeyed(handed, number, "tests"))
        if step.heartbeat is not None:
            for topic in self.topics.values():
                topic.append(encode_heartbeat(number, step.heartbeat, "tests"))

    def unread(self, number: int) -> list[Pending]:
        """What follows the last record that a partition has read."""
        return self.topics[number][self.positions[number] :]

    def read(self, number: int, most: int) -> None:
        """Fold some of the re-keyed records."""
        engine = self.engines[number]
        for key, value in self.unread(number)[:most]:
            self.positions[number] += 1
            source, said = decode_rekeyed(value, key)
            if isinstance(said, Rekeyed):
                engine.apply_rekeyed(said)
            else:
                engine.hear(source, said)

    def finish(self, until: int) -> None:
        """Let timers run and everything be read, until nothing comes any more."""
        for engine in self.engines.values():
            engine.advance(until)
        self.settle(until)

    def settle(self, until: int = 0) -> None:
        """Read what is unread, until nothing comes any more."""
        for _ in range(20):
            for number, engine in self.engines.items():
                engine.advance(until)
                self.step(number)
            if not any(self.unread(number) for number in self.engines):
                return
            for number in self.engines:
                self.read(number, len(self.unread(number)))
        raise AssertionError("there is no end to what is handed over")

    def stored(self) -> list[StoredPartition]:
        """As it lies in the topics. Everything was drained before."""
        return [self.stored_partition(number) for number in self.engines]

    def stored_partition(self, number: int) -> StoredPartition:
        """One of them."""
        engine = self.engines[number]
        fixed = {"application_id": APPLICATION, "partitions": len(self.engines), "fingerprint": "f", "applied": {EVENTS: 7}, "epoch": 2}
        until = max(engine.stream_time, engine.timer_time)
        marker = orjson.loads(encode_marker({**fixed, "newest_appended_at": 5, "settings": stamp(self.settings, until), **engine.marker()}))
        return StoredPartition(number, marker, dict(self.stores[number]), self.unread(number))
