"""Small random worlds of support work, for the laws: a few tickets and contacts whose events crowd around the same instants.

A world is drawn as plain numbers (so that hypothesis can shrink it) and turned into events by tables. Times move in steps that hit
deadlines, clock skew, lateness, finality and horizons exactly, just before and just after. Arrival is separate: each event is late by
some delay that never makes it too late, and may come twice.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

from processor.core.business_hours import Calendar
from processor.core.events import Event, rank_of
from processor.core.settings import HOUR_MS, MINUTE_MS, MS, Policy, Settings, Target

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
LATENESS = 10 * MINUTE_MS

# Open for ten minutes of every twenty.
SHIFTS = Calendar(
    "shifts",
    [START + 20 * MINUTE_MS * n for n in range(3000)],
    [START + 20 * MINUTE_MS * n + 10 * MINUTE_MS for n in range(3000)],
)

URGENT = Policy(
    "urgent", 1, 0, {"priority": frozenset({"urgent"})},
    {"first_response": Target(MINUTE_MS), "resolution": Target(5 * MINUTE_MS)}, {"resolution": frozenset({"pending"})},
)  # fmt: skip
BUSINESS_1 = Policy(
    "business", 1, 0, {"channel": frozenset({"email", "phone"})},
    {"first_response": Target(5 * MINUTE_MS), "resolution": Target(12 * MINUTE_MS, "shifts"), "queue_wait": Target(20 * MS)},
    {"first_response": frozenset({"pending"}), "resolution": frozenset({"pending", "on_hold"})}, "shifts",
)  # fmt: skip
BUSINESS_2 = replace(
    BUSINESS_1,
    version=2,
    effective_from=START + HOUR_MS,
    targets={"first_response": Target(2 * MINUTE_MS, "shifts"), "queue_wait": Target(MINUTE_MS)},
)

SETTINGS = Settings(
    allowed_lateness=LATENESS,
    final_after=20 * MINUTE_MS,
    reopen_horizon=60 * MINUTE_MS,
    contact_expires_after=30 * MINUTE_MS,
    calendars={"shifts": SHIFTS},
    policies=(URGENT, BUSINESS_1, BUSINESS_2),
    midnights=tuple(START + 24 * HOUR_MS * n - HOUR_MS for n in range(60)),
)

# What may lie between one event and the next, in milliseconds: nothing, ties, edges of skew, targets, windows, horizons.
_SECONDS = (0, 0, 0, 1, 2000, 5 * MS, 5 * MS + 1, 20 * MS)
_MINUTES = (MINUTE_MS, MINUTE_MS, MINUTE_MS + 1, 5 * MINUTE_MS, LATENESS, LATENESS + 1, 15 * MINUTE_MS)
SHORT_STEPS = (*_SECONDS, *_MINUTES)
LONG_STEPS = (*SHORT_STEPS, *(minutes * MINUTE_MS for minutes in (20, 30, 60, 100, 101, 7 * 60, 26 * 60, 80 * 60)))
DELAYS = (0, 0, 0, 0, 1, 5 * MS, MINUTE_MS, 3 * MINUTE_MS, LATENESS - 1, LATENESS)

TICKETS = ("T1", "T2", "T3")  # merges name them, and T9, of which nothing else is ever told
CONTACTS = ("C1", "C2")
SOURCES = ("a", "b")
SEQUENCES = ("", "", "1", "2")
MESSAGES = ("M1", "M2", "M3")

Data = tuple[Any, ...]


def _created(
    channel: str = "email", status: str = "new", priority: str = "normal", direction: str = "inbound", group: str | None = None
) -> tuple[str, Data]:
    return "ticket.created", (channel, status, priority, direction, group, None, "billing", None, None)


def _message(message: str, author: str, visibility: str = "public", automated: bool = False) -> tuple[str, Data]:
    return "message.added", (message, author, visibility, automated)


TICKET_SAYS: tuple[tuple[str, Data], ...] = (
    _created(),
    _created(priority="urgent", group="g1"),
    _created(channel="chat", direction="outbound"),
    _created(status="solved"),
    *(("ticket.status_changed", (status, None)) for status in ("open", "pending", "on_hold", "solved", "solved", "closed", "open")),
    *(("ticket.priority_changed", (priority,)) for priority in ("urgent", "normal")),
    *(("ticket.group_changed", (group,)) for group in ("g1", "g2", None)),
    ("ticket.fields_changed", ((("tier", "gold"), ("policy_id", "x")),)),
    ("ticket.assignee_changed", ("A1",)),
    ("ticket.escalated", ("functional",)),
    *(("ticket.merged", (target,)) for target in ("T1", "T2", "T3", "T3", "T9")),
    ("ticket.unmerged", ()),
    ("ticket.unmerged", ()),
    ("ticket.marked_as_spam", ()),
    ("ticket.unmarked_as_spam", ()),
    ("ticket.deleted", ()),
    ("ticket.restored", ()),
    *(_message(message, "agent") for message in MESSAGES),
    *(_message(message, "customer") for message in MESSAGES),
    _message("M1", "agent", "internal"),
    _message("M2", "bot"),
    _message("M3", "agent", automated=True),
    *(("message.visibility_changed", (message, visibility)) for message in MESSAGES for visibility in ("public", "internal")),
    ("message.bounced", ("M1",)),
    ("message.redacted", ("M2",)),
)

CONTACT_SAYS: tuple[tuple[str, Data], ...] = (
    ("contact.initiated", ("phone", None, None, "T3")),
    ("contact.queued", ("phone", "q1", "billing", None)),
    ("contact.queued", ("chat", "q2", None, "T1")),
    ("contact.queued", ("phone", "q1", None, "T2")),
    ("contact.offered", ("A1",)),
    ("contact.missed", ("A1",)),
    ("contact.accepted", ("A1",)),
    ("contact.accepted", (None,)),
    ("contact.transferred", ("q2",)),
    ("contact.abandoned", (None,)),
    ("contact.callback_requested", (None,)),
    ("contact.ended", (12.5, None, "handled")),
    ("contact.ended", (None, None, None)),
    ("contact.wrapped_up", (3,)),
)

CREATIONS = tuple(said for said in TICKET_SAYS if said[0] == "ticket.created")
QUEUEINGS = tuple(said for said in CONTACT_SAYS if said[0] == "contact.queued")


HANDING_TICKETS = ("T1", "T2", "T3", "T4", "T5")
HANDING_CONTACTS = ("C1", "C2", "C3")
HANDING_SAYS: tuple[tuple[str, Data], ...] = (
    *CREATIONS[:3],
    *(("ticket.merged", (target,)) for target in HANDING_TICKETS for _ in range(3)),
    *(("ticket.unmerged", ()) for _ in range(7)),
    _message("M1", "agent"),
    _message("M2", "agent"),
    _message("M3", "customer"),
    ("message.visibility_changed", ("M1", "internal")),
    ("message.bounced", ("M1",)),
    ("ticket.status_changed", ("solved", None)),
    *(("ticket.status_changed", (status, None)) for status in ("open", "pending")),
    *(("ticket.priority_changed", (priority,)) for priority in ("urgent", "normal")),
    ("ticket.marked_as_spam", ()),
    ("ticket.unmarked_as_spam", ()),
    ("ticket.assignee_changed", ("A1",)),
)
HANDING_CONTACT_SAYS: tuple[tuple[str, Data], ...] = (
    *(("contact.queued", ("phone", "q1", None, ticket)) for ticket in HANDING_TICKETS[:3]),
    *(("contact.accepted", ("A1",)) for _ in range(3)),
    ("contact.abandoned", (None,)),
    ("contact.transferred", ("q2",)),
    ("contact.ended", (None, None, None)),
)


class Line(NamedTuple):
    """One drawn event: indexes into the tables above."""

    step: int
    entity: int
    says: int
    source: int
    sequence: int
    delay: int
    again: int  # index into DELAYS of a second delivery; beyond the table: none
    twin: int  # 0: a conflicting event with the same id, now and then


def lines(steps: tuple[int, ...], most: int) -> st.SearchStrategy[list[Line]]:
    """Draw a world."""
    drawn = st.tuples(
        st.integers(0, len(steps) - 1), st.integers(0, len(TICKETS) + len(CONTACTS) - 1), st.integers(0, len(TICKET_SAYS) - 1),
        st.integers(0, 1), st.integers(0, len(SEQUENCES) - 1), st.integers(0, len(DELAYS) - 1), st.integers(0, 3 * len(DELAYS)),
        st.integers(0, 30),
    )  # fmt: skip
    line = drawn.map(lambda values: Line(*values))
    # Left alone, lists stay short; most worlds should be busy, and still shrink.
    return st.one_of(st.lists(line, min_size=1, max_size=most), st.lists(line, min_size=most // 2, max_size=most))


def handing_world(seed: int, steps: tuple[int, ...], most: int) -> list[Event]:
    """A world in which tickets are merged and un-merged and contacts name tickets, far more than elsewhere. The first steps are short."""
    random = Random(seed)
    at = START
    events: list[Event] = []
    seen: set[str] = set()
    for number in range(random.randrange(6, most)):
        at += random.choice(SHORT_STEPS if number < most // 2 or random.random() < 0.6 else steps)
        key = random.choice(HANDING_TICKETS if random.random() < 0.75 else HANDING_CONTACTS)
        says, begins = (HANDING_SAYS, CREATIONS[:2]) if key in HANDING_TICKETS else (HANDING_CONTACT_SAYS, HANDING_CONTACT_SAYS[:3])
        kind, data = random.choice(says if key in seen or random.random() < 0.2 else begins)
        seen.add(key)
        if kind == "ticket.merged" and data[0] == key and random.random() < 0.9:
            data = (random.choice(HANDING_TICKETS),)
        sequence = random.choice(SEQUENCES)
        events.append(Event(at, rank_of(kind, sequence), sequence, random.choice(SOURCES), f"e{number}", kind, key, data))
    return events


def handing_arrivals(events: list[Event], salt: int) -> list[tuple[int, Event]]:
    """They come like those of `timed_arrivals_of`."""
    return timed_arrivals_of(handing_lines(events, salt), events, salt)


def handing_lines(events: list[Event], seed: int) -> list[Line]:
    """Lines as for drawn worlds, of which only delays and repetitions matter."""
    random = Random(seed)
    return [Line(0, 0, 0, 0, 0, random.randrange(len(DELAYS)), random.randrange(40), random.randrange(31)) for _ in events]


def events_of(drawn: list[Line], steps: tuple[int, ...]) -> list[Event]:
    """The events of a world, in the order in which they happened."""
    at = START
    events: list[Event] = []
    seen: set[str] = set()
    for number, line in enumerate(drawn):
        at += steps[line.step]
        is_ticket = line.entity < len(TICKETS)
        key = TICKETS[line.entity] if is_ticket else CONTACTS[line.entity - len(TICKETS)]
        says, most_begin = (TICKET_SAYS, CREATIONS) if is_ticket else (CONTACT_SAYS, QUEUEINGS)
        if key not in seen and line.says % 6:  # most entities begin as they should
            says = most_begin
        seen.add(key)
        kind, data = says[line.says % len(says)]
        sequence = SEQUENCES[line.sequence]
        events.append(Event(at, rank_of(kind, sequence), sequence, SOURCES[line.source], f"e{number}", kind, key, data))
    return events


def twin_of(event: Event) -> Event:
    """Another event with the same id: said twice, with other words."""
    if event.key.startswith("T"):
        return event._replace(occurred_at=event.occurred_at + 1000, kind="ticket.status_changed", rank=1, data=("pending", "twin"))
    return event._replace(occurred_at=event.occurred_at + 1000, kind="contact.transferred", data=("q9",))


def arrivals_of(drawn: list[Line], events: list[Event], salt: int) -> list[Event]:
    """An order of arrival in which nothing is too late: each event comes within `LATENESS` of its own time. `salt` makes other orders."""
    return [event for _, event in timed_arrivals_of(drawn, events, salt)]


def timed_arrivals_of(drawn: list[Line], events: list[Event], salt: int) -> list[tuple[int, Event]]:
    """The same, with the instants at which they come."""
    arriving: list[tuple[int, int, Event]] = []

    def arrive(event: Event, delay: int) -> None:
        arriving.append((event.occurred_at + delay, len(arriving) * (17 if salt % 2 else 1) % 23, event))

    for line, event in zip(drawn, events, strict=True):
        arrive(event, DELAYS[(line.delay * (1 + salt) + salt) % len(DELAYS)] if salt else 0)
        again = line.again + salt
        if salt and again < len(DELAYS):
            arrive(event, DELAYS[again])
        if line.twin == 0:
            twin = twin_of(event)
            arrive(twin, DELAYS[(line.delay + salt) % len(DELAYS)])
    arriving.sort(key=lambda each: each[:2])
    return [(at, event) for at, _, event in arriving]
