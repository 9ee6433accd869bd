"""What entities hand to each other, over several partitions: it does not matter how many there are, nor which of them hears what first.

Law 1 where nothing is too late, law 2 for every log. Each run must have met what it speaks of.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from processor.core.events import Event
from processor.core.settings import HOUR_MS, MINUTE_MS, MS
from processor.core.upstream import CHAIN_MAX
from tests.laws.driving import Manner, Partition, added_up, comparable, drive, drive_all, drive_taken
from tests.laws.meeting import ESSENTIAL, TOO_LATE
from tests.laws.says import CREATIONS
from tests.laws.test_function_of_the_log import any_order
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, START, arrivals_for, handing_world, lines_for

AFTER = st.sampled_from((0, 5 * MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS))
WORLD = st.integers(0, 10**6)
SMALL = replace(SETTINGS, tail_max=6)
MET = (
    ("ticket.wait_handed", 1), ("ticket.wait_handed", -1), ("ticket.wait_withdrawn", 1),
    ("ticket.contact_answered", 1), "across", "aged", *(f"hops {hops}" for hops in range(1, CHAIN_MAX + 1)),
)  # fmt: skip


class Met(Counter[object]):
    """What the worlds of one run held."""

    def note(self, partitions: list[Partition]) -> None:
        for partition in partitions:
            self.update(partition.handed)
            self.update(partition.met)
            self["late"] += partition.engine.counts["rekeyed_late"]
            self["aged"] += any(entity.base is not None for entity in partition.engine.entities["ticket"].values())
            assert partition.network is not None
            for handed, count in partition.given.items():
                assert count in (0, 1)
                self["across"] += count * (partition.network.place(handed.target) != partition.number)
                if handed.kind == "ticket.wait_handed":
                    self[f"hops {handed.data[2]}"] += count

    def check(self, *more: object) -> None:
        assert not [name for name in (*MET, *ESSENTIAL, *more) if not self[name]], self


def check_order(met: Met, number: int, steps: tuple[int, ...], after: int, salt: int, seed: int, count: int) -> None:
    events = handing_world(number, steps, 40)
    arrivals = arrivals_for(events, salt)
    until = max(event.occurred_at for _, event in arrivals) + after
    plain = drive(SETTINGS, [event for _, event in sorted(arrivals, key=lambda each: each[1].occurred_at)], until, Manner())
    driven = drive_all(SETTINGS, arrivals, until, Manner(seed), count)
    met.note(driven)
    for partition in driven:
        assert not {"too_late", "beyond_tail"} & set(partition.outcomes)
        assert partition.engine.counts["rekeyed_late"] == 0
    assert added_up(driven) == added_up([plain])


def test_partitions_and_who_hears_what_first_change_nothing_within_an_hour() -> None:
    met = Met()

    @given(WORLD, AFTER, st.integers(1, 9), st.integers(0, 999), st.sampled_from((1, 2, 3)))
    def law(number: int, after: int, salt: int, seed: int, count: int) -> None:
        check_order(met, number, SHORT_STEPS, after, salt, seed, count)

    law()
    met.check()


def test_partitions_and_who_hears_what_first_change_nothing_over_weeks() -> None:
    met = Met()

    @given(WORLD, AFTER, st.integers(1, 9), st.integers(0, 999), st.sampled_from((1, 2, 3)))
    def law(number: int, after: int, salt: int, seed: int, count: int) -> None:
        check_order(met, number, LONG_STEPS, after, salt, seed, count)

    law()
    met.check()


def concluded(partition: Partition) -> tuple[object, ...]:
    late = partition.engine.counts["rekeyed_late"]
    return partition.outcomes, partition.facts, +partition.given, late, *comparable(partition.engine.view())


def test_only_the_sequences_count_of_what_each_partition_takes_in() -> None:
    met = Met()

    @given(WORLD, st.sampled_from((SHORT_STEPS, LONG_STEPS)), AFTER, st.integers(0, 999), st.sampled_from((2, 3)))
    def law(world: int, steps: tuple[int, ...], after: int, seed: int, count: int) -> None:
        events = handing_world(world, steps, 60)
        arrivals = [(event.occurred_at, event) for event in any_order(lines_for(events, seed), events)]
        until = max(at for at, _ in arrivals) + after
        driven = drive_all(SMALL, arrivals, until, Manner(seed), count)
        met.note(driven)
        for number, partition in enumerate(driven):
            assert partition.network is not None
            taken = partition.network.taken[number]
            for other in (Manner(), Manner(seed + 1)):
                assert concluded(drive_taken(SMALL, taken, until, other, number, count)) == concluded(partition)

    law()
    met.check("late", *TOO_LATE)


def test_a_ticket_of_which_nothing_is_known_any_more_is_forgotten() -> None:
    partition = Partition(SETTINGS)
    partition.apply(Event(START, 0, "", "a", "c", *CREATIONS[0][:1], "T1", CREATIONS[0][1]))
    partition.apply(Event(START + MINUTE_MS, 3, "", "a", "m", "ticket.merged", "T1", ("T9",)))
    assert "T9" in partition.engine.entities["ticket"]
    partition.apply(Event(START + MS, 1, "", "a", "r", "message.added", "T1", ("M1", "agent", "public", False, None)))
    assert "T9" not in partition.engine.entities["ticket"]
    partition.restart()
