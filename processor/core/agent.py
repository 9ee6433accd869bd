"""How long an agent was in which state: the hours that work is measured against.

A state lasts until the next one. What has passed of it is stated by quarters of an hour of the day, so that it counts in the minutes in
which it was spent: at each quarter by a timer, and where it ends. Who is away or offline works on nothing, so that is not stated. An agent
of whom nothing was heard for a day is taken for offline from then on.
"""

from __future__ import annotations

from typing import Any, Final

from processor.core.business_hours import NEVER
from processor.core.dimensions import dims_of
from processor.core.events import Event
from processor.core.facts import Dims, Fact, Out, pseudonym
from processor.core.policies import Policies
from processor.core.settings import DAY_MS, MINUTE_MS, NO_DIMENSIONS

CUT_MS: Final = 15 * MINUTE_MS
SILENT_MS: Final = DAY_MS  # heard of in no event for so long, an agent counts as offline: somebody forgot to sign out, or the adapter died
IDLE_STATES: Final = frozenset({"away", "offline"})


class Agent:
    """The folded state of one agent."""

    __slots__ = ("dims", "gone_at", "heard_at", "last_fired", "policies", "pseudonym", "since", "state", "wake")

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.pseudonym: str | None = None
        self._begin()

    def _begin(self) -> None:
        """Nothing is known yet."""
        self.state = "offline"
        self.dims: Dims = NO_DIMENSIONS
        self.since = 0  # up to here the state is stated
        self.heard_at = 0
        self.last_fired = 0
        self.gone_at = NEVER
        self.wake = NEVER

    @property
    def working(self) -> bool:
        """In a state that counts."""
        return self.state not in IDLE_STATES

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event that happened at `at`. Of two states at one instant the later in order wins: the other lasted for no time."""
        if self.wake < at:
            self.fire(at - 1, out)
        if self.gone_at < at:
            self._begin()
        state, group, channel, _capacity = event.data
        if self.pseudonym is None:
            self.pseudonym = pseudonym(event.key)
        self._spend(at, out)
        self.state = state
        self.dims = dims_of(channel=channel, group=group)
        self.since = self.heard_at = at
        self._set_times()

    def fire(self, limit: int, out: Out) -> None:
        """Let the quarters of an hour up to `limit` pass."""
        while self.wake <= limit:
            at = self.last_fired = self.wake
            self._spend(at, out)
            self.since = at
            if at >= self.heard_at + SILENT_MS:
                self.state = "offline"
            self._set_times()

    def _spend(self, at: int, out: Out) -> None:
        """State what has passed of the present state since it was last stated. It belongs to the quarter that ends with it."""
        if self.working and at > self.since:
            # At its last millisecond: a quarter that ends with the minute belongs to the minutes before. Its number is where it began.
            out.append((1, Fact("agent.time", self.since, at - 1, self.dims, (self.state, at - self.since, self.pseudonym))))

    def _set_times(self) -> None:
        silent_at = self.heard_at + SILENT_MS
        if self.working:
            self.wake = min((self.since // CUT_MS + 1) * CUT_MS, silent_at)
            self.gone_at = NEVER
        else:
            self.wake = NEVER
            self.gone_at = max(silent_at, self.heard_at + self.policies.settings.allowed_lateness)

    # -- stored form --------------------------------------------------------------------------------------------------------------

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return (self.state, self.dims, self.since, self.heard_at, self.last_fired, self.pseudonym)

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Agent:
        """Undo `freeze`; also after a round trip through JSON."""
        agent = cls(policies)
        agent.state, dims, agent.since, agent.heard_at, agent.last_fired, agent.pseudonym = stored
        agent.dims = tuple(dims)
        agent._set_times()
        return agent
