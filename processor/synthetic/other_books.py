"""The books of agents, customers and costs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from processor.core.business_hours import NEVER
from processor.core.settings import DAY_MS, MINUTE_MS
from processor.synthetic.books import Totals, labelled

QUARTER_MS = 15 * MINUTE_MS  # the time of a state is told by quarters of an hour of the day
SILENT_MS = DAY_MS  # of whom nothing was heard for so long is taken for offline
IDLE = frozenset({"away", "offline"})


class AgentBook:
    """The states of one agent."""

    __slots__ = ("states",)

    def __init__(self) -> None:
        self.states: list[tuple[int, str]] = []

    def deadlines(self) -> list[int]:
        """The quarters at which time is told of a state that nothing has ended."""
        at, state = max(self.states, default=(0, "offline"))
        return [] if state in IDLE else [*range(at // QUARTER_MS * QUARTER_MS, at + SILENT_MS, QUARTER_MS), at + SILENT_MS]

    def close(self, totals: Totals, until: int) -> None:
        """Add the time in states that count, and the present one."""
        states = sorted(self.states)
        for (at, state), (next_at, _) in pairwise([*states, (NEVER, "")]):
            ended_at = min(next_at, at + SILENT_MS)
            if state in IDLE:
                continue
            if ended_at > until:
                totals[labelled("support_agents", state=state)] += 1
                ended_at = max(until // QUARTER_MS * QUARTER_MS, at)
            totals[labelled("support_agent_state_seconds_total", state=state)] += ended_at - at


class CustomerBook:
    """Customers won and lost. Who is won twice, or lost twice, is so once."""

    def __init__(self) -> None:
        self._acts: dict[str, list[tuple[int, bool]]] = {}

    def note(self, at: int, organization: str, won: bool) -> None:
        """Won or lost at that instant."""
        self._acts.setdefault(organization, []).append((at, won))

    def close(self, totals: Totals) -> None:
        """Add them up."""
        for acts in self._acts.values():
            standing: bool | None = None
            for _, won in sorted(acts):
                if won != standing:
                    totals["support_customers_acquired_total" if won else "support_customers_churned_total"] += 1
                standing = won
            totals["support_customers"] += bool(standing)


class CostBook:
    """Amounts in thousandths, by currency."""

    def __init__(self) -> None:
        self.amounts: Counter[str] = Counter()

    def close(self, totals: Totals) -> None:
        """Add them."""
        for currency, amount in self.amounts.items():
            totals[labelled("support_operating_cost_total", currency=currency)] += amount
