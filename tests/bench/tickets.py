"""Tickets of a made-up life, for parts that need very many of them: five events each, created evenly over some days, every clock on."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from sys import intern

from processor.core.engine import Engine
from processor.core.events import Event, rank_of
from processor.core.settings import DAY_MS, HOUR_MS

BEGIN = 1_795_910_400_000  # 2026-11-29T00:00:00Z
STEP_EVENTS = 2000
EVENTS_EACH = 5

_CHANNELS = ("email", "web", "chat", "phone", "messaging")
_PRIORITIES = ("normal", "low", "high", "urgent")


def story(number: int, at: int, *, solved: bool) -> Iterator[Event]:
    """The events of one ticket, which ends open or solved."""
    key, customer, agent = f"T-{number:07d}", f"U-{number % 500_000:06d}", f"agent-{number % 200:03d}"
    created = (
        *(_CHANNELS[number % 5], "new", _PRIORITIES[number // 5 % 4], "inbound", f"group-{number % 10}", "1", f"topic-{number % 12}"),
        *(None, None, customer, None, "en", None, None),
    )
    answered = 1_800_000 + number % 977 * 1000
    status = "solved" if solved else ("pending", "open")[number % 2]
    for index, (after, kind, data) in enumerate(
        (
            (0, "ticket.created", created),
            (1000, "message.added", (f"M-{number:07d}-1", "customer", "public", False, customer)),
            (60_000, "ticket.assignee_changed", (agent,)),
            (answered, "message.added", (f"M-{number:07d}-2", "agent", "public", False, agent)),
            (answered + 1000, "ticket.status_changed", (status, None, None)),
        )
    ):
        sequence = intern(f"{index:06d}")  # as the decoder does
        yield Event(at + after, rank_of(kind, sequence), sequence, "/helpdesk", f"{key}-{index:03d}", kind, key, data)


def stories(first: int, count: int, begin: int, length: int, *, solved: bool) -> Iterator[Event]:
    """The events of so many tickets that are created evenly over `length` milliseconds, in order."""
    waiting: list[tuple[int, int, Event]] = []
    serial = 0
    for number in range(count):
        at = begin + number * length // count
        while waiting and waiting[0][0] <= at:
            yield heappop(waiting)[2]
        for event in story(first + number, at, solved=solved):
            heappush(waiting, (event.occurred_at, serial, event))
            serial += 1
    while waiting:
        yield heappop(waiting)[2]


def feed(engine: Engine, events: Iterator[Event]) -> int:
    """Let the engine take them in steps, as a worker does; returns how many there were."""
    count = 0
    for event in events:
        if engine.apply(event) is not None:
            raise RuntimeError(f"refused: {event}")
        count += 1
        if count % STEP_EVENTS == 0:
            settle(engine)
    settle(engine)
    return count


def settle(engine: Engine) -> None:
    """The end of a step, without anywhere to write it to."""
    engine.advance_by_log()
    engine.sweep()
    engine.drain()


def grow(engine: Engine, count: int, days: int = 12) -> int:
    """Open tickets: four of five have aged, so that nothing but their base is kept; the others are of the last hours.

    Returns how many events that took.
    """
    old = count * 4 // 5
    taken = feed(engine, stories(0, old, BEGIN, days * DAY_MS, solved=False))
    recent = BEGIN + (days + 3) * DAY_MS
    taken += feed(engine, stories(old, count - old, recent, 6 * HOUR_MS, solved=False))
    while engine.sweeps and engine.sweeps[0][0] < engine.settled:
        settle(engine)
    return taken
