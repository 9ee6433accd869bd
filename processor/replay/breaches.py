"""The breaches of a log with their explanations: of which tickets and contacts a clock breached, and why, in sentences.

While the log is replayed this keeps the events of tickets, as many as fit, since state forgets them. A ticket whose events were dropped is
told by what state still has of it. Listens as `told.Listener`.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from processor.codec.times import format_time, parse_time
from processor.core.clocks import PAUSED, RUNNING, Clock
from processor.core.engine import Engine
from processor.core.events import CONTACT, TICKET, Event
from processor.core.facts import Dims, Fact
from processor.core.outputs import Stated
from processor.core.settings import DIMENSIONS
from processor.core.ticket import Ticket
from processor.explain import Kept, explain
from processor.explain.sentences import contact_breach
from processor.explain.words import When, clock_lines
from processor.replay.alive import Alive

Document = dict[str, Any]
SHOWN = 50  # breaches that are told one by one
CANDIDATES_MAX = 4_000  # breaches that are remembered until the end; when there are twice as many, the older ones are forgotten
EVENTS_MAX = 300_000  # events of tickets that are kept for explanations; of whom nothing was heard for longest goes first
_SPARED = 100  # tickets with a breach that are passed over in the search for one to drop
_ENDS = frozenset({"contact.answered", "contact.abandoned", "contact.flowed_out"})


@dataclass(frozen=True, slots=True)
class Breach:
    """Of which clock of whom, and when. `still_open`: nobody has ended it."""

    entity: str
    key: str
    clock: str
    instance: int
    at: int
    dims: Dims
    still_open: bool = False
    fact: Fact | None = None


class Breaches:
    """Listens to all partitions."""

    def __init__(self) -> None:
        self.by_clock: Counter[str] = Counter()  # net, of the whole log
        self._standing: dict[int, Stated] = {}
        self._late: set[tuple[str, str]] = set()  # who has a breach
        self._ends: dict[str, Fact] = {}  # how contacts with a breach ended
        self._events: OrderedDict[str, list[Event]] = OrderedDict()
        self._kept = 0

    # -- listening ------------------------------------------------------------------------------------------------------------------

    def heard(self, ticket: str, event: Event, partition: int, *, first: bool) -> None:  # noqa: ARG002 - as Listener says
        """Keep the event, of tickets whose events are known from the first on."""
        events = self._events.get(ticket)
        if first:
            self._kept -= len(events or ())
            events = self._events[ticket] = []
        if events is None:
            return
        events.append(event)
        self._events.move_to_end(ticket)
        self._kept += 1
        if self._kept > EVENTS_MAX:
            self._drop()

    def replaced(self, ticket: str, event: Event) -> None:
        """Forget it."""
        events = self._events.get(ticket)
        if events and event in events:
            events.remove(event)
            self._kept -= 1

    def stated(self, facts: Iterable[Stated]) -> None:
        """Note breaches, and the ends of contacts that have one."""
        for stated in facts:
            kind = stated.fact.kind
            if kind == "clock.breached":
                self._breached(stated)
            elif kind in _ENDS and stated.sign > 0 and (CONTACT, stated.key) in self._late:
                self._ends[stated.key] = stated.fact

    def _breached(self, stated: Stated) -> None:
        self.by_clock[stated.fact.content[0]] += stated.sign
        if stated.sign < 0:
            self._standing.pop(stated.number, None)
            return
        self._standing[stated.number] = stated
        self._late.add((stated.entity, stated.key))
        if len(self._standing) > 2 * CANDIDATES_MAX:
            newest = sorted(self._standing.items(), key=lambda item: (-item[1].fact.at, item[0]))[:CANDIDATES_MAX]
            self._standing = dict(newest)
            self._late = {(each.entity, each.key) for each in self._standing.values()}
            self._ends = {key: fact for key, fact in self._ends.items() if (CONTACT, key) in self._late}

    def _drop(self) -> None:
        for _ in range(_SPARED):
            ticket = next(iter(self._events))
            if (TICKET, ticket) not in self._late:
                break
            self._events.move_to_end(ticket)
        _, events = self._events.popitem(last=False)
        self._kept -= len(events)

    # -- in the end -------------------------------------------------------------------------------------------------------------------

    def document(self, engines: Sequence[Engine], living: Alive, when: When) -> Document:
        """Those still open first, the longest overdue first of them; then those that ended, the newest first. `when` writes an instant."""
        still = sorted(_still_open(living), key=lambda each: (each.at, each.key, each.clock))
        known = {(each.entity, each.key, each.clock, each.instance) for each in still}
        ended = [each for each in self._ended() if (each.entity, each.key, each.clock, each.instance) not in known]
        ended.sort(key=lambda each: (-each.at, each.key, each.clock))
        chosen = [*still, *ended][:SHOWN]
        total = sum(self.by_clock.values())
        return {
            "total": total,
            "by_clock": {clock: count for clock, count in sorted(self.by_clock.items()) if count},
            "still_open": len(still),
            "left_out": max(total - len(chosen), 0),
            "shown": [self._told(each, engines, when) for each in chosen],
        }

    def _ended(self) -> Iterator[Breach]:
        for stated in self._standing.values():
            fact = stated.fact
            yield Breach(stated.entity, stated.key, fact.content[0], fact.instance, fact.at, fact.dims, fact=fact)

    def _told(self, breach: Breach, engines: Sequence[Engine], when: When) -> Document:
        engine = next((engine for engine in engines if breach.key in engine.entities[breach.entity]), engines[0])
        late, lines = self._of_ticket(breach, engine, when) if breach.entity == TICKET else self._of_contact(breach, engine, when)
        return {
            "entity": breach.entity, "id": breach.key, "clock": breach.clock, "instance": breach.instance,
            "breached_at": format_time(breach.at), "still_open": breach.still_open, "late_seconds": late,
            **{name: breach.dims[DIMENSIONS.index(name)] for name in ("group", "priority", "channel", "queue")},
            "lines": lines,
        }  # fmt: skip

    def _of_ticket(self, breach: Breach, engine: Engine, when: When) -> tuple[float | None, list[str]]:
        """How late it became, or is, and the explanation of the clock."""
        events = self._events.get(breach.key)
        kept = Kept(breach.key, None, 0, tuple(sorted(events)), engine.timer_time) if events else Kept.by(engine, breach.key)
        clocks = explain(kept, engine.policies)["clocks"] if kept is not None else []
        for clock in clocks:
            if (clock["clock"], clock["instance"]) == (breach.clock, breach.instance):
                until = engine.timer_time if breach.still_open else _instant(clock["ended"])
                late = max(until - breach.at, 0) / 1000 if until is not None else None
                return late, [line.strip() for line in clock_lines({"clocks": [clock]}, when)]
        return None, ["what happened to it is no longer kept"]

    def _of_contact(self, breach: Breach, engine: Engine, when: When) -> tuple[float | None, list[str]]:
        fact = breach.fact or next(
            (each.fact for each in self._standing.values() if (each.key, each.fact.instance) == (breach.key, breach.instance)), None
        )
        end = None if breach.still_open else self._ends.get(breach.key)
        until = engine.timer_time if breach.still_open else end.at if end is not None else None
        late = max(until - breach.at, 0) / 1000 if until is not None else None
        return late, list(contact_breach(fact, end, breach.dims[DIMENSIONS.index("queue")], when(format_time(breach.at))))


def _instant(ended: Document | None) -> int | None:
    return parse_time(ended["at"]) if ended is not None and ended["at"] is not None else None


def _still_open(living: Alive) -> Iterator[Breach]:
    """Clocks that are late and still run or stand still."""
    for key, ticket in living.tickets:
        yield from (_open(TICKET, key, clock, ticket.dims) for clock in _clocks(ticket) if _is_late(clock))
    for key, contact in living.contacts:
        if contact.leg is not None and _is_late(contact.leg):
            yield _open(CONTACT, key, contact.leg, contact.dims)


def _open(entity: str, key: str, clock: Clock, dims: Dims) -> Breach:
    return Breach(entity, key, clock.name, clock.instance, clock.breached_at or 0, dims, still_open=True)


def _is_late(clock: Clock) -> bool:
    return clock.breached_at is not None and clock.state in (RUNNING, PAUSED) and clock.target is not None


def _clocks(ticket: Ticket) -> Iterator[Clock]:
    yield from (clock for clock in (ticket.first_response, ticket.resolution) if clock is not None)
    if ticket.more is not None:
        yield from ticket.more.clocks
