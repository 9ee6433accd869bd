"""Small random worlds of support work, for the laws: tickets, contacts, people and agents whose events crowd around the same instants.

A world is drawn as plain numbers (so that hypothesis can shrink it) and turned into events by tables. Times move in steps that hit
deadlines, clock skew, lateness, finality and horizons exactly, just before and just after. Arrival is separate: each event is late by
some delay that never makes it too late, and may come twice.

The worlds begin an hour before Europe puts its clocks forward; where they last for weeks, Australia puts its own back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from processor.core.business_hours import Calendar
from processor.core.events import SURVEY_KINDS, Event, entity_of, rank_of
from processor.core.settings import HOUR_MS, MINUTE_MS, MS, Policy, Settings, Target
from tests.laws.says import (
    ACCOUNTS,
    AGENTS,
    BEGINNINGS,
    CONTACTS,
    CREATIONS,
    ORGANIZATIONS,
    PERSONS,
    SAYS,
    SEQUENCES,
    SOURCES,
    THEMES,
    TICKETS,
    Data,
    Says,
    message,
    status,
    told,
)  # fmt: skip

START = 1_774_742_400_000  # 2026-03-29T00:00:00Z
CLOCK_CHANGES = (START + HOUR_MS, START + 160 * HOUR_MS)  # in Europe; in Australia, 2026-04-04T16:00:00Z
LATENESS = 10 * MINUTE_MS
SURVEY_LATENESS = 3 * LATENESS


def open_minutes(name: str, zone: str) -> Calendar:
    """Open for ten minutes of every twenty in odd local hours, from a quarter past in even ones. What an hour skips or repeats matters."""
    local, begin = ZoneInfo(zone), START - 24 * HOUR_MS
    opens: list[int] = []
    closes: list[int] = []
    for minute in range(70 * 1440):
        at = begin + minute * MINUTE_MS
        clock = datetime.fromtimestamp(at // 1000, local)
        if clock.minute % 20 < 10 if clock.hour % 2 else clock.minute >= 15:
            if closes and closes[-1] == at:
                closes[-1] = at + MINUTE_MS
            else:
                opens.append(at)
                closes.append(at + MINUTE_MS)
    return Calendar(name, opens, closes)


SHIFTS = open_minutes("shifts", "Europe/Berlin")
SOUTH = open_minutes("south", "Australia/Sydney")

PAUSES = {
    "resolution": frozenset({"pending"}), "pausable_update": frozenset({"pending"}), "update": frozenset({"pending"}),
    "requester_wait": frozenset({"pending"}), "agent_work": frozenset({"pending", "on_hold"}), "group_ownership": frozenset({"pending"}),
}  # fmt: skip
URGENT = Policy(
    "urgent", 1, 0, {"priority": frozenset({"urgent"})},
    {
        "first_response": Target(MINUTE_MS), "resolution": Target(5 * MINUTE_MS), "next_response": Target(MINUTE_MS),
        "update": Target(2 * MINUTE_MS), "periodic_update": Target(5 * MINUTE_MS), "pausable_update": Target(3 * MINUTE_MS),
        "requester_wait": Target(6 * MINUTE_MS), "agent_work": Target(4 * MINUTE_MS), "group_ownership": Target(2 * MINUTE_MS),
        "survey_followup": Target(5 * MINUTE_MS),
    },
    PAUSES,
)  # fmt: skip
BUSINESS_1 = Policy(
    "business", 1, 0, {"channel": frozenset({"email", "phone"})},
    {
        "first_response": Target(5 * MINUTE_MS), "resolution": Target(12 * MINUTE_MS, "shifts"), "queue_wait": Target(20 * MS),
        "next_response": Target(5 * MINUTE_MS, "shifts"), "update": Target(7 * MINUTE_MS, "south"),
        "periodic_update": Target(15 * MINUTE_MS),
        "requester_wait": Target(20 * MINUTE_MS, "shifts"), "group_ownership": Target(10 * MINUTE_MS, "south"),
        "survey_followup": Target(6 * MINUTE_MS, "shifts"),
    },
    PAUSES | {"first_response": frozenset({"pending"}), "resolution": frozenset({"pending", "on_hold"})}, "shifts",
)  # fmt: skip
BUSINESS_2 = replace(
    BUSINESS_1,
    version=2,
    effective_from=START + 3 * HOUR_MS,
    targets={
        "first_response": Target(2 * MINUTE_MS, "shifts"), "queue_wait": Target(MINUTE_MS), "next_response": Target(MINUTE_MS),
        "agent_work": Target(9 * MINUTE_MS, "south"), "pausable_update": Target(20 * MINUTE_MS),
    },
)  # fmt: skip

SETTINGS = Settings(
    allowed_lateness=LATENESS,
    final_after=20 * MINUTE_MS,
    reopen_horizon=60 * MINUTE_MS,
    contact_expires_after=30 * MINUTE_MS,
    calendars={"shifts": SHIFTS, "south": SOUTH},
    policies=(URGENT, BUSINESS_1, BUSINESS_2),
    midnights=tuple(START + 24 * HOUR_MS * n - HOUR_MS for n in range(60)),
    survey_lateness=SURVEY_LATENESS,
    survey_edit_window=20 * MINUTE_MS,
    nps_window=2 * HOUR_MS,
    benign_reopen_window=15 * MINUTE_MS,
    repeat_window=30 * MINUTE_MS,
    fcr_excluded_topics=frozenset({"hard"}),
)

# What may lie between one event and the next, in milliseconds: nothing, ties, edges of skew, targets, windows, horizons.
_SECONDS = (0, 0, 0, 1, 2000, 5 * MS, 5 * MS + 1, 20 * MS)
_MINUTES = (MINUTE_MS, MINUTE_MS, MINUTE_MS + 1, 5 * MINUTE_MS, LATENESS, LATENESS + 1, 15 * MINUTE_MS)
SHORT_STEPS = (*_SECONDS, *_MINUTES)
LONG_STEPS = (*SHORT_STEPS, *(minutes * MINUTE_MS for minutes in (20, 30, 60, 100, 101, 7 * 60, 26 * 60, 80 * 60)))
DELAYS = (0, 0, 0, 0, 1, 5 * MS, MINUTE_MS, 3 * MINUTE_MS, LATENESS - 1, LATENESS)

SURVEY_DELAYS = (*DELAYS, 2 * LATENESS, SURVEY_LATENESS)

# Whom a drawn event is about: tickets half of the time.
SUBJECTS = (*TICKETS * 4, *CONTACTS * 2, *PERSONS * 2, *AGENTS, *ORGANIZATIONS, *ACCOUNTS)

HANDING_TICKETS = ("T1", "T2", "T3", "T4", "T5")
HANDING_CONTACTS = ("C1", "C2", "C3")
HANDING_SAYS: Says = (
    *CREATIONS[:3],
    *(told("ticket.merged", merged_into=target) for target in HANDING_TICKETS for _ in range(3)),
    *(told("ticket.unmerged") for _ in range(7)),
    message("M1", "agent"),
    message("M2", "agent"),
    message("M3", "customer"),
    told("message.visibility_changed", message_id="M1", visibility="internal"),
    told("message.bounced", message_id="M1"),
    *(status(to) for to in ("solved", "open", "pending")),
    *(told("ticket.priority_changed", priority=priority) for priority in ("urgent", "normal")),
    told("ticket.marked_as_spam"),
    told("ticket.unmarked_as_spam"),
    told("ticket.assignee_changed", assignee_id="A1"),
)
HANDING_CONTACT_SAYS: Says = (
    *(told("contact.queued", channel="phone", queue="q1", ticket_id=ticket, requester_id="P1") for ticket in HANDING_TICKETS[:3]),
    *(told("contact.accepted", agent_id="A1") for _ in range(3)),
    told("contact.abandoned"),
    told("contact.transferred", queue="q2"),
    told("contact.ended"),
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
        st.integers(0, len(steps) - 1), st.integers(0, len(SUBJECTS) - 1), st.integers(0, 10_000),
        st.integers(0, 1), st.integers(0, len(SEQUENCES) - 1), st.integers(0, len(DELAYS) - 1), st.integers(0, 3 * len(DELAYS)),
        st.integers(0, 30),
    )  # fmt: skip
    line = drawn.map(lambda values: Line(*values))
    # Left alone, lists stay short and numbers small: most worlds come from a seed, so that a run meets what it should whatever is drawn.
    seeded = st.integers(0, 10**9).map(lambda seed: [random_line(each, steps) for each in [Random(seed)] for _ in range(most)])
    return st.one_of(st.lists(line, min_size=1, max_size=most), seeded, seeded)


def random_line(random: Random, steps: tuple[int, ...]) -> Line:
    """One as hypothesis would draw it."""
    return Line(
        random.randrange(len(steps)), random.randrange(len(SUBJECTS)), random.randrange(10_000), random.randrange(2),
        random.randrange(4), random.randrange(len(DELAYS)), random.randrange(30), random.randrange(31),
    )  # fmt: skip


def lines_for(events: list[Event], seed: int) -> list[Line]:
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
        key = SUBJECTS[line.entity]
        says = SAYS[key]
        if key not in seen and line.says % 6:  # most entities begin as they should
            says = BEGINNINGS.get(key, says)
        kind, data = says[line.says % len(says)]
        if line.twin % 3 and just_solved(events):
            key, (kind, data) = events[-1].key, status("open")
        seen.add(key)
        events.append(event_at(at, number, SOURCES[line.source], SEQUENCES[line.sequence], kind, key, data))
    return events


def just_solved(events: list[Event]) -> bool:
    """Whether the last event was a solve: then a reopen is due, or no world would have any."""
    return bool(events) and events[-1].kind == "ticket.status_changed" and events[-1].data[0] == "solved"


def said(minute: float, kind: str, *data: Any, key: str = "T1") -> Event:
    """One event, by the minute; known by what it is, of whom and when."""
    at = START + round(minute * MINUTE_MS)
    return Event(at, rank_of(kind), "", "a", f"{kind}@{at}/{key}", kind, key, data)


def event_at(at: int, number: int, source: str, sequence: str, kind: str, key: str, data: Data) -> Event:
    return Event(at, rank_of(kind, sequence), sequence, source, f"e{number}", kind, key, data)


def story(seed: int, theme: str, steps: tuple[int, ...], most: int) -> list[Event]:
    """A world in which one theme prevails; two tickets, so that one thing leads to another. The first steps are short."""
    random = Random(f"{seed}/{theme}")
    of_tickets, of_others = THEMES[theme]
    keys = {
        "ticket": TICKETS[:2],
        "contact": CONTACTS,
        "person": PERSONS,
        "agent": AGENTS,
        "organization": ORGANIZATIONS,
        "account": ACCOUNTS,
    }
    at = START
    events: list[Event] = []
    seen: set[str] = set()
    for number in range(random.randrange(most // 3, most)):
        at += random.choice(SHORT_STEPS if number < most // 2 or random.random() < 0.6 else steps)
        kind, data = random.choice(of_others if of_others and random.random() < 0.5 else of_tickets)
        key = random.choice(keys[entity_of(kind)])
        if key not in seen and random.random() < 0.9 and key in BEGINNINGS:
            kind, data = random.choice(BEGINNINGS[key])
        seen.add(key)
        events.append(event_at(at, number, random.choice(SOURCES), random.choice(SEQUENCES), kind, key, data))
    return events


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
        if just_solved(events) and random.random() < 0.7:
            key, (kind, data) = events[-1].key, status("open")
        seen.add(key)
        if kind == "ticket.merged" and data[0] == key and random.random() < 0.9:
            data = (random.choice(HANDING_TICKETS),)
        events.append(event_at(at, number, random.choice(SOURCES), random.choice(SEQUENCES), kind, key, data))
    return events


def arrivals_for(events: list[Event], salt: int) -> list[tuple[int, Event]]:
    """They come like those of `timed_arrivals_of`."""
    return timed_arrivals_of(lines_for(events, salt), events, salt)


TWINS = {
    "ticket": status("pending", "twin"), "contact": told("contact.transferred", queue="q9"),
    "person": told("person.searched", session_id="s9"),
    "agent": told("agent.state_changed", state="busy", group="g9"), "organization": told("organization.counted", count=9),
    "account": told("account.cost_recorded", amount=9, currency="CHF"),
}  # fmt: skip


def twin_of(event: Event) -> Event:
    """Another event with the same id: said twice, with other words."""
    kind, data = TWINS[entity_of(event.kind)]
    if event.kind in SURVEY_KINDS:
        kind, data = told(f"{entity_of(event.kind)}.survey_sent", survey_id="S1", survey="csat")
    return event._replace(occurred_at=event.occurred_at + 1000, kind=kind, rank=rank_of(kind, event.sequence), data=data)


def arrivals_of(drawn: list[Line], events: list[Event], salt: int) -> list[Event]:
    """An order of arrival in which nothing is too late: each event comes within `LATENESS` of its own time. `salt` makes other orders."""
    return [event for _, event in timed_arrivals_of(drawn, events, salt)]


def timed_arrivals_of(drawn: list[Line], events: list[Event], salt: int) -> list[tuple[int, Event]]:
    """The same, with the instants at which they come. Surveys may be later than others."""
    arriving: list[tuple[int, int, Event]] = []

    def arrive(event: Event, delay: int) -> None:
        arriving.append((event.occurred_at + delay, len(arriving) * (17 if salt % 2 else 1) % 23, event))

    for line, event in zip(drawn, events, strict=True):
        delays = SURVEY_DELAYS if event.kind in SURVEY_KINDS else DELAYS
        arrive(event, delays[(line.delay * (1 + salt) + salt) % len(delays)] if salt else 0)
        again = line.again + salt
        if salt and again < len(delays):
            arrive(event, delays[again])
        if line.twin == 0:
            twin = twin_of(event)
            arrive(twin, DELAYS[(line.delay + salt) % len(DELAYS)])
    arriving.sort(key=lambda each: each[:2])
    return [(at, event) for at, _, event in arriving]
