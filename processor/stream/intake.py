"""From a record of an input topic to the engine: admit it, fold it, or say as what it is set aside.

Events are judged at the door. Records of the re-keyed topic are our own: one that cannot be read is a fault of ours, set aside without
being counted among the events. The only thing that is remembered are the places on which the engine itself failed: they are dead-lettered
without being folded.
"""

from __future__ import annotations

from collections.abc import Callable
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

Place = tuple[str, int]  # topic and offset


class EngineFaultError(Exception):
    """The engine raised on this record: a mistake of ours, not of the input."""

    def __init__(self, record: Any) -> None:
        super().__init__(f"the engine failed on the record at offset {record.offset} of {record.topic}")
        self.place: Place = (record.topic, record.offset)


_FAILED = Rejected(Reason.ENGINE_ERROR, "the engine failed on this event; please report it")


class Intake:
    """The way in of one partition. `unreadable` is called for each record of our own that cannot be read."""

    def __init__(self, config: Config, settings: Settings, partitions: int, unreadable: Callable[[], None]) -> None:
        worker = config.worker
        self.set_aside: set[Place] = set()  # on which the engine failed
        self._unreadable = unreadable
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
            source, said = decode_rekeyed(record.value, record.key)
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
