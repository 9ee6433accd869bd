"""Law: a state that moves to another number of partitions goes on as if it had stayed: the same digest, the same numbers."""

from __future__ import annotations

from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from processor.core.events import Event
from processor.core.settings import HOUR_MS
from processor.export.snapshot import Difference, compare
from processor.state_tools.moving import move, shown
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, Line, arrivals_of, events_of, lines
from tests.state_tools.joined import Partitions

CREATED = ("email", "new", "normal", "inbound", None, None, None, None, None)


def differences(first: Partitions, second: Partitions) -> list[Difference]:
    """In every net number, whatever the partitions."""
    return compare(shown(list(first.engines.values())), shown(list(second.engines.values())), partitions=False)


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


def check(drawn: list[Line], steps: tuple[int, ...], cut: int, salt: int, seed: int, counts: tuple[int, int]) -> None:
    log = arrivals_of(drawn, events_of(drawn, steps), salt)
    cut = cut * len(log) // 100
    until = max(event.occurred_at for event in log) + 3 * HOUR_MS
    stayed, moving = Partitions(SETTINGS, counts[0]), Partitions(SETTINGS, counts[0])
    for partitions in (stayed, moving):
        feed(partitions, log[:cut], Random(seed))
        for number in partitions.engines:
            partitions.step(number)
    moved = move(SETTINGS, moving.stored(), counts[1])
    assert moved.differences() == []
    gone_on = Partitions(SETTINGS, counts[1], {each.number: each.engine for each in moved.partitions})
    for partitions in (stayed, gone_on):
        feed(partitions, log[cut:], Random(seed + 1))
        partitions.finish(until)
    late = {"too_late", "beyond_tail"}
    assume(not late & {*stayed.outcomes, *gone_on.outcomes})
    assert differences(stayed, gone_on) == []


COUNTS = st.sampled_from(((1, 3), (2, 1), (2, 16), (4, 3), (3, 3), (4, 1)))


@given(lines(SHORT_STEPS, 40), st.integers(0, 100), st.integers(0, 9), st.integers(0, 999), COUNTS)
def test_what_has_moved_goes_on_as_if_it_had_stayed(drawn: list[Line], cut: int, salt: int, seed: int, counts: tuple[int, int]) -> None:
    check(drawn, SHORT_STEPS, cut, salt, seed, counts)


@given(lines(LONG_STEPS, 40), st.integers(0, 100), st.integers(0, 9), st.integers(0, 999), COUNTS)
def test_it_does_so_over_weeks_with_stubs_and_old_rows(drawn: list[Line], cut: int, salt: int, seed: int, counts: tuple[int, int]) -> None:
    check(drawn, LONG_STEPS, cut, salt, seed, counts)
