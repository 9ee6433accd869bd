"""What is measured: time rules, limits, segments, abandonment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from processor.config.faults import Fault
from processor.config.targets import Dimension, KpiTarget, default_targets, target_faults
from processor.config.values import (
    DurationField,
    Name,
    PositiveDuration,
    Section,
    duration,
    one_of,
)
from processor.core.dimensions import CONTACT_DIMENSIONS, TICKET_DIMENSIONS
from processor.core.events import CHANNELS, PRIORITIES
from processor.core.settings import DIMENSIONS, NONE

Channel = Annotated[str, AfterValidator(one_of("channel", (*CHANNELS, NONE)))]
Priority = Annotated[str, AfterValidator(one_of("priority", (*PRIORITIES, NONE)))]


class Time(Section):
    """How long the processor waits for what comes late, and when a ticket is done."""

    timer_delay: DurationField = Field(
        default=duration("5s"),
        description="How long a deadline waits for stragglers before it is noticed; what it reports stays the deadline.",
    )
    allowed_lateness: PositiveDuration = Field(
        default=duration("24h"), description="How late an event may come and still correct what was counted; later ones are rejected."
    )
    clock_skew: DurationField = Field(default=duration("5s"), description="How far the clocks of the sources may disagree.")
    final_after: PositiveDuration = Field(
        default=duration("72h"), description="A ticket solved for so long is final (a closed one at once)."
    )
    reopen_horizon: PositiveDuration = Field(
        default=duration("90d"), description="How long after its solution a ticket can still count as reopened."
    )
    contact_expires_after: PositiveDuration = Field(
        default=duration("7d"), description="A contact without any event for so long is forgotten."
    )

    def faults(self, path: str) -> Iterator[Fault]:
        """Spans that only make sense in one order."""
        for shorter, longer in (("timer_delay", "allowed_lateness"), ("clock_skew", "allowed_lateness"), ("final_after", "reopen_horizon")):
            if getattr(self, shorter).ms > getattr(self, longer).ms:
                yield Fault(f"{path}.{shorter}", f"{getattr(self, shorter)} is longer than {longer}, {getattr(self, longer)}")


class Limits(Section):
    """What can grow has a limit."""

    tail_max: int = Field(
        default=512, ge=1, le=100_000, description="Events of one entity that can still be re-ordered; more are folded for good."
    )
    max_stubs: int = Field(
        default=2_000_000, ge=0, description="Finished tickets remembered per partition, so that a reopening is recognised. Beyond it"
        " the first to have finished are forgotten, and in which order depends on restarts: keep it above what the reopen horizon holds.",
    )
    quiet_max: int = Field(
        default=20_000, ge=0, description="Tickets per partition that stay at hand although nothing has happened to them for four hours;"
        " each takes some 3 kB more than one that is packed, and need not be unpacked.",
    )
    samples_max: int = Field(
        default=100_000, ge=1, description="Samples that a worker may serve at /metrics; `check` counts them before the start, as if it had"
        " every partition."
    )


GroupBy = list[Dimension]


def _all_channels() -> list[str]:
    return list(CHANNELS)


def _all_priorities() -> list[str]:
    return list(PRIORITIES)


class KnownValues(Section):
    """Label values that are served as 0 from the start, so that the first event of each is seen as an increase."""

    channel: list[Channel] = Field(default_factory=_all_channels, description="Channels in use.")
    priority: list[Priority] = Field(default_factory=_all_priorities, description="Priorities in use.")
    group: list[Name] = Field(default_factory=list, description="Groups of agents.")
    tier: list[Name] = Field(default_factory=list, description="Tiers of customers.")
    topic: list[Name] = Field(default_factory=list, description="Topics of tickets and contacts.")
    queue: list[Name] = Field(default_factory=list, description="Queues of contacts.")
    language: list[Name] = Field(default_factory=list, description="Languages of tickets.")
    product: list[Name] = Field(default_factory=list, description="Products that tickets are about.")
    complexity: list[Name] = Field(default_factory=list, description="How hard tickets are.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A value twice is a slip of the pen."""
        for field in DIMENSIONS:
            values: list[str] = getattr(self, field)
            for value in sorted({value for value in values if values.count(value) > 1}):
                yield Fault(f"{path}.{field}", f"{value!r} stands there twice")


DEFAULT_GROUP_BYS: list[list[str]] = [[], ["channel"], ["priority"], ["group"], ["tier"], ["topic"], ["channel", "group"], ["queue"]]
DEFAULT_WINDOWS: list[list[str]] = [[], ["channel"], ["group"], ["queue"]]


class Segments(Section):
    """By what the numbers are told apart."""

    group_bys: list[GroupBy] = Field(
        default=DEFAULT_GROUP_BYS,
        description="Each list is one way to cut the numbers; [] is the total and must be there. Dimensions: "
        + ", ".join(DIMENSIONS)
        + ". One that is added later counts what happens from then on; one that is removed is no longer counted, the others do not notice.",
    )
    windows: list[GroupBy] = Field(
        default=DEFAULT_WINDOWS,
        description="The group_bys for which the windows 5m, 1h, today, 24h and 7d are served at /metrics. Without it: these, "
        "as far as they are in group_bys.",
    )
    known: KnownValues = Field(default_factory=KnownValues, description="Label values that are served as 0 from the start.")

    @model_validator(mode="before")
    @classmethod
    def _served(cls, document: Any) -> Any:
        """Who cuts the numbers otherwise need not say again of which cuts windows are served."""
        if isinstance(document, dict) and isinstance(document.get("group_bys"), list) and "windows" not in document:
            return {**document, "windows": [group_by for group_by in DEFAULT_WINDOWS if group_by in document["group_bys"]]}
        return document

    def faults(self, path: str) -> Iterator[Fault]:
        """Group-bys that are double, impossible or missing."""
        if [] not in self.group_bys:
            yield Fault(f"{path}.group_bys", "the total, [], is missing")
        for field in ("group_bys", "windows"):
            seen: list[set[str]] = []
            for number, group_by in enumerate(getattr(self, field)):
                where, names = f"{path}.{field}[{number}]", set(group_by)
                if len(names) < len(group_by):
                    yield Fault(where, "names a dimension twice")
                if names in seen:
                    yield Fault(where, f"{group_by} stands there twice (order does not matter)")
                if not (names <= CONTACT_DIMENSIONS or names <= TICKET_DIMENSIONS):
                    yield Fault(
                        where,
                        f"always empty: only contacts have queue, and contacts have no {', '.join(sorted(names - CONTACT_DIMENSIONS))}",
                    )
                seen.append(names)
        for number, group_by in enumerate(self.windows):
            if group_by not in self.group_bys:
                yield Fault(f"{path}.windows[{number}]", f"{group_by} is not in group_bys; add it there")


class ShortAbandonment(Section):
    """Waiting not longer than this before leaving is a short abandonment and no fault of the team; by channel."""

    phone: DurationField = Field(default=duration("5s"), description="Calls.")
    chat: DurationField = Field(default=duration("10s"), description="Chats.")
    email: DurationField | None = Field(default=None, description="Without it: default.")
    web: DurationField | None = Field(default=None, description="Without it: default.")
    messaging: DurationField | None = Field(default=None, description="Without it: default.")
    social: DurationField | None = Field(default=None, description="Without it: default.")
    api: DurationField | None = Field(default=None, description="Without it: default.")
    default: DurationField = Field(default=duration("0s"), description="All other channels; 0s counts every abandonment.")


class ScheduledAgents(Section):
    """So many agents are at work in the hours of a calendar."""

    group: Name | None = Field(default=None, description="The group that they work for; without it they count in the total alone.")
    calendar: str = Field(description="Name of the calendar in whose open hours they work.")
    agents: Annotated[float, Field(gt=0, le=1_000_000)] = Field(description="How many; part-time as a fraction.")


class Kpis(Section):
    """How the numbers of all partitions become KPIs."""

    backfill_minutes: int = Field(
        default=60, ge=1, le=1440, description="While old events are caught up, KPIs are reported for every so many minutes, not for each."
    )
    incomplete_after: PositiveDuration = Field(
        default=duration("10s"),
        description="How long to wait for a partition that has not reported a minute; then its KPIs are published, marked as incomplete.",
    )
    min_n: int = Field(
        default=30, ge=0, description="What rests on fewer observations is marked: it says little. Ratios have a confidence interval, too."
    )
    per_agent: bool = Field(
        default=False,
        description="Whether the topic of KPIs also has the numbers of each agent, by a pseudonym. Ask those who represent them first.",
    )
    scheduled_agents: list[ScheduledAgents] = Field(
        default_factory=list,
        description="Who is at work when, such as {group: support, calendar: office, agents: 12}; several of one group add up. For"
        " tickets_per_hour where no source reports the states of agents. Such a value is marked as estimated; only the topic of KPIs and"
        " reports have it.",
    )
    targets: list[KpiTarget] = Field(
        default_factory=default_targets,
        description="What KPIs ought to be, shown beside them. A list in the file replaces this one; [] for none.",
    )

    def faults(self, path: str) -> Iterator[Fault]:
        """Targets that cannot be."""
        yield from target_faults(self.targets, f"{path}.targets")


class Abandonment(Section):
    """When leaving a queue counts."""

    short: ShortAbandonment = Field(default_factory=ShortAbandonment, description="Leaving so early is left out of the abandonment rate.")
    silent_channels: list[Channel] = Field(
        default_factory=lambda: ["chat", "messaging"], description="Where ending in a queue without a word is an abandonment, a silent one."
    )
