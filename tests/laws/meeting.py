"""What the worlds of one run of a law held: laws hold trivially where nothing happens, so each run says what it must have met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from processor.core.facts import CONTENT_FIELDS, DETAIL_KINDS, HANDED_KINDS, Fact
from processor.core.settings import CLOCKS, Settings
from tests.laws.worlds import CLOCK_CHANGES

# What every run must have met: a deadline missed, something taken back, a solve that did not hold, a merge, hours across a clock change.
ESSENTIAL = ("clock.breached", "retracted", "ticket.reopened", "ticket.merged", "clock change")
TOO_LATE = ("too_late",)
EVERY_KIND = tuple(kind for kind in CONTENT_FIELDS if kind not in HANDED_KINDS | DETAIL_KINDS)
EVERY_CLOCK = tuple(f"{kind} {clock}" for kind in ("clock.fulfilled", "clock.breached") for clock in CLOCKS)
EVERY_CANCELLATION = tuple(f"clock.cancelled {clock}" for clock in CLOCKS)
EVERY_HAND_OVER = tuple(sorted(HANDED_KINDS))


class Met(Counter[str]):
    """Counts by what was met."""

    def fact(self, sign: int, fact: Fact, settings: Settings) -> None:
        """Something was stated, or taken back."""
        if sign < 0:
            self["retracted"] += 1
            self[f"-{fact.kind}"] += 1
            return
        self[fact.kind] += 1
        if fact.kind.startswith("clock."):
            clock, policy_id, version = fact.content[:3]
            self[f"{fact.kind} {clock}"] += 1
            policy = next(each for each in settings.policies if (each.id, each.version) == (policy_id, version))
            calendar = policy.targets[clock].calendar
            segments = fact.content[-1] if fact.kind in ("clock.fulfilled", "clock.breached", "clock.cancelled") else ()
            if calendar is not None and any(start < change < end for start, end in segments for change in CLOCK_CHANGES):
                self["clock change"] += 1
        elif fact.kind == "survey.answered":
            self[f"{fact.content[0]} {fact.content[1]}"] += 1

    def missing(self, *names: str | Iterable[str]) -> list[str]:
        """What of it has not occurred."""
        wanted = {each for name in names for each in ([name] if isinstance(name, str) else name)}
        return sorted(name for name in wanted if not self[name])

    def holds(self, *names: str | Iterable[str]) -> bool:
        """Whether all of it has occurred."""
        return not self.missing(*names)

    def check(self, *names: str | Iterable[str]) -> None:
        """All of it must have occurred."""
        missing = self.missing(*names)
        assert not missing, f"not met: {missing}; met: {sorted(self.items())}"
