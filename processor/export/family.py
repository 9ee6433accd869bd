"""What a metric family is, and the forms in which the catalogue declares them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

PREFIX = "support_"
PARTITION = "partition"

Kind = Literal["counter", "gauge", "histogram"]
# ticket, contact, sla, agent, person, organization, account = cells of the view; tickets_by_group, tickets_by_channel = cells added up;
# level = its levels; derived = computed from levels and cells; window = its windows; counts = its counts; process = the recorder;
# kpi = the KPI stage; calendar = opening hours at timer time; labels = what the exposition itself did with label values.
Source = Literal[
    "ticket", "contact", "sla", "agent", "person", "organization", "account", "tickets_by_group", "tickets_by_channel",
    "level", "derived", "window", "counts", "process", "kpi", "calendar", "labels",
]  # fmt: skip
Merge = Literal["sum", "min", "max"]
# stable: name and labels stay, labels may be added. experimental: a later release may change it, and says so.
Stability = Literal["stable", "experimental"]
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. `labels` are without `partition`, which `per_partition` adds."""

    name: str
    kind: Kind
    unit: str
    help: str
    labels: Labels
    source: Source
    key: str  # of a cell's entry, a level, a count; of a twin the key of its family
    by: str = ""  # the label whose value stands behind the key
    values: Labels = ()  # the closed set of values of `by`, or of the only label that is not a dimension
    gross: bool = False
    operational: bool = False
    retracted: bool = False
    per_partition: bool = True
    merge: Merge = "sum"  # how partitions add up; timestamps of the oldest do not
    edges: tuple[float, ...] = ()  # of a process histogram, or of whole numbers; the others use the fixed ladder
    stability: Stability = "stable"
    scale: int = 1  # what the amounts of a cell are divided by: milliseconds, thousandths

    @property
    def label_names(self) -> Labels:
        """All labels, in the order of the samples' values."""
        return (*self.labels, PARTITION) if self.per_partition else self.labels

    @property
    def base_name(self) -> str:
        """Without `_total`, as OpenMetrics and the client library name a counter."""
        return self.name.removesuffix("_total") if self.kind == "counter" else self.name


def help_text(definition: str, unit: str, *, clock: str = "", excludes: str = "") -> str:
    """The definition in a sentence, then unit, clock and exclusions."""
    parts = [definition, f"Unit: {unit}."]
    if clock:
        parts.append(f"Clock: {clock}.")
    if excludes:
        parts.append(f"Excludes: {excludes}.")
    return " ".join(parts)


def twins(family: Family) -> Iterator[Family]:
    """The family, and what late events, discards and reopenings took back of it."""
    name = f"{family.base_name}_retracted_total" if family.kind == "counter" else f"{family.name}_retracted"
    yield replace(family, gross=True, help=f"{family.help} Gross: subtract the _retracted twin for the net.")
    told = help_text(f"What of {family.name} was taken back by a late event, a discard or a reopening.", family.unit)
    yield replace(family, name=name, help=told, gross=True, retracted=True)


def counter(
    source: Source, name: str, labels: Labels, definition: str, *,
    key: str = "", unit: str = "tickets", by: str = "", values: Labels = (), excludes: str = "", scale: int = 1,
) -> Iterator[Family]:  # fmt: skip
    """A counter of cells with its twin. `by` is the label that stands behind the key."""
    labels = (*labels, by) if by and by not in labels else labels
    told = help_text(definition, unit, excludes=excludes)
    yield from twins(Family(f"{PREFIX}{name}_total", "counter", unit, told, labels, source, key or name, by, values, scale=scale))


def histogram(
    source: Source, key: str, labels: Labels, definition: str, *, clock: str = "calendar time", excludes: str = ""
) -> Iterator[Family]:
    """A histogram of cells on the fixed ladder, with its twin."""
    told = help_text(definition, "seconds", clock=clock, excludes=excludes)
    yield from twins(Family(f"{PREFIX}{key}_seconds", "histogram", "seconds", told, labels, source, key))


def numbers(source: Source, name: str, key: str, labels: Labels, definition: str, unit: str, edges: tuple[float, ...]) -> Iterator[Family]:
    """A histogram of whole numbers, with its twin."""
    told = help_text(definition, unit)
    yield from twins(Family(f"{PREFIX}{name}", "histogram", unit, told, labels, source, key, edges=edges))


def gauge(
    source: Source, name: str, key: str, definition: str, unit: str, *, labels: Labels = (), values: Labels = (), merge: Merge = "sum"
) -> Family:
    """A gauge of each partition."""
    return Family(f"{PREFIX}{name}", "gauge", unit, help_text(definition, unit), labels, source, key, values=values, merge=merge)


def together(
    name: str, definition: str, unit: str, labels: Labels, *, values: Labels = (), stability: Stability = "stable"
) -> Family:  # fmt: skip
    """A gauge of all partitions together, from the KPI stage."""
    return Family(
        f"{PREFIX}{name}", "gauge", unit, help_text(definition, unit), labels, "kpi", name, values=values, per_partition=False,
        stability=stability,
    )  # fmt: skip


def of_process(
    source: Source, name: str, key: str, definition: str, unit: str, *, labels: Labels, values: Labels = (), operational: bool = False
) -> Family:
    """A gauge of the process as a whole that no partition and no recorder knows."""
    return Family(
        f"{PREFIX}{name}", "gauge", unit, help_text(definition, unit), labels, source, key, values=values, operational=operational,
        per_partition=False, merge="max", stability="experimental",
    )  # fmt: skip


def count(
    name: str, key: str, definition: str, *, unit: str = "events", by: str = "", values: Labels = (), gross: bool = False
) -> Family:
    """A counter of the engine's own counts, which are part of the state."""
    labels = (by,) if by else ()
    return Family(f"{PREFIX}processor_{name}_total", "counter", unit, help_text(definition, unit), labels, "counts", key, by, values, gross)


def health(
    kind: Kind, name: str, definition: str, unit: str, *,
    labels: Labels = (), values: Labels = (), per_partition: bool = False, edges: tuple[float, ...] = (), stability: Stability = "stable",
) -> Family:
    """What the recorder knows of this process."""
    return Family(
        f"{PREFIX}processor_{name}", kind, unit, help_text(definition, unit), labels, "process", name,
        values=values, operational=True, per_partition=per_partition, edges=edges, stability=stability,
    )  # fmt: skip
