"""Much time passes hour by hour, also over what was postponed, and always comes to its end."""

from __future__ import annotations

import pytest

from processor.core.engine import Engine
from processor.core.settings import DAY_MS, HOUR_MS, Settings
from processor.stream.time_slices import slices
from tests.laws.worlds import START

HOUR = START // HOUR_MS * HOUR_MS


@pytest.mark.parametrize(
    ("timer_time", "deadlines", "to", "instants"),
    [
        (0, [], HOUR, [HOUR]),
        (HOUR, [], HOUR, [HOUR]),
        (HOUR, [], HOUR - 1, [HOUR - 1]),
        (HOUR + 5, [], HOUR + 2 * HOUR_MS + 7, [HOUR + HOUR_MS, HOUR + 2 * HOUR_MS, HOUR + 2 * HOUR_MS + 7]),
        (HOUR, [HOUR - 2 * HOUR_MS], HOUR + 7, [HOUR - HOUR_MS, HOUR + 7]),
        (HOUR, [HOUR - 2 * HOUR_MS, HOUR - 1], HOUR - 5, [HOUR - HOUR_MS, HOUR - 5]),
        (HOUR, [], HOUR + 300 * DAY_MS, None),
    ],
)
def test_it_ends_where_it_should(timer_time: int, deadlines: list[int], to: int, instants: list[int] | None) -> None:
    engine, seen = Engine(Settings()), []
    engine.advance(timer_time)
    engine.timers += [(due, "ticket", "of one that has gone") for due in deadlines]
    for instant in slices(engine, to):
        seen.append(instant)
        engine.advance(instant)
        assert len(seen) < 1000
    assert seen[-1] == to
    assert instants is None or seen == instants
    assert engine.timer_time == max(timer_time, to)
    assert engine.next_deadline() > to
