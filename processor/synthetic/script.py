"""What everything that happens has in common: it goes on step by step until it ends, or the log does."""

from __future__ import annotations

from random import Random
from typing import Any

from processor.synthetic.feed import Feed
from processor.synthetic.world import World


class LogEndsError(Exception):
    """The next thing would happen after the end of the log, so it does not happen."""


class Script:
    """One story about one entity: its present, and its way into the log.

    `id_field` names the field of `data` that holds the entity's `id`; without it the id is only the record's key. `name` begins the ids of
    the events; it is the entity's id unless the entity has several stories.
    """

    def __init__(
        self,
        world: World,
        feed: Feed,
        *,
        id_field: str | None,
        id: str,  # noqa: A002 (CloudEvents' name)
        source: str,
        now: int,
        name: str | None = None,
    ) -> None:
        self.world = world
        self.random: Random = world.random
        self.id = id
        self.now = now
        self._feed = feed
        self._entity: dict[str, Any] = {id_field: id} if id_field else {}
        self._source = source
        self._name = name or id
        self._steps = 0

    def later(self, duration_ms: int) -> int:
        """Let time pass; returns the new present."""
        self.now += duration_ms
        if self.now > self.world.end:
            raise LogEndsError
        return self.now

    def say(self, event: str, /, **data: Any) -> None:
        """An event of now."""
        self.tell(event, data)

    def tell(self, event: str, data: dict[str, Any], *, early_ms: int = 0, source: str | None = None) -> None:
        """An event of now, or of a moment ago by the clock of another subsystem."""
        self.tell_at(self.now - early_ms, event, data, source=source)

    def tell_at(self, at: int, event: str, data: dict[str, Any], *, source: str | None = None) -> None:
        """An event of any instant before the end of the log: what happens beside the story does not move its present."""
        self._steps += 1
        self._feed.emit(
            source=source or self._source,
            id=f"{self._name}-{self._steps:03d}",
            kind=event,
            at=at,
            sequence=f"{self._steps:06d}",
            data={**self._entity, **data},
            key=self.id,
        )
