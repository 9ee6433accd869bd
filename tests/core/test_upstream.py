"""How far all partitions have come: levels of clocks, what is told of them and when, and what of older releases is understood."""

from __future__ import annotations

import pytest

from processor.core.business_hours import NEVER
from processor.core.settings import HOUR_MS, MINUTE_MS
from processor.core.upstream import CHAIN_MAX, Heartbeat, Upstream, all_at, cadence

AT = 500_000 * HOUR_MS
LEVELS = 2 * CHAIN_MAX


def exchanged(parts: list[Upstream], clocks: list[tuple[int, int]], *, held: bool = True) -> int:
    """Everybody tells what is news to everybody, until nothing is; returns how many heartbeats that took."""
    told = 0
    while True:
        beats: list[tuple[int, Heartbeat]] = []
        for number, part in enumerate(parts):
            beat = part.heartbeat(*clocks[number])
            if part.news(beat, clocks[number][0] // MINUTE_MS * MINUTE_MS, held=held):
                part.told(beat)
                beats.append((number, beat))
        if not beats:
            return told
        told += len(beats)
        for number, beat in beats:
            for part in parts:
                part.hear(number, beat)


def test_where_nothing_is_handed_over_nobody_waits_and_nothing_is_told() -> None:
    alone = Upstream(0)
    assert (alone.passed(), alone.settled(AT)) == (NEVER, AT)
    assert not alone.news(alone.heartbeat(AT, AT), AT, held=True)


def test_all_have_passed_a_minute_when_everybody_has_heard_so_as_often_as_something_is_handed_on() -> None:
    parts = [Upstream(3) for _ in range(3)]
    for number, at in enumerate((AT, AT + MINUTE_MS, AT + 5 * MINUTE_MS)):
        for part in parts:
            part.hear(number, parts[number].heartbeat(at, at))
    passed = []
    for _ in range(CHAIN_MAX):
        passed.append([part.passed() for part in parts])
        beats = [part.heartbeat(AT + 9 * MINUTE_MS, AT) for part in parts]
        for number, beat in enumerate(beats):
            for part in parts:
                part.hear(number, beat)
    assert passed == [[0] * 3] * (CHAIN_MAX - 1) + [[AT] * 3]


def test_what_is_on_its_way_at_the_last_hop_holds_a_report_up() -> None:
    """Two have heard that all have passed; the third, who has not, may still hand on what it gets."""
    parts = [Upstream(3) for _ in range(3)]
    clocks = [(AT, AT)] * 3
    exchanged(parts, clocks)
    later = AT + MINUTE_MS
    for number in range(3):
        for part in parts[:2]:
            part.hear(number, parts[number].heartbeat(later, later))
    for _ in range(CHAIN_MAX):
        for number in range(2):
            beat = parts[number].heartbeat(later, later)
            for part in parts:
                part.hear(number, beat)
    assert [part.passed() for part in parts] == [AT] * 3
    assert exchanged(parts, [(later, later)] * 3) > 0
    assert [part.passed() for part in parts] == [later] * 3


def test_reports_that_are_held_do_not_stall_however_many_partitions_there_are_and_tell_a_few_times_a_minute() -> None:
    for count in (1, 2, 5):
        parts = [Upstream(count) for _ in range(count)]
        exchanged(parts, [(AT, AT)] * count)
        for minute in range(1, 50):  # within the hour and beyond it
            now = AT + minute * MINUTE_MS
            told = exchanged(parts, [(now, now)] * count)
            assert [part.passed() for part in parts] == [now] * count
            settled = CHAIN_MAX if now // HOUR_MS > (now - MINUTE_MS) // HOUR_MS else 0
            assert 0 < told <= count * (CHAIN_MAX + settled)


def test_a_slow_partition_holds_all_up_and_lets_go_of_them_when_it_comes_past_a_minute_that_it_does_not_report_itself() -> None:
    parts = [Upstream(2) for _ in range(2)]
    exchanged(parts, [(AT, AT), (AT + 30 * MINUTE_MS, AT)])
    assert [part.passed() for part in parts] == [AT] * 2
    exchanged(parts, [(AT + 10 * MINUTE_MS, AT), (AT + 30 * MINUTE_MS, AT)])
    assert [part.passed() for part in parts] == [AT + 10 * MINUTE_MS] * 2


def test_where_nobody_waits_only_reports_and_hours_are_told() -> None:
    parts = [Upstream(2) for _ in range(2)]
    exchanged(parts, [(AT, AT)] * 2, held=False)
    assert exchanged(parts, [(AT + MINUTE_MS, AT + MINUTE_MS)] * 2, held=False) == 2
    assert exchanged(parts, [(AT + MINUTE_MS + 1, AT + MINUTE_MS + 1)] * 2, held=False) == 0
    assert exchanged(parts, [(AT + HOUR_MS, AT + HOUR_MS)] * 2, held=False) == 2 * CHAIN_MAX


def test_of_the_levels_that_an_older_release_does_not_tell_nothing_is_known() -> None:
    part = Upstream(1)
    part.hear(0, (AT,) * (CHAIN_MAX + 1))
    assert (part.settled(AT), part.passed()) == (AT, 0)
    again = Upstream(1)
    again.restore({"0": [AT] * (CHAIN_MAX + 1)})
    assert again.stored() == part.stored() == {"0": (AT,) * (CHAIN_MAX + 1) + (0,) * (CHAIN_MAX - 1)}
    assert again.news(again.heartbeat(AT, AT), AT, held=True)  # after a restart everybody tells anew
    exchanged([again], [(AT, AT)])
    assert again.passed() == AT


def test_a_heartbeat_of_any_length_is_borne() -> None:
    part = Upstream(1)
    for beat in ((-1,) * LEVELS, (), (AT,), (AT,) * (LEVELS + 3)):
        part.hear(0, beat)
    assert (part.settled(AT), part.passed()) == (AT, AT)
    assert part.stored() == {"0": (AT,) * LEVELS}


def test_timer_time_never_goes_back() -> None:
    part = Upstream(1)
    part.hear(0, all_at(AT, AT + 1))
    part.hear(0, all_at(AT - 1, AT + 2))
    assert part.stored()["0"] == (AT, *(AT + 2 for _ in range(CHAIN_MAX)), *(AT for _ in range(CHAIN_MAX - 1)))


def test_history_takes_back_what_the_wall_clock_had_promised() -> None:
    """Of its own partition, and of what the others had promised: they may get history, too, and are believed when they speak again."""
    old = AT - 30 * DAY_MS
    part = Upstream(2, DAY_MS)
    for partition in range(2):
        part.hear(partition, all_at(AT, AT))
    assert part.settled(AT) == part.own(0, AT) == AT
    part.came(old, AT)
    assert (part.settled(old), part.own(old, AT), part.passed()) == (0, old, AT)
    for partition in range(2):
        part.hear(partition, all_at(AT, old + partition))
    assert part.settled(AT) == old
    part.came(AT - DAY_MS, AT)
    assert part.own(AT - DAY_MS, AT) == AT


DAY_MS = 24 * HOUR_MS


@pytest.mark.parametrize(("lateness", "every"), [(DAY_MS, HOUR_MS), (90 * DAY_MS, HOUR_MS), (HOUR_MS, HOUR_MS // 24), (0, 1000)])
def test_heartbeats_come_more_often_where_less_may_be_late(lateness: int, every: int) -> None:
    assert cadence(lateness) == every


def test_clocks_are_told_whenever_they_have_moved_by_the_cadence() -> None:
    parts = [Upstream(2, 24 * 5_000) for _ in range(2)]
    assert exchanged(parts, [(AT, AT)] * 2, held=False) > 0
    assert exchanged(parts, [(AT + 4_999, AT + 4_999)] * 2, held=False) == 0
    assert exchanged(parts, [(AT + 5_000, AT + 5_000)] * 2, held=False) == 2 * CHAIN_MAX
    assert parts[0].settled(AT + 5_000) == AT + 5_000
