"""What happened in the log, to hold alerts against: breaches of SLA targets, and what came in and went out day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

from processor.config.zones import load_zone
from processor.core.events import CONTACT, TICKET
from processor.core.facts import Fact
from processor.core.outputs import Stated, View
from processor.core.settings import DIMENSIONS, MS
from processor.export.labels import OTHER

_BREACHED = "clock.breached"
SPEAK_OF_BREACHES = (*DIMENSIONS, "clock", "policy")  # labels of an alert that say which


class Breaches:
    """The breaches that stand, as they were stated and taken back."""

    def __init__(self) -> None:
        self._standing: dict[int, tuple[int, Fact]] = {}

    def hear(self, facts: Iterable[Stated]) -> None:
        """What a step stated."""
        for stated in facts:
            if stated.fact.kind == _BREACHED:
                count = self._standing.pop(stated.number, (0, stated.fact))[0] + stated.sign
                if count:
                    self._standing[stated.number] = count, stated.fact

    def instants(self, labels: Mapping[str, str]) -> list[int]:
        """When clocks breached that these labels speak of, in seconds since 1970, ascending; without any, all of the log."""
        wanted = {name: value for name, value in labels.items() if name in SPEAK_OF_BREACHES and value != OTHER}
        return sorted(fact.at // MS for count, fact in self._standing.values() if count > 0 and _speaks_of(wanted, fact))


def _speaks_of(labels: Mapping[str, str], fact: Fact) -> bool:
    clock, policy, *_ = fact.content
    having = {**dict(zip(DIMENSIONS, fact.dims, strict=True)), "clock": clock, "policy": policy}
    return all(having[name] == value for name, value in labels.items())


_COUNTED = ("tickets_created", "tickets_solved", "contacts_offered", "contacts_answered", "contacts_abandoned", "contacts_short_abandoned")


class Flow:
    """What came in and went out, by day of the reporting zone."""

    def __init__(self, zone: str) -> None:
        self._zone = load_zone(zone) if zone != "UTC" else UTC
        self._date: date | None = None
        self._before: Counter[str] = Counter()
        self._views: Sequence[View] = ()
        self._since = self._until = 0
        self.days: dict[date, Counter[str]] = {}

    def day_of(self, at: int) -> date:
        """The day in which an instant (ms) lies."""
        return datetime.fromtimestamp(at / MS, self._zone).date()

    def before(self, at: int, views: Sequence[View]) -> None:
        """What there was at an instant (ms) from which on the days count, if no later one is told."""
        self._since, self._views = at, views

    def counts(self, at: int) -> bool:
        """Whether what happens at an instant (ms) is among the numbers of the days."""
        return self._since <= at < self._until

    def hear(self, at: int, views: Sequence[View]) -> None:
        """The numbers at the end of a minute."""
        day = self.day_of(at - 1)
        if day != self._date:
            self.close()
            self._date = day
        self._until, self._views = at, views

    def close(self) -> None:
        """The day is over, as far as it is known."""
        total: Counter[str] = Counter()
        for view in self._views:
            for (kind, *_), cell in view.cells.items():
                if kind in (TICKET, CONTACT):
                    total.update({name: cell.get(name, 0) - cell.get(f"{name}-", 0) for name in _COUNTED})
        if self._date is not None:
            self.days[self._date] = Counter({name: total[name] - self._before[name] for name in _COUNTED})
        self._before = total
