"""Law 1: where nothing is too late, what is concluded does not depend on how it came.

Not on order, batches, the pace of the clocks, duplicates, restarts or the number of partitions.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.events import Event
from processor.core.settings import HOUR_MS, MINUTE_MS, MS
from tests.laws.driving import Manner, added_up, drive, drive_all
from tests.laws.meeting import ESSENTIAL, EVERY_HAND_OVER, EVERY_KIND, Met
from tests.laws.says import THEMES
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, START, Line, events_of, lines, lines_for, story, timed_arrivals_of

AFTER = st.sampled_from((0, 5 * MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS, 200 * HOUR_MS))
SALT, SEED, COUNT = st.integers(1, 9), st.integers(0, 999), st.sampled_from((1, 2, 3, 4))
WORLD, STEPS = st.integers(0, 10**6), st.sampled_from((SHORT_STEPS, LONG_STEPS))


def check(drawn: list[Line], events: list[Event], after: int, salt: int, seed: int, count: int, met: Met) -> None:
    arrivals = timed_arrivals_of(drawn, events, salt)
    until = max(event.occurred_at for _, event in arrivals) + after
    plain = drive(SETTINGS, [event for _, event in timed_arrivals_of(drawn, events, 0)], until, Manner())
    assert not {"too_late", "beyond_tail"} & set(plain.outcomes)
    driven = drive_all(SETTINGS, arrivals, until, Manner(seed), count)
    if any({"too_late", "beyond_tail"} & set(partition.outcomes) for partition in driven):
        met["too late after all"] += 1  # an answer to a survey of which nothing else was known in time
        return
    for partition in driven:
        assert partition.engine.counts["rekeyed_late"] == 0
        met.update(partition.met)
    met["compared"] += 1
    met[f"partitions {count}"] += 1
    assert added_up(driven) == added_up([plain])


@pytest.mark.parametrize("theme", THEMES)
def test_order_of_arrival_changes_nothing_in_a_story(theme: str) -> None:
    met = Met()

    @given(WORLD, STEPS, AFTER, SALT, SEED, COUNT)
    def law(world: int, steps: tuple[int, ...], after: int, salt: int, seed: int, count: int) -> None:
        events = story(world, theme, steps, 40)
        check(lines_for(events, salt), events, after, salt, seed, count, met)

    law()
    met.check("retracted", "partitions 1", "partitions 4")
    assert met["compared"] > 2 * met["too late after all"], met


@pytest.mark.parametrize("steps", [SHORT_STEPS, LONG_STEPS], ids=["an hour", "weeks"])
def test_order_of_arrival_changes_nothing(steps: tuple[int, ...]) -> None:
    met = Met()

    @given(lines(steps, 50), AFTER, SALT, SEED, COUNT)
    def law(drawn: list[Line], after: int, salt: int, seed: int, count: int) -> None:
        check(drawn, events_of(drawn, steps), after, salt, seed, count, met)

    law()
    met.check(ESSENTIAL, "partitions 1", "partitions 4")
    assert met["compared"] > 2 * met["too late after all"], met


def test_every_kind_of_fact_is_met_by_stories_in_any_order() -> None:
    """So the laws above do not hold trivially for any of them."""
    met = Met()
    for seed in range(24):
        if met.holds(EVERY_KIND, EVERY_HAND_OVER):
            break
        for theme in THEMES:
            events = story(seed, theme, (SHORT_STEPS, LONG_STEPS)[seed % 2], 60)
            check(lines_for(events, seed % 9 + 1), events, (seed % 4) * 15 * MINUTE_MS, seed % 9 + 1, seed, 1 + seed % 3, met)
    met.check(EVERY_KIND, EVERY_HAND_OVER)


def test_worlds_begin_in_the_table_of_the_calendar() -> None:
    assert all(SETTINGS.calendars[name].is_open(START) for name in ("shifts", "south"))
