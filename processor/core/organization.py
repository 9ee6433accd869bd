"""A customer's organization: won, lost, won back; and the count of all customers, where somebody keeps it.

Won is who was not a customer before; lost, who was one or of whom nothing is known: it may have been won before the log began. What is
said twice counts once.
"""

from __future__ import annotations

from typing import Any, Final

from processor.core.business_hours import NEVER, freeze_due, thaw_due
from processor.core.events import Event
from processor.core.facts import Fact, Out
from processor.core.policies import Policies
from processor.core.settings import DAY_MS, NO_DIMENSIONS

REMEMBERED_MS: Final = 400 * DAY_MS  # so long a lost one is remembered: as long as days are kept. A customer, and a count, stay.

UNKNOWN: Final = 0
CUSTOMER: Final = 1
LOST: Final = 2


class Organization:
    """The folded state of one organization."""

    __slots__ = ("count", "counted", "gone_at", "last_fired", "lost", "policies", "standing", "wake", "won")

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.last_fired = 0
        self.wake = NEVER
        self._begin()

    def _begin(self) -> None:
        """A life of which nothing is known yet."""
        self.standing = UNKNOWN
        self.won = 0
        self.lost = 0
        self.counted = 0
        self.count = 0  # the last one
        self.gone_at = NEVER

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event that happened at `at`."""
        if self.gone_at < at:
            self._begin()
        if event.kind == "organization.acquired":
            if self.standing != CUSTOMER:
                self.standing = CUSTOMER
                self.won += 1
                out.append((1, Fact("organization.acquired", self.won, at, NO_DIMENSIONS, ())))
        elif event.kind == "organization.churned":
            if self.standing != LOST:
                self.standing = LOST
                self.lost += 1
                out.append((1, Fact("organization.churned", self.lost, at, NO_DIMENSIONS, ())))
        elif event.kind == "organization.counted":
            (count,) = event.data
            self.counted += 1
            out.append((1, Fact("organization.counted", self.counted, at, NO_DIMENSIONS, (count, count - self.count))))
            self.count = count
        self.gone_at = NEVER if self.standing == CUSTOMER or self.count else at + REMEMBERED_MS

    def fire(self, limit: int, out: Out) -> None:
        """Nothing has a deadline here."""

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return (self.standing, self.won, self.lost, self.counted, self.count, freeze_due(self.gone_at))

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Organization:
        """Undo `freeze`; also after a round trip through JSON."""
        organization = cls(policies)
        (organization.standing, organization.won, organization.lost, organization.counted, organization.count, gone_at) = stored
        organization.gone_at = thaw_due(gone_at)
        return organization
