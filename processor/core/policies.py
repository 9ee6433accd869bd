"""Which policy applies to a ticket or contact, and with which version."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from processor.core.business_hours import NEVER, Calendar
from processor.core.facts import Dims
from processor.core.settings import DIMENSIONS, FIRST_RESPONSE, RESOLUTION, TICKET_CLOCKS, Policy, Settings

CHOSEN_MAX: Final = 100_000  # answers that are remembered: dimensions come from input


class Policies:
    """Chooses the first policy, in the order of the file, whose version in force matches. Answers are remembered."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._starts = sorted({policy.effective_from for policy in settings.policies})
        self._in_force = [self._versions_at(start) for start in self._starts]
        self._chosen: dict[tuple[int, Dims, str | None], Policy | None] = {}
        # The last choice, which is often asked for again at once: of whom, from when until when its version is in force, and what it was.
        self._dims: Dims | None = None
        self._policy_id: str | None = None
        self._since = self._until = 0
        self._last: Policy | None = None
        measured = {clock for policy in settings.policies for clock in policy.targets}
        # Where no clock of any policy stands still in a status, nobody need look which does.
        self.pausing = frozenset().union(*(statuses for policy in settings.policies for statuses in policy.pauses.values()))
        # The clocks that tickets have only where some policy has a target for them.
        self.more_clocks = measured & set(TICKET_CLOCKS) - {FIRST_RESPONSE, RESOLUTION}
        self._by_version = {(policy.id, policy.version): policy for policy in settings.policies}

    def choose(self, at: int, dims: Dims, policy_id: str | None) -> Policy | None:
        """The policy for an entity whose clock started at `at`; None where nothing matches."""
        if dims is self._dims and policy_id == self._policy_id and self._since <= at < self._until:
            return self._last
        starts = self._starts
        epoch = bisect_right(starts, at) - 1
        key = (epoch, dims, policy_id)
        if key in self._chosen:
            found = self._chosen[key]
        else:
            if len(self._chosen) > CHOSEN_MAX:
                self._chosen.clear()
            found = self._chosen[key] = self._first_match(epoch, dims, policy_id)
        self._dims, self._policy_id, self._last = dims, policy_id, found
        self._since = starts[epoch] if epoch >= 0 else -NEVER
        self._until = starts[epoch + 1] if epoch + 1 < len(starts) else NEVER
        return found

    def version(self, policy_id: str, version: int) -> Policy | None:
        """The policy that stored state refers to."""
        return self._by_version.get((policy_id, version))

    def calendar(self, name: str | None) -> Calendar | None:
        """The calendar of that name; None means calendar time."""
        return None if name is None else self.settings.calendars[name]

    def _first_match(self, epoch: int, dims: Dims, policy_id: str | None) -> Policy | None:
        if epoch < 0:
            return None
        values = dict(zip(DIMENSIONS, dims, strict=True))
        values["policy_id"] = policy_id or ""
        for policy in self._in_force[epoch]:
            if all(values[name] in accepted for name, accepted in policy.match.items()):
                return policy
        return None

    def _versions_at(self, start: int) -> list[Policy]:
        latest: dict[str, Policy] = {}
        for policy in self.settings.policies:
            if policy.effective_from <= start and (policy.id not in latest or latest[policy.id].effective_from <= policy.effective_from):
                latest[policy.id] = policy
        order = list(dict.fromkeys(policy.id for policy in self.settings.policies))
        return [latest[policy_id] for policy_id in order if policy_id in latest]
