"""The two inputs of a partition: its events, and what is re-keyed to it; how far each was folded, and what was fetched of both.

The re-keyed topic is written in transactions, whose ends take offsets of their own. So its applied offset is that before the position of
the consumer, not that of the last record: else a log whose last records have expired would seem to lack one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from processor.export.progress import Progress

SLICE_MAX = 250  # records that are folded before others may run: a few milliseconds

Appended = tuple[int, int]  # the offset of a record, and when it was appended (ms)
NO_RECORD: Appended = (-1, 0)


class Inputs:
    """What partition p of both topics has to give, from the offsets on that are applied already."""

    def __init__(self, consumer: AIOKafkaConsumer, events: TopicPartition, rekeyed_topic: str) -> None:
        self.events = events
        self.rekeyed = TopicPartition(rekeyed_topic, events.partition)
        self.fetched: list[Any] = []  # records of both topics that are not folded yet: re-keyed ones, then events
        self.full = False  # whether the last fetch gave all that was asked for
        self.events_applied = -1
        self.rekeyed_applied = -1
        self.rekeyed_record = NO_RECORD  # the last one of that topic that was applied: its offset and log time (ms)
        self.newest_appended_at = 0  # log time (ms) of the record that has the newest event
        self.events_appended_at = 0  # log time (ms) of the event applied last; 0 where that is not known
        self._consumer = consumer
        self._rekeyed_end = self._events_end = 0  # as far as is known
        self._committed: dict[TopicPartition, int] = {}

    # -- the consumer -------------------------------------------------------------------------------------------------------------

    def claim(self) -> None:
        """Keep the consumer from looking for positions of its own, and from reading, until it is known where to go on."""
        self.pause()
        for source in self._assigned():
            self._consumer.seek(source, 0)

    def pause(self) -> None:
        """Read nothing for now."""
        self._consumer.pause(*self._assigned())

    def begin(
        self,
        events_applied: int,
        rekeyed_applied: int,
        newest_appended_at: int,
        rekeyed_end: int,
        events_appended_at: int = 0,
        events_end: int = 0,
        rekeyed_record: Appended = NO_RECORD,
    ) -> None:
        """Go on behind these offsets, as a marker has them."""
        self.events_applied, self.rekeyed_applied = events_applied, rekeyed_applied
        self.newest_appended_at, self.events_appended_at = newest_appended_at, events_appended_at
        self._rekeyed_end, self._events_end, self.rekeyed_record = rekeyed_end, events_end, rekeyed_record
        self._committed = self._following()
        self.read_on()

    def read_on(self) -> None:
        """Read from what follows the applied offsets; what was fetched before is forgotten."""
        self.forget()
        following = self._following()
        for source in self._assigned():
            self._consumer.seek(source, following[source])
        self._consumer.resume(*self._assigned())

    def _assigned(self) -> list[TopicPartition]:
        """Both, except where the re-keyed topic has fewer partitions than the events; then the takeover is refused."""
        assigned = self._consumer.assignment()
        return [source for source in (self.events, self.rekeyed) if source in assigned]

    def forget(self) -> None:
        """Drop what is fetched and not folded."""
        self.fetched = []

    async def fetch(self, seconds: float, most: int) -> None:
        """Wait at most so long for at most so many records of both. Only to be called with nothing left to fold.

        Re-keyed ones go first. The consumer gives out a topic until it has nothing more of it, so asked for both it would keep them waiting
        for as long as there are events, and all partitions would wait with their reports for this one.
        """
        found = dict(await self._consumer.getmany(self.rekeyed, timeout_ms=0, max_records=most))
        left = most - len(found.get(self.rekeyed, ()))
        if left:
            found |= await self._consumer.getmany(self.events, timeout_ms=0, max_records=left)
        if not any(found.values()):
            found = await self._consumer.getmany(self.events, self.rekeyed, timeout_ms=int(seconds * 1000), max_records=most)
        rekeyed = [record for record in found.get(self.rekeyed, ()) if record.offset > self.rekeyed_applied]
        self.fetched = [*rekeyed, *(record for record in found.get(self.events, ()) if record.offset > self.events_applied)]
        self.full = sum(map(len, found.values())) >= most
        if self.rekeyed in self._consumer.assignment():
            await self._look_ahead(skip=not rekeyed)

    async def _look_ahead(self, *, skip: bool) -> None:
        """Note how far the re-keyed topic is known to go, and skip ends of transactions where no record comes before them."""
        self._rekeyed_end = max(self._rekeyed_end, self._consumer.highwater(self.rekeyed) or 0)
        if skip:
            with suppress(IllegalStateError):  # revoked meanwhile
                self.rekeyed_applied = max(self.rekeyed_applied, await self._consumer.position(self.rekeyed) - 1)

    # -- what was done with it ----------------------------------------------------------------------------------------------------

    def has_events(self) -> bool:
        """Whether events wait to be folded."""
        return bool(self.fetched) and self.fetched[-1].topic == self.events.topic

    def next_slice(self) -> list[Any]:
        """The records to fold next, at most; others may run after them."""
        return self.fetched[:SLICE_MAX]

    def folded(self, records: Sequence[Any]) -> None:
        """The first ones of what is fetched are done with."""
        self.fetched = self.fetched[len(records) :]
        for record in records:
            if record.topic == self.rekeyed.topic:
                self.rekeyed_applied, self.rekeyed_record = record.offset, (record.offset, record.timestamp)
            else:
                self.events_applied, self.events_appended_at = record.offset, record.timestamp

    def applied(self) -> dict[str, int]:
        """The last applied offset of each topic."""
        return {self.events.topic: self.events_applied, self.rekeyed.topic: self.rekeyed_applied}

    def moved(self) -> dict[TopicPartition, int]:
        """The offsets to go on at, of the topics that have moved since the last commit."""
        return {source: offset for source, offset in self._following().items() if self._committed.get(source) != offset}

    def committed(self) -> None:
        """What is applied now has been committed."""
        self._committed = self._following()

    def _following(self) -> dict[TopicPartition, int]:
        return {self.events: self.events_applied + 1, self.rekeyed: self.rekeyed_applied + 1}

    def progress(self, now: int) -> Progress:
        """How many events are known to be unread, and how old the one applied last is. `now` in milliseconds."""
        known = self._consumer.highwater(self.events) if self.events in self._consumer.assignment() else None
        self._events_end = max(self._events_end, known or 0)
        unread = max(self._events_end - self.events_applied - 1, 0)
        behind = max(now - self.events_appended_at, 0) / 1000 if unread and self.events_appended_at else 0.0
        return Progress(self.events.partition, 1.0, unread, behind)

    def behind(self, now: int) -> float | None:
        """By how many seconds, where there is more to read than a step takes; else None. `now` in milliseconds."""
        return self.progress(now).behind if self.full else None

    def rekeyed_unread(self) -> int:
        """How many offsets of the re-keyed topic are known to follow what is applied, ends of transactions included."""
        return max(self._rekeyed_end - self.rekeyed_applied - 1, 0)
