"""Which label sets are served: those known from the configuration from the start as 0, others when they are seen, few of them by name.

The first event of a label set that was not there before is invisible to `increase()`, so what can be known is served before it happens.
What cannot be known comes from input and must not grow without bound: each free dimension shows its first `LABEL_VALUES_MAX` unknown
values, all others together as `other`. The list only grows, so no counter ever falls because a value was moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from processor.calendar_tables import compile_calendar
from processor.config import Config
from processor.core.business_hours import Calendar
from processor.core.settings import NONE, QUEUE_WAIT, TICKET_CLOCKS

OTHER = "other"
LABEL_VALUES_MAX = 30  # unknown values shown by name, per dimension
FOLDED_COUNTED_MAX = 1000  # others that are remembered, per dimension, to say how many there are
FREE_DIMENSIONS = ("group", "tier", "topic", "queue", "language", "product", "complexity")  # the others are closed sets
LIVE_CHANNELS = ("phone", "chat", "messaging")  # where contacts queue; others are served when they are seen

LabelSet = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the configuration says there will be."""

    values: Mapping[str, LabelSet]  # of the free dimensions
    tickets: tuple[LabelSet, ...]  # channel, group, priority
    ticket_histograms: tuple[LabelSet, ...]  # channel, group
    contacts: tuple[LabelSet, ...]  # channel, queue
    clocks: tuple[LabelSet, ...]  # clock, policy, priority
    backlog: tuple[LabelSet, ...]  # group, priority
    channels: tuple[LabelSet, ...]
    groups: tuple[LabelSet, ...]
    business: bool  # whether any policy has a calendar
    group_bys: tuple[LabelSet, ...]
    window_group_bys: frozenset[int]  # indexes into group_bys
    calendars: Mapping[str, Calendar]


def known_label_sets(config: Config) -> Known:
    """Everything that is served as 0 before the first event."""
    known = config.segments.known
    groups, queues = (*known.group, NONE), (*known.queue, NONE)
    live = [channel for channel in known.channel if channel in LIVE_CHANNELS]
    group_bys = tuple(tuple(group_by) for group_by in config.segments.group_bys)
    return Known(
        values={name: tuple(getattr(known, name)) for name in FREE_DIMENSIONS},
        tickets=(*product(known.channel, groups, known.priority), (NONE, NONE, NONE)),
        ticket_histograms=(*product(known.channel, groups),),
        contacts=(*product(live, queues),),
        clocks=tuple(_clocks(config)),
        backlog=(*product(groups, known.priority),),
        channels=(*product(known.channel),),
        groups=(*product(groups),),
        business=any(policy.calendar is not None for policy in config.policies),
        group_bys=group_bys,
        window_group_bys=frozenset(group_bys.index(tuple(group_by)) for group_by in config.segments.windows),
        calendars={name: compile_calendar(name, calendar) for name, calendar in config.calendars.items()},
    )


def _clocks(config: Config) -> Iterable[LabelSet]:
    """Each clock that a policy measures, with the priorities to which the policy applies."""
    found: dict[LabelSet, None] = {}
    for policy in config.policies:
        priorities = policy.match.priority or config.segments.known.priority
        for clock, values in (*((clock, priorities) for clock in TICKET_CLOCKS), (QUEUE_WAIT, [NONE])):
            if getattr(policy.targets, clock) is not None:
                found.update(((clock, policy.id, priority), None) for priority in values)
    return found


class Folding:
    """Which values of the free dimensions are shown by name. Grows, never shrinks; one per process."""

    def __init__(self, known: Mapping[str, Iterable[str]], limit: int = LABEL_VALUES_MAX) -> None:
        self._shown = {name: {NONE, OTHER, "", *known.get(name, ())} for name in FREE_DIMENSIONS}
        self._room = dict.fromkeys(FREE_DIMENSIONS, limit)
        self._folded: dict[str, set[str]] = {name: set() for name in FREE_DIMENSIONS}

    def shown(self, dimension: str, value: str) -> str:
        """The value itself, or `other`."""
        shown = self._shown[dimension]
        if value in shown:
            return value
        if not self._room[dimension]:
            if len(self._folded[dimension]) < FOLDED_COUNTED_MAX:
                self._folded[dimension].add(value)
            return OTHER
        self._room[dimension] -= 1
        shown.add(value)
        return value

    def folded(self) -> list[tuple[LabelSet, int]]:
        """How many different values each dimension shows as `other`."""
        return [((name,), len(values)) for name, values in self._folded.items()]

    def fold(self, names: LabelSet, values: LabelSet) -> LabelSet:
        """A label set as it is shown. The same object where nothing is folded, which is nearly always."""
        for index, name in enumerate(names):
            if name in self._shown and values[index] not in self._shown[name] and self.shown(name, values[index]) == OTHER:
                rest = self.fold(names[index + 1 :], values[index + 1 :])
                return (*values[:index], OTHER, *rest)
        return values
