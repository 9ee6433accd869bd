"""From a record of an input topic to the engine: admit it, fold it, or say as what it is set aside.

Events are judged at the door. Records of the re-keyed topic are our own: one that cannot be read, or that another application wrote, is
set aside without being counted among the events. The only thing that is remembered are the places on which the engine itself failed: they
are dead-lettered without being folded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from processor.codec.door import Door
from processor.codec.envelope import encode_event
from processor.codec.rekeyed import decode_rekeyed
from processor.config import Config
from processor.core.engine import Engine
from processor.core.events import Reason, Rejected
from processor.core.outputs import Conflict, Rekeyed
from processor.core.settings import Settings
from processor.stream.committer import DeadLetter
from processor.stream.dead_letters import dead_letter

SLICE_SECONDS = 0.005  # so long records are folded before others may run: a re-keyed one may correct hundreds of reports that wait

Place = tuple[str, int]  # topic and offset


class EngineFaultError(Exception):
    """The engine raised on this record: a mistake of ours, not of the input."""

    def __init__(self, record: Any) -> None:
        super().__init__(f"the engine failed on the record at offset {record.offset} of {record.topic}")
        self.place: Place = (record.topic, record.offset)


_FAILED = Rejected(Reason.ENGINE_ERROR, "the engine failed on this event; please report it")


@dataclass(slots=True)
class Taken:
    """What became of a few records: how many were folded, and what of them goes to the dead-letter topic.

    `newest_appended_at` is the log time (ms) of the last one that brought a newer event than all before it; 0: none did.
    """

    count: int = 0
    letters: list[DeadLetter] = field(default_factory=list)
    newest_appended_at: int = 0


class Intake:
    """The way in of one partition. `unreadable` is called for each record of our own that cannot be read."""

    def __init__(self, config: Config, settings: Settings, partitions: int, unreadable: Callable[[], None]) -> None:
        worker = config.worker
        self.set_aside: set[Place] = set()  # on which the engine failed
        self._unreadable = unreadable
        self._application = config.application_id
        self._rekeyed_topic = config.topics.rekeyed
        self._payload = config.dead_letter.payload
        self._door = Door(
            worker.partitioner,
            partitions,
            settings.clock_skew,
            worker.max_event_bytes,
            worker.event_type_prefix,
            "skip" if worker.unknown_types == "skip" else "reject",
        )

    def take_some(self, engine: Engine, records: Iterable[Any]) -> Taken:
        """Fold records, at least one, until all are or the slice has taken its time."""
        taken, newest, until = Taken(), engine.stream_time, time.monotonic() + SLICE_SECONDS
        for record in records:
            letter = self.take(engine, record)
            if letter is not None:
                taken.letters.append(letter)
            if engine.stream_time > newest:
                newest, taken.newest_appended_at = engine.stream_time, record.timestamp
            taken.count += 1
            if time.monotonic() > until:
                break
        return taken

    def take(self, engine: Engine, record: Any) -> DeadLetter | None:
        """Fold a record; returns what goes to the dead-letter topic, if anything. Raises EngineFaultError and nothing else."""
        if record.topic == self._rekeyed_topic:
            return self._take_rekeyed(engine, record)
        outcome: Any
        if self.set_aside and (record.topic, record.offset) in self.set_aside:
            outcome = _FAILED
            engine.reject(outcome)
        else:
            try:
                outcome = self._door.take(engine, record.value, record.key, record.timestamp, record.partition)
            except Exception as error:
                raise EngineFaultError(record) from error
        if outcome is None:
            return None
        value = record.value
        if isinstance(outcome, Conflict):
            value = encode_event(outcome.event)  # the bytes of the one that lost are gone; this is what was kept of it
            outcome = Rejected(Reason.CONFLICTING_DUPLICATE, "the event at this offset has the same source and id, and stays in its place")
        return dead_letter(record, value, outcome, self._payload)

    def _take_rekeyed(self, engine: Engine, record: Any) -> DeadLetter | None:
        if (record.topic, record.offset) in self.set_aside:
            return dead_letter(record, record.value, _FAILED, self._payload)
        try:
            source, said = decode_rekeyed(record.value, record.key, self._application)
        except ValueError as error:
            self._unreadable()
            return dead_letter(record, record.value, Rejected(Reason.ENGINE_ERROR, f"an internal record: {error}"), self._payload)
        try:
            if isinstance(said, Rekeyed):
                engine.apply_rekeyed(said)
            else:
                engine.hear(source, said)
        except Exception as error:
            raise EngineFaultError(record) from error
        return None
