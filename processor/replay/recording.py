"""An engine that also writes down all that it hears and states of one ticket, from the first event on: what state forgets."""

from __future__ import annotations

from dataclasses import dataclass, field

from processor.core.engine import Engine
from processor.core.events import TICKET, Event
from processor.core.facts import Fact
from processor.core.outputs import Step
from processor.core.timeline import Timeline


@dataclass(slots=True)
class Record:
    """What was folded of a ticket, and what was stated, as (sign, fact, id of the event behind it). `tickets` are all ids in the log."""

    key: str
    events: list[Event] = field(default_factory=list)
    history: list[tuple[int, Fact, str]] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    partition: int | None = None


def recording(record: Record) -> type[Engine]:
    """The engine that fills the record; all partitions share it, and the one that has the ticket writes."""

    class Recording(Engine):
        """See `recording`."""

        def _append(self, entity: Timeline, event: Event) -> None:
            super()._append(entity, event)
            if entity.kind == TICKET:
                record.tickets.add(entity.key)
                if entity.key == record.key:
                    record.events.append(event)
                    record.partition = self.partition

        def _refold(self, entity: Timeline, event: Event | None, twin: int | None = None) -> None:
            if twin is not None and entity.kind == TICKET and entity.key == record.key:
                record.events.remove(entity.tail[twin])
            super()._refold(entity, event, twin)

        def drain(self) -> Step:
            step = super().drain()
            record.history += [
                (stated.sign, stated.fact, stated.cause) for stated in step.facts if stated.key == record.key and stated.entity == TICKET
            ]
            return step

    return Recording
