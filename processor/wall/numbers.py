"""What the wall knows at one instant, and how a reading of the boards is answered from it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from processor.boards.readings import Kpi, Level, Reading, Series
from processor.client.kpis import KpiWindow
from processor.core.kpis import PLAIN, definition_of
from processor.export.catalogue import BY_NAME
from processor.export.kpi_gauges import COMPLETE, END

CONSUMED = "support_processor_events_consumed_total"
IDENTITY = "support_backlog_identity_error_tickets"
REPLAYING = "support_processor_replaying"
TIMER = "support_processor_timer_timestamp_seconds"
ALWAYS = (CONSUMED, IDENTITY, REPLAYING, TIMER)  # families that the page needs, whatever its boards show
FROM_WINDOWS = (END, COMPLETE)  # families that say of the KPI stage what the windows say themselves

_MERGES: dict[str, Callable[[Iterable[float]], float]] = {"sum": sum, "min": min, "max": max}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a family."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Numbers:
    """Windows and levels of all partitions together, samples of the workers that answer.

    `levels` and `covered` are of the partitions of events in `levels_from` and `covered`, of `partitions` that there are. `problems` says
    what keeps numbers away, as sentences. `known` is False until the topics have been looked into for the first time.
    """

    partitions: int
    windows: Mapping[str, KpiWindow] = field(default_factory=dict)
    levels: Mapping[str, int] | None = None
    levels_from: frozenset[int] = frozenset()
    samples: Mapping[str, tuple[Sample, ...]] = field(default_factory=dict)
    covered: frozenset[int] = frozenset()
    workers: int = 1
    problems: tuple[str, ...] = ()
    known: bool = True

    @property
    def end_ms(self) -> int | None:
        """The minute W up to which everything was added up; None before the first."""
        return max((window.at_ms for window in self.windows.values()), default=None)

    @property
    def missing(self) -> tuple[int, ...]:
        """Partitions that have not reported that minute."""
        newest = max(self.windows.values(), key=lambda window: window.order, default=None)
        return newest.missing_partitions if newest is not None else ()

    @property
    def event_ms(self) -> int | None:
        """How far event time has come on the slowest partition, as far as workers answer; else the minute W."""
        times = [value for value in self.values(TIMER) if value > 0]
        return round(min(times) * 1000) if times else self.end_ms

    @property
    def replaying(self) -> bool:
        """Whether old events are caught up."""
        return any(self.values(REPLAYING))

    @property
    def consumed(self) -> float:
        """Records read by the workers that answer."""
        return sum(self.values(CONSUMED))

    def values(self, family: str) -> list[float]:
        """Its samples' values."""
        return [sample.value for sample in self.samples.get(family, ())]


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a reading. `n` is what it rests on, where that is counted; `none`: there is nothing whose time could be told.

    `without` is how many partitions are not in it.
    """

    value: float | None = None
    n: int | None = None
    none: bool = False
    without: int = 0


def find(reading: Reading, numbers: Numbers, now_ms: int) -> Found:
    """What the numbers answer; a value of None where they do not know."""
    if isinstance(reading, Kpi):
        window = numbers.windows.get(reading.window)
        return found_in(reading, window) if window is not None else Found()
    if isinstance(reading, Level):
        return _level(reading, numbers)
    return _series(reading, numbers, now_ms / 1000)


def found_in(reading: Kpi, window: KpiWindow) -> Found:
    """A KPI of this window."""
    kpi, definition = window.kpis.get(reading.name), definition_of(reading.name)
    if kpi is None or definition is None:
        return Found()
    spread = kpi.durations or kpi.numbers
    value = kpi.value if reading.stat in ("", "mean") else getattr(spread, reading.stat) if spread is not None else None
    return Found(value, None if definition.kind in PLAIN else kpi.n)


def _level(reading: Level, numbers: Numbers) -> Found:
    if numbers.levels is None:
        return Found()
    return Found(numbers.levels.get(reading.name, 0), without=numbers.partitions - len(numbers.levels_from))


def _series(reading: Series, numbers: Numbers, now: float) -> Found:
    if reading.family in FROM_WINDOWS:
        end = numbers.end_ms
        values = [] if end is None else [end / 1000 if reading.family == END else float(not numbers.missing)]
        without = 0
    else:
        wanted, without = set(reading.labels), numbers.partitions - len(numbers.covered)
        samples = numbers.samples.get(reading.family, ())
        values = [sample.value for sample in samples if wanted <= sample.labels.items() and not math.isnan(sample.value)]
    if not values:
        return Found()
    if reading.form in ("since", "until"):
        instant = _MERGES[reading.merge or "min"](values)
        if math.isinf(instant):
            return Found(0.0 if reading.form == "since" else instant, none=True, without=without)
        return Found(max(now - instant if reading.form == "since" else instant - now, 0.0), without=without)
    merge = _MERGES[reading.merge or BY_NAME[reading.family].merge]
    return Found(merge(map(abs, values) if reading.form == "size" else values), without=without)
