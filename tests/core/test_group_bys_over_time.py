"""A group-by that is added to the configuration begins where it was added; one that is removed takes nothing else with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.outputs import View
from processor.core.settings import HOUR_MS, MINUTE_MS, Settings
from processor.core.sleep import Sleeping

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
BEFORE = Settings(group_bys=((), ("channel",)))
AFTER = replace(BEFORE, group_bys=(("group",), ()))  # without channel, with group, and in another order
Records = dict[str, Any]


def created(number: int, at: int) -> Event:
    channel, group = ("email", "chat")[number % 2], ("billing", "technical")[number % 3 % 2]
    data = (channel, "new", "normal", "inbound", group, *(None,) * 9)
    return Event(at, 0, "", "a", f"e{number}", "ticket.created", f"T{number}", data)


def told(engine: Engine, records: Records, numbers: range) -> None:
    """A ticket every ten minutes."""
    for number in numbers:
        engine.apply(created(number, START + number * 10 * MINUTE_MS))
    engine.advance_by_log()
    engine.sweep()
    for key, value in engine.drain().records.items():
        records[json.dumps(key)] = value if key[0] == "e" or isinstance(value, Sleeping) else json.loads(json.dumps(value))


def goes_on(engine: Engine, records: Records, settings: Settings) -> Engine:
    """The state as another configuration takes it over."""
    taken = Engine(settings)
    stored = [(tuple(json.loads(key)), value) for key, value in records.items() if value is not None]
    for _ in taken.restore(json.loads(json.dumps(engine.marker())), stored):
        pass
    return taken


def created_in(view: View, settings: Settings, window: str) -> dict[tuple[tuple[str, ...], tuple[str, ...]], int]:
    """Tickets created, by the names and values of their segment."""
    return {(settings.group_bys[index], values): row.get("tickets_created", 0) for (index, values), row in view.windows[window].items()}


def test_a_new_group_by_begins_where_it_was_added_and_the_others_do_not_notice() -> None:
    records: Records = {}
    first = Engine(BEFORE)
    told(first, records, range(12))
    before = created_in(first.view(), BEFORE, "24h")
    assert before[("channel",), ("email",)] > 1  # there was something to lose
    assert before[(), ()] == before[("channel",), ("email",)] + before[("channel",), ("chat",)]
    second = goes_on(first, records, AFTER)
    assert created_in(second.view(), AFTER, "24h") == {((), ()): before[(), ()]}  # channel is gone, group has not begun
    assert (second.digest, second.view().cells, second.view().levels) == (first.digest, first.view().cells, first.view().levels)
    told(second, records, range(12, 24))
    after = created_in(second.view(), AFTER, "1h")
    of_group = sum(count for (names, _), count in after.items() if names == ("group",))
    assert of_group == after[(), ()] > 1  # what has begun counts all
    day = created_in(second.view(), AFTER, "24h")
    assert 0 < sum(count for (names, _), count in day.items() if names == ("group",)) < day[(), ()]


def test_a_group_by_that_comes_back_has_a_gap() -> None:
    """What it counted before it was removed is still there, in whatever tier it belongs to by now; what was between is missing."""
    records: Records = {}
    first = Engine(BEFORE)
    told(first, records, range(12))
    second = goes_on(first, records, AFTER)
    told(second, records, range(12, 12 + 30 * 6))  # 30 hours, so that minutes have become quarters of an hour
    third = goes_on(second, records, BEFORE)
    told(third, records, range(192, 198))
    counts = created_in(third.view(), BEFORE, "7d")
    of_channel = sum(count for (names, _), count in counts.items() if names == ("channel",))
    total = counts[(), ()]
    assert total - of_channel == 30 * 6
    assert of_channel > 12
    segments = third.rows.segments
    tiers = {tier for tier, rows in third.rows.tiers.items() for _, row in rows.items() for each in row if segments[each][0] == 1}
    assert tiers == {"m", "q"}


def test_what_an_earlier_ticket_does_later_counts_in_the_new_group_by() -> None:
    records: Records = {}
    first = Engine(BEFORE)
    told(first, records, range(4))
    second = goes_on(first, records, AFTER)
    solved = Event(START + HOUR_MS, 1, "", "a", "solved", "ticket.status_changed", "T0", ("solved", None, None))
    second.apply(solved)
    second.advance(START + 2 * HOUR_MS)
    rows = {AFTER.group_bys[index]: row for (index, values), row in second.view().windows["24h"].items() if values in ((), ("billing",))}
    assert [rows[names]["tickets_solved"] for names in ((), ("group",))] == [1, 1]


def test_what_is_taken_back_of_the_time_before_a_group_by_was_added_is_below_zero_there() -> None:
    """Its rows hold what was stated since; the windows that reach further back say so until they have moved on. The total stays right."""
    records: Records = {}
    first = Engine(BEFORE)
    first.apply(Event(START + MINUTE_MS, 2, "", "a", "solved", "ticket.status_changed", "T0", ("solved", None, None)))
    told(first, records, range(4))
    second = goes_on(first, records, AFTER)
    second.apply(Event(START + 31 * MINUTE_MS, 3, "", "a", "spam", "ticket.marked_as_spam", "T0", ()))
    second.advance(START + HOUR_MS)
    rows = second.view().windows["24h"]
    assert rows[1, ()].get("tickets_solved", 0) == 0
    assert rows[0, ("billing",)]["tickets_solved"] == -1


def test_the_order_of_group_bys_says_nothing() -> None:
    records: Records = {}
    first = Engine(BEFORE)
    told(first, records, range(12))
    turned = replace(BEFORE, group_bys=BEFORE.group_bys[::-1])
    second = goes_on(first, records, turned)
    assert created_in(second.view(), turned, "24h") == created_in(first.view(), BEFORE, "24h")
