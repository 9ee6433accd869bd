"""A person: requester, respondent of surveys, visitor of the knowledge base."""

from __future__ import annotations

from typing import Any

from processor.core.business_hours import NEVER
from processor.core.events import Event
from processor.core.facts import Fact
from processor.core.policies import Policies

Out = list[tuple[int, Fact]]


class Person:
    """The folded state of one person."""

    __slots__ = ("gone_at", "last_fired", "policies", "wake")

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.last_fired = 0
        self.gone_at = NEVER
        self.wake = NEVER

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event that happened at `at`."""
        self.gone_at = at + 2 * self.policies.settings.survey_lateness

    def fire(self, limit: int, out: Out) -> None:
        """Let the deadlines up to `limit` pass."""

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return (self.gone_at if self.gone_at != NEVER else None,)

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Person:
        """Undo `freeze`; also after a round trip through JSON."""
        person = cls(policies)
        (gone_at,) = stored
        person.gone_at = NEVER if gone_at is None else gone_at
        return person
