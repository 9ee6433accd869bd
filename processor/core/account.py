"""What support costs: amounts as they were recorded, each of which counts at its own instant. Nothing follows from several of them.

So the number of such a fact is no count, but stands for the event: one that comes late renumbers none of the others.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from processor.core.business_hours import NEVER, freeze_due, thaw_due
from processor.core.dimensions import dims_of
from processor.core.events import Event
from processor.core.facts import Fact, Out
from processor.core.policies import Policies


class Account:
    """The folded state of one account: nothing but when it is forgotten."""

    __slots__ = ("gone_at", "last_fired", "policies", "wake")

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.last_fired = 0
        self.gone_at = NEVER
        self.wake = NEVER

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event that happened at `at`."""
        amount, currency, group = event.data
        self.gone_at = at + self.policies.settings.allowed_lateness
        dims = dims_of(group=group)
        out.append((1, Fact("account.cost_recorded", _number(event), at, dims, (currency, amount))))

    def fire(self, limit: int, out: Out) -> None:
        """Nothing has a deadline here."""

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return (freeze_due(self.gone_at),)

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Account:
        """Undo `freeze`; also after a round trip through JSON."""
        account = cls(policies)
        (gone_at,) = stored
        account.gone_at = thaw_due(gone_at)
        return account


def _number(event: Event) -> int:
    """48 bits, so that every reader of JSON can hold them."""
    text = f"{event.source}\x1f{event.id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=6).digest(), "big")
