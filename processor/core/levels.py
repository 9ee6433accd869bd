"""Levels: how many are in the backlog, waiting, running, due. Never counted by a scan.

Each entity contributes a tuple of keys that depends on its present state alone; when the state changes, the old keys go and the new ones
come. So levels need no storage: they follow from the entities. Due and creation times are kept by minute, so that horizons, ages and the
oldest are sums over minutes.
"""

from __future__ import annotations

from typing import Any

from processor.core.agent import Agent
from processor.core.business_hours import NEVER
from processor.core.clocks import PAUSED, RUNNING, Clock
from processor.core.contact import Contact
from processor.core.dimensions import PRIORITY
from processor.core.events import SOLVED_STATUSES
from processor.core.facts import Dims
from processor.core.instances import MoreClocks
from processor.core.organization import CUSTOMER, Organization
from processor.core.postings_of_others import CUSTOMERS, CUSTOMERS_COUNTED
from processor.core.settings import MINUTE_MS
from processor.core.ticket import Ticket

__all__ = ["BY_MINUTE", "CUSTOMERS", "CUSTOMERS_COUNTED", "Key", "Levels", "levels_of"]

Key = tuple[Any, ...]

BY_MINUTE = frozenset({"created", "awaiting", "due", "warning", "queued"})  # keys that end in a minute: as many as there are minutes


class Levels:
    """Counts by key, those by minute apart from the few others.

    Keys: ("backlog", status, dims), ("created", minute), ("awaiting", minute), ("unanswered", dims), ("running" | "paused" |
    "overdue", clock, policy, priority), ("due" | "warning", clock, minute), ("waiting", dims), ("queued", minute), ("agents", state, dims),
    ("customers" | "customers_total", number): customers one by one, and as somebody has counted them.
    """

    def __init__(self) -> None:
        self.by_label: dict[Key, int] = {}
        self.by_minute: dict[Key, int] = {}

    @property
    def counts(self) -> dict[Key, int]:
        """All of them; a copy."""
        return {**self.by_label, **self.by_minute}

    def add(self, key: Key, count: int) -> None:
        """Add what so many entities contribute."""
        counts = self.by_minute if key[0] in BY_MINUTE else self.by_label
        counts[key] = counts.get(key, 0) + count

    def change(self, before: tuple[Key, ...], after: tuple[Key, ...]) -> None:
        """Replace one entity's contribution by another."""
        for key in before:
            counts = self.by_minute if key[0] in BY_MINUTE else self.by_label
            left = counts[key] - 1
            if left:
                counts[key] = left
            else:
                del counts[key]
        for key in after:
            counts = self.by_minute if key[0] in BY_MINUTE else self.by_label
            counts[key] = counts.get(key, 0) + 1


def levels_of(state: object) -> tuple[Key, ...]:
    """What an entity contributes now."""
    if isinstance(state, Ticket):
        return _of_ticket(state)
    if isinstance(state, Contact):
        return _of_contact(state)
    if isinstance(state, Agent):
        return (("agents", state.state, state.dims),) if state.working else ()
    if isinstance(state, Organization):
        counted = ((CUSTOMERS_COUNTED, state.count),) if state.count else ()
        return (*counted, (CUSTOMERS, 1)) if state.standing == CUSTOMER else counted
    return ()  # persons and accounts contribute nothing


def _of_ticket(ticket: Ticket) -> tuple[Key, ...]:
    if not ticket.engaged or ticket.flags:
        return ()
    dims, more = ticket.dims, ticket.more
    if ticket.status in SOLVED_STATUSES:
        return _of_more(more, dims, ticket.status) if more is not None and more.open else ()
    keys: list[Key] = [("backlog", ticket.status, dims), ("created", ticket.created_at // MINUTE_MS)]
    first, resolution = ticket.first_response, ticket.resolution
    if first is not None:
        if first.open:
            keys += (("awaiting", first.started_at // MINUTE_MS), ("unanswered", dims))
        if first.target is not None:
            _add_clock(first, dims, keys, ticket.status)
    if resolution is not None and resolution.target is not None:
        _add_clock(resolution, dims, keys, ticket.status)
    return tuple(keys) if more is None else (*keys, *_of_more(more, dims, ticket.status))


def _of_more(more: MoreClocks, dims: Dims, status: str) -> tuple[Key, ...]:
    keys: list[Key] = []
    for clock in more.clocks:
        if clock.target is not None:
            _add_clock(clock, dims, keys, status)
    return tuple(keys)


def _of_contact(contact: Contact) -> tuple[Key, ...]:
    leg = contact.leg
    if leg is None:
        return ()
    keys: list[Key] = [("waiting", contact.dims), ("queued", leg.started_at // MINUTE_MS)]
    if leg.target is not None:
        _add_clock(leg, contact.dims, keys)
    return tuple(keys)


def _add_clock(clock: Clock, dims: Dims, keys: list[Key], status: str = "") -> None:
    if clock.state == RUNNING:
        policy = clock.policy.id if clock.policy else ""
        keys.append(("running", clock.name, policy, dims[PRIORITY]))
        hidden = clock.policy is not None and status in clock.policy.options.hidden.get(clock.name, ())
        if clock.warns_at != NEVER and not hidden:
            keys.append(("warning", clock.name, clock.warns_at // MINUTE_MS))
        if clock.due != NEVER:
            if not hidden:
                keys.append(("due", clock.name, clock.due // MINUTE_MS))
        elif clock.breached_at is not None:
            keys.append(("overdue", clock.name, policy, dims[PRIORITY]))
    elif clock.state == PAUSED:
        keys.append(("paused", clock.name, clock.policy.id if clock.policy else "", dims[PRIORITY]))
