"""Levels: how many are in the backlog, waiting, running, due. Never counted by a scan.

Each entity contributes a tuple of keys that depends on its present state alone; when the state changes, the old keys go and the new ones
come. So levels need no storage: they follow from the entities. Due and creation times are kept by minute, so that horizons, ages and the
oldest are sums over minutes.
"""

from __future__ import annotations

from typing import Any, Final

from processor.core.agent import Agent
from processor.core.business_hours import NEVER
from processor.core.clocks import PAUSED, RUNNING, Clock
from processor.core.contact import Contact
from processor.core.dimensions import PRIORITY
from processor.core.events import AGENT, CONTACT, SOLVED_STATUSES, TICKET
from processor.core.facts import Dims
from processor.core.instances import MoreClocks
from processor.core.organization import CUSTOMER, Organization
from processor.core.places import Places, Segment
from processor.core.postings_of_others import CUSTOMERS, CUSTOMERS_COUNTED
from processor.core.settings import MINUTE_MS
from processor.core.ticket import Ticket
from processor.core.timeline import Timeline

__all__ = ["CUSTOMERS", "CUSTOMERS_COUNTED", "Key", "Levels"]

Key = tuple[Any, ...]

CHANGED_MAX: Final = 10_000  # changes that nobody has looked at; above it they are looked through

# Levels that are told by segment, and whose dims their keys end with: name -> (by which name, kind of entity).
BY_DIMS: Final = {
    "backlog": ("backlog", TICKET),
    "unanswered": ("awaiting", TICKET),
    "waiting": ("contacts_waiting", CONTACT),
    "agents": ("agents_online", AGENT),
}


class Level:
    """How many entities contribute to a key. One per key as long as there are any: entities refer to it, so it is equal only to itself."""

    __slots__ = ("count", "key", "listed", "seen")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.count = 0
        self.seen = 0  # the count at the last look
        self.listed = False  # among those that have changed since


class Levels:
    """Counts by key.

    Keys: ("backlog", status, dims), ("created", minute), ("awaiting", minute), ("unanswered", dims), ("running" | "paused" |
    "overdue", clock, policy, priority), ("due" | "warning", clock, minute), ("waiting", dims), ("queued", minute), ("agents", state, dims),
    ("customers" | "customers_total", number): customers one by one, and as somebody has counted them.
    """

    def __init__(self, rows: Places) -> None:
        self._rows = rows
        self._total = rows.segment_id(rows.total)
        self._levels: dict[Key, Level] = {}
        self._changed: list[Level] = []
        self._moved: list[Timeline] = []
        self._counts: dict[Key, int] = {}
        self._sums: dict[int, dict[str, int]] = {}  # by segment
        self._customers: dict[str, int] = {}
        self._backlog = 0

    # -- changes ------------------------------------------------------------------------------------------------------------------

    def moved(self, entity: Timeline) -> None:
        """The state of an entity has changed. What that means is seen when somebody looks: most change several times until then."""
        if not entity.moved:
            entity.moved = True
            self._moved.append(entity)

    def settle(self, entity: Timeline) -> None:
        """Let an entity contribute what its present state does."""
        if entity.moved:
            entity.moved = False
            levels = self.of(entity.state)
            if levels != entity.levels:
                self.change(entity.levels, levels)
                entity.levels = levels

    def of(self, state: object) -> tuple[Level, ...]:
        """What an entity in this state contributes to."""
        levels = self._levels
        found: list[Level] = []
        for key in keys_of(state):
            level = levels.get(key)
            if level is None:
                level = levels[key] = Level(key)
            found.append(level)
        return tuple(found)

    def change(self, before: tuple[Level, ...], after: tuple[Level, ...]) -> None:
        """Replace one entity's contribution by another."""
        changed = self._changed
        for level in before:
            level.count -= 1
            if not level.listed:
                level.listed = True
                changed.append(level)
        for level in after:
            level.count += 1
            if not level.listed:
                level.listed = True
                changed.append(level)

    def add(self, key: Key, count: int) -> None:
        """Add what so many entities contribute."""
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = Level(key)
        level.count += count
        if not level.listed:
            level.listed = True
            self._changed.append(level)

    def tidy(self) -> None:
        """Forget keys to which nothing contributes any more; call it now and then."""
        if len(self._changed) > CHANGED_MAX or len(self._moved) > CHANGED_MAX:
            self._look()

    # -- looks --------------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Bring what is told by key and by segment up to now: the work of changes, not of how many there are."""
        moved, self._moved = self._moved, []
        for entity in moved:
            self.settle(entity)
        changed, counts = self._changed, self._counts
        if not changed:
            return
        self._changed = []
        for level in changed:
            level.listed = False
            more = level.count - level.seen
            if level.count:
                counts[level.key] = level.count
            else:
                counts.pop(level.key, None)
                del self._levels[level.key]  # a new one comes when it is needed again
            if more:
                level.seen = level.count
                self._add(level.key, more)

    def _add(self, key: Key, more: int) -> None:
        name = key[0]
        if name in BY_DIMS:
            told, kind = BY_DIMS[name]
            if name == "backlog":
                self._backlog += more
            for segment in self._rows.place(kind, key[-1]).segments:
                self._add_to(segment, told, more)
        elif name == "overdue":
            self._add_to(self._total, name, more)
        elif name in (CUSTOMERS, CUSTOMERS_COUNTED):
            self._customers[name] = self._customers.get(name, 0) + key[1] * more

    def _add_to(self, segment: int, told: str, more: int) -> None:
        sums = self._sums.get(segment)
        if sums is None:
            sums = self._sums[segment] = {}
        count = sums.get(told, 0) + more
        if count:
            sums[told] = count
            return
        del sums[told]
        if not sums:
            del self._sums[segment]

    @property
    def counts(self) -> dict[Key, int]:
        """All of them that are not 0; a copy."""
        self._look()
        return self._counts.copy()

    @property
    def backlog(self) -> int:
        """How many tickets are in it."""
        self._look()
        return self._backlog

    def sums(self) -> dict[Segment, dict[str, int]]:
        """By segment: backlog, awaiting (a first response), contacts_waiting (in a queue), agents_online; of the total overdue clocks.

        Online is every agent who is neither away nor offline. A copy.
        """
        self._look()
        segments = self._rows.segments
        return {segments[number]: sums.copy() for number, sums in self._sums.items()}

    def told(self, name: str) -> dict[Segment, int]:
        """One of these sums, of the segments that have any."""
        self._look()
        segments = self._rows.segments
        return {segments[number]: sums[name] for number, sums in self._sums.items() if name in sums}

    def customers(self, family: str) -> int:
        """How many customers there are, known one by one or as somebody has counted them."""
        self._look()
        return self._customers.get(family, 0)


def keys_of(state: object) -> list[Key]:
    """What an entity contributes to now."""
    if isinstance(state, Ticket):
        return _of_ticket(state)
    if isinstance(state, Contact):
        return _of_contact(state)
    if isinstance(state, Agent):
        return [("agents", state.state, state.dims)] if state.working else []
    if isinstance(state, Organization):
        counted: list[Key] = [(CUSTOMERS_COUNTED, state.count)] if state.count else []
        return [*counted, (CUSTOMERS, 1)] if state.standing == CUSTOMER else counted
    return []  # persons and accounts contribute nothing


def _of_ticket(ticket: Ticket) -> list[Key]:
    keys: list[Key] = []
    if not ticket.engaged or ticket.flags:
        return keys
    dims, more, status = ticket.dims, ticket.more, ticket.status
    if status in SOLVED_STATUSES:
        if more is not None and more.open:
            _add_clocks(more, dims, keys, status)
        return keys
    keys.append(("backlog", status, dims))
    keys.append(("created", ticket.created_at // MINUTE_MS))
    first, resolution = ticket.first_response, ticket.resolution
    if first is not None:
        if first.open:
            keys.append(("awaiting", first.started_at // MINUTE_MS))
            keys.append(("unanswered", dims))
        if first.target is not None:
            _add_clock(first, dims, keys, status)
    if resolution is not None and resolution.target is not None:
        _add_clock(resolution, dims, keys, status)
    if more is not None:
        _add_clocks(more, dims, keys, status)
    return keys


def _add_clocks(more: MoreClocks, dims: Dims, keys: list[Key], status: str) -> None:
    for clock in more.clocks:
        if clock.target is not None:
            _add_clock(clock, dims, keys, status)


def _of_contact(contact: Contact) -> list[Key]:
    leg = contact.leg
    if leg is None:
        return []
    keys: list[Key] = [("waiting", contact.dims), ("queued", leg.started_at // MINUTE_MS)]
    if leg.target is not None:
        _add_clock(leg, contact.dims, keys, "")
    return keys


def _add_clock(clock: Clock, dims: Dims, keys: list[Key], status: str) -> None:
    state, name, policy = clock.state, clock.name, clock.policy
    if state == RUNNING:
        keys.append(("running", name, policy.id if policy else "", dims[PRIORITY]))
        hidden = policy is not None and name in policy.options.hidden and status in policy.options.hidden[name]
        if clock.warns_at != NEVER and not hidden:
            keys.append(("warning", name, clock.warns_at // MINUTE_MS))
        if clock.due != NEVER:
            if not hidden:
                keys.append(("due", name, clock.due // MINUTE_MS))
        elif clock.breached_at is not None:
            keys.append(("overdue", name, policy.id if policy else "", dims[PRIORITY]))
    elif state == PAUSED:
        keys.append(("paused", name, policy.id if policy else "", dims[PRIORITY]))
