"""An engine that also tells all that it hears and states of tickets, from the first event on: what state forgets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from processor.core.engine import Engine
from processor.core.events import TICKET, Event
from processor.core.facts import Fact
from processor.core.outputs import Stated, Step
from processor.core.timeline import Timeline


class Listener(Protocol):
    """Who wants to know."""

    def heard(self, ticket: str, event: Event, partition: int, *, first: bool) -> None:
        """A ticket has one event more; `first` where nothing was known of it."""

    def replaced(self, ticket: str, event: Event) -> None:
        """That one does not count any more: another one takes its place."""

    def stated(self, facts: Iterable[Stated]) -> None:
        """What was stated and taken back."""


@dataclass(slots=True)
class Record:
    """What was folded of a ticket, and what was stated, as (sign, fact, id of the event behind it). `tickets` are all ids in the log."""

    key: str
    events: list[Event] = field(default_factory=list)
    history: list[tuple[int, Fact, str]] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    partition: int | None = None

    def heard(self, ticket: str, event: Event, partition: int, *, first: bool) -> None:  # noqa: ARG002 - as Listener says
        """Keep it, of the ticket."""
        self.tickets.add(ticket)
        if ticket == self.key:
            self.events.append(event)
            self.partition = partition

    def replaced(self, ticket: str, event: Event) -> None:
        """Forget it, of the ticket."""
        if ticket == self.key:
            self.events.remove(event)

    def stated(self, facts: Iterable[Stated]) -> None:
        """Keep those about the ticket."""
        about = (stated for stated in facts if stated.key == self.key and stated.entity == TICKET)
        self.history += [(stated.sign, stated.fact, stated.cause) for stated in about]


def recording(listener: Listener) -> type[Engine]:
    """The engine that tells the listener; all partitions share it."""

    class Recording(Engine):
        """See `recording`."""

        def _append(self, entity: Timeline, event: Event) -> None:
            first = not entity.has_base and not entity.tail
            super()._append(entity, event)
            if entity.kind == TICKET:
                listener.heard(entity.key, event, self.partition, first=first)

        def _refold(self, entity: Timeline, event: Event | None, twin: int | None = None) -> None:
            if twin is not None and entity.kind == TICKET:
                listener.replaced(entity.key, entity.tail[twin])
            super()._refold(entity, event, twin)

        def drain(self) -> Step:
            step = super().drain()
            listener.stated(step.facts)
            return step

    return Recording
