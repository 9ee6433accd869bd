"""Law 2: for every log, what is concluded is a function of the sequence of records.

Not of batches, of the pace of the clocks, or of where a process died; also where events come too late and tails overflow.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.events import RANK_NORMAL, Event
from processor.core.settings import HOUR_MS, MINUTE_MS, MS, Settings
from tests.laws.driving import Manner, Partition, comparable, drive
from tests.laws.meeting import ESSENTIAL, TOO_LATE, Met
from tests.laws.says import THEMES
from tests.laws.worlds import DELAYS, LONG_STEPS, SETTINGS, SHORT_STEPS, Line, events_of, lines, lines_for, story, twin_of

SMALL = replace(SETTINGS, tail_max=4)
SEEDS = st.tuples(st.integers(0, 999), st.integers(0, 999))
AFTER = st.sampled_from((0, 5 * MS, 30 * MINUTE_MS, 3 * HOUR_MS, 200 * HOUR_MS))


def any_order(drawn: list[Line], events: list[Event]) -> list[Event]:
    """Events as they were drawn, delayed up to many times the lateness, with twins and repetitions, and now and then a clock."""
    arriving: list[tuple[int, Event]] = []
    for line, event in zip(drawn, events, strict=True):
        arriving.append((event.occurred_at + 5 * DELAYS[line.delay] * (line.twin % 3), event))
        if line.again < len(DELAYS):
            arriving.append((event.occurred_at + 4 * DELAYS[line.again], event))
        if line.twin == 0:
            arriving.append((event.occurred_at + 9 * DELAYS[line.delay], twin_of(event)))
        if line.twin == 1:
            moved = event.occurred_at - 3 * DELAYS[line.delay]
            arriving.append((event.occurred_at + 1, twin_of(event)._replace(occurred_at=moved)))
        if line.twin == 2:
            control = Event(event.occurred_at, RANK_NORMAL, "", "clock", event.id, "control.clock_advanced", "", (event.occurred_at,))
            arriving.append((event.occurred_at, control))
    arriving.sort(key=lambda each: each[0])
    return [event for _, event in arriving]


def concluded(partition: Partition) -> tuple[object, ...]:
    return partition.outcomes, partition.facts, *comparable(partition.engine.view())


def check(log: list[Event], after: int, seeds: tuple[int, int], met: Met, settings: Settings = SMALL) -> None:
    until = max(event.occurred_at for event in log) + after
    plain = drive(settings, log, until, Manner())
    met.update(plain.met)
    for seed in seeds:
        assert concluded(drive(settings, log, until, Manner(seed))) == concluded(plain)


@pytest.mark.parametrize("theme", THEMES)
def test_only_the_sequence_counts_in_a_story(theme: str) -> None:
    met = Met()

    @given(st.integers(0, 10**6), st.sampled_from((SHORT_STEPS, LONG_STEPS)), AFTER, SEEDS)
    def law(world: int, steps: tuple[int, ...], after: int, seeds: tuple[int, int]) -> None:
        events = story(world, theme, steps, 50)
        check(any_order(lines_for(events, seeds[0]), events), after, seeds, met)

    law()
    met.check("retracted", TOO_LATE, "beyond_tail" if theme in ("clocks", "replies", "surveys") else ())


@pytest.mark.parametrize("steps", [SHORT_STEPS, LONG_STEPS], ids=["an hour", "weeks"])
def test_only_the_sequence_counts(steps: tuple[int, ...]) -> None:
    met = Met()

    @given(lines(steps, 60), AFTER, SEEDS)
    def law(drawn: list[Line], after: int, seeds: tuple[int, int]) -> None:
        check(any_order(drawn, events_of(drawn, steps)), after, seeds, met)

    law()
    met.check(ESSENTIAL, TOO_LATE, "conflict")
