"""The engine counts what a naive reading of the sorted log counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from processor.core.events import Event
from processor.core.postings import HISTOGRAMS
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, MS
from tests.laws.driving import Manner, drive, net_cells
from tests.laws.reference import World, read
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, Line, arrivals_for, arrivals_of, events_of, handing_world, lines

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
    compare(arrivals_of(drawn, events_of(drawn, steps), salt), after, seed)


def compare(arrivals: list[Event], after: int, seed: int) -> World:
    until = max(event.occurred_at for event in arrivals) + after
    view = drive(PATIENT, arrivals, until, Manner(seed)).engine.view()
    found: Counter[str] = Counter()
    for cell in net_cells(view).values():
        found.update(cell)
    found["replies"] = sum(found[bucket] for bucket in HISTOGRAMS["first_response"].buckets)
    found["backlog"] = sum(count for key, count in view.levels.items() if key[0] == "backlog")
    found["waiting"] = sum(count for key, count in view.levels.items() if key[0] == "waiting")
    world = read(arrivals, until, PATIENT)
    expected = world.counts()
    assert {name: found[name] for name in COMPARED} == {name: expected[name] for name in COMPARED}
    return world


@given(lines(SHORT_STEPS, 40), AFTER, st.integers(0, 9), st.integers(0, 999))
def test_agrees_within_an_hour(drawn: list[Line], after: int, salt: int, seed: int) -> None:
    check(drawn, SHORT_STEPS, after, salt, seed)


@given(lines(LONG_STEPS, 40), AFTER, st.integers(0, 9), st.integers(0, 999))
def test_agrees_over_weeks(drawn: list[Line], after: int, salt: int, seed: int) -> None:
    check(drawn, LONG_STEPS, after, salt, seed)


def test_agrees_about_what_is_handed_over() -> None:
    met: Counter[str] = Counter()

    @given(st.integers(0, 10**6), st.sampled_from((SHORT_STEPS, LONG_STEPS)), AFTER, st.integers(0, 9), st.integers(0, 999))
    def law(number: int, steps: tuple[int, ...], after: int, salt: int, seed: int) -> None:
        arrivals = [event for _, event in arrivals_for(handing_world(number, steps, 40), salt)]
        world = compare(arrivals, after, seed)
        met.update(event.kind for event in world.given)
        met.update(f"hops {event.data[1]}" for event in world.given if event.kind == "wait")
        met["moved"] += sum(ticket.first is not None and bool(ticket.first.moves) for ticket in world.tickets.values())

    law()
    assert all(met[name] for name in ("wait", "back", "answer", "hops 1", "hops 2", "hops 3", "moved")), met
