"""Slices for tests, and a combiner that is told the time."""

from __future__ import annotations

from processor.codec.partials import LevelsPartial, Place, WindowsPartial
from processor.core.rows import Row
from processor.core.settings import MINUTE_MS
from processor.kpis.combine import NEVER, PENDING_MAX, Combined, Combiner

W = 1_795_252_440_000  # 2026-11-21 09:14
TOTAL: Place = ((), ())
PHONE: Place = (("channel",), ("phone",))
MAIL: Place = (("channel",), ("email",))
WAIT_MS = 10_000

Segments = dict[Place, tuple[dict[str, Row], int]]


def minute(number: int) -> int:
    """W, and the minutes after it."""
    return W + number * MINUTE_MS


def created(count: int, place: Place = TOTAL, backlog: int = 0) -> Segments:
    """So many tickets created in the last hour."""
    return {place: ({"1h": {"tickets_created": count}}, backlog)}


def windows(
    partition: int, end: int, segments: Segments, *,
    of: int = 2, epoch: int = 1, sequence: int = 0, part: int = 0, parts: int = 1, since: int = 0,
) -> WindowsPartial:  # fmt: skip
    return WindowsPartial(partition, of, epoch, sequence, end, part, parts, segments, since)


def levels(
    partition: int, at: int, backlog: int, *, of: int = 2, epoch: int = 1, sequence: int = 0, part: int = 0, parts: int = 1
) -> LevelsPartial:  # fmt: skip
    return LevelsPartial(partition, of, epoch, sequence, at, part, parts, {TOTAL if not part else PHONE: {"backlog": backlog}})


class Stage:
    """A combiner with a clock, and what it gave out."""

    def __init__(
        self, partitions: int = 2, *, ahead_max_ms: int = NEVER, incomplete_after_ms: int = WAIT_MS, pending_max: int = PENDING_MAX
    ) -> None:
        self.combiner = Combiner(
            0, partitions, incomplete_after_ms=incomplete_after_ms, ahead_max_ms=ahead_max_ms, pending_max=pending_max)
        self.now = W
        self.given: list[Combined] = []

    def add(self, *partials: WindowsPartial | LevelsPartial) -> list[Combined]:
        """What is given out at once."""
        for partial in partials:
            self.combiner.add(partial, self.now)
        return self.wait(0)

    def wait(self, ms: int) -> list[Combined]:
        """What is given out after that time."""
        self.now += ms
        given = self.combiner.due(self.now)
        self.given += given
        return given


def counted(combined: Combined, place: Place = TOTAL) -> int:
    """Tickets created."""
    return combined.segments[place].windows.get("1h", {}).get("tickets_created", 0)
