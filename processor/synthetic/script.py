"""What tickets and contacts have in common: they live step by step until they end, or the log does."""

from __future__ import annotations

from random import Random
from typing import Any

from processor.synthetic.feed import Feed
from processor.synthetic.world import World


class LogEndsError(Exception):
    """The next thing would happen after the end of the log, so it does not happen."""


class Script:
    """One entity: its present, and its way into the log."""

    def __init__(self, world: World, feed: Feed, *, id_field: str, id: str, source: str, now: int) -> None:  # noqa: A002 (CloudEvents' name)
        self.world = world
        self.random: Random = world.random
        self.id = id
        self.now = now
        self._feed = feed
        self._id_field = id_field
        self._source = source
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

    def tell(self, event: str, data: dict[str, Any], *, early_ms: int = 0) -> None:
        """An event of now, or of a moment ago by the clock of another subsystem."""
        self._steps += 1
        self._feed.emit(
            source=self._source,
            id=f"{self.id}-{self._steps:03d}",
            kind=event,
            at=self.now - early_ms,
            sequence=f"{self._steps:06d}",
            data={self._id_field: self.id, **data},
        )
