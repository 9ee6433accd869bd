"""Service level agreements: to what they apply, how long each clock may take, when it pauses, and since when that holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from processor.config.faults import Fault
from processor.config.kpis import Channel, Priority
from processor.config.values import Label, Name, PositiveDuration, Section, Start, one_of, one_or_many
from processor.core.rows import CONTACT_DIMENSIONS

PausingStatus = Annotated[str, AfterValidator(one_of("status in which a clock can pause", ("new", "open", "pending", "on_hold")))]
Channels = Annotated[list[Channel], BeforeValidator(one_or_many), Field(min_length=1)]
Priorities = Annotated[list[Priority], BeforeValidator(one_or_many), Field(min_length=1)]
Names = Annotated[list[Name], BeforeValidator(one_or_many), Field(min_length=1)]


class TargetConfig(Section):
    """How long a clock may take. A bare duration is enough."""

    target: PositiveDuration = Field(description='How long, such as "8h".')
    hours: Annotated[str, AfterValidator(one_of("kind of hours", ("business", "calendar")))] | None = Field(
        default=None,
        description="business = open hours of the policy's calendar (the default where it has one); calendar = around the clock.",
    )

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return value if isinstance(value, dict | TargetConfig) else {"target": value}


class Targets(Section):
    """The clocks; one without a target is not measured."""

    first_response: TargetConfig | None = Field(default=None, description="From creation to the first human public reply.")
    resolution: TargetConfig | None = Field(default=None, description="From creation to the last solution.")
    queue_wait: TargetConfig | None = Field(default=None, description="From entering the queue to an agent's answer (contacts).")


class Pauses(Section):
    """Statuses in which a clock stands still."""

    first_response: list[PausingStatus] = Field(default_factory=list, description="For first_response; none unless named.")
    resolution: list[PausingStatus] = Field(default=["pending"], description="For resolution; pending = waiting for the customer.")


class Match(Section):
    """To what a policy applies: every named dimension must have one of the values; none named = everything."""

    channel: Channels | None = Field(default=None, description="One channel or several.")
    priority: Priorities | None = Field(default=None, description="One priority or several. Tickets only.")
    tier: Names | None = Field(default=None, description="One tier or several. Tickets only.")
    group: Names | None = Field(default=None, description="One group or several. Tickets only.")
    topic: Names | None = Field(default=None, description="One topic or several.")
    queue: Names | None = Field(default=None, description="One queue or several. Contacts only.")
    policy_id: Names | None = Field(default=None, description="The policy that the events themselves name. Tickets only.")

    def given(self) -> dict[str, list[str]]:
        """The named dimensions."""
        return {name: values for name in type(self).model_fields if (values := getattr(self, name)) is not None}


class PolicyConfig(Section):
    """One version of a service level agreement. The first of the list that matches and is in force applies."""

    id: Label = Field(description="Name of the policy; entries with the same id and different effective_from are its versions.")
    effective_from: Start | None = Field(
        default=None,
        description="Since when: a date (midnight of reporting_zone) or an instant with offset. Without it: from the beginning.",
    )
    match: Match = Field(default_factory=Match, description="To what it applies; empty = everything.")
    calendar: str | None = Field(default=None, description="Name of the calendar that business hours are counted in.")
    targets: Targets = Field(description="How long each clock may take.")
    pauses: Pauses = Field(default_factory=Pauses, description="Statuses in which clocks stand still.")

    def faults(self, path: str) -> Iterator[Fault]:
        """Targets that could never apply, or that lack a calendar."""
        matched = set(self.match.given())
        for clock in Targets.model_fields:
            target: TargetConfig | None = getattr(self.targets, clock)
            if target is None:
                continue
            where = f"{path}.targets.{clock}"
            who, foreign = ("contacts", matched - CONTACT_DIMENSIONS) if clock == "queue_wait" else ("tickets", matched & {"queue"})
            if foreign:
                yield Fault(where, f"can never apply: it is a clock of {who}, which have no {', '.join(sorted(foreign))} to match")
            if target.hours == "business" and self.calendar is None:
                yield Fault(where, "business hours need a calendar: name one in the policy")
            if target.hours != "calendar" and self.calendar is not None and "d" in target.target.text:
                hours = target.target.ms // 3_600_000
                yield Fault(
                    where, f'{target.target} is unclear in business hours: write "{hours}h" for {hours} open hours, or hours: calendar'
                )


def default_policies() -> list[PolicyConfig]:
    """The targets that support guides give by channel; used when the file names no policies."""
    live = {
        channel: {"first_response": limit, "queue_wait": limit}
        for channel, limit in (("phone", "20s"), ("chat", "2m"), ("messaging", "2m"))
    }
    policies: list[dict[str, Any]] = [
        *({"id": f"default-{channel}", "match": {"channel": channel}, "targets": targets} for channel, targets in live.items()),
        {"id": "default", "targets": {"first_response": "24h", "queue_wait": "2m"}},
    ]
    return [PolicyConfig.model_validate(policy) for policy in policies]
