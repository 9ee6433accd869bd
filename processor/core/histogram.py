"""One ladder of edges for every duration, and whole numbers that are counted one by one.

Stored rows keep only bucket numbers, so the ladder is never changed in place. A change would be another version, which the marker of the
state names. Compliance with a target has exact counters of its own; no target needs to be an edge.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

LADDER_VERSION: Final = 1
EDGES_SECONDS: Final = (
    *(5, 10, 20, 30),  # waits in a queue
    *(60, 120, 300, 600, 900, 1800),  # minutes
    *(3600, 7200, 14400, 28800, 43200),  # hours
    *(86400, 172800, 259200, 604800, 1209600, 2592000, 7776000),  # days
)
EDGES_MS: Final = tuple(edge * 1000 for edge in EDGES_SECONDS)
BUCKETS: Final = len(EDGES_MS) + 1  # the last one is above every edge
THOUSANDTHS: Final = 1000  # scores and numbers of turns are kept in thousandths, so that their sums are exact


class HistogramKeys:
    """The row keys of one histogram: a bucket per rung (`NAME:b:I`) and the exact sum in milliseconds (`NAME:sum`)."""

    __slots__ = ("buckets", "name", "sum")

    def __init__(self, name: str) -> None:
        self.name = name
        self.buckets = tuple(f"{name}:b:{index}" for index in range(BUCKETS))
        self.sum = f"{name}:sum"

    def bucket(self, duration: int) -> str:
        """The key of the bucket for a duration in milliseconds; an edge belongs to the bucket below it (`le`)."""
        return self.buckets[bisect_left(EDGES_MS, duration)]

    def counts(self, row: dict[str, int]) -> list[int]:
        """Counts per bucket of a row or cell."""
        return [row.get(key, 0) for key in self.buckets]


class NumberKeys:
    """The row keys of numbers that are few: how often each occurred (`NAME:b:I`, I from 0 for `lowest`), and their sum in thousandths.

    A number between two whole ones counts with the upper one (`le`), what is above `highest` with that.
    """

    __slots__ = ("buckets", "highest", "lowest", "name", "sum")

    def __init__(self, name: str, lowest: int, highest: int) -> None:
        self.name = name
        self.lowest = lowest
        self.highest = highest
        self.buckets = tuple(f"{name}:b:{index}" for index in range(highest - lowest + 1))
        self.sum = f"{name}:sum"

    def bucket(self, thousandths: int) -> str:
        """The key for a number in thousandths."""
        whole = -(-thousandths // THOUSANDTHS)
        return self.buckets[min(max(whole, self.lowest), self.highest) - self.lowest]

    def counts(self, row: dict[str, int]) -> list[int]:
        """How often each number occurred, from the lowest on."""
        return [row.get(key, 0) for key in self.buckets]
