"""The rows of one tier by their indices, old ones packed.

Nobody looks at most rows for long: those of a minute that has passed wait an hour, and then a day, until windows leave them behind, those
of a quarter of an hour a week. As dictionaries they would be most of what many a partition holds in memory; packed they take a seventh.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from marshal import dumps, loads
from typing import Final
from zlib import compress, decompress

from processor.core.places import Row

Rows = dict[int, Row]  # by segment

PACKED_AT_ONCE: Final = 2  # indices, some 0.4 ms each: one comes with a minute, and after a jump in time there is no hurry
_LEVEL: Final = 1


class Tier:
    """Rows by index and segment; `plain_count` is how many of the youngest indices stay as they are."""

    __slots__ = ("_packed", "_plain", "_seen", "_waiting", "plain_count")

    def __init__(self, plain_count: int) -> None:
        self.plain_count = plain_count
        self._plain: dict[int, Rows] = {}
        self._packed: dict[int, bytes] = {}  # never one that is plain, too
        self._waiting: list[int] = []  # to be packed, the oldest last
        self._seen = 0  # indices before this one have been waiting once

    def __len__(self) -> int:
        return len(self._plain) + len(self._packed)

    def rows(self, index: int) -> Rows:
        """Those of an index, to be changed."""
        rows = self._plain.get(index)
        if rows is None:
            rows = self._plain[index] = self.get(index)
            self._packed.pop(index, None)
            self._seen = min(self._seen, index)
        return rows

    def get(self, index: int) -> Rows:
        """Those of an index, to be read."""
        rows = self._plain.get(index)
        if rows is None:
            packed = self._packed.get(index)
            rows = {} if packed is None else loads(decompress(packed))  # noqa: S302 - what this process has packed itself
        return rows

    def between(self, first: int, last: int) -> list[Rows]:
        """Those of the indices [first, last), to be read."""
        if last - first < len(self):
            return [rows for index in range(first, last) if (rows := self.get(index))]
        return [self.get(index) for index in self._indices() if first <= index < last]

    def items(self) -> Iterator[tuple[int, Rows]]:
        """All of them, to be read."""
        for index in self._indices():
            yield index, self.get(index)

    def take_before(self, floor: int) -> list[tuple[int, Rows]]:
        """Those of the indices before `floor`, which are gone then."""
        taken = [(index, self.get(index)) for index in self._indices() if index < floor]
        for index, _ in taken:
            self._plain.pop(index, None)
            self._packed.pop(index, None)
        return taken

    def pack(self, newest: int, changed: AbstractSet[int]) -> None:
        """Pack some of the older ones; those that have changed are still to be written, and wait. Call it now and then."""
        end, waiting = newest - self.plain_count, self._waiting
        if not waiting and end > self._seen:
            waiting.extend(sorted([index for index in self._plain if index < end], reverse=True))
            self._seen = end
        for _ in range(min(PACKED_AT_ONCE, len(waiting))):
            index = waiting.pop()
            if index in changed:
                self._seen = min(self._seen, index)
            elif (rows := self._plain.pop(index, None)) is not None:
                self._packed[index] = compress(dumps(rows), _LEVEL)

    def _indices(self) -> tuple[int, ...]:
        """The packed ones, which are older, before the others."""
        return (*self._packed, *self._plain)
