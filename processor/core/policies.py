"""Which policy applies to a ticket or contact, and with which version."""

from __future__ import annotations

from bisect import bisect_right

from processor.core.business_hours import Calendar
from processor.core.facts import Dims
from processor.core.settings import DIMENSIONS, FIRST_RESPONSE, RESOLUTION, TICKET_CLOCKS, Policy, Settings


class Policies:
    """Chooses the first policy, in the order of the file, whose version in force matches. Answers are remembered."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._starts = sorted({policy.effective_from for policy in settings.policies})
        self._in_force = [self._versions_at(start) for start in self._starts]
        self._chosen: dict[tuple[int, Dims, str | None], Policy | None] = {}
        measured = {clock for policy in settings.policies for clock in policy.targets}
        # The clocks that tickets have only where some policy has a target for them.
        self.more_clocks = measured & set(TICKET_CLOCKS) - {FIRST_RESPONSE, RESOLUTION}
        self._by_version = {(policy.id, policy.version): policy for policy in settings.policies}

    def choose(self, at: int, dims: Dims, policy_id: str | None) -> Policy | None:
        """The policy for an entity whose clock started at `at`; None where nothing matches."""
        epoch = bisect_right(self._starts, at) - 1
        key = (epoch, dims, policy_id)
        try:
            return self._chosen[key]
        except KeyError:
            if len(self._chosen) > 100_000:  # dimensions come from input: remember only so many
                self._chosen.clear()
            found = self._first_match(epoch, dims, policy_id)
            self._chosen[key] = found
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
