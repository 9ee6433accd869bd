"""What stands behind a KPI's value: how many observations, how they are spread, and how sure a share of so few can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import sqrt
from typing import Final

from processor.core.histogram import EDGES_SECONDS

NO_EDGE: Final = float("inf")  # the upper edge of what lies above the ladder
QUANTILES: Final = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95}
STATS: Final = ("mean", *QUANTILES, "max")
_Z_95: Final = 1.959963984540054  # of the normal distribution: 95 % lie within so many standard deviations


# These are values: never changed. Their making is written out, since compiled code can then call it directly: there are thousands a minute.


@dataclass(slots=True, init=False, unsafe_hash=True)
class Timed:
    """The durations of a row: counts per bucket of the ladder, and their sum."""

    counts: tuple[int, ...]
    sum_seconds: float

    def __init__(self, counts: tuple[int, ...], sum_seconds: float) -> None:
        self.counts = counts
        self.sum_seconds = sum_seconds

    @property
    def quantiles(self) -> dict[str, float]:
        """By their names; only where there is an observation."""
        cumulative = list(accumulate(self.counts))
        return {name: _quantile(share, self.counts, cumulative) for name, share in QUANTILES.items()}

    @property
    def max(self) -> int | float:  # compiled code would make a float of an edge, and write it as one
        """The upper edge of the highest bucket that is not empty: the longest one took at most so long."""
        highest = _highest(self.counts)
        return EDGES_SECONDS[highest] if highest < len(EDGES_SECONDS) else NO_EDGE


@dataclass(slots=True, init=False, unsafe_hash=True)
class Numbered:
    """Whole numbers of a row: how often each occurred, from `lowest` on; the last one stands for those above it, too."""

    counts: tuple[int, ...]
    lowest: int

    def __init__(self, counts: tuple[int, ...], lowest: int) -> None:
        self.counts = counts
        self.lowest = lowest

    @property
    def quantiles(self) -> dict[str, float]:
        """By their names: the number that at least this share does not exceed. Only where there is an observation."""
        cumulative = list(accumulate(self.counts))
        return {name: float(self.lowest + _reaching(share, cumulative)) for name, share in QUANTILES.items()}

    @property
    def max(self) -> float:
        """The greatest that occurred."""
        return float(self.lowest + _highest(self.counts))


@dataclass(slots=True, init=False, unsafe_hash=True)
class Measure:
    """A KPI's value and what it rests on. `value` is None where `n` is 0; numerator and denominator are None where there is no division.

    `interval`: whether the value is a share of `n` independent observations, so that it has a confidence interval. `estimated`: some of it
    was planned, not observed.
    """

    value: float | None
    n: int
    numerator: float | None
    denominator: float | None
    timed: Timed | None
    numbered: Numbered | None
    share: bool
    estimated: bool

    def __init__(
        self, value: float | None, n: int, numerator: float | None = None, denominator: float | None = None,
        timed: Timed | None = None, numbered: Numbered | None = None, share: bool = False, estimated: bool = False,
    ) -> None:  # fmt: skip
        self.value = value
        self.n = n
        self.numerator = numerator
        self.denominator = denominator
        self.timed = timed
        self.numbered = numbered
        self.share = share
        self.estimated = estimated

    @property
    def spread(self) -> Timed | Numbered | None:
        """The distribution, of what has one."""
        return self.timed or self.numbered

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of shares: the Wilson interval at 95 %. None without observations, and where the window cut numerator from denominator."""
        if not self.share or not self.denominator or self.numerator is None or not 0 <= self.numerator <= self.denominator:
            return None
        return wilson(self.numerator, self.denominator)

    def stats(self) -> dict[str, float]:
        """Of durations and numbers: what STATS names; empty where there is nothing."""
        spread = self.spread
        if spread is None or self.value is None:
            return {}
        return {"mean": self.value, **spread.quantiles, "max": spread.max}


def quantile(share: float, counts: Sequence[int]) -> float:
    """What Prometheus' histogram_quantile gives for these buckets: linear inside a bucket, and the last edge for what is above it.

    `counts` are per bucket of the ladder, not cumulative, and not all 0.
    """
    return _quantile(share, counts, list(accumulate(counts)))


def at_most(share: float, counts: Sequence[int]) -> int | None:
    """The edge that at least this share of the durations did not exceed, which holds for few as for many; None above the last edge.

    `counts` are per bucket of the ladder, not cumulative, and not all 0.
    """
    index = _reaching(share, list(accumulate(counts)))
    return EDGES_SECONDS[index] if index < len(EDGES_SECONDS) else None


def _quantile(share: float, counts: Sequence[int], cumulative: list[int]) -> float:
    index = _reaching(share, cumulative)
    if index == len(EDGES_SECONDS):
        return float(EDGES_SECONDS[-1])
    start = EDGES_SECONDS[index - 1] if index else 0
    below = cumulative[index - 1] if index else 0
    return start + (EDGES_SECONDS[index] - start) * ((share * cumulative[-1] - below) / counts[index])


def _reaching(share: float, cumulative: list[int]) -> int:
    """The first place at which this share is reached. There is one, since shares are at most 1."""
    rank = share * cumulative[-1]
    index = 0
    while cumulative[index] < rank:
        index += 1
    return index


def _highest(counts: Sequence[int]) -> int:
    """The last place that is not empty."""
    index = len(counts) - 1
    while counts[index] <= 0:
        index -= 1
    return index


def wilson(part: float, whole: float) -> tuple[float, float]:
    """The score interval at 95 % for a share: between 0 and 1 also for none and for all, and sensible for few."""
    share, square = part / whole, _Z_95**2
    middle = share + square / (2 * whole)
    reach = _Z_95 * sqrt(share * (1 - share) / whole + square / (4 * whole**2))
    scale = 1 + square / whole
    low, high = (middle - reach) / scale, (middle + reach) / scale
    return (0.0 if part == 0 else max(low, 0.0)), (1.0 if part == whole else min(high, 1.0))
