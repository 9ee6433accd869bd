"""What is recorded of one ticket while a log is replayed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from processor.core.events import TICKET, Event
from processor.core.facts import Fact
from processor.core.outputs import Stated


@dataclass(slots=True)
class Record:
    """What was folded of a ticket, and what was stated, as (sign, fact, id of the event behind it). `tickets` are all ids in the log."""

    key: str
    events: list[Event] = field(default_factory=list)
    history: list[tuple[int, Fact, str]] = field(default_factory=list)
    tickets: set[str] = field(default_factory=set)
    partition: int | None = None

    def heard(self, ticket: str, event: Event, partition: int, *, first: bool) -> None:  # noqa: ARG002 - as Listener says
        """Keep it, of the ticket."""
        self.tickets.add(ticket)
        if ticket == self.key:
            self.events.append(event)
            self.partition = partition

    def replaced(self, ticket: str, event: Event) -> None:
        """Forget it, of the ticket."""
        if ticket == self.key:
            self.events.remove(event)

    def stated(self, facts: Iterable[Stated]) -> None:
        """Keep those about the ticket."""
        about = (stated for stated in facts if stated.key == self.key and stated.entity == TICKET)
        self.history += [(stated.sign, stated.fact, stated.cause) for stated in about]
