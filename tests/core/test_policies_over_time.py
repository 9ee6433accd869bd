"""A policy that begins to measure a clock later measures the same whether it stood in the configuration from the start or not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from processor.core.engine import Engine
from processor.core.events import DATA_FIELDS, Event, rank_of
from processor.core.settings import HOUR_MS, MINUTE_MS, TICKET_CLOCKS, Policy, Settings, Target
from processor.core.sleep import Sleeping

START = 1_772_409_600_000  # 2 March 2026
CHANGE = START + 10 * HOUR_MS  # the second version begins
RESTART = CHANGE - HOUR_MS  # it is put into the configuration
FIRST = Policy("default", 1, 0, {}, {"resolution": Target(48 * HOUR_MS)}, {})
SECOND = Policy("default", 2, CHANGE, {}, {clock: Target(HOUR_MS) for clock in TICKET_CLOCKS}, {"agent_work": frozenset({"pending"})})


def event(hours: float, kind: str, key: str = "T-1", **data: Any) -> Event:
    at = START + round(hours * HOUR_MS)
    values = tuple(data.get(name) for name in DATA_FIELDS[kind])
    return Event(at, rank_of(kind), "", "desk", f"{kind}@{at}", kind, key, values)


def created(hours: float, key: str = "T-1") -> Event:
    return event(hours, "ticket.created", key, channel="email", status="open", priority="normal", direction="inbound", group="support")


def message(hours: float, author: str, key: str = "T-1") -> Event:
    return event(hours, "message.added", key, message_id=f"M-{hours}", author_type=author, visibility="public", automated=False)


def status(hours: float, to: str, key: str = "T-1") -> Event:
    return event(hours, "ticket.status_changed", key, status=to)


STORIES = {
    "the customer still waits when it begins": [
        *(created(0), message(1, "agent"), message(2, "customer"), message(11, "customer")),
        *(message(11.5, "agent"), message(12, "customer"), message(14, "agent")),
    ],
    "a group got it before, another one after": [created(0), event(12, "ticket.group_changed", group="billing"), status(15, "solved")],
    "solved before, reopened after": [created(0), status(5, "solved"), message(6, "customer"), status(12, "open"), status(14, "solved")],
    "first written after": [created(11), message(11.5, "customer"), status(12, "pending"), message(16, "agent"), status(17, "solved")],
    "a reply before, silence after": [created(0), message(8, "agent"), message(12, "agent"), message(15, "agent"), status(16, "solved")],
}


def ledger(events: list[Event], policies: tuple[Policy, ...], later: tuple[Policy, ...] | None) -> tuple[int, int]:
    """Digest and count of all facts; with `later`, after a restart with those policies at RESTART."""
    engine = Engine(Settings(policies=policies, allowed_lateness=MINUTE_MS))
    records: dict[str, Any] = {}
    others = [created(8.9, "T-2"), created(30, "T-3")]  # they move time on, so that what went before is settled
    for each in sorted([*events, *others]):
        if later is not None and each.occurred_at > RESTART:
            engine.advance(RESTART)
            keep(engine, records)
            engine, later = restarted(engine, Settings(policies=later, allowed_lateness=MINUTE_MS), records), None
        engine.apply(each)
        engine.advance_by_log()
        keep(engine, records)
    return engine.digest, engine.ledger_count


def keep(engine: Engine, records: dict[str, Any]) -> None:
    engine.sweep()
    for key, value in engine.drain().records.items():
        plain = value is not None and key[0] != "e" and not isinstance(value, Sleeping)
        records[json.dumps(key)] = json.loads(json.dumps(value, default=tuple)) if plain else value


def restarted(engine: Engine, settings: Settings, records: dict[str, Any]) -> Engine:
    again = Engine(settings)
    known = [(tuple(json.loads(key)), value) for key, value in records.items() if value is not None]
    for _ in again.restore(json.loads(json.dumps(engine.marker())), known):
        pass
    return again


@pytest.mark.parametrize("story", STORIES)
def test_a_version_that_is_added_before_it_begins_might_have_been_there_from_the_start(story: str) -> None:
    events = STORIES[story]
    assert ledger(events, (FIRST,), (SECOND, FIRST)) == ledger(events, (SECOND, FIRST), None)
    assert ledger(events, (SECOND, FIRST), None) != ledger(events, (FIRST,), None)
