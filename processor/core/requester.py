"""The tickets and contacts of one requester: who comes back about the same topic, and which earlier tickets that concerns.

Each ticket and contact tells its requester that it is there, and again when its topic changes or after a late solve. The requester tells
the earlier tickets of the same topic that there is another one. Which of them was solved, and whether the repeat still counts, is for them
to judge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from processor.core.facts import Fact, Out
from processor.core.settings import DAY_MS, NO_DIMENSIONS, Settings

SOURCES_MAX: Final = 256  # tickets and contacts of one requester that are remembered; beyond, those heard of longest ago are forgotten
TOLD_MAX: Final = 8  # a ticket is told of so many repeats; machines that write tickets all day would otherwise tell each of all others
CONTACT_PREFIX: Final = "contact:"  # sources that are no tickets: nothing is solved in them

Number = Callable[[int], int]


def remembered(settings: Settings) -> int:
    """How long a source is remembered after it was heard of last."""
    return 2 * settings.repeat_window + DAY_MS


class Sources:
    """What is remembered of a requester's tickets and contacts."""

    __slots__ = ("known", "last_at")

    def __init__(self) -> None:
        self.last_at = 0
        self.known: dict[str, tuple[str | None, int, int, int]] = {}  # source -> topic, since, when last heard of, how often told

    def contacted(self, data: tuple[Any, ...], at: int, settings: Settings, number: Number, out: Out) -> None:
        """A ticket or contact tells that it is there."""
        source, topic, since = data
        self.last_at = at
        forgotten = at - remembered(settings)
        while self.known and self.known[oldest := next(iter(self.known))][2] < forgotten:
            del self.known[oldest]
        before = self.known.pop(source, None)
        told = before[3] if before is not None else 0
        if topic is not None and (before is None or before[0] != topic):
            told += self._tell(source, topic, since, TOLD_MAX - told, at, number, out)
        if len(self.known) >= SOURCES_MAX:
            del self.known[next(iter(self.known))]
        self.known[source] = (topic, since, at, told)

    def _tell(self, source: str, topic: str, since: int, left: int, at: int, number: Number, out: Out) -> int:
        """Tell the earlier tickets of the topic of this one, and this one of later ones; returns how often this one was told."""
        told = 0
        for other, (others_topic, others_since, heard_at, others_told) in self.known.items():
            if others_topic != topic or others_since == since:
                continue
            if others_since < since:
                if others_told < TOLD_MAX and not other.startswith(CONTACT_PREFIX):
                    self.known[other] = (topic, others_since, heard_at, others_told + 1)
                    out.append((1, Fact("ticket.contacted_again", number(at), at, NO_DIMENSIONS, (other, source))))
            elif told < left and not source.startswith(CONTACT_PREFIX):
                told += 1
                out.append((1, Fact("ticket.contacted_again", number(at), at, NO_DIMENSIONS, (source, other))))
        return told

    def freeze(self) -> tuple[Any, ...]:
        """Plain values."""
        return (self.last_at, tuple(self.known.items()))

    @classmethod
    def thaw(cls, stored: Any) -> Sources:
        """Undo `freeze`."""
        self = cls()
        self.last_at, known = stored
        self.known = {source: (topic, since, heard_at, told) for source, (topic, since, heard_at, told) in known}
        return self
