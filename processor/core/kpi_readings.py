"""How each KPI follows from a net row. A row is what postings add up: of a segment, over a window, of all partitions.

Nothing observed means no value, never a division by 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from processor.core.distinct import FAMILIES, count
from processor.core.histogram import THOUSANDTHS
from processor.core.kpi_statistics import Measure, Numbered, Timed
from processor.core.posting import HISTOGRAMS, NUMBERS
from processor.core.rows import Row
from processor.core.schedule import Shift

CLOCK_HEADS = frozenset({"sla_started", "sla_measured", "sla_breached", "sla_induced", "sla_cancelled"})
_SPREAD = HISTOGRAMS.keys() | NUMBERS.keys()


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the configuration decides how rows are read; no number in a row depends on it."""

    min_n: int = 30  # observations below which a value says little
    service_level_counts_short: bool = False
    service_level_counts_flow_outs: bool = False
    shifts: tuple[Shift, ...] = ()  # who is at work by plan


DEFAULT_RULES = Rules()


class Window:
    """One row, and what stands beside it: its length, how many tickets were unsolved at the end, and how long agents were to work."""

    __slots__ = ("backlog", "row", "rules", "scheduled", "seconds", "sums")

    def __init__(self, row: Row, backlog: int, seconds: float, rules: Rules, scheduled: float = 0.0) -> None:
        self.row = row
        self.backlog = backlog
        self.seconds = seconds
        self.rules = rules
        self.scheduled = scheduled
        self.sums = _sums(row)

    def __getitem__(self, name: str) -> int:
        return self.sums.get(name, 0)

    def people(self, family: str) -> int:
        """How many different ones; partitions have reported some of them as a number."""
        return self.row.get(family, 0) + (count(self.row, family) if f"{family}:" in self.sums else 0)

    def time(self, states: tuple[str, ...]) -> float:
        """Seconds that agents spent in these states."""
        return sum(self.row.get(f"agent_time:{state}", 0) for state in states) / THOUSANDTHS


Reading = Callable[[Window], Measure]
Division = Callable[[Window], tuple[int, int]]


def _sums(row: Row) -> dict[str, int]:
    """Counts by the key before the colon, of clocks by all of it; people only by whether there are any."""
    sums: dict[str, int] = {}
    for key, amount in row.items():
        head, colon, _ = key.partition(":")
        if head in _SPREAD:
            sums[head] = 1
        elif colon and head in FAMILIES:
            sums[f"{head}:"] = 1
        else:
            name = key if head in CLOCK_HEADS else head
            sums[name] = sums.get(name, 0) + amount
    return sums


# -- ways of reading --------------------------------------------------------------------------------------------------------------


def counted(name: str) -> Reading:
    """How many there were."""

    def read(window: Window) -> Measure:
        number = window[name]
        return Measure(number, max(number, 0))

    return read


def ratio(over: Division) -> Reading:
    """A share of observations."""

    def read(window: Window) -> Measure:
        numerator, denominator = over(window)
        # Both sides are counted at instants of their own, so in a short window the lower one can miss what the upper one has.
        denominator = max(denominator, 0)
        return Measure(numerator / denominator if denominator else None, denominator, numerator, denominator, share=True)

    return read


def share(part: str, whole: str) -> Reading:
    """A share of two counts."""
    return ratio(lambda window: (window[part], window[whole]))


def per(part: str, whole: str, *, scale: int = 1) -> Reading:
    """An amount for each of what is counted: seconds for each contact where the amount is in milliseconds."""

    def read(window: Window) -> Measure:
        numerator, n = window[part] / scale if scale > 1 else window[part], max(window[whole], 0)
        return Measure(numerator / n if n else None, n, numerator, n)

    return read


def duration(*names: str) -> Reading:
    """The mean, quantiles and the histogram; of several families together where each has observations of its own."""
    families = [HISTOGRAMS[name] for name in names]

    def read(window: Window) -> Measure:
        row = window.row
        several = [keys.counts(row) if keys.name in window.sums else None for keys in families]
        counts = tuple(max(sum(each), 0) for each in zip(*(each or _NO_COUNTS for each in several), strict=True))
        n, seconds = sum(counts), sum(row.get(keys.sum, 0) for keys in families) / 1000
        return Measure(seconds / n if n else None, n, seconds, n, Timed(counts, seconds))

    return read


_NO_COUNTS = [0] * len(HISTOGRAMS["first_response"].buckets)


def number(name: str) -> Reading:
    """The mean of whole numbers, and how often each occurred."""
    keys = NUMBERS[name]

    def read(window: Window) -> Measure:
        counts = tuple(max(each, 0) for each in keys.counts(window.row))
        n, total = sum(counts), window.row.get(keys.sum, 0) / THOUSANDTHS
        return Measure(total / n if n else None, n, total, n, numbered=Numbered(counts, keys.lowest))

    return read


def balance(over: Callable[[Window], tuple[int, int, int]]) -> Reading:
    """100 x (share of those who are for it - share of those who are against it): for, against, all."""

    def read(window: Window) -> Measure:
        good, bad, n = over(window)
        n = max(n, 0)
        return Measure(100 * (good - bad) / n if n else None, n, good - bad, n)

    return read
