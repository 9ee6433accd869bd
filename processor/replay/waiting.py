"""Who waits at the end of a log, and which clocks are due next; as plain values. For those who do the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from processor.core.handovers import waits_since
from processor.core.outputs import View
from processor.core.settings import CLOCKS, DIMENSIONS, MINUTE_MS
from processor.core.ticket import Ticket
from processor.export.catalogue import HORIZONS_MS
from processor.replay.alive import Alive

Document = dict[str, Any]
TOP = 20  # of those who have waited longest; how many more there are is told


def waiting_now(living: Alive, views: Sequence[View], now: int) -> Document:
    """The tickets whose customer waits for an answer, the contacts in a queue, and the clocks that are late or due soon."""
    tickets = sorted(((since, key, ticket) for key, ticket in living.tickets if (since := waits_since(ticket))), key=_by_time)
    contacts = sorted(((contact.leg.started_at, key, contact) for key, contact in living.contacts if contact.leg), key=_by_time)
    return {
        "tickets": [
            {"ticket": key, "seconds": max(now - since, 0) / 1000, **_where(ticket.dims, "group", "priority"), "status": ticket.status,
             "answered_before": not _awaits_first(ticket)}
            for since, key, ticket in tickets[:TOP]
        ],
        "tickets_left_out": max(len(tickets) - TOP, 0),
        "contacts": [
            {"contact": key, "seconds": max(now - since, 0) / 1000, **_where(contact.dims, "channel", "queue")}
            for since, key, contact in contacts[:TOP]
        ],
        "contacts_left_out": max(len(contacts) - TOP, 0),
        "clocks": _clocks(views, now),
    }  # fmt: skip


def _by_time(each: tuple[int, str, Any]) -> tuple[int, str]:
    return each[:2]


def _awaits_first(ticket: Ticket) -> bool:
    return ticket.first_response is not None and ticket.first_response.open


def _where(dims: Sequence[str], *names: str) -> dict[str, str]:
    return {name: dims[DIMENSIONS.index(name)] for name in names}


def _clocks(views: Sequence[View], now: int) -> list[Document]:
    """Clocks of which any is late or due within the longest horizon."""
    levels = [(key, count) for view in views for key, count in view.levels.items()]
    found = []
    for clock in CLOCKS:
        overdue = sum(count for key, count in levels if key[:2] == ("overdue", clock))
        due = {
            horizon: sum(count for key, count in levels if key[:2] == ("due", clock) and key[2] * MINUTE_MS <= now + length)
            for horizon, length in HORIZONS_MS.items()
        }
        if overdue or any(due.values()):
            found.append({"clock": clock, "overdue": overdue, "due_within": due})
    return found
