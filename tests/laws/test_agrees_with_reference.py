"""The engine counts what a naive reading of the sorted log counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from processor.core.postings import HISTOGRAMS
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, MS
from tests.laws.driving import Manner, drive, net_cells
from tests.laws.reference import ContactReference, TicketReference
from tests.laws.worlds import CONTACTS, LONG_STEPS, SETTINGS, SHORT_STEPS, TICKETS, Line, arrivals_of, events_of, lines

PATIENT = replace(SETTINGS, reopen_horizon=900 * DAY_MS)
AFTER = st.sampled_from((0, 5 * MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS))

COMPARED = (
    "tickets_created", "tickets_adopted", "tickets_solved", "tickets_reopened", "first_response:sum", "first_resolution:sum",
    "full_resolution:sum", "replies", "sla_measured:first_response", "sla_measured:resolution", "sla_breached:first_response",
    "sla_breached:resolution", "sla_induced:first_response", "sla_induced:resolution", "sla_breached:queue_wait", "contacts_offered",
    "contacts_answered", "contacts_answered_in_target", "contacts_abandoned", "contacts_short_abandoned", "speed_of_answer:sum",
    "backlog", "waiting",
)  # fmt: skip


def check(drawn: list[Line], steps: tuple[int, ...], after: int, salt: int, seed: int) -> None:
    arrivals = arrivals_of(drawn, events_of(drawn, steps), salt)
    until = max(event.occurred_at for event in arrivals) + after
    view = drive(PATIENT, arrivals, until, Manner(seed)).engine.view()
    found: Counter[str] = Counter()
    for cell in net_cells(view).values():
        found.update(cell)
    found["replies"] = sum(found[bucket] for bucket in HISTOGRAMS["first_response"].buckets)
    found["backlog"] = sum(count for key, count in view.levels.items() if key[0] == "backlog")
    found["waiting"] = sum(count for key, count in view.levels.items() if key[0] == "waiting")
    expected: Counter[str] = Counter()
    for key in {event.key for event in arrivals}:
        events = [event for event in arrivals if event.key == key]
        if key in TICKETS:
            ticket = TicketReference(events, until, PATIENT)
            expected.update(ticket.counts)
            expected["backlog"] += ticket.in_backlog
        else:
            assert key in CONTACTS
            contact = ContactReference(events, until, PATIENT)
            expected.update(contact.counts)
            expected["waiting"] += contact.waiting
    assert {name: found[name] for name in COMPARED} == {name: expected[name] for name in COMPARED}


@given(lines(SHORT_STEPS, 40), AFTER, st.integers(0, 9), st.integers(0, 999))
def test_agrees_within_an_hour(drawn: list[Line], after: int, salt: int, seed: int) -> None:
    check(drawn, SHORT_STEPS, after, salt, seed)


@given(lines(LONG_STEPS, 40), AFTER, st.integers(0, 9), st.integers(0, 999))
def test_agrees_over_weeks(drawn: list[Line], after: int, salt: int, seed: int) -> None:
    check(drawn, LONG_STEPS, after, salt, seed)
