"""All entities of a log, and what they give to each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from processor.core.events import Event, entity_of
from processor.core.settings import Settings
from tests.laws.oracle.contacts import ContactReading
from tests.laws.oracle.log import Said
from tests.laws.oracle.others import read_account, read_agent, read_organization
from tests.laws.oracle.people import PersonReading
from tests.laws.oracle.tickets import TicketReading

Standing = Counter[tuple[str, str, Said]]  # entity, its id, what is said of it


@dataclass
class World:
    """What a log means."""

    said: Standing
    given: list[Event]
    tickets: dict[str, TicketReading]
    contacts: dict[str, ContactReading]

    @property
    def backlog(self) -> int:
        return sum(ticket.moments[-1].after.in_backlog for ticket in self.tickets.values() if ticket.moments)

    @property
    def waiting(self) -> int:
        return sum(contact.waiting for contact in self.contacts.values())


def read(events: list[Event], until: int, settings: Settings) -> World:
    """What a log means. What is given goes on from one to another for as long as anything changes."""
    logs: dict[str, dict[str, list[Event]]] = {}
    for event in events:
        logs.setdefault(entity_of(event.kind), {}).setdefault(event.key, []).append(event)
    said: Standing = Counter()
    for key, log in logs.get("agent", {}).items():
        said.update(("agent", key, each) for each in read_agent(key, log, until))
    for key, log in logs.get("organization", {}).items():
        said.update(("organization", key, each) for each in read_organization(log))
    for key, log in logs.get("account", {}).items():
        said.update(("account", key, each) for each in read_account(log))
    contacts = {key: ContactReading(key, log, until, settings) for key, log in logs.get("contact", {}).items()}
    tickets, people, given = _exchange(logs, contacts, until, settings)
    readings: list[tuple[str, dict[str, Any]]] = [("ticket", tickets), ("person", people), ("contact", contacts)]
    for entity, of_entity in readings:
        for key, reading in of_entity.items():
            said.update((entity, key, each) for each in reading.said)
    return World(said, given, tickets, contacts)


def _exchange(
    logs: dict[str, dict[str, list[Event]]], contacts: dict[str, ContactReading], until: int, settings: Settings
) -> tuple[dict[str, TicketReading], dict[str, PersonReading], list[Event]]:
    first = [event for contact in contacts.values() for event in contact.given]
    passed_on: list[Event] = []
    while True:
        received = [*first, *passed_on]
        tickets = {
            key: TicketReading(key, logs.get("ticket", {}).get(key, []), _for(key, received, of_person=False), until, settings)
            for key in {*logs.get("ticket", {}), *(event.key for event in received if not _of_person(event))}
        }
        people = {
            key: PersonReading(key, logs.get("person", {}).get(key, []), _for(key, received, of_person=True), until, settings)
            for key in {*logs.get("person", {}), *(event.key for event in received if _of_person(event))}
        }
        everybody: list[TicketReading | PersonReading] = [*tickets.values(), *people.values()]
        now = sorted((event for each in everybody for event in each.given), key=repr)
        if now == passed_on:
            return tickets, people, received
        passed_on = now


def _of_person(event: Event) -> bool:
    return event.kind in ("met", "scored")


def _for(key: str, received: list[Event], *, of_person: bool) -> list[Event]:
    return [event for event in received if event.key == key and _of_person(event) == of_person]
