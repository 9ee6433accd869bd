"""Law 1: where nothing is too late, what is concluded does not depend on how it came.

Not on order, batches, the pace of the clocks, duplicates, restarts or the number of partitions.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processor.core.settings import HOUR_MS, MINUTE_MS, MS
from tests.laws.driving import Manner, added_up, drive, split
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, START, Line, arrivals_of, events_of, lines

AFTER = st.sampled_from((0, 5 * MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS, 200 * HOUR_MS))


def check(drawn: list[Line], steps: tuple[int, ...], after: int, salt: int, seed: int, count: int) -> None:
    events = events_of(drawn, steps)
    arrivals = arrivals_of(drawn, events, salt)
    until = max(event.occurred_at for event in arrivals) + after
    plain = drive(SETTINGS, arrivals_of(drawn, events, 0), until, Manner())
    assert not {"too_late", "beyond_tail"} & set(plain.outcomes)
    driven = [drive(SETTINGS, log, until, Manner(seed), number) for number, log in enumerate(split(arrivals, count))]
    assert not any({"too_late", "beyond_tail"} & set(partition.outcomes) for partition in driven)
    assert added_up(driven) == added_up([plain])


@given(lines(SHORT_STEPS, 40), AFTER, st.integers(1, 9), st.integers(0, 999), st.sampled_from((1, 2, 4)))
def test_order_of_arrival_changes_nothing_within_an_hour(drawn: list[Line], after: int, salt: int, seed: int, count: int) -> None:
    check(drawn, SHORT_STEPS, after, salt, seed, count)


@given(lines(LONG_STEPS, 40), AFTER, st.integers(1, 9), st.integers(0, 999), st.sampled_from((1, 2, 4)))
def test_order_of_arrival_changes_nothing_over_weeks(drawn: list[Line], after: int, salt: int, seed: int, count: int) -> None:
    check(drawn, LONG_STEPS, after, salt, seed, count)


def test_worlds_begin_in_the_table_of_the_calendar() -> None:
    assert SETTINGS.calendars["shifts"].is_open(START)
