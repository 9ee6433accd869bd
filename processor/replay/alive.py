"""The tickets that are unsolved and the contacts that wait in a queue at the end of a log. To look at all entities takes a while: once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from processor.core.contact import Contact
from processor.core.engine import Engine
from processor.core.events import CONTACT, TICKET
from processor.core.sleep import look_at
from processor.core.ticket import Ticket


@dataclass(slots=True)
class Alive:
    """By their ids, in no order."""

    tickets: list[tuple[str, Ticket]] = field(default_factory=list)
    contacts: list[tuple[str, Contact]] = field(default_factory=list)


def alive(engines: Iterable[Engine]) -> Alive:
    """Of all these partitions."""
    found = Alive()
    for engine in engines:
        for key, timeline in engine.entities[TICKET].items():
            ticket = look_at(engine, timeline)
            if isinstance(ticket, Ticket) and ticket.in_backlog:
                found.tickets.append((key, ticket))
        for key, timeline in engine.entities[CONTACT].items():
            contact = look_at(engine, timeline)
            if isinstance(contact, Contact) and contact.leg is not None:
                found.contacts.append((key, contact))
    return found
