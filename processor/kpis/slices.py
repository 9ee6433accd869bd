"""What partitions have sent, while it is not given out yet: slices in parts, and the minutes in which they wait for each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from processor.codec.partials import LevelsPartial, Place, WindowsPartial
from processor.core.rows import Row, add_row
from processor.export.kpi_view import Merged

Content = TypeVar("Content")
Order = tuple[int, int, int]  # epoch, instant, sequence: the greatest is right
Windowed = tuple[dict[str, Row], int]  # rows by window, backlog


@dataclass(slots=True)
class Slice(Generic[Content]):
    """One slice of one partition: there when all its parts are."""

    order: Order
    awaited: int
    parts: dict[int, dict[Place, Content]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every part has come."""
        return len(self.parts) == self.awaited

    @property
    def size(self) -> int:
        """Segments in it."""
        return sum(len(part) for part in self.parts.values())

    def items(self) -> Iterator[tuple[Place, Content]]:
        """Its segments."""
        for part in self.parts.values():
            yield from part.items()


def order_of(partial: WindowsPartial | LevelsPartial) -> Order:
    """What decides between two slices of one partition."""
    return partial.epoch, partial.end if isinstance(partial, WindowsPartial) else partial.at, partial.sequence


@dataclass(slots=True)
class Minute:
    """The slices of the windows that end at one W. `since` is when the first of them came."""

    since: int
    slices: dict[int, Slice[Windowed]] = field(default_factory=dict)

    def whole(self) -> list[int]:
        """The partitions that have reported."""
        return sorted(partition for partition, each in self.slices.items() if each.whole)

    def added_up(self) -> dict[Place, Merged]:
        """The sums over the partitions that have reported. Equal sums are equal, whatever they were added up from."""
        found: dict[Place, tuple[dict[str, Row], int]] = {}
        for partition in self.whole():
            for place, (windows, backlog) in self.slices[partition].items():
                rows, total = found.get(place, ({}, 0))
                for window, row in windows.items():
                    add_row(rows.setdefault(window, {}), row, 1)
                found[place] = rows, total + backlog
        merged = {place: Merged({window: row for window, row in rows.items() if row}, backlog) for place, (rows, backlog) in found.items()}
        return {place: each for place, each in merged.items() if each.windows or each.backlog}


@dataclass(slots=True)
class Levels:
    """What one partition said last of its levels. A slice is replaced when the next one is there as a whole."""

    latest: Slice[dict[str, int]] | None = None
    coming: Slice[dict[str, int]] | None = None

    def add(self, partial: LevelsPartial) -> bool:
        """Whether it was news."""
        order = order_of(partial)
        if self.latest is not None and order <= self.latest.order:
            return False
        if self.coming is None or order > self.coming.order:
            self.coming = Slice(order, partial.parts)
        if order < self.coming.order or partial.part in self.coming.parts:
            return False
        self.coming.parts[partial.part] = partial.segments
        if self.coming.whole:
            self.latest, self.coming = self.coming, None
        return True


def levels_of(partitions: Iterable[Levels]) -> dict[Place, dict[str, int]]:
    """What all of them said last, added up."""
    sums: dict[Place, dict[str, int]] = {}
    for levels in partitions:
        for place, numbers in levels.latest.items() if levels.latest is not None else ():
            add_row(sums.setdefault(place, {}), numbers, 1)
    return sums
