"""`ticket-kpis state rebuild`: the state anew from the log into another state topic, compared with the old one before anybody uses it.

The log is read from its first offset to the last one that the old state had applied, and timers run as far as its had: so both must show
the same numbers. Partitions hand over to each other in this process. Nothing goes out but the state. What the old state had not read of the
re-keyed topic will be read behind the same offsets after the switch; so it is held back here, or it would count twice.

The partition that is furthest behind in time is read next, so that none has to keep everything that a slower one may still hand over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.codec.murmur2 import partition_of
from processor.codec.rekeyed import decode_rekeyed
from processor.codec.state import decode_marker, decode_record, encode_record
from processor.config import Config
from processor.core.engine import Engine
from processor.core.exchange import Exchange
from processor.core.outputs import Rekeyed, Step
from processor.core.settings import Settings
from processor.core.upstream import Heartbeat
from processor.export.snapshot import Difference, compare
from processor.state_tools.broker import Progress, ToolError, bounds, pending_of, reading, stored_partitions
from processor.state_tools.file import Pending
from processor.state_tools.moving import shown
from processor.state_tools.writing import fenced
from processor.stream.committer import Transaction
from processor.stream.inputs import NO_RECORD
from processor.stream.intake import EngineFaultError, Intake
from processor.stream.marker import MarkerWriter
from processor.stream.state_topic import unheard

STEP_RECORDS = 2000
SETTLE_ROUNDS = 100  # hand-overs that lead to hand-overs; a chain is as long as its merges


@dataclass(slots=True)
class Old:
    """What is known of an old partition: its marker, what it shows, and what it has not read of the re-keyed topic."""

    marker: dict[str, Any]
    shown: dict[str, Any]
    pending: list[Pending] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One partition in both: the old numbers, the new ones, and in what they differ."""

    number: int
    records: int
    old: dict[str, Any]
    new: dict[str, Any]
    differences: list[Difference]


async def old_partitions(config: Config, settings: Settings, progress: Progress = unheard) -> dict[int, Old]:
    """The state as it is. Raises ToolError."""
    found: dict[int, Old] = {}
    async for partition in stored_partitions(config, progress=progress):
        marker = decode_marker(orjson.dumps(partition.marker))
        engine = Engine(settings, partition.number, config.topics.partitions)
        try:
            for _ in engine.restore(marker, (decode_record(key, value) for key, value in partition.records.items())):
                pass
        except LookupError as error:
            raise ToolError(f"partition {partition.number}: {error.args[0]}. Put that version back into the configuration") from error
        if engine.postponed:
            raise ToolError(
                f"partition {partition.number}: deadlines of {len(engine.postponed):,} tickets and others wait for the rest of a backfill. "
                "Let a worker read it, or say with `send --advance-clock` that there is no more, and rebuild then"
            )
        found[partition.number] = Old(marker, shown([engine]))
    return found


async def rebuild(
    config: Config, settings: Settings, into: str, old: dict[int, Old], *, begin: Progress = unheard, progress: Progress = unheard
) -> list[Rebuilt]:
    """Write the new state; returns what it came to. `begin` hears how many events there are, `progress` how many were folded since."""
    topics = config.topics
    async with reading(config) as consumer:
        events = await bounds(config, consumer, topics.events)
        for number, (first, end) in enumerate(events):
            _check_log(f"{topics.events}-{number}", first, end, old[number].marker["applied"].get(topics.events))
        for number, (first, end) in enumerate(await bounds(config, consumer, topics.rekeyed)):
            old[number].pending = await pending_of(consumer, topics.rekeyed, number, old[number].marker, first, end)
        begin(sum(each.marker["applied"][topics.events] + 1 for each in old.values()))
        build = await _folded(config, settings, old, consumer, progress)
    build.finish()
    found = []
    for number, engine in build.engines.items():
        new = shown([engine])
        found.append(Rebuilt(number, len(build.stores[number]), old[number].shown, new, compare(old[number].shown, new)))
    await _write(config, settings, into, old, build)
    return found


def _check_log(name: str, first: int, end: int, applied: int | None) -> None:
    if applied is None:
        raise ToolError(f"the state was not made from {name}. Check topics.events")
    if first > 0:
        raise ToolError(f"{name} begins at offset {first}: what came before would be missing from every number. A log must begin at 0")
    if end <= applied:
        raise ToolError(f"{name} ends at {end}, the state has applied {applied}: this is another log. Check topics.events")


async def _folded(config: Config, settings: Settings, old: dict[int, Old], consumer: AIOKafkaConsumer, progress: Progress) -> _Build:
    """Fold the log; where the engine fails on an event, begin again and set it aside, as workers do."""
    intakes = {number: Intake(config, settings, len(old), _never_called) for number in old}
    while True:
        build = _Build(settings, old, intakes)
        try:
            async for records in _behind_first(config, consumer, build, old):
                build.fold(records)
                progress(len(records))
        except EngineFaultError as error:
            aside = intakes[build.folding].set_aside
            aside.add(error.place)
            if len(aside) > config.worker.engine_errors_max:
                raise ToolError(f"partition {build.folding}: {error}, as on others before; please report it") from error
        else:
            return build


def _never_called() -> None:
    """What is re-keyed is not read from its topic here."""


async def _behind_first(config: Config, consumer: AIOKafkaConsumer, build: _Build, old: dict[int, Old]) -> AsyncIterator[list[Any]]:
    """The records of all partitions up to what was applied, always of the one that is furthest behind in time."""
    topic = config.topics.events
    sources = {number: TopicPartition(topic, number) for number in old}
    ends = {number: each.marker["applied"][topic] + 1 for number, each in old.items()}
    consumer.assign(list(sources.values()))
    for source in sources.values():
        consumer.seek(source, 0)
    positions = dict.fromkeys(old, 0)
    while left := [number for number, position in positions.items() if position < ends[number]]:
        number = min(left, key=lambda each: build.engines[each].stream_time)
        found = await consumer.getmany(sources[number], timeout_ms=500, max_records=STEP_RECORDS)
        records = [record for record in found.get(sources[number], ()) if record.offset < ends[number]]
        positions[number] = await consumer.position(sources[number])
        if records:
            yield records


class _Build:
    """The new partitions on their way."""

    def __init__(self, settings: Settings, old: dict[int, Old], intakes: dict[int, Intake]) -> None:
        self._old = old
        self._intakes = intakes
        self.folding = 0
        self.engines = {number: Engine(settings, number, len(old)) for number in old}
        self.stores: dict[int, dict[bytes, bytes]] = {number: {} for number in old}
        self.newest_appended_at = dict.fromkeys(old, 0)
        self._exchange = Exchange(self.engines, lambda key: partition_of(key.encode(), len(old)))
        self._unread = _net(pending for each in old.values() for pending in each.pending)
        self._held_back: Counter[Rekeyed] = Counter()
        self._delivered: Counter[Rekeyed] = Counter()  # of these
        for number, engine in self.engines.items():
            engine.limit = old[number].marker["timer_time"]

    def fold(self, records: list[Any]) -> None:
        """One step of one partition."""
        number = self.folding = records[0].partition
        engine, intake = self.engines[number], self._intakes[number]
        for record in records:
            before = engine.stream_time
            intake.take(engine, record)
            if engine.stream_time > before:
                self.newest_appended_at[number] = record.timestamp
        engine.advance_by_log()
        engine.sweep()
        self._drain(number)

    def finish(self) -> None:
        """Let timers come as far as the old ones, and go on with the old reports."""
        for number, engine in self.engines.items():
            engine.advance(self._old[number].marker["timer_time"])
        for _ in range(SETTLE_ROUNDS):
            self._settle()
            if not self._deliver_what_was_read():
                break
        for number, engine in self.engines.items():
            marker = self._old[number].marker
            engine.upstream.restore(marker["upstream"], history=marker["history"])
            engine.reports.since, engine.reports.sent_until, engine.reports.taken_until = marker["reported"]

    def _deliver_what_was_read(self) -> bool:
        """Of what was stated, taken back and stated again, some may have been read: whether there was something to correct.

        What stands now is what was read and what was not. A statement whose taking back was not read stands for the reader alone: here it
        may never have been made. On the way to what stands in the end the difference may be one that nobody can have read.
        """
        corrected = False
        for handed, unread in self._unread.items():
            read = min(max(self._held_back[handed] - unread, 0), 1)
            if read != self._delivered[handed]:
                self._exchange.deliver(0, Step(rekeyed=[replace(handed, sign=read - self._delivered[handed])]))
                self._delivered[handed] = read
                corrected = True
        return corrected

    def _settle(self) -> None:
        for _ in range(SETTLE_ROUNDS):
            handed = [self._drain(number) for number in self.engines]
            if not any(handed):
                return
        raise ToolError("there is no end to what tickets hand over to each other, a fault of the processor; please report it")

    def _drain(self, number: int) -> bool:
        step = self.engines[number].drain()
        store = self.stores[number]
        for key, value in step.records.items():
            name, stored = encode_record(key, value)
            if stored is None:
                store.pop(name, None)
            else:
                store[name] = stored
        handed = step.rekeyed
        step.rekeyed = [each for each in handed if replace(each, sign=1) not in self._unread]
        self._held_back.update(_signs(each for each in handed if replace(each, sign=1) in self._unread))
        heartbeat, step.heartbeat = step.heartbeat, None
        self._exchange.deliver(number, step)
        if heartbeat is not None:
            self._tell(number, heartbeat)
        return bool(step.rekeyed)

    def _tell(self, number: int, heartbeat: Heartbeat) -> None:
        """How far a partition has come; no further than the old ones had heard, or they would still take what is settled here."""
        for place, engine in self.engines.items():
            heard = self._old[place].marker["upstream"]
            if not heard:  # of before there was anything to hand over
                engine.hear(number, heartbeat)
            elif str(number) in heard:
                engine.hear(number, tuple(map(min, heartbeat, heard[str(number)])))


def _net(pending: Iterable[Pending]) -> Counter[Rekeyed]:
    """What unread hand-overs come to, each under its positive form; also those that come to nothing."""
    said = [decode_rekeyed(value, key)[1] for key, value in pending]
    return _signs(each for each in said if isinstance(each, Rekeyed))


def _signs(handed: Iterable[Rekeyed]) -> Counter[Rekeyed]:
    total: Counter[Rekeyed] = Counter()
    for each in handed:
        total[replace(each, sign=1)] += each.sign
    return total


async def _write(config: Config, settings: Settings, into: str, old: dict[int, Old], build: _Build) -> None:
    writer = MarkerWriter(config, settings, len(old))
    for number, engine in build.engines.items():
        marker = old[number].marker
        written = writer.write(
            engine,
            applied=marker["applied"],
            epoch=marker["epoch"] + 1,
            newest_appended_at=build.newest_appended_at[number],
            appended_at=marker.get("appended_at", 0),
            rekeyed_record=marker.get("rekeyed_record", NO_RECORD),
        )
        async with fenced(config, number, state_topic=into) as committer:
            await committer.commit(Transaction(written, {}, records=iter(build.stores[number].items())))
