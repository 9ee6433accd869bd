"""The stream that the benchmarks run on: tickets of a busy desk, the same for the same number and seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import orjson

from processor.codec.envelope import cloud_event
from processor.core.events import PRIORITIES

START_MS = 1_700_000_000_000
OPEN_TICKETS = 20_000  # about so many are open at once
CHANNELS = ("email", "web", "chat", "messaging")
GROUPS = tuple(f"group-{number}" for number in range(8))
TOPICS = tuple(f"topic-{number}" for number in range(16))
# What happens to a ticket after its creation, in this order; one in fourteen comes back after its solution.
LIFE = ("assigned", "reply", "question", "pending", "open", "reply", "solved")


def events(count: int, seed: int = 1, *, requesters: int = 100_000, balanced: bool = False) -> Iterator[bytes]:
    """`count` events as JSON lines without line ends, in time order, 20 ms apart on average.

    `balanced`: a ticket comes for each that is solved. Without it they slowly become more, since some are reopened. Without `requesters`
    nobody is said to have asked.
    """
    random = Random(seed)
    at = START_MS
    open_tickets: list[tuple[str, int]] = []
    created = 0
    for number in range(count):
        at += random.randrange(40)
        if len(open_tickets) < OPEN_TICKETS or (not balanced and random.random() < 1 / (len(LIFE) + 1)):
            created += 1
            open_tickets.append((f"T{created}", 0))
            yield _line("ticket.created", number, at, _creation(random, f"T{created}", requesters))
            continue
        place = random.randrange(len(open_tickets))
        ticket, stage = open_tickets[place]
        kind, data = _next(random, LIFE[stage], ticket, number)
        if stage + 1 < len(LIFE):
            open_tickets[place] = (ticket, stage + 1)
        elif random.random() < 1 / 14:
            open_tickets[place] = (ticket, LIFE.index("open"))
        else:
            open_tickets[place] = open_tickets[-1]
            open_tickets.pop()
        yield _line(kind, number, at, data)


def _creation(random: Random, ticket: str, requesters: int) -> dict[str, object]:
    return {
        "ticket_id": ticket,
        "channel": random.choice(CHANNELS),
        "priority": random.choice(PRIORITIES),
        "group": random.choice(GROUPS),
        "topic": random.choice(TOPICS),
        "requester_id": f"C{random.randrange(requesters)}" if requesters else None,
    }


def _next(random: Random, stage: str, ticket: str, number: int) -> tuple[str, dict[str, object]]:
    if stage == "assigned":
        return "ticket.assignee_changed", {"ticket_id": ticket, "assignee_id": f"A{random.randrange(200)}"}
    if stage in ("reply", "question"):
        author = {"type": "agent" if stage == "reply" else "customer", "id": f"P{random.randrange(200)}"}
        message = {"message_id": f"M{number}", "author": author, "visibility": "public", "automated": False}
        return "message.added", {"ticket_id": ticket, **message}
    return "ticket.status_changed", {"ticket_id": ticket, "status": stage}


def _line(kind: str, number: int, at: int, data: dict[str, object]) -> bytes:
    return orjson.dumps(cloud_event(kind=kind, id=f"{number:09d}", source="/bench", occurred_at_ms=at, data=data))
