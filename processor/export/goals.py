"""How far the targets of the configuration are reached: by the windows of the segment that each is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from processor.codec.partials import Place, place_of
from processor.config import Config
from processor.config.targets import MEAN, KpiTarget
from processor.core.kpis import Kind, Measure

PROGRESS_MAX = 2.0  # a wall says how far a goal is missed; how far beyond is no news


@dataclass(frozen=True, slots=True)
class Goal:
    """A target, its segment, and the partition of the KPI stage that owns that."""

    target: KpiTarget
    place: Place
    owner: int

    @property
    def name(self) -> str:
        """What tells targets of one segment apart."""
        return "_".join(part for part in (self.target.kpi, self.target.stat_shown, self.target.direction) if part)

    def progress(self, measure: Measure | None, min_n: int) -> float | None:
        """1 and more = kept; None where too little was observed."""
        if measure is None or measure.n < max(min_n, 1):
            return None
        value = value_of(measure, self.target.stat_shown)
        if value is None:
            return None
        wanted = self.target.number
        if self.target.definition.kind is Kind.BALANCE and wanted <= 0:  # from -100 to 100: above 0, so that it can be divided
            value, wanted = value + 100, wanted + 100
        reached, over = (value, wanted) if self.target.direction == "at_least" else (wanted, value)
        if over <= 0:
            return 1.0 if reached >= over else 0.0
        return min(max(reached / over, 0.0), PROGRESS_MAX)


def value_of(measure: Measure, stat: str) -> float | None:
    """The value, or the named one of its statistics."""
    return measure.value if stat in ("", MEAN) else measure.stats().get(stat)


def goals(config: Config) -> Iterator[Goal]:
    """One for each target."""
    for target in config.kpis.targets:
        names = next(tuple(each) for each in config.segments.group_bys if set(each) == set(target.dimensions))
        place = names, tuple(target.dimensions[name] for name in names)
        yield Goal(target, place, place_of(*place, config.topics.kpi_partitions))
