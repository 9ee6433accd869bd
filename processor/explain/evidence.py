"""What stands behind an alert: of a segment the open tickets, what came lately and about what, the oldest ones, and who waits in a queue.

A partition is searched in two parts. `awake` looks at what lies in memory as it is; nothing may change meanwhile. It leaves copies of the
tickets that sleep and may be open, which `asleep` wakes one by one, as long as it is allowed to. `together` adds up what several tell.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from processor.codec.times import format_time
from processor.config import Config
from processor.core.business_hours import NEVER
from processor.core.clocks import RUNNING, Clock
from processor.core.contact import Contact
from processor.core.dimensions import CHANNEL, CONTACT_DIMENSIONS, GROUP, PRIORITY, QUEUE, TICKET_DIMENSIONS, TOPIC
from processor.core.engine import Engine
from processor.core.events import CONTACT, TICKET
from processor.core.facts import Dims
from processor.core.settings import DIMENSIONS, HOUR_MS, NONE
from processor.core.sleep import look_at
from processor.core.ticket import Ticket
from processor.core.timeline import Timeline

Document = dict[str, Any]

LATELY_MS = HOUR_MS  # what was created within so long is told apart
NAMES_MAX = 200  # topics and groups that one worker tells; those of all workers are cut to the limit that was asked for
CLOCK, POLICY = "clock", "policy"
SEGMENT_LABELS = (*DIMENSIONS, CLOCK, POLICY)  # labels of an alert that choose tickets and contacts
LIMIT, LIMIT_MAX = 5, 50
OTHER = "other"  # the label of values that the configuration does not know and that are too many to be shown


class QueryError(Exception):
    """Nobody can answer that; the message says what can be asked."""


def read_query(query: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """The segment and the limit of a query such as group=billing, limit=5."""
    segment = {name: value for name, value in query.items() if name != "limit"}
    if unknown := sorted(segment.keys() - set(SEGMENT_LABELS)):
        raise QueryError(f"no label {', '.join(unknown)}: a segment is chosen by {', '.join(SEGMENT_LABELS)}")
    limit = query.get("limit", str(LIMIT))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= LIMIT_MAX):
        raise QueryError(f"limit is a number from 1 to {LIMIT_MAX}")
    return segment, int(limit)


def known_values(config: Config) -> dict[str, tuple[str, ...]]:
    """The values of each dimension that the configuration knows."""
    known = config.segments.known
    return {name: (*getattr(known, name), NONE) for name in DIMENSIONS if hasattr(known, name)}


class Search:
    """One search of one partition. `known` are the values of a dimension that the configuration knows: `other` is none of them."""

    def __init__(self, engine: Engine, segment: Mapping[str, str], known: Mapping[str, Iterable[str]], limit: int) -> None:
        self._engine, self._limit = engine, limit
        self.as_of = max(engine.stream_time, engine.timer_time)
        self._dims = [(DIMENSIONS.index(name), value) for name, value in segment.items() if name in DIMENSIONS]
        self._known = {DIMENSIONS.index(name): frozenset(values) for name, values in known.items()}
        self._clock, self._policy = segment.get(CLOCK), segment.get(POLICY)
        asked = {name for name in segment if name in DIMENSIONS}
        self._of_tickets, self._of_contacts = asked <= TICKET_DIMENSIONS, asked <= CONTACT_DIMENSIONS
        self._open: dict[int, Counter[str]] = {TOPIC: Counter(), GROUP: Counter()}
        self._created: dict[int, Counter[str]] = {TOPIC: Counter(), GROUP: Counter()}
        self._oldest: list[tuple[int, str, Document]] = []
        self._waiting: list[tuple[int, str, Document]] = []
        self._contacts = 0
        self._sleeping: list[Timeline] = []
        self._postponed: dict[tuple[str, str], int] = {}
        self.left = 0  # tickets that nobody has looked at

    def awake(self) -> None:
        """Look at what is awake. The engine must stand still."""
        self._postponed = self._engine.postponed.copy()
        if self._of_tickets:
            for key, timeline in self._engine.entities[TICKET].items():
                state = timeline.state
                if isinstance(state, Ticket):
                    self._ticket(key, state)
                elif timeline.stowed is not None or timeline.sweep_at == NEVER:  # else it is solved or discarded, and waits to be forgotten
                    self._sleeping.append(_copied(timeline))
        if self._of_contacts:
            for key, timeline in self._engine.entities[CONTACT].items():
                if isinstance(timeline.state, Contact):
                    self._contact(key, timeline.state)

    def asleep(self, go_on: Callable[[], bool]) -> None:
        """Look at what sleeps, the first known first, as long as `go_on` says so. The engine may be at work again."""
        reader = Engine(self._engine.settings)  # shares nothing that changes
        reader.timer_time, reader.loads, reader.postponed = self.as_of, self._engine.loads, self._postponed
        self.left = len(self._sleeping)
        for timeline in self._sleeping:
            if self.left % 64 == 0 and not go_on():
                return
            self.left -= 1
            state = look_at(reader, timeline)
            if isinstance(state, Ticket):
                self._ticket(timeline.key, state)

    def _matches(self, dims: Dims, clocks: Iterable[Clock]) -> bool:
        for place, value in self._dims:
            if dims[place] != value and not (value == OTHER and dims[place] not in self._known.get(place, ())):
                return False
        if self._clock is None and self._policy is None:
            return True
        targeted = (clock for clock in clocks if clock.open and clock.target is not None)
        return any(self._clock in (None, clock.name) and self._of_policy(clock) for clock in targeted)

    def _of_policy(self, clock: Clock) -> bool:
        return self._policy in (None, clock.policy.id if clock.policy is not None else "")

    def _ticket(self, key: str, ticket: Ticket) -> None:
        lately = ticket.created_at > self.as_of - LATELY_MS and ticket.in_population
        if not (lately or ticket.in_backlog) or not self._matches(ticket.dims, _clocks(ticket)):
            return
        for place in (TOPIC, GROUP):
            name = ticket.dims[place]
            self._open[place][name] += ticket.in_backlog
            self._created[place][name] += lately
        if ticket.in_backlog and self._among_first(self._oldest, ticket.created_at):
            self._keep(self._oldest, ticket.created_at, key, _told(key, ticket))

    def _contact(self, key: str, contact: Contact) -> None:
        leg = contact.leg
        if leg is None or not self._matches(contact.dims, (leg,)):
            return
        self._contacts += 1
        if self._among_first(self._waiting, leg.started_at):
            dims = contact.dims
            told = {"contact": key, "waits_since": format_time(leg.started_at), "channel": dims[CHANNEL], "queue": dims[QUEUE]}
            self._keep(self._waiting, leg.started_at, key, told)

    def _among_first(self, kept: list[tuple[int, str, Document]], since: int) -> bool:
        return len(kept) < self._limit or since <= kept[-1][0]

    def _keep(self, kept: list[tuple[int, str, Document]], since: int, key: str, told: Document) -> None:
        insort(kept, (since, key, told))
        del kept[self._limit :]

    def document(self, problems: Iterable[str] = ()) -> Document:
        """What was found, as `support.alerts.v1` has it; the segment is left to the caller."""
        told = list(problems)
        if self.left:
            quiet = f"{self.left:,} tickets of which nothing was heard lately"
            told.append(f"partition {self._engine.partition}: no time was left to look at {quiet}")
        return {
            "as_of": format_time(self.as_of) if self.as_of else None,
            "complete": not told,
            "problems": told,
            "partitions": [self._engine.partition],
            "open_tickets": self._open[GROUP].total(),
            "created_tickets": self._created[GROUP].total(),
            "created_within_seconds": LATELY_MS // 1000,
            "topics": _shares(self._open[TOPIC], self._created[TOPIC], NAMES_MAX),
            "groups": _shares(self._open[GROUP], self._created[GROUP], NAMES_MAX),
            "oldest_tickets": [document for _, _, document in self._oldest],
            "waiting_contacts": self._contacts,
            "oldest_contacts": [document for _, _, document in self._waiting],
        }


def _copied(timeline: Timeline) -> Timeline:
    """A ticket that sleeps, as it is now, whatever becomes of it."""
    copy = Timeline(timeline.kind, timeline.key, None, timeline.packed)
    if timeline.packed is None and timeline.has_base:
        base = timeline.base
        assert base is not None
        copy.settle(base, None)
    if timeline.stowed is not None:
        copy.stow(timeline.stowed)
    return copy


def _clocks(ticket: Ticket) -> list[Clock]:
    """Those that it has."""
    found = [clock for clock in (ticket.first_response, ticket.resolution) if clock is not None]
    return [*found, *ticket.more.clocks] if ticket.more is not None else found


def _told(key: str, ticket: Ticket) -> Document:
    first, dims = ticket.first_response, ticket.dims
    overdue = [clock.name for clock in _clocks(ticket) if clock.state == RUNNING and clock.breached_at is not None]
    return {
        "ticket": key, "created_at": format_time(ticket.created_at), "status": ticket.status, "channel": dims[CHANNEL],
        "priority": dims[PRIORITY], "group": dims[GROUP], "topic": dims[TOPIC],
        "waits_for_first_response": first is not None and first.open, "overdue": overdue,
    }  # fmt: skip


def _shares(still_open: Mapping[str, int], created: Mapping[str, int], most: int) -> list[Document]:
    """By name, those with the most new tickets first."""
    names = sorted(created.keys() | still_open.keys(), key=lambda name: (-created.get(name, 0), -still_open.get(name, 0), name))
    return [{"name": name, "open": still_open.get(name, 0), "created": created.get(name, 0)} for name in names[:most]]


def together(found: Iterable[Document], limit: int, problems: Iterable[str] = ()) -> Document:
    """What several partitions or workers tell, as one document. What two tell of one partition, which has just moved, counts once."""
    seen: set[int] = set()
    told: list[Document] = []
    for document in sorted(found, key=lambda each: (str(each["as_of"]), each["partitions"]), reverse=True):
        if not seen & set(document["partitions"]):
            seen |= set(document["partitions"])
            told.append(document)
    faults = [*problems, *(fault for document in told for fault in document["problems"])]
    return {
        "as_of": min((document["as_of"] for document in told if document["as_of"]), default=None),
        "complete": not faults,
        "problems": faults,
        "partitions": sorted(seen),
        **{name: sum(document[name] for document in told) for name in ("open_tickets", "created_tickets", "waiting_contacts")},
        "created_within_seconds": LATELY_MS // 1000,
        **{name: _merged(told, name, limit) for name in ("topics", "groups")},
        "oldest_tickets": _first(told, "oldest_tickets", "created_at", limit),
        "oldest_contacts": _first(told, "oldest_contacts", "waits_since", limit),
    }


def _merged(documents: Iterable[Document], name: str, most: int) -> list[Document]:
    still_open, created = Counter[str](), Counter[str]()
    for share in (share for document in documents for share in document[name]):
        still_open[share["name"]] += share["open"]
        created[share["name"]] += share["created"]
    return _shares(still_open, created, most)


def _first(documents: Iterable[Document], name: str, by: str, most: int) -> list[Document]:
    """Times are all written in one form, so their texts sort as they do."""
    return sorted((each for document in documents for each in document[name]), key=lambda each: str(each[by]))[:most]
