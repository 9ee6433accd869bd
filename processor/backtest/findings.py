"""What a backtest says: each time that an alert fired, how early that was, what Alertmanager would have kept quiet, and day by day.

How early is told by breaches of SLA targets, those that the labels of the alert speak of: the first one at or after it fired. How many
there had been within the hour before stands beside it, since a breach after the alert says little where there were ten before it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from processor.backtest.firing import STEP_SECONDS, Episode
from processor.backtest.heard import Breaches, Flow
from processor.backtest.rules import Rules
from processor.codec.envelope import format_time
from processor.core.settings import MS

HOUR_SECONDS = 3600
PAGES, FOR_THE_DAY = "critical", "warning"
SAYS_NOTHING = frozenset(("alertname", "job", "severity", "alert_kind", "alert_family"))  # of what an alert is about
# What must agree so that an alert that pages keeps the warning about the same quiet, as deploy/alertmanager says.
SAME = ("job", "alert_family", "group", "queue", "clock", "policy", "topic", "channel", "priority")


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that fired, in the order of time; `first` and `last` are evaluations, in seconds since 1970.

    What fired already at the first one is told with its true beginning, and counts as no page or warning of these days.
    """

    rules: Rules
    episodes: Sequence[Episode]
    breaches: Breaches
    flow: Flow
    first: int
    last: int

    def document(self) -> dict[str, Any]:
        """For programs and for tables."""
        days = self._days()
        paged = [day["date"] for day in days if day["pages"]]
        breached = self._breached()
        pages = [episode.fired for episode in self._begun() if episode.alert.severity == PAGES]
        fired = {episode.alert.name for episode in self.episodes}
        return {
            "from": _time(self.first), "until": _time(self.last), "evaluated_every_seconds": STEP_SECONDS,
            "fired": [self._told(episode) for episode in self.episodes],
            "never_fired": sorted({alert.name for alert in self.rules.alerts} - fired),
            "not_in_a_log": list(self.rules.left_out),
            "days": days, "days_paged": paged, "days_paged_ratio": len(paged) / len(days) if days else None,
            "pages": len(pages), "first_page_at": _time(pages[0]) if pages else None,
            "breaches": len(breached), "first_breach_at": _time(breached[0]) if breached else None,
        }  # fmt: skip

    def _begun(self) -> list[Episode]:
        """Without what fired already."""
        return [episode for episode in self.episodes if episode.fired >= self.first]

    def _breached(self) -> list[int]:
        """The breaches of the days."""
        return [at for at in self.breaches.instants({}) if self.flow.counts(at * MS)]

    def _told(self, episode: Episode) -> dict[str, Any]:
        alert, fired, ended, labels = episode.alert, episode.fired, episode.until(self.last), dict(episode.labels)
        instants = self.breaches.instants(labels)
        after = next(iter(instants[bisect_left(instants, fired):]), None)
        return {
            "alert": alert.name, "severity": alert.severity, "summary": alert.summary,
            "labels": {name: value for name, value in labels.items() if name not in SAYS_NOTHING and value},
            "day": self.flow.day_of(fired * MS).isoformat(),
            "held_since": _time(episode.active), "fired_at": _time(fired), "fired_already": fired < self.first,
            "ended_at": None if episode.ended is None else _time(ended), "seconds": ended - fired,
            "inhibited_seconds": self._inhibited_seconds(episode),
            "breaches_in_the_hour_before": _between(instants, fired - HOUR_SECONDS, fired),
            "breaches_while_firing": _between(instants, fired, ended),
            "first_breach_after": None if after is None else _time(after), "early_seconds": None if after is None else after - fired,
        }  # fmt: skip

    def _inhibited_seconds(self, episode: Episode) -> int:
        """How much of its time a page about the same fires, too."""
        if episode.alert.severity != FOR_THE_DAY:
            return 0
        labels, ended = dict(episode.labels), episode.until(self.last)
        pages = (other for other in self.episodes if other.alert.severity == PAGES and _about_the_same(labels, dict(other.labels)))
        covered, reached = 0, episode.fired
        for begin, end in sorted((page.fired, min(page.until(self.last), ended)) for page in pages):
            covered += max(end - max(begin, reached), 0)
            reached = max(reached, end)
        return covered

    def _days(self) -> list[dict[str, Any]]:
        fired: dict[date, list[Episode]] = {}
        for episode in self._begun():
            fired.setdefault(self.flow.day_of(episode.fired * MS), []).append(episode)
        breached = Counter(self.flow.day_of(at * MS) for at in self._breached())
        return [_day(day, counts, fired.get(day, ()), breached[day]) for day, counts in sorted(self.flow.days.items())]


def _day(day: date, counts: Mapping[str, int], fired: Sequence[Episode], breaches: int) -> dict[str, Any]:
    """A day of the reporting zone. What fires over midnight belongs to the day on which it began."""
    pages = [episode.alert.name for episode in fired if episode.alert.severity == PAGES]
    waited = counts["contacts_offered"] - counts["contacts_short_abandoned"]
    return {
        "date": day.isoformat(), "weekday": f"{day:%a}", **counts,
        "abandoned_ratio": counts["contacts_abandoned"] / waited if waited else None, "breaches": breaches,
        "pages": len(pages), "paged_by": list(dict.fromkeys(pages)),
        "warnings": sum(episode.alert.severity == FOR_THE_DAY for episode in fired),
    }  # fmt: skip


def _about_the_same(some: Mapping[str, str], others: Mapping[str, str]) -> bool:
    return all(some.get(name, "") == others.get(name, "") for name in SAME)


def _between(instants: Sequence[int], begin: int, end: int) -> int:
    return bisect_left(instants, end) - bisect_left(instants, begin)


def _time(seconds: int) -> str:
    return format_time(seconds * MS)
