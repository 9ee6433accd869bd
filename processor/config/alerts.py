"""When somebody is told: the thresholds of the alerts, and when alerts about KPIs rest. They decide no number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from processor.config.faults import Fault
from processor.config.values import Label, PositiveDuration, Section, duration

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Factor = Annotated[float, Field(gt=1, le=1000)]
Url = Annotated[str, StringConstraints(pattern=r"^(|https?://\S+|[\w./-]+)$", max_length=500)]


class BacklogAlerts(Section):
    """More comes in than goes out."""

    growth_tickets: Count = Field(
        default=10, description="Tickets by which the backlog of a group has grown within 30 minutes: as many is a warning ..."
    )
    growth_share: Share = Field(default=0.1, description="... if they are also this share of what the group had before.")
    growth_tickets_critical: Count = Field(default=30, description="The same for a page: tickets within 30 minutes ...")
    growth_share_critical: Share = Field(default=0.3, description="... and their share of the backlog before.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A page is for more than a warning."""
        yield from _ordered(self, path, "growth_tickets", "growth_tickets_critical")
        yield from _ordered(self, path, "growth_share", "growth_share_critical")


class SlaAlerts(Section):
    """Promises that break."""

    breaches: Count = Field(default=1, description="Breaches of one clock and policy within an hour that are worth a look.")


class ContactAlerts(Section):
    """Calls and chats."""

    abandoned_share: Share = Field(default=0.1, description="Share of the contacts of a queue that gave up within 30 minutes: a warning.")
    abandoned_share_critical: Share = Field(default=0.25, description="The same for a page.")
    contacts_min: Count = Field(default=10, description="With fewer contacts in the time that an alert looks at, no share is looked at.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A page is for more than a warning."""
        yield from _ordered(self, path, "abandoned_share", "abandoned_share_critical")


class ProcessorAlerts(Section):
    """What makes the numbers wrong or old."""

    stale_after: PositiveDuration = Field(default=duration("5m"), description="The numbers are that old: a page.")


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
    sla: SlaAlerts = Field(default_factory=SlaAlerts, description="Promises that break.")
    contacts: ContactAlerts = Field(default_factory=ContactAlerts, description="Calls and chats.")
    processor: ProcessorAlerts = Field(default_factory=ProcessorAlerts, description="What makes the numbers wrong or old.")


def _ordered(section: Section, path: str, lower: str, higher: str) -> Iterator[Fault]:
    low, high = getattr(section, lower), getattr(section, higher)
    if low > high:
        yield Fault(f"{path}.{lower}", f"{low:g} is more than {higher}, {high:g}: what pages somebody must be worse than what warns")
