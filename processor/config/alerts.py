"""When somebody is told: the thresholds of the alerts, and when alerts about KPIs rest. They decide no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from processor.config.faults import Fault
from processor.config.values import Label, PositiveDuration, Section, duration, no_per_cent, one_of
from processor.core.settings import CLOCKS

Share = Annotated[float, BeforeValidator(no_per_cent), Field(gt=0, lt=1)]
Objective = Annotated[float, BeforeValidator(no_per_cent), Field(ge=0.5, lt=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Factor = Annotated[float, Field(gt=1, le=1000)]
ClockName = Annotated[str, AfterValidator(one_of("clock", CLOCKS))]
Url = Annotated[str, StringConstraints(pattern=r"^(https?://\S+|[\w./-]+)$", max_length=500)]


class BacklogAlerts(Section):
    """More comes in than goes out."""

    growth_tickets: Count = Field(
        default=10, description="Tickets by which the backlog of a group has grown within 30 minutes: so many are a warning ..."
    )
    growth_share: Share = Field(default=0.1, description="... if they are also this share of what the group had before.")
    growth_tickets_critical: Count = Field(default=30, description="The same for a page: tickets within 30 minutes ...")
    growth_share_critical: Share = Field(default=0.3, description="... and their share of the backlog before.")
    drain_max: PositiveDuration = Field(
        default=duration("5d"),
        description="At the pace of the last 24 hours the backlog takes longer than this to drain, and ...",
    )
    work_off_max: PositiveDuration = Field(
        default=duration("3d"), description="... longer than this even if nothing more came in: what a team soon works off may stay."
    )

    def faults(self, path: str) -> Iterator[Fault]:
        """A page is for more than a warning."""
        yield from _ordered(self, path, "growth_tickets", "growth_tickets_critical")
        yield from _ordered(self, path, "growth_share", "growth_share_critical")
        yield from _ordered(self, path, "work_off_max", "drain_max")


class ArrivalAlerts(Section):
    """More comes in than at this hour of other weeks: the median of the last three."""

    surge_factor: Factor = Field(default=1.5, description="So many times the usual number within an hour ...")
    surge_tickets: Count = Field(default=15, description="... and so many tickets or contacts more than usual ...")
    surge_z: Factor = Field(
        default=4.0, description="... and so many standard deviations of a Poisson process, the square root of the usual number."
    )


class SlaAlerts(Section):
    """Promises that break."""

    breaches: Count = Field(default=1, description="Breaches of one clock and policy within an hour that are worth a look.")
    breaches_imminent: Count = Field(
        default=5, description="Clocks due within 30 minutes that will not be reached at the pace of the last 30: a page."
    )
    objective: Objective = Field(
        default=0.9, description="Share of SLA clocks that are to be kept in a week. How fast the rest is used up decides who is told."
    )
    objectives: dict[ClockName, Objective] = Field(
        default_factory=lambda: {"queue_wait": 0.8}, description="Other objectives, by clock: {queue_wait: 0.8} is 80 % of calls in time."
    )
    clocks_min: Count = Field(default=10, description="With fewer clocks decided in the longer of its windows a burn rate says nothing.")


class WaitAlerts(Section):
    """Customers who wait."""

    first_response_median: PositiveDuration = Field(
        default=duration("4h"), description="Half of the first responses of a group took longer, in calendar time, over an hour."
    )
    first_responses_min: Count = Field(default=10, description="With fewer of them within the hour nothing is said.")
    oldest_ticket: PositiveDuration = Field(
        default=duration("72h"), description="A ticket waits for its first response for so long, nights and weekends included."
    )
    contact: PositiveDuration = Field(default=duration("5m"), description="A call or chat waits in a queue for so long: a warning.")
    contact_critical: PositiveDuration = Field(default=duration("15m"), description="The same for a page.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A page is for more than a warning."""
        yield from _ordered(self, path, "contact", "contact_critical")


class ContactAlerts(Section):
    """Calls and chats."""

    abandoned_share: Share = Field(default=0.1, description="Share of the contacts of a queue that gave up within 30 minutes: a warning.")
    abandoned_share_critical: Share = Field(default=0.25, description="The same for a page.")
    service_level_min: Share = Field(default=0.7, description="Share of the contacts of a queue answered in target, over an hour.")
    missed_share: Share = Field(default=0.2, description="Share of the calls that nobody answered or called back, over an hour.")
    contacts_min: Count = Field(default=10, description="With fewer contacts in the time that an alert looks at, no share is looked at.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A page is for more than a warning."""
        yield from _ordered(self, path, "abandoned_share", "abandoned_share_critical")


class QualityAlerts(Section):
    """What suffers where only speed is measured. The last 24 hours are compared with the last 7 days."""

    observations_min: Count = Field(default=20, description="With fewer answers, solutions or contacts in 24 hours nothing is said.")
    faster_by: Share = Field(default=0.1, description="Times that have fallen by this share count as faster.")
    share_change: Share = Field(default=0.05, description="Ratios that have changed by this much (0.05 = 5 percentage points) count.")
    effort_change: Annotated[float, Field(gt=0, le=6)] = Field(default=0.3, description="The effort score has fallen by so many points.")
    csat_drop: Share = Field(default=0.1, description="Satisfaction has fallen by this much: that alone is worth a look.")
    negative_answers: Count = Field(default=5, description="Low scores of one group and survey within 4 hours.")
    reopened_share: Share = Field(default=0.1, description="Share of the solved tickets that came back, over 24 hours.")
    escalated_share: Share = Field(default=0.1, description="Share of the solved tickets that were escalated, over 24 hours, ...")
    escalated_factor: Factor = Field(default=2.0, description="... if that is also so many times the share of the last 7 days.")
    goal_progress_min: Share = Field(default=0.9, description="A target of kpis.targets is reached by less than this share, over 7 days.")


class ProcessorAlerts(Section):
    """What makes the numbers wrong or old."""

    stale_after: PositiveDuration = Field(default=duration("5m"), description="The numbers are that old: a page.")
    lag_max: PositiveDuration = Field(
        default=duration("1m"), description="One event in ten takes longer from its time until it is counted: sources or workers are slow."
    )
    silent_events: Count = Field(
        default=20, description="No event at all came for 30 minutes in which other weeks had at least so many: a source is silent."
    )


class Alerts(Section):
    """When somebody is told. `ticket-kpis rules` writes the rules for Prometheus from this."""

    job: Label = Field(default="ticket-kpis", description="The job under which Prometheus scrapes the workers.")
    calendar: Label | None = Field(
        default=None, description="Alerts about KPIs rest while this calendar is closed; without one they never rest. Others never do."
    )
    runbook_url: Url = Field(
        default="deploy/runbook.md", description="Where the runbook is; each alert adds #itsname. Put the address where you publish it."
    )
    dashboard_url: Url = Field(
        default="http://localhost:3000/d", description="Where dashboards are; each alert adds /UID and the job. Grafana's address and /d."
    )
    backlog: BacklogAlerts = Field(default_factory=BacklogAlerts, description="More comes in than goes out.")
    arrivals: ArrivalAlerts = Field(
        default_factory=ArrivalAlerts,
        description="More comes in than at this hour of the last three weeks. All three must be so. Prometheus must keep 22 days for it.",
    )
    sla: SlaAlerts = Field(default_factory=SlaAlerts, description="Promises that break.")
    waiting: WaitAlerts = Field(default_factory=WaitAlerts, description="Customers who wait.")
    contacts: ContactAlerts = Field(default_factory=ContactAlerts, description="Calls and chats.")
    quality: QualityAlerts = Field(
        default_factory=QualityAlerts, description="What suffers where only speed is measured: the last 24 hours against the last 7 days."
    )
    processor: ProcessorAlerts = Field(default_factory=ProcessorAlerts, description="What makes the numbers wrong or old.")


def _ordered(section: Section, path: str, lower: str, higher: str) -> Iterator[Fault]:
    low, high = getattr(section, lower), getattr(section, higher)
    if getattr(low, "ms", low) > getattr(high, "ms", high):
        yield Fault(f"{path}.{lower}", f"{low} is more than {higher}, {high}: one is the milder case of the other")
