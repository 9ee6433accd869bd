"""From values to places on a chart: where an axis begins and ends, and at which round numbers it is marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil, floor, isfinite, log10

MARKS = 4  # of an axis, about
FLAT = 1e-6  # what differs by less is the same to the eye
# Scales that begin and end where the numbers do.
_FIXED = {"score": (1.0, 3.0, 5.0, 7.0), "points": (-100.0, -50.0, 0.0, 50.0, 100.0)}
# Round lengths of time; from ten days on, 1, 2 and 5 of a power of ten.
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_ROUND_SECONDS = (
    *(1, 2, 5, 10, 15, 20, 30), *(_MINUTE * each for each in (1, 2, 5, 10, 15, 20, 30)), *(_HOUR * each for each in (1, 2, 3, 4, 6, 12)),
    *(_DAY * each for each in (1, 2, 5)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on places from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The place of a value; what lies outside stays at the edge."""
        part = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * min(max(part, 0.0), 1.0)


def finite(values: Iterable[float | None]) -> list[float]:
    """Those that can be drawn."""
    return [value for value in values if value is not None and isfinite(value)]


def marks(values: Sequence[float], unit: str, *, from_zero: bool = True) -> list[float]:
    """Round numbers from below the lowest to above the highest value: where an axis begins, is marked, and ends. At least two."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if unit in _FIXED and _FIXED[unit][0] <= low and high <= _FIXED[unit][-1]:
        return list(_FIXED[unit])
    if from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if unit == "ratio":
        low, high = _room(low, high, 0.1)
        low, high = max(low, 0.0), max(min(high, 1.0), 0.0)
    if high - low < FLAT:
        low, high = low - (0 if from_zero else 1), high + 1
    step = _step((high - low) / MARKS, unit)
    first = floor(low / step + 1e-9)
    last = max(ceil(high / step - 1e-9), first + 1)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _room(low: float, high: float, least: float) -> tuple[float, float]:
    """At least so much between them, that chance does not look like a change."""
    missing = max(least - (high - low), 0.0)
    return low - missing, high + missing


def _step(wanted: float, unit: str) -> float:
    """The smallest round number that is not below what is wanted."""
    if unit == "seconds":
        found = next((each for each in _ROUND_SECONDS if each >= wanted), None)
        return found if found is not None else _DAY * _decimal(wanted / _DAY)
    step = _decimal(wanted)
    return step if unit in ("ratio", "score", "points") or step >= 1 else 1.0


def _decimal(wanted: float) -> float:
    power = 10.0 ** floor(log10(wanted))
    return next(power * each for each in (1, 2, 5, 10) if power * each >= wanted * (1 - 1e-9))


def places(length: int, most: int, strides: Sequence[int] = ()) -> list[int]:
    """Some of the numbers from 0 to `length`, evenly, at most so many; a stride of these where one will do."""
    if length <= 0:
        return []
    stride = next((each for each in strides if ceil(length / each) <= most), None) or next(
        each for each in count(1) if ceil(length / each) <= most
    )
    return list(range(0, length, stride))
