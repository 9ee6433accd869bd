"""Entities of which nothing has been heard for long sleep; nobody can tell from what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core import packing
from processor.core.ageing import let_nap
from processor.core.business_hours import NEVER
from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.mark import mark_of
from processor.core.restoring import SLEEPERS_SLICE, SLICE
from processor.core.settings import DAY_MS, HOUR_MS, Policy, Settings, Target
from processor.core.sleep import Sleeping, look_at, tail_of
from processor.core.ticket import Ticket
from processor.core.timeline import Timeline

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
CREATED = ("email", "new", "normal", "inbound", *(None,) * 10)
TARGETS = {"first_response": Target(HOUR_MS), "resolution": Target(10 * DAY_MS)}
SETTINGS = Settings(quiet_max=0, policies=(Policy("default", 1, 0, {}, TARGETS, {}),))


def event(at: int, kind: str = "ticket.created", key: str = "T1", data: tuple[Any, ...] = CREATED) -> Event:
    return Event(at, 0 if kind == "ticket.created" else 1, "", "a", f"{kind}@{at}", kind, key, data)


def asleep(days: int = 3) -> Engine:
    """An engine that has heard of one ticket, and days later of another."""
    engine = Engine(SETTINGS)
    engine.apply(event(START))
    later(engine, days)
    return engine


def sleeps(entity: Timeline) -> bool:
    return entity.state is None and entity.stowed is None


def naps(entity: Timeline) -> bool:
    return entity.stowed is not None


def later(engine: Engine, days: int) -> dict[tuple[Any, ...], Any]:
    engine.apply(event(START + days * DAY_MS, key=f"other-{days}"))
    engine.advance_by_log()
    engine.sweep()
    return {key: value for key, value in engine.drain().records.items() if key[-1] == "T1"}


def test_it_sleeps_once_its_events_have_aged_and_counts_as_before() -> None:
    engine = asleep(1)
    ticket = engine.entities["ticket"]["T1"]
    assert not sleeps(ticket)
    later(engine, 3)
    assert sleeps(ticket)
    assert (ticket.tail, ticket.levels) == ([], ())
    assert engine.levels.counts["created", START // 60_000] == 1
    assert engine.view().open_tickets == 3


def test_a_deadline_passes_over_a_sleeper_as_over_anybody() -> None:
    engine = asleep()
    ticket = engine.entities["ticket"]["T1"]
    assert ticket.timer == START + 10 * DAY_MS
    records = later(engine, 11)
    assert engine.levels.counts["overdue", "resolution", "default", "normal"] == 1
    assert sleeps(ticket)
    assert records["h", "ticket", "T1"].wake == NEVER


def test_a_quiet_ticket_naps_and_any_event_rouses_it() -> None:
    engine = asleep(1)
    ticket = engine.entities["ticket"]["T1"]
    assert naps(ticket)
    events, serials = tail_of(engine, ticket)
    assert (events, serials, ticket.tail) == ([event(START)], [0], [])
    assert engine.apply(event(START)) is None
    assert engine.counts["duplicates"] == 1
    assert not naps(ticket)
    assert (ticket.tail, ticket.serials) == (events, serials)
    later(engine, 2)
    assert naps(ticket)
    assert engine.apply(event(START + DAY_MS, "ticket.priority_changed", data=("high",))) is None
    assert engine.view().open_tickets == 3


def test_quiet_tickets_stay_at_hand_up_to_a_limit_and_the_quietest_nap() -> None:
    engine = Engine(replace(SETTINGS, quiet_max=2))
    tickets = engine.entities["ticket"]
    for hour in range(4):
        engine.apply(event(START + hour * HOUR_MS, key=f"T{hour}"))
    later(engine, 1)
    later(engine, 1)
    assert [naps(tickets[f"T{hour}"]) for hour in range(4)] == [True, True, False, False]
    engine.apply(event(START + DAY_MS, "ticket.priority_changed", "T2", ("high",)))
    let_nap(engine, 0)
    assert [naps(tickets[f"T{hour}"]) for hour in range(4)] == [True, True, False, True]
    engine.apply(event(START + DAY_MS + 5 * HOUR_MS, key="last"))
    engine.advance_by_log()
    engine.sweep()
    let_nap(engine, 0)
    assert naps(tickets["T2"])


def test_a_restart_folds_no_events_of_a_solved_ticket_that_naps() -> None:
    engine = Engine(SETTINGS)
    store: dict[tuple[Any, ...], Any] = {}
    for each in (event(START), event(START + 1, "ticket.status_changed", data=("solved", None, None))):
        engine.apply(each)
    store |= later(engine, 1)
    assert store["h", "ticket", "T1"] == Sleeping(b"", mark_of(SETTINGS), START + 1 + 3 * DAY_MS, START + 1 + 14 * DAY_MS, NEVER, b"", 2)
    for record, naps_on in ((store["h", "ticket", "T1"], True), (store["h", "ticket", "T1"]._replace(serial=1), False)):
        again = Engine(SETTINGS)
        list(again.restore(engine.marker(), list({**store, ("h", "ticket", "T1"): record}.items())))
        ticket = again.entities["ticket"]["T1"]
        assert naps(ticket) == naps_on
        assert tail_of(again, ticket) == tail_of(engine, engine.entities["ticket"]["T1"])
        assert ticket.next_serial == 2


def test_an_event_wakes_it_and_an_older_one_does_not() -> None:
    engine = asleep()
    ticket = engine.entities["ticket"]["T1"]
    late = event(START + 2 * DAY_MS, "ticket.priority_changed", data=("high",))
    assert ticket.too_old(event(START - 1))
    assert sleeps(ticket)
    assert engine.apply(late) is None
    assert not sleeps(ticket)
    state = look_at(engine, ticket)
    assert isinstance(state, Ticket)
    assert state is ticket.state
    assert engine.levels.counts["backlog", "new", state.dims] == 1
    assert state.dims[1] == "high"
    assert ticket.base is not None


def test_its_record_says_what_a_restart_must_know() -> None:
    engine = Engine(SETTINGS)
    engine.apply(event(START))
    record = later(engine, 3)["h", "ticket", "T1"]
    assert isinstance(record, Sleeping)
    assert (record.wake, record.gone_at, record.mark) == (START + 10 * DAY_MS, NEVER, mark_of(SETTINGS))


@pytest.mark.parametrize(
    "changed",
    [
        replace(SETTINGS, final_after=HOUR_MS),
        replace(SETTINGS, policies=(replace(SETTINGS.policies[0], targets={}),)),
        replace(SETTINGS, policies=(*SETTINGS.policies, replace(SETTINGS.policies[0], version=2, effective_from=START))),
    ],
)
def test_other_rules_have_another_mark(changed: Settings) -> None:
    assert mark_of(changed) != mark_of(SETTINGS)


def test_what_says_nothing_about_entities_leaves_the_mark() -> None:
    assert mark_of(replace(SETTINGS, timer_delay=0, max_stubs=1, midnights=(5,), group_bys=((),))) == mark_of(SETTINGS)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 60), 1 << 60) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda children: st.lists(children, max_size=4).map(tuple),
)


@given(st.lists(values, max_size=5).map(tuple))
def test_what_is_packed_comes_back(value: tuple[Any, ...]) -> None:
    assert packing.unpack(packing.pack(packing.dumps(value))) == value


def test_what_was_packed_once_can_be_read_for_ever() -> None:
    """The dictionary is part of the stored form: whoever changes it cannot read what is stored."""
    packed = bytes.fromhex("43cf8698f1815c3480dc0fb5d1341600")
    assert packing.unpack(packed) == ((1764547200000, "periodic_update", ("email", "none")), None, 5)


def test_a_restart_lets_others_run_however_many_nap() -> None:
    """They have events, and a record of their own: each is put away again, which takes its time."""
    engine, many = Engine(SETTINGS), 3 * SLEEPERS_SLICE
    for number in range(many):
        engine.apply(event(START, key=f"T{number}"))
        engine.apply(event(START + 1, "ticket.status_changed", f"T{number}", ("solved", None, None)))
    engine.apply(event(START + DAY_MS, key="other"))
    engine.advance_by_log()
    engine.sweep()
    store = engine.drain().records
    again = Engine(SETTINGS)
    steps = list(again.restore(engine.marker(), list(store.items())))
    assert sum(map(naps, again.entities["ticket"].values())) == many
    assert len(steps) >= len(store) // SLICE + many // SLEEPERS_SLICE + many // (SLICE // 10)  # reading, putting to sleep, waking
