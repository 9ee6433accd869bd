"""What counts as what: answers to surveys, first contacts, solutions, contacts that leave. These decide stored numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from processor.config.faults import Fault
from processor.config.values import DurationField, Name, PositiveDuration, Section, duration, one_of
from processor.core.events import CHANNELS, SURVEYS

SurveyName = Annotated[str, AfterValidator(one_of("survey", SURVEYS))]
ChannelName = Annotated[str, AfterValidator(one_of("channel", CHANNELS))]


def twice(path: str, values: list[str]) -> Iterator[Fault]:
    """Values that stand in a list more than once."""
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield Fault(path, f"{value!r} stands there twice")


class SatisfiedFrom(Section):
    """From which score on an answer is satisfied, on one scale of one survey."""

    survey: SurveyName = Field(default="csat", description="csat, nps, ces or fcr; only satisfaction has such a score.")
    scale: list[float] = Field(min_length=2, max_length=2, description="The lowest and the highest score, such as [1, 5].")
    score: float = Field(description="The lowest satisfied score.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A score off its scale, or of a survey that has none."""
        if self.survey != "csat":
            yield Fault(f"{path}.survey", f"what an answer to {self.survey} counts as is fixed; csat alone has such a score")
        if not self.scale[0] < self.scale[1]:
            yield Fault(f"{path}.scale", "write the lowest score first, as in [1, 5]")
        elif not self.scale[0] <= self.score <= self.scale[1]:
            yield Fault(f"{path}.score", f"{self.score:g} is not on the scale from {self.scale[0]:g} to {self.scale[1]:g}")


def default_satisfied() -> list[SatisfiedFrom]:
    """The common scales."""
    return [SatisfiedFrom(scale=[1, 5], score=4), SatisfiedFrom(scale=[1, 10], score=8)]


class Surveys(Section):
    """What an answer to a survey counts as, and until when."""

    lateness: PositiveDuration = Field(
        default=duration("7d"), description="How late events of surveys may come; never less than time.allowed_lateness, which others have."
    )
    edit_window: PositiveDuration = Field(
        default=duration("7d"), description="So long after the first answer a later one of the same survey takes its place."
    )
    nps_window: PositiveDuration = Field(
        default=duration("90d"), description="A respondent's recommendation counts once in so long, the latest."
    )
    satisfied_from: list[SatisfiedFrom] = Field(
        default_factory=default_satisfied,
        description="The lowest satisfied score of a scale; on others three quarters of the way up. A list in the file replaces this one.",
    )
    ces_low_is_easy: bool = Field(default=False, description="true for the older question on effort, in which 1 = very little effort.")

    def faults(self, path: str) -> Iterator[Fault]:
        """One scale twice."""
        seen: set[tuple[str, float, float]] = set()
        for number, each in enumerate(self.satisfied_from):
            yield from each.faults(f"{path}.satisfied_from[{number}]")
            scale = each.survey, each.scale[0], each.scale[1]
            if scale in seen:
                yield Fault(f"{path}.satisfied_from[{number}]", "this scale stands there twice")
            seen.add(scale)
        if self.edit_window.ms > self.nps_window.ms:
            yield Fault(f"{path}.edit_window", f"{self.edit_window} is longer than nps_window, {self.nps_window}")


class FirstContact(Section):
    """What counts as resolved at the first contact."""

    repeat_window: PositiveDuration = Field(
        default=duration("7d"), description="A requester who comes back about the topic within this time was not helped."
    )
    excluded_topics: list[Name] = Field(
        default_factory=list, description="Topics that nobody can solve at first contact: left out of fcr, not of fcr_gross."
    )
    counts_unanswered: bool = Field(default=False, description="Whether tickets solved without any human reply are eligible.")

    def faults(self, path: str) -> Iterator[Fault]:
        """A topic twice is a slip of the pen."""
        yield from twice(f"{path}.excluded_topics", self.excluded_topics)


class Solving(Section):
    """When a ticket counts as solved, and when as reopened."""

    benign_reopen_window: DurationField = Field(
        default=duration("24h"),
        description='Reopened and solved again within this time without a human reply was no reopening ("thank you").',
    )
    auto_close_reasons: list[Name] = Field(
        default_factory=lambda: ["auto_close"],
        description="Reasons of a status change with which an automation closes what customers left.",
    )
    auto_close_at_last_reply: bool = Field(
        default=False, description="Whether what is closed so counts as solved at the last human reply: the customer's silence is no work."
    )

    def faults(self, path: str) -> Iterator[Fault]:
        """A reason twice is a slip of the pen; without any there is nothing to count otherwise."""
        yield from twice(f"{path}.auto_close_reasons", self.auto_close_reasons)
        if self.auto_close_at_last_reply and not self.auto_close_reasons:
            yield Fault(f"{path}.auto_close_at_last_reply", "says something of auto_close_reasons, but there is none")


class ServiceLevel(Section):
    """What else than answered and abandoned contacts stands in the denominator of the service level."""

    counts_short_abandonments: bool = Field(default=False, description="Those who left within abandonment.short.")
    counts_flow_outs: bool = Field(default=False, description="Those who left for a callback, voicemail, or outside of the hours.")
