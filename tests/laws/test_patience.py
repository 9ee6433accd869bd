"""A clock that has run ahead of the log makes nobody tell what the rest of the log disproves.

Whatever the wall clock said before the events came: they state what they would have stated if it had never moved, no more and no sooner.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.events import Event
from processor.core.settings import DAY_MS, HOUR_MS, Target
from tests.laws.driving import Partition, check_entities, comparable
from tests.laws.says import THEMES
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, START, URGENT, story

CREATED = ("email", "new", "urgent", "inbound", *(None,) * 10)

Told = Counter[tuple[int, str, str, int]]  # sign, entity, its key, number of the fact


class Telling(Partition):
    """Remembers all that it has stated and taken back."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.told: Told = Counter()

    def step(self) -> None:
        self.told.update((stated.sign, stated.entity, stated.key, stated.number) for stated in self.engine.step.facts)
        super().step()


def told(events: list[Event], until: int, seed: int, *, ahead: bool) -> tuple[Told, Telling]:
    """All that is told of a log before the clock says that it has ended; ahead: the clock has said so already, of the empty log."""
    partition, random = Telling(SETTINGS), Random(seed)
    partition.engine.patient = True
    if ahead:
        partition.engine.advance(until)
    for event in events:
        partition.apply(event)
        if random.random() < 0.3:
            partition.engine.advance_by_log()
            partition.engine.sweep()
            partition.step()
            if ahead and random.random() < 0.1:
                partition.restart()
            check_entities(partition.engine)
    partition.engine.advance_by_log()
    partition.step()
    return partition.told.copy(), partition


@pytest.mark.parametrize("theme", THEMES)
def test_a_clock_that_was_ahead_tells_no_more_than_one_that_never_moved(theme: str) -> None:
    waited = []

    @given(st.integers(0, 10**6), st.sampled_from((SHORT_STEPS, LONG_STEPS)), st.integers(0, 999))
    def law(world: int, steps: tuple[int, ...], seed: int) -> None:
        events = sorted(story(world, theme, steps, 50))
        until = events[-1].occurred_at + 300 * HOUR_MS
        plainly, plain = told(events, until, seed, ahead=False)
        patiently, patient = told(events, until, seed, ahead=True)
        assert patiently == plainly
        waited.append(len(patient.engine.postponed))
        for partition in (plain, patient):
            partition.engine.advance(until)
            partition.step()
        assert not patient.engine.postponed
        assert patient.told == plain.told
        assert comparable(patient.engine.view()) == comparable(plain.engine.view())

    law()
    assert any(waited)  # else nothing was put to the test


@pytest.mark.parametrize("ahead", [False, True])
def test_a_deleted_ticket_keeps_no_deadline_back_and_loses_none_when_it_is_heard_of_again(ahead: bool) -> None:
    """It is kept for months, with a deadline that passes in silence, and a note comes long after."""
    policy = replace(URGENT, targets={"resolution": Target(72 * HOUR_MS)})
    partition = Partition(replace(SETTINGS, policies=(policy,), reopen_horizon=90 * DAY_MS))
    partition.engine.patient = True
    if ahead:
        partition.engine.advance(START + 30 * DAY_MS)
    for hour in range(100):
        if hour == 0:
            event = Event(START, 0, "", "a", "created", "ticket.created", "T", CREATED)
        elif hour == 1:
            event = Event(START + HOUR_MS, 3, "", "a", "deleted", "ticket.deleted", "T", ())
        elif hour in (10, 90):
            note = (f"M-{hour}", "agent", "internal", False, None)
            event = Event(START + hour * HOUR_MS, 2, "", "a", f"note-{hour}", "message.added", "T", note)
        else:
            event = Event(START + hour * HOUR_MS, 0, "", "a", f"other-{hour}", "ticket.created", f"X-{hour}", CREATED)
        partition.apply(event)
        partition.engine.advance_by_log()
        partition.engine.sweep()
        partition.step()
        check_entities(partition.engine)
    assert ("ticket", "T") not in partition.engine.postponed
    partition.engine.advance(START + 31 * DAY_MS)
    partition.restart()
    assert not partition.engine.postponed
