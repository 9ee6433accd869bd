"""What is checked about a record beyond its value: its key, and its time against the log's.

One door per input topic. It holds settings and no state, so it may be shared between partitions. Whether a record lies on the right
partition is a question of its own (`wrong_partition`), for the driver to ask about entities that are new to the engine: the hash costs
more than the decoding.
"""

from __future__ import annotations

from typing import Literal

from processor.codec.decode import MAX_BYTES, decode
from processor.codec.murmur2 import partition_of
from processor.core.engine import Engine
from processor.core.events import CONTROL, Event, Reason, Rejected, Skipped, entity_of
from processor.core.outputs import Conflict

Partitioner = Literal["murmur2", "any"]
UnknownTypes = Literal["reject", "skip"]

# The name under which undocumented types are counted when they are skipped: one for all, since anybody may invent them.
UNKNOWN = "unknown"
_CLOCK_ADVANCED = "control.clock_advanced"


class Door:
    """Admits records of one topic. `clock_skew` is in milliseconds; `partitioner` "any" switches the partition check off."""

    __slots__ = ("_clock_skew", "_max_bytes", "_partitioner", "_partitions", "_prefix", "_unknown_types")

    def __init__(
        self,
        partitioner: Partitioner,
        partitions: int,
        clock_skew: int,
        max_bytes: int = MAX_BYTES,
        prefix: str = "",
        unknown_types: UnknownTypes = "reject",
    ) -> None:
        self._partitioner = partitioner
        self._partitions = partitions
        self._clock_skew = clock_skew
        self._max_bytes = max_bytes
        self._prefix = prefix
        self._unknown_types = unknown_types

    def take(
        self, engine: Engine, value: bytes | None, key: bytes | None, timestamp_ms: int | None, partition: int
    ) -> Rejected | Conflict | None:
        """Fold a record that lies on `partition`, or refuse it; both are counted by the engine. Raises only where the engine fails."""
        event = self.admit(value, key, timestamp_ms)
        if isinstance(event, Event):
            misplaced = None if engine.knows(event) else self.wrong_partition(event, partition)
            if misplaced is None:
                return engine.apply(event)
            event = misplaced
        if isinstance(event, Skipped):
            engine.counts["skipped"] += 1
            return None
        engine.reject(event)
        return event

    def admit(self, value: bytes | None, key: bytes | None, timestamp_ms: int | None) -> Event | Skipped | Rejected:
        """Decode a record and check its key and time. Never raises. `timestamp_ms` is the log's own, None (or negative) if unknown."""
        event = decode(value, max_bytes=self._max_bytes, prefix=self._prefix)
        if not isinstance(event, Event):
            if self._unknown_types == "skip" and event.reason is Reason.UNKNOWN_TYPE:
                return Skipped(UNKNOWN)
            return event
        if not event.key:
            return self._control(event, timestamp_ms)
        if key is None:
            return Rejected(Reason.NULL_KEY, "the record has no key; key it by the id of the ticket, contact or whatever it is about")
        if key != event.key.encode():
            return Rejected(Reason.KEY_MISMATCH, f"the record's key differs from the id of the {entity_of(event.kind)} that it is about")
        if timestamp_ms is not None and event.occurred_at > timestamp_ms + self._clock_skew and timestamp_ms >= 0:
            return self._ahead("time", event.occurred_at, timestamp_ms)
        return event

    def _control(self, event: Event, timestamp_ms: int | None) -> Event | Rejected:
        """Control events go to every partition, so their keys mean nothing; what they do to the clocks is held to the log all the more."""
        if timestamp_ms is None or timestamp_ms < 0:
            return event
        latest = timestamp_ms + self._clock_skew
        if event.occurred_at > latest:
            return self._ahead("time", event.occurred_at, timestamp_ms)
        if event.kind == _CLOCK_ADVANCED and event.data[0] > latest:
            return self._ahead("data.at", event.data[0], timestamp_ms)
        return event

    def _ahead(self, path: str, ms: int, timestamp_ms: int) -> Rejected:
        ahead = ms - timestamp_ms
        return Rejected(Reason.AHEAD_OF_LOG, f"{path}: {ahead} ms ahead of the record's timestamp, accepted are {self._clock_skew} ms")

    def partition_of(self, key: bytes) -> int:
        """Where Java's default partitioner puts this key."""
        return partition_of(key, self._partitions)

    def wrong_partition(self, event: Event, partition: int) -> Rejected | None:
        """The refusal, if the event's entity belongs to another partition. Ask it only for entities that are new: it is slow."""
        if self._partitioner == "any" or entity_of(event.kind) == CONTROL:
            return None
        expected = self.partition_of(event.key.encode())
        if expected == partition:
            return None
        advice = "use the murmur2 partitioner in all producers, or set the partitioner to any"
        return Rejected(Reason.WRONG_PARTITION, f"on partition {partition}, its key belongs to {expected} of {self._partitions}; {advice}")
