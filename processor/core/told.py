"""Engines that tell somebody what they hear and state, from the first event on: what state forgets.

They stand beside the engine that they extend, since a compiled class can only be extended by one that is compiled with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from processor.core.engine import Engine
from processor.core.events import TICKET, Event, Rejected
from processor.core.outputs import Conflict, Stated, Step
from processor.core.settings import Settings
from processor.core.timeline import Timeline

EngineKind = Callable[[Settings, int, int], Engine]  # of settings, the partition, and how many there are


class Told(Protocol):
    """Who wants to know what is concluded."""

    def stated(self, facts: Iterable[Stated]) -> None:
        """What was stated and taken back."""


class Listener(Told, Protocol):
    """Who wants to know of tickets."""

    def heard(self, ticket: str, event: Event, partition: int, *, first: bool) -> None:
        """A ticket has one event more; `first` where nothing was known of it."""

    def replaced(self, ticket: str, event: Event) -> None:
        """That one does not count any more: another one takes its place."""


class Watch(Told, Protocol):
    """Who wants to know how time passes."""

    def hear(self, at: int) -> None:
        """An event of that instant (milliseconds) is about to be folded."""


class _Telling(Engine):
    """Tells of all that is stated."""

    def __init__(self, told: Told, settings: Settings, partition: int, partitions: int) -> None:
        super().__init__(settings, partition, partitions)
        self._told = told

    def drain(self) -> Step:
        """One step, of which is told first."""
        step = super().drain()
        self._told.stated(step.facts)
        return step


class Recording(_Telling):
    """Tells a listener of every event of a ticket, too."""

    def __init__(self, listener: Listener, settings: Settings, partition: int, partitions: int) -> None:
        super().__init__(listener, settings, partition, partitions)
        self._listener = listener

    def _append(self, entity: Timeline, event: Event) -> None:
        first = not entity.has_base and not entity.tail
        super()._append(entity, event)
        if entity.kind == TICKET:
            self._listener.heard(entity.key, event, self.partition, first=first)

    def _refold(self, entity: Timeline, event: Event | None, twin: int | None = None) -> None:
        if twin is not None and entity.kind == TICKET:
            self._listener.replaced(entity.key, entity.tail[twin])
        super()._refold(entity, event, twin)


class Watched(_Telling):
    """Tells of the instant of each event before it is folded, too."""

    def __init__(self, watch: Watch, settings: Settings, partition: int, partitions: int) -> None:
        super().__init__(watch, settings, partition, partitions)
        self._watch = watch

    def apply(self, event: Event) -> Rejected | Conflict | None:
        """Fold one event."""
        self._watch.hear(event.occurred_at)
        return super().apply(event)


def recording(listener: Listener) -> EngineKind:
    """Engines of which all partitions tell the same listener."""
    return partial(Recording, listener)


def watched(watch: Watch) -> EngineKind:
    """Engines of which all partitions tell the same one."""
    return partial(Watched, watch)
