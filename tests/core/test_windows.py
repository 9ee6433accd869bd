"""Windows over rows that age while nobody looks."""

from __future__ import annotations

from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, Settings

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
CREATED = ("email", "new", "normal", "inbound", *(None,) * 10)


def created(at: int, key: str) -> Event:
    return Event(at, 0, "", "a", key, "ticket.created", key, CREATED)


def in_window(engine: Engine, name: str) -> int:
    return engine.view().windows[name].get((0, ()), {}).get("tickets_created", 0)


def test_a_window_forgets_what_has_aged_into_a_day_between_two_looks() -> None:
    engine = Engine(Settings())
    engine.apply(created(START, "T1"))
    engine.advance(START + 5 * DAY_MS)
    assert in_window(engine, "7d") == 1
    engine.apply(created(START + 10 * DAY_MS, "T2"))
    engine.advance(START + 10 * DAY_MS + HOUR_MS)
    engine.sweep()
    assert in_window(engine, "7d") == 1
    assert in_window(engine, "24h") == 1


def test_rows_stay_by_the_minute_while_timers_lag_behind_the_log() -> None:
    """A source that is silent holds timers back; what the windows there still need must not have aged."""
    engine = Engine(Settings())
    engine.apply(created(START, "T1"))
    engine.apply(created(START + 3 * DAY_MS, "T2"))
    engine.sweep()
    engine.advance(START + 2 * MINUTE_MS)
    assert in_window(engine, "5m") == 1
    engine.advance(START + 6 * MINUTE_MS)
    assert in_window(engine, "5m") == 0
    assert in_window(engine, "1h") == 1


def test_a_late_amount_counts_in_a_window_that_has_passed_its_minute() -> None:
    engine = Engine(Settings())
    engine.apply(created(START + HOUR_MS, "T1"))
    engine.advance(START + HOUR_MS + MINUTE_MS)
    assert in_window(engine, "1h") == 1
    engine.apply(created(START + 30 * MINUTE_MS, "T2"))
    assert in_window(engine, "1h") == 2
    engine.advance(START + 91 * MINUTE_MS)
    assert in_window(engine, "1h") == 1
