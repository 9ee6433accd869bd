"""Service level agreements: to what they apply, how long each clock may take, when it pauses, and since when that holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from processor.config.faults import Fault
from processor.config.kpis import Channel, Priority
from processor.config.promises import TargetConfig
from processor.config.values import Label, Name, Section, Start, one_of, one_or_many
from processor.core.dimensions import CONTACT_DIMENSIONS

PausingStatus = Annotated[str, AfterValidator(one_of("status in which a clock can pause", ("new", "open", "pending", "on_hold")))]
Channels = Annotated[list[Channel], BeforeValidator(one_or_many), Field(min_length=1)]
Priorities = Annotated[list[Priority], BeforeValidator(one_or_many), Field(min_length=1)]
Names = Annotated[list[Name], BeforeValidator(one_or_many), Field(min_length=1)]


class Targets(Section):
    """The clocks; one without a target is not measured."""

    first_response: TargetConfig | None = Field(default=None, description="From creation to the first human public reply.")
    next_response: TargetConfig | None = Field(
        default=None,
        description="Once answered: from the customer's oldest message without an answer to the next human public reply.",
    )
    update: TargetConfig | None = Field(
        default=None,
        description="From the customer's oldest message without an answer to a human public reply, the first one too.",
    )
    periodic_update: TargetConfig | None = Field(default=None, description="From each human public reply to the next one, until solved.")
    pausable_update: TargetConfig | None = Field(
        default=None, description="Like periodic_update, but it pauses while the customer is waited for."
    )
    resolution: TargetConfig | None = Field(default=None, description="From creation to the last solution.")
    requester_wait: TargetConfig | None = Field(
        default=None, description="Like resolution: what the customer waits, always without the time in pending."
    )
    agent_work: TargetConfig | None = Field(default=None, description="Like resolution, without the time in pending and on_hold.")
    group_ownership: TargetConfig | None = Field(
        default=None, description="From when a group gets the ticket until it gives it away or solves it; anew for each group and reopen."
    )
    survey_followup: TargetConfig | None = Field(
        default=None, description="From a low answer to a survey to the next human public reply, solved or not."
    )
    queue_wait: TargetConfig | None = Field(default=None, description="From entering the queue to an agent's answer (contacts).")


Statuses = list[PausingStatus]


class Pauses(Section):
    """Statuses in which a clock stands still."""

    first_response: Statuses = Field(default_factory=list, description="For first_response; none unless named.")
    next_response: Statuses = Field(default_factory=list, description="For next_response; none unless named.")
    update: Statuses = Field(default=["pending"], description="For update.")
    periodic_update: Statuses = Field(default_factory=list, description="For periodic_update; none unless named.")
    pausable_update: Statuses = Field(default=["pending"], description="For pausable_update.")
    resolution: Statuses = Field(default=["pending"], description="For resolution; pending = waiting for the customer.")
    requester_wait: Statuses = Field(default=["pending"], description="For requester_wait.")
    agent_work: Statuses = Field(default=["pending", "on_hold"], description="For agent_work.")
    group_ownership: Statuses = Field(default=["pending"], description="For group_ownership.")
    survey_followup: Statuses = Field(default_factory=list, description="For survey_followup; none unless named.")


class HideDue(Section):
    """Statuses in which a clock shows no due date although time goes on."""

    first_response: Statuses = Field(default_factory=list, description="For first_response.")
    next_response: Statuses = Field(default_factory=list, description="For next_response.")
    update: Statuses = Field(default_factory=list, description="For update.")
    periodic_update: Statuses = Field(default_factory=list, description="For periodic_update.")
    pausable_update: Statuses = Field(default_factory=list, description="For pausable_update.")
    resolution: Statuses = Field(default_factory=list, description="For resolution.")
    requester_wait: Statuses = Field(default_factory=list, description="For requester_wait.")
    agent_work: Statuses = Field(default_factory=list, description="For agent_work.")
    group_ownership: Statuses = Field(default_factory=list, description="For group_ownership.")


class OptionsConfig(Section):
    """Where a product counts otherwise."""

    update_starts: Annotated[str, AfterValidator(one_of("start of update", ("oldest_unanswered", "every_contact")))] = Field(
        default="oldest_unanswered",
        description="When update starts: with the customer's oldest message without an answer; or every_contact = with the creation, and "
        "anew with each public message of the customer or a human.",
    )
    customer_ends_update: bool = Field(
        default=False, description="Whether a message of the customer also ends periodic_update and pausable_update (as cancelled)."
    )
    first_response_starts: Annotated[str, AfterValidator(one_of("start of first_response", ("created", "last_handoff_or_reopen")))] = Field(
        default="created",
        description="When first_response starts: once, with the creation; or last_handoff_or_reopen = also anew when a bot hands the "
        "ticket over and when it is reopened.",
    )
    hide_due: HideDue = Field(default_factory=HideDue, description="Statuses in which clocks show no due date although time goes on.")


class Match(Section):
    """To what a policy applies: every named dimension must have one of the values; none named = everything."""

    channel: Channels | None = Field(default=None, description="One channel or several.")
    priority: Priorities | None = Field(default=None, description="One priority or several. Tickets only.")
    tier: Names | None = Field(default=None, description="One tier or several. Tickets only.")
    group: Names | None = Field(default=None, description="One group or several. Tickets only.")
    topic: Names | None = Field(default=None, description="One topic or several.")
    language: Names | None = Field(default=None, description="One language or several. Tickets only.")
    product: Names | None = Field(default=None, description="One product or several. Tickets only.")
    complexity: Names | None = Field(default=None, description="One complexity or several. Tickets only.")
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
    options: OptionsConfig = Field(default_factory=OptionsConfig, description="Where a product counts otherwise.")

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
            yield from target.faults(where, has_calendar=self.calendar is not None, of_contacts=clock == "queue_wait")


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
