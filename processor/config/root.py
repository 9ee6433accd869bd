"""The whole configuration file as one model, and the faults that only show when its sections are seen together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from processor.config.alerts import Alerts
from processor.config.calendars import CalendarConfig
from processor.config.faults import Fault, unknown
from processor.config.kpis import Abandonment, Kpis, Limits, Segments, Time
from processor.config.measuring import FirstContact, ServiceLevel, Solving, Surveys
from processor.config.policies import PolicyConfig, default_policies
from processor.config.service import DeadLetter, Facts, Http, Kafka, Topics, Worker
from processor.config.values import Label, Section, Zone
from processor.config.zones import instant_of

BEGINNING = 0  # effective_from of a policy that names none: before every event


class Config(Section):
    """Everything that can be configured. Every key has a default; an empty file is valid."""

    application_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(
        default="ticket-kpis",
        description="Consumer group, prefix of transactional ids. Two deployments on a cluster need two, and topics of their own.",
    )
    kafka: Kafka = Field(default_factory=Kafka, description="The cluster.")
    topics: Topics = Field(default_factory=Topics, description="Topics and how they are made.")
    worker: Worker = Field(default_factory=Worker, description="The process.")
    dead_letter: DeadLetter = Field(default_factory=DeadLetter, description="What a rejected record leaves behind.")
    facts: Facts = Field(default_factory=Facts, description="How much is written to the facts topic.")
    http: Http = Field(default_factory=Http, description="Where /metrics, /healthz, /readyz and /snapshot are served.")
    time: Time = Field(default_factory=Time, description="How long to wait for what comes late, and when a ticket is done.")
    limits: Limits = Field(default_factory=Limits, description="What can grow has a limit.")
    segments: Segments = Field(default_factory=Segments, description="By what the numbers are told apart.")
    kpis: Kpis = Field(default_factory=Kpis, description="How the numbers of all partitions become KPIs.")
    reporting_zone: Zone = Field(default="UTC", description="IANA time zone in which a day begins: `today`, and dates in effective_from.")
    calendars: dict[Label, CalendarConfig] = Field(default_factory=dict, description="Business hours by name; policies refer to them.")
    policies: list[PolicyConfig] = Field(
        default_factory=default_policies,
        description="Service level agreements; the first that matches and is in force applies. A list in the file replaces this one.",
    )
    abandonment: Abandonment = Field(default_factory=Abandonment, description="When leaving a queue counts.")
    service_level: ServiceLevel = Field(default_factory=ServiceLevel, description="Of which contacts the service level is a share.")
    solving: Solving = Field(default_factory=Solving, description="When a ticket counts as solved, and when as reopened.")
    first_contact: FirstContact = Field(default_factory=FirstContact, description="What counts as resolved at the first contact.")
    surveys: Surveys = Field(default_factory=Surveys, description="What an answer to a survey counts as, and until when.")
    alerts: Alerts = Field(default_factory=Alerts, description="When somebody is told; `ticket-kpis rules` writes it for Prometheus.")


def starts_at(policy: PolicyConfig, reporting_zone: str) -> int:
    """When the policy comes into force, in milliseconds UTC."""
    start = policy.effective_from
    return BEGINNING if start is None else instant_of(start, reporting_zone)


def describe_start(start: datetime | date | None) -> str:
    """The start of a policy for people."""
    return "the beginning" if start is None else start.isoformat()


def cross_faults(config: Config, policies: Mapping[int, PolicyConfig], calendars: Iterable[str]) -> Iterator[Fault]:
    """Faults of sections that are valid by themselves.

    `policies` carries their positions in the file, and `calendars` every name defined there, so that the check also works on what is left
    of a file with other faults.
    """
    for name in type(config).model_fields:
        yield from _section_faults(name, getattr(config, name))
    yield from _windows(config)
    yield from _targets_of_no_segment(config)
    names = sorted(calendars)
    for number, policy in policies.items():
        path = f"policies[{number}]"
        yield from policy.faults(path)
        if policy.calendar is not None and policy.calendar not in names:
            yield Fault(f"{path}.calendar", unknown("calendar", policy.calendar, names))
    yield from _schedule(config, names)
    if config.alerts.calendar is not None and config.alerts.calendar not in names:
        yield Fault("alerts.calendar", unknown("calendar", config.alerts.calendar, names))
    yield from _double_versions(policies, config.reporting_zone)


def _schedule(config: Config, calendars: list[str]) -> Iterator[Fault]:
    """Shifts in the hours of no calendar, and one that stands there twice."""
    seen: set[tuple[str | None, str]] = set()
    for number, shift in enumerate(config.kpis.scheduled_agents):
        path = f"kpis.scheduled_agents[{number}]"
        if shift.calendar not in calendars:
            yield Fault(f"{path}.calendar", unknown("calendar", shift.calendar, calendars))
        if (shift.group, shift.calendar) in seen:
            yield Fault(path, "this group and calendar stand there twice; add the agents up")
        seen.add((shift.group, shift.calendar))


def _section_faults(path: str, value: object) -> Iterator[Fault]:
    """The faults of a section and of the sections in it; policies are checked apart, with their positions."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from _section_faults(f"{path}.{key}", entry)
    if not isinstance(value, Section):
        return
    check = getattr(value, "faults", None)
    if check is not None:
        yield from check(path)
    for name in type(value).model_fields:
        yield from _section_faults(f"{path}.{name}", getattr(value, name))


def _windows(config: Config) -> Iterator[Fault]:
    """Spans of different sections that only make sense in one order: what a window is about must still be remembered at its end.

    Only what the file says can be a fault: where a horizon is shorter than a default, tickets are remembered for as long as the default.
    """
    horizon = config.time.reopen_horizon
    for section, name in (("solving", "benign_reopen_window"), ("first_contact", "repeat_window"), ("surveys", "edit_window")):
        values = getattr(config, section)
        window = getattr(values, name)
        if name in values.model_fields_set and window.ms > horizon.ms:
            yield Fault(f"{section}.{name}", f"{window} is longer than time.reopen_horizon, {horizon}: the ticket is forgotten by then")


def _targets_of_no_segment(config: Config) -> Iterator[Fault]:
    """A target is shown where its segment is."""
    group_bys = [set(group_by) for group_by in config.segments.group_bys]
    for number, target in enumerate(config.kpis.targets):
        if target.dimensions and set(target.dimensions) not in group_bys:
            names = ", ".join(sorted(target.dimensions))
            yield Fault(f"kpis.targets[{number}].dimensions", f"no group_by of segments has exactly {names}; add it there")


def _double_versions(policies: Mapping[int, PolicyConfig], reporting_zone: str) -> Iterator[Fault]:
    """Two versions of one policy may not start at the same instant."""
    seen: dict[tuple[str, int], int] = {}
    for number, policy in policies.items():
        version = policy.id, starts_at(policy, reporting_zone)
        if version in seen:
            since = describe_start(policy.effective_from)
            yield Fault(
                f"policies[{number}].effective_from",
                f"policies[{seen[version]}] is already {policy.id!r} from {since}: versions need different starts, policies different ids",
            )
        seen.setdefault(version, number)
