"""What the KPIs ought to be: targets shown beside the values. They decide no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator

from processor.config.faults import Fault
from processor.config.values import Duration, Name, Section, duration, no_per_cent, one_of, parse_duration
from processor.core.kpis import DEFINITIONS, STATS, Definition, Kind, definition_of
from processor.core.settings import DIMENSIONS

# What teams call them, and what they are here; `schemas/kpis.md` says how they differ.
_ALSO_CALLED = {
    "aht": "handle_time",
    "asa": "speed_of_answer",
    "frt": "first_response",
    "first_response_time": "first_response",
    "mttr": "full_resolution",
    "resolution_time": "full_resolution",
}


def _known_kpi(value: str) -> str:
    known = _ALSO_CALLED.get(value.lower())
    if known is not None:
        raise ValueError(f"unknown kpi {value!r}; here it is called {known!r}")
    return value if definition_of(value) is not None else one_of("kpi", DEFINITIONS)(value)


KpiName = Annotated[str, AfterValidator(_known_kpi)]
StatName = Annotated[str, AfterValidator(one_of("stat", STATS))]
Dimension = Annotated[str, AfterValidator(one_of("dimension", DIMENSIONS))]
MEAN = "mean"


def _parse_value(value: Any) -> Any:
    if isinstance(no_per_cent(value), str | Duration):
        return parse_duration(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise ValueError('not a target: write a share such as 0.8, a number such as 200, or a duration such as "30m"')
    return value


def _written(value: Duration | float) -> str | float:
    return str(value) if isinstance(value, Duration) else float(value)


Value = Annotated[Duration | float, PlainValidator(_parse_value), PlainSerializer(_written)]


class KpiTarget(Section):
    """What one KPI of one segment ought to be."""

    kpi: KpiName = Field(description="Its name in the topic of KPIs: service_level, first_response, resolution_sla_compliance, ...")
    stat: StatName | None = Field(default=None, description="Of durations: mean (without it), p50, p75, p90, p95 or max.")
    dimensions: dict[Dimension, Name] = Field(
        default_factory=dict, description="The segment, such as {channel: phone}; without it the total. Its dimensions must be a group_by."
    )
    target: Value = Field(description="A share from 0 to 1 for ratios, a duration such as 30m for durations, a number for counts.")
    direction: Literal["at_least", "at_most"] = Field(description="at_least = lower is worse; at_most = higher is worse.")

    @property
    def definition(self) -> Definition:
        """What the KPI is."""
        definition = definition_of(self.kpi)
        assert definition is not None, "the name was validated"
        return definition

    @property
    def spread(self) -> bool:
        """Whether the KPI has quantiles."""
        return self.definition.kind in {Kind.DURATION, Kind.NUMBER}

    @property
    def number(self) -> float:
        """In the KPI's unit: seconds for durations."""
        return self.target.ms / 1000 if isinstance(self.target, Duration) else float(self.target)

    @property
    def stat_shown(self) -> str:
        """Empty where the KPI has but one value."""
        return (self.stat or MEAN) if self.spread else ""

    def faults(self, path: str) -> Iterator[Fault]:
        """What the kind of the KPI does not allow."""
        timed = self.definition.unit == "seconds"
        if timed != isinstance(self.target, Duration):
            want = 'a duration, such as "30m"' if timed else "a number without a unit"
            yield Fault(f"{path}.target", f"{self.kpi} needs {want}")
        elif self.definition.kind is Kind.RATIO and not 0 <= self.number <= 1:
            yield Fault(f"{path}.target", f"{self.kpi} is a share: write 0.8 for 80 %")
        elif self.definition.kind is Kind.BALANCE and not -100 <= self.number <= 100:
            yield Fault(f"{path}.target", f"{self.kpi} goes from -100 to 100")
        if self.stat is not None and not self.spread:
            yield Fault(f"{path}.stat", f"{self.kpi} has one value only; leave stat out")
        if not self.definition.applies_to(self.dimensions):
            allowed = ", ".join(sorted(self.definition.dimensions.intersection(DIMENSIONS))) or "only the total"
            yield Fault(f"{path}.dimensions", f"{self.kpi} is about {self.definition.entity}s; it is told apart by: {allowed}")


def default_targets() -> list[KpiTarget]:
    """What teams usually promise: 80 % of contacts answered in target, a first reply within 30 min, 90 % satisfied, an NPS of 50."""
    return [
        KpiTarget(kpi="service_level", target=0.8, direction="at_least"),
        KpiTarget(kpi="first_response", target=duration("30m"), direction="at_most"),
        KpiTarget(kpi="csat", target=0.9, direction="at_least"),
        KpiTarget(kpi="nps", target=50.0, direction="at_least"),
    ]


def target_faults(targets: list[KpiTarget], path: str) -> Iterator[Fault]:
    """The faults of each, and two targets for one thing."""
    seen: dict[tuple[object, ...], int] = {}
    for number, target in enumerate(targets):
        where = f"{path}[{number}]"
        yield from target.faults(where)
        what = target.kpi, target.stat_shown, frozenset(target.dimensions.items()), target.direction
        if what in seen:
            yield Fault(where, f"{path}[{seen[what]}] is already a target for that")
        seen.setdefault(what, number)
