"""What goes on beside single concerns: agents at work, customers won and lost, money spent."""

from __future__ import annotations

from contextlib import suppress

from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS
from processor.synthetic.feed import Feed
from processor.synthetic.other_books import AgentBook, CostBook, CustomerBook
from processor.synthetic.script import LogEndsError, Script
from processor.synthetic.world import AGENTS, BILLING_SOURCE, GROUPS, WORKFORCE_SOURCE, World

BEGINS = (0, 6, 6, 7, 8, 8, 9, 9, 10, 12, 14, 16)  # the hour at which the shift of each agent of a group begins
SHIFT_MS = 8 * HOUR_MS
FORGETS = 0.06  # to sign out
COSTS = (("salaries", "EUR", 32_000), ("licences", "EUR", 6_500), ("telephony", "USD", 2_400))  # a record's usual amount, in cents


class Shift(Script):
    """One agent on one day: available, with customers, busy with what is left to do, on a break, gone."""

    def __init__(self, world: World, feed: Feed, group: str, place: int, day: int, book: AgentBook) -> None:
        agent = AGENTS[group][place]
        began = day * DAY_MS + BEGINS[place] * HOUR_MS
        self._ends = began + SHIFT_MS
        now = max(began, world.start) + int(world.random.random() * 5 * MINUTE_MS)
        name = f"{agent}-{day}"
        super().__init__(world, feed, id_field="agent_id", id=agent, source=WORKFORCE_SOURCE, now=now, name=name)
        self._group = group
        self._book = book

    def play(self) -> None:
        """Work until the shift ends."""
        if self.now >= min(self._ends, self.world.end):
            return
        with suppress(LogEndsError):
            self._is("online")
            self._next(MINUTE_MS)
            while self.now < self._ends:
                self._is("available")
                self._next(6 * MINUTE_MS)
                if self.world.chance(0.1):
                    self._is("away")
                    self._next(20 * MINUTE_MS)
                    continue
                self._is("busy")
                self._next(14 * MINUTE_MS)
                self._is("wrap_up")
                self._next(3 * MINUTE_MS)
            if not self.world.chance(FORGETS):
                self._is("offline")

    def _next(self, median_ms: int) -> None:
        self.later(min(self.world.around(median_ms, 0.6), max(self._ends - self.now, MINUTE_MS)))

    def _is(self, state: str) -> None:
        self.say("agent.state_changed", state=state, group=self._group)
        self._book.states.append((self.now, state))


class Customer(Script):
    """An organization that is won or lost while the log lasts; some are lost again, some are won back."""

    def __init__(self, world: World, feed: Feed, number: int, book: CustomerBook) -> None:
        super().__init__(
            world, feed, id_field="organization_id", id=f"O-{number:05d}", source=BILLING_SOURCE, now=world.arrival()
        )  # fmt: skip
        self._book = book

    def play(self) -> None:
        """Won, or lost without anybody having seen it won; then it may change."""
        won = self.world.chance(0.6)
        with suppress(LogEndsError):
            while True:
                self.say("customer.acquired" if won else "customer.churned")
                self._book.note(self.now, self.id, won)
                if not self.world.chance(0.25):
                    break
                self.later(self.world.around(6 * HOUR_MS))
                won = not won if self.world.chance(0.9) else won


class Cost(Script):
    """An amount that support has cost."""

    def __init__(self, world: World, feed: Feed, number: int, book: CostBook) -> None:
        self._what, self._currency, self._cents = world.random.choice(COSTS)
        self._group = world.random.choice(GROUPS)
        name = f"E-{number:06d}"
        super().__init__(
            world, feed, id_field=None, id=f"{self._what}-{self._group}", source=BILLING_SOURCE, now=world.arrival(), name=name
        )
        self._book = book

    def play(self) -> None:
        """Spend it."""
        cents = int(self._cents * (0.5 + self.random.random()))
        self.say("cost.recorded", amount=cents / 100, currency=self._currency, group=self._group)
        self._book.amounts[self._currency] += cents * 10
