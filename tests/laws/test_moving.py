"""Law: a state that moves to another number of partitions goes on as if it had stayed: the same digest, the same numbers."""

from __future__ import annotations

import os
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.settings import HOUR_MS
from processor.export.snapshot import Difference, compare
from processor.state_tools.moving import Moved, engine_of, move, shown
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, Line, arrivals_of, events_of, lines
from tests.state_tools.joined import Partitions, world


def differences(first: Partitions, second: Partitions) -> list[Difference]:
    """In every net number, whatever the partitions.

    But for visitors: rows stay where they were put, so one who comes again after a move is counted on two partitions for as long as the
    windows reach back over it.
    """
    found = compare(shown(list(first.engines.values())), shown(list(second.engines.values())), partitions=False)
    return [difference for difference in found if "kb_visitors" not in str(difference)]


def engines_of(moved: Moved) -> dict[int, Engine]:
    """The new partitions as workers would take them over."""
    count = len(moved.partitions)
    return {each.number: engine_of(SETTINGS, each.number, count, each.marker, each.records) for each in moved.partitions}


def feed(partitions: Partitions, events: list[Event], random: Random) -> None:
    """Take events in steps of any size, and read re-keyed records at any time."""
    for event in events:
        partitions.apply(event)
        if random.random() < 0.5:
            continue
        number = random.choice(list(partitions.engines))
        engine = partitions.engines[number]
        action = random.randrange(5)
        if action in (0, 1):
            engine.advance_by_log()
        if action in (1, 2):
            engine.sweep()
        if action == 3:
            engine.advance(engine.stream_time + random.choice((0, 60_000)))
        if action == 4:
            partitions.read(number, random.randrange(4))
        partitions.step(number)


def check(log: list[Event], cut: int, seed: int, counts: tuple[int, int]) -> None:
    """Whether a log whose first part is read before the move comes to the same as without it."""
    until = max(event.occurred_at for event in log) + 3 * HOUR_MS
    stayed, moving = Partitions(SETTINGS, counts[0]), Partitions(SETTINGS, counts[0])
    for partitions in (stayed, moving):
        feed(partitions, log[:cut], Random(seed))
        for number in partitions.engines:
            partitions.step(number)
    moved = move(SETTINGS, moving.stored(), counts[1])
    assert moved.differences() == []
    gone_on = Partitions(SETTINGS, counts[1], engines_of(moved))
    for partitions in (stayed, gone_on):
        feed(partitions, log[cut:], Random(seed + 1))
    compare_at_the_end(stayed, gone_on, until)


def check_one_after_the_other(log: list[Event], cuts: list[int], seed: int, counts: tuple[int, int]) -> None:
    """Whether partitions may be exported while all go on, each up to its own cut.

    What one has handed over after its own marker is in the export, read or not; going on from the marker, it hands it over again.
    """
    until = max(event.occurred_at for event in log) + 3 * HOUR_MS
    stayed, moving = Partitions(SETTINGS, counts[0]), Partitions(SETTINGS, counts[0])
    feed(stayed, log, Random(seed))
    stored, positions, begun = [], [], 0
    for number, cut in enumerate(cuts[: counts[0]]):
        feed(moving, log[begun:cut], Random(seed + number))
        moving.step(number)
        stored.append(moving.stored_partition(number))
        positions.append(moving.positions[number])
        begun = cut
    feed(moving, log[begun : begun + 20], Random(seed))
    for number in moving.engines:
        moving.step(number)
    for partition, position in zip(stored, positions, strict=True):
        partition.pending = moving.topics[partition.number][position:]
    moved = move(SETTINGS, stored, counts[1])
    gone_on = Partitions(SETTINGS, counts[1], engines_of(moved))
    feed(gone_on, [event for index, event in enumerate(log) if index >= cuts[moving.place(event.key)]], Random(seed))
    compare_at_the_end(stayed, gone_on, until)


def compare_at_the_end(stayed: Partitions, gone_on: Partitions, until: int) -> None:
    for partitions in (stayed, gone_on):
        partitions.finish(until)
    assume(not {"too_late", "beyond_tail"} & {*stayed.outcomes, *gone_on.outcomes})
    assert differences(stayed, gone_on) == []


FEWER = settings(max_examples=24 + int(os.environ.get("LAWS_EXAMPLES", "0")) // 4)  # of up to 16 engines each
COUNTS = st.sampled_from(((1, 3), (2, 1), (2, 16), (4, 3), (3, 3), (4, 1)))
SEEDS = st.integers(0, 9999)
CUTS = st.integers(0, 100)


@FEWER
@given(lines(SHORT_STEPS, 40), CUTS, st.integers(0, 9), SEEDS, COUNTS)
def test_what_has_moved_goes_on_as_if_it_had_stayed(drawn: list[Line], cut: int, salt: int, seed: int, counts: tuple[int, int]) -> None:
    log = arrivals_of(drawn, events_of(drawn, SHORT_STEPS), salt)
    check(log, cut * len(log) // 100, seed, counts)


@FEWER
@given(lines(LONG_STEPS, 40), CUTS, st.integers(0, 9), SEEDS, COUNTS)
def test_it_does_so_over_weeks_with_stubs_and_old_rows(drawn: list[Line], cut: int, salt: int, seed: int, counts: tuple[int, int]) -> None:
    log = arrivals_of(drawn, events_of(drawn, LONG_STEPS), salt)
    check(log, cut * len(log) // 100, seed, counts)


@FEWER
@given(SEEDS, CUTS, SEEDS, COUNTS)
def test_it_does_so_where_tickets_are_merged_into_each_other(which: int, cut: int, seed: int, counts: tuple[int, int]) -> None:
    log = world(which)
    check(log, cut * len(log) // 100, seed, counts)


@FEWER
@given(SEEDS, st.lists(CUTS, min_size=4, max_size=4).map(sorted), SEEDS, COUNTS)
def test_partitions_may_be_exported_one_after_the_other(which: int, cuts: list[int], seed: int, counts: tuple[int, int]) -> None:
    log = world(which)
    check_one_after_the_other(log, [cut * len(log) // 100 for cut in cuts], seed, counts)


def test_in_these_worlds_something_is_handed_over_and_not_read() -> None:
    unread = 0
    for which in range(20):
        partitions = Partitions(SETTINGS, 3)
        feed(partitions, world(which)[:120], Random(which))
        unread += any(key is not None for number in partitions.engines for key, _ in partitions.unread(number))
    assert unread > 10
