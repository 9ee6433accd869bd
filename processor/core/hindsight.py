"""What a report may know of an entity: what the log had said of it when timer time passed its minute, and nothing that came by chance.

Partitions do not keep step. What one hands to another may come before that one has passed a minute at which nobody had known it yet, or
long after. And while a report waits, late events come that it does not have. So each change of a tail after which some report must still
be told apart is remembered, with the end of the last report that is without it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from typing import Final

from processor.core.events import Event
from processor.core.facts import Fact, Out
from processor.core.policies import Policies
from processor.core.timeline import State, Timeline, fold

REMEMBERED_MAX: Final = 10_000  # entities; beyond it a report that waits may have something too early, or be corrected by what it never had

Entity = tuple[str, str]  # kind and key
Change = tuple[int, int, Event]  # the last end without it; 1 = the event came, -1 = it was taken back; the event


class Hindsight:
    """Of one partition: what came to tails when, as far as reports must know it."""

    def __init__(self, policies: Policies) -> None:
        self._changes: dict[Entity, list[Change]] = {}
        self._latest = 0  # the last end that is without something
        self._policies = policies

    def note(self, entity: Timeline, sign: int, event: Event, without: int) -> None:
        """An event came (1) or was taken back (-1); reports that end at `without` or before do not know that."""
        name = (entity.kind, entity.key)
        if name in self._changes or len(self._changes) < REMEMBERED_MAX:
            self._changes.setdefault(name, []).append((without, sign, event))
            self._latest = max(self._latest, without)

    def forget(self, until: int) -> None:
        """No report of an end up to `until` will be asked for again."""
        if self._changes:
            kept = {name: [change for change in changes if change[0] > until] for name, changes in self._changes.items()}
            self._changes = {name: changes for name, changes in kept.items() if changes}

    def early(self, end: int) -> list[Entity]:
        """The entities of which more is known already than the report of `end` may have."""
        if self._latest < end:
            return []
        return [name for name, changes in self._changes.items() if any(change[0] >= end for change in changes)]

    def stated(self, entity: Timeline, ends: Iterable[int]) -> Iterator[Out]:
        """What the fold had stated of an entity at each end, ascending: of what the reports of it may know.

        Between two of them in which nothing has happened it is the same list: there may be hundreds.
        """
        state: State | None = None
        before, stated = (-1, -1), Out()
        changes = self._changes.get((entity.kind, entity.key), [])
        for end in ends:
            unknown = [change for change in changes if change[0] >= end]
            limit = end + self._policies.settings.timer_delay
            reached = bisect_left(entity.tail, limit, key=_occurred_at)
            if state is None or (reached, len(unknown)) != before or state.wake <= end:
                events = _without([change for change in unknown if change[2].occurred_at < limit], entity.tail[:reached])
                state, stated = fold(entity.kind, entity.base, events, end, self._policies)
                before = reached, len(unknown)
            yield stated

    def known_since(self, entity: Timeline, sign: int, fact: Fact, told: int) -> int:
        """How far the log had come when it said first what the fold says now: that a fact is true (1) or not any more (-1).

        `told` is how far it had come with what brought that about just now. But that may stand on something which was known only later,
        and has come sooner, from a faster partition.
        """
        delay = self._policies.settings.timer_delay
        without = {change[0] for change in self._changes.get((entity.kind, entity.key), ())}
        without.update([event.occurred_at - delay for event in entity.tail])
        for end in sorted([end for end in without if end > told - delay], reverse=True):
            (stated,) = self.stated(entity, [end])
            if (sum([each for each, other in stated if other == fact]) > 0) != (sign > 0):
                return end + delay
        return told


def _without(changes: list[Change], events: list[Event]) -> list[Event]:
    """The events as they were before the changes. In which order these are undone makes no difference to what is left."""
    for _, sign, event in changes:
        if sign < 0:
            insort(events, event)
    for _, sign, event in changes:
        if sign > 0 and event in events:
            events.remove(event)
    return events


def _occurred_at(event: Event) -> int:
    return event.occurred_at
