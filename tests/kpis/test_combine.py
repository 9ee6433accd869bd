"""Adding up partitions minute by minute: what is given out when, and what cannot be used is counted and harms nothing."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from processor.codec.partials import LevelsPartial, WindowsPartial, place_of
from processor.config import Config, loads
from processor.core.settings import MINUTE_MS
from processor.export.kpi_view import Ignored
from processor.kpis import combine
from processor.kpis.combine import NEVER, NOTHING, Combiner, Published, combiner_of
from tests.kpis.partials import MAIL, PHONE, TOTAL, WAIT_MS, Segments, Stage, W, counted, created, levels, minute, windows


def test_a_minute_is_given_out_when_every_partition_has_reported_it_and_only_then() -> None:
    stage = Stage(3)
    assert stage.add(windows(0, W, created(1), of=3), windows(2, W, created(4, backlog=7), of=3)) == []
    (given,) = stage.add(windows(1, W, created(2, backlog=1), of=3))
    assert (given.end, given.sequence, given.complete, given.missing) == (W, 0, True, ())
    assert counted(given) == 7
    assert given.segments[TOTAL].backlog == 8
    assert stage.wait(WAIT_MS) == []


def test_sums_of_different_minutes_are_never_added() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1)), windows(1, minute(1), created(10)))
    assert stage.given == []
    assert [counted(each) for each in stage.add(windows(0, minute(1), created(2)))] == [12]


def test_a_slice_in_parts_counts_when_all_parts_are_there() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1)), windows(1, W, created(2), part=0, parts=2))
    assert stage.given == []
    (given,) = stage.add(windows(1, W, created(5, PHONE), part=1, parts=2))
    assert (counted(given), counted(given, PHONE)) == (3, 5)


def test_what_is_missing_after_ten_seconds_is_named_and_comes_once_more_complete() -> None:
    stage = Stage(3)
    stage.add(windows(0, W, created(1), of=3))
    assert stage.combiner.wake_at() == W + WAIT_MS
    assert stage.wait(WAIT_MS - 1) == []
    (incomplete,) = stage.wait(1)
    assert (incomplete.complete, incomplete.missing, counted(incomplete)) == (False, (1, 2), 1)
    assert stage.combiner.wake_at() is None
    assert stage.wait(WAIT_MS) == []
    assert stage.add(windows(1, W, created(2), of=3)) == []
    (complete,) = stage.add(windows(2, W, created(4), of=3))
    assert (complete.end, complete.sequence, complete.complete, counted(complete)) == (W, 1, True, 7)


def test_the_wait_begins_with_the_first_slice_of_its_minute() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1)))
    stage.wait(WAIT_MS - 1)
    assert stage.add(windows(0, W, created(1), epoch=2)) == []  # sent again: the same minute waits since its first
    assert [each.missing for each in stage.wait(1)] == [(1,)]


def test_a_minute_that_one_partition_left_out_goes_under_with_the_next_one_that_all_have() -> None:
    stage = Stage()
    stage.add(*(windows(0, minute(number), created(number)) for number in range(4)))
    assert [each.end for each in stage.add(windows(1, minute(3), created(10)))] == [minute(3)]
    assert stage.combiner.counts == {Ignored.SUPERSEDED: 3}
    assert stage.combiner.wake_at() is None


def test_several_overdue_minutes_are_not_given_out_one_by_one() -> None:
    stage = Stage()
    stage.add(*(windows(0, minute(number), created(number)) for number in range(1, 5)))
    assert [(each.end, each.complete) for each in stage.wait(WAIT_MS)] == [(minute(4), False)]


def test_a_partition_that_began_only_later_has_reported_all_minutes_before() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1)), windows(0, minute(1), created(2)))
    given = stage.add(windows(1, minute(3), created(5), since=minute(1)))
    assert [(each.end, each.complete, counted(each)) for each in given] == [(W, True, 1), (minute(1), True, 2)]
    assert stage.add(windows(0, minute(2), created(3))) == []  # the partition has had something since


@pytest.mark.parametrize(
    ("partial", "reason"),
    [
        (windows(0, W - MINUTE_MS, created(9)), Ignored.LATE),
        (windows(0, W, created(9), epoch=0), Ignored.OLD_EPOCH),
        (windows(0, minute(1), created(9), epoch=0), Ignored.OLD_EPOCH),
        (windows(0, W, created(9), of=4), Ignored.FOREIGN),
        (windows(7, W, created(9)), Ignored.FOREIGN),
        (windows(-1, W, created(9)), Ignored.FOREIGN),
        (windows(0, W, created(9)), Ignored.REPEATED),
        (windows(0, W + 65_001, created(9)), Ignored.FUTURE),
        (levels(0, W + 65_001, 9), Ignored.FUTURE),
        (levels(0, W, 9, epoch=0), Ignored.OLD_EPOCH),
        (levels(0, W - 1, 9), Ignored.REPEATED),
    ],
)
def test_what_cannot_be_used_is_counted_and_changes_nothing(partial: WindowsPartial | LevelsPartial, reason: Ignored) -> None:
    stage = Stage(ahead_max_ms=65_000)
    stage.add(windows(0, W, created(1)), windows(1, W, created(2)), levels(0, W, 3))
    before = stage.combiner.view()
    assert stage.add(partial) == []
    assert stage.combiner.counts == {reason: 1}
    assert stage.combiner.view() == before
    assert [counted(each) for each in stage.add(windows(0, minute(1), created(3)), windows(1, minute(1), created(4)))] == [7]


def test_a_minute_ahead_by_less_than_the_clocks_may_differ_is_taken() -> None:
    stage = Stage(ahead_max_ms=65_000)
    assert stage.add(windows(0, W + 60_000, created(1)), windows(1, W + 60_000, created(1)))


def test_a_new_owner_sends_its_last_minute_again_and_nothing_is_given_out_twice() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1)), windows(1, W, created(2)))
    assert stage.add(windows(0, W, created(1), epoch=2)) == []
    assert [counted(each) for each in stage.add(windows(0, minute(1), created(1), epoch=2), windows(1, minute(1), created(1)))] == [2]
    assert stage.combiner.counts == {}


def test_what_a_replaced_owner_sent_of_later_minutes_never_happened() -> None:
    """Its transaction was aborted: read by somebody who does not wait for commits, it must not stay."""
    for hint in ([], [levels(0, W, 1, epoch=2)]):  # levels of the new owner may come before its windows
        stage = Stage()
        stage.add(windows(0, W, created(1)), windows(1, W, created(2)))
        stage.add(windows(0, minute(1), created(50)), windows(0, minute(2), created(50)))
        stage.add(*hint, windows(0, W, created(1), epoch=2), windows(1, minute(1), created(3)), windows(1, minute(2), created(3)))
        assert len(stage.given) == 1
        assert stage.combiner.counts == {Ignored.OLD_EPOCH: 2}
        assert [counted(each) for each in stage.add(windows(0, minute(1), created(4), epoch=2))] == [7]


def test_a_minute_of_which_nothing_is_left_is_not_given_out() -> None:
    stage = Stage()
    stage.add(windows(1, minute(3), created(1), since=minute(2)), windows(0, minute(1), created(50)))
    assert [each.end for each in stage.given] == [minute(1)]  # the other one began later
    stage.add(windows(0, minute(4), created(9)), windows(0, minute(2), created(9), epoch=2))
    assert [each.end for each in stage.given] == [minute(1), minute(2)]
    assert stage.wait(WAIT_MS) != []
    assert [each.end for each in stage.given] == [minute(1), minute(2), minute(3)]


def test_a_correction_of_the_minute_given_out_last_is_given_out_and_of_an_earlier_one_is_not() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1)), windows(1, W, created(2)))
    (corrected,) = stage.add(windows(0, W, created(5), epoch=2))
    assert (corrected.end, corrected.sequence, counted(corrected)) == (W, 1, 7)
    stage.add(windows(0, minute(1), created(1), epoch=2), windows(1, minute(1), created(1)))
    assert stage.add(windows(1, W, created(9), sequence=1)) == []
    assert stage.combiner.counts == {Ignored.LATE: 1}


def test_a_segment_that_has_nothing_any_more_says_so_once_and_goes_with_the_next_minute() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1) | created(2, PHONE)), windows(1, W, {}))
    (nothing,) = stage.add(windows(0, minute(1), created(1)), windows(1, minute(1), {}))
    assert (nothing.segments[PHONE], nothing.gone) == (NOTHING, ())
    (gone,) = stage.add(windows(0, minute(2), created(1)), windows(1, minute(2), {}))
    assert (PHONE in gone.segments, gone.gone) == (False, (PHONE,))
    (after,) = stage.add(windows(0, minute(3), created(1)), windows(1, minute(3), created(1, PHONE)))
    assert (counted(after, PHONE), after.gone) == (1, ())


def test_a_segment_that_is_only_missing_does_not_go() -> None:
    stage = Stage()
    stage.add(windows(0, W, created(1)), windows(1, W, created(2, PHONE)))
    for number in (1, 2, 3):
        stage.add(windows(0, minute(number), created(1)))
        (given,) = stage.wait(WAIT_MS)
        assert (given.segments[PHONE], given.gone, given.complete) == (NOTHING, (), False)
    (given,) = stage.add(windows(1, minute(3), created(2, PHONE)))
    assert (counted(given, PHONE), given.complete) == (2, True)


def test_the_total_is_there_from_the_beginning_where_it_lives() -> None:
    config = Config()
    home = place_of((), (), config.topics.kpi_partitions)
    for number in range(config.topics.kpi_partitions):
        combiner = combiner_of(config, number)
        for partition in range(config.topics.partitions):
            combiner.add(windows(partition, W, {}, of=config.topics.partitions), W)
        (given,) = combiner.due(W)
        assert given.segments == ({TOTAL: NOTHING} if number == home else {})


def test_where_the_log_is_the_clock_nothing_waits_for_the_wall() -> None:
    combiner = combiner_of(loads(b"worker: {clock: log}\ntopics: {partitions: 2}", "log"), 0)
    combiner.add(windows(0, W + 10**12, created(1)), W)
    assert combiner.due(W + 10**15) == []
    assert combiner.wake_at() is None


# -- a new owner ----------------------------------------------------------------------------------------------------------------------


def restored(stage: Stage, *published: Published) -> Stage:
    """A new combiner with the newest slices of the old one, as a table or a compacted topic has them."""
    new = Stage(stage.combiner.partitions)
    new.now = stage.now
    new.combiner.resume(published)
    return new


def test_a_new_owner_gives_out_the_last_minute_again_and_is_right_with_the_next() -> None:
    old = Stage()
    newest = [windows(0, W, created(1) | created(3, MAIL)), windows(1, W, created(2, backlog=4))]
    (before,) = old.add(*newest)
    for order in permutations(newest):
        new = restored(old, *(Published(place, "1h", 3, W, 0) for place in before.segments))
        (again,) = new.add(*order)
        assert again == before
        assert [counted(each) for each in new.add(windows(0, minute(1), created(1)), windows(1, minute(1), created(1)))] == [2]


def test_a_minute_never_goes_back_behind_what_the_former_owner_published() -> None:
    new = restored(Stage(), Published(TOTAL, "1h", 3, minute(2), 0))
    assert new.add(windows(0, W, created(1)), windows(1, W, created(2))) == []
    assert new.add(windows(0, minute(2), created(1)), windows(1, minute(2), created(2)))
    assert new.combiner.counts == {Ignored.LATE: 2}


def test_resuming_after_the_slices_is_the_same_as_before_them() -> None:
    stage = Stage()
    for partition in (0, 1):
        stage.combiner.add(windows(partition, W, created(1)), W)
    stage.combiner.resume([Published(TOTAL, "1h", 3, minute(1), 0)])
    assert stage.wait(WAIT_MS) == []


def test_segments_that_went_while_nobody_was_the_owner_say_so_and_go() -> None:
    new = restored(Stage(), Published(PHONE, "1h", 3, W, 0), Published(TOTAL, "1h", 3, W, 0))
    (first,) = new.add(windows(0, minute(1), created(1)), windows(1, minute(1), {}))
    assert (first.segments[PHONE], first.gone) == (NOTHING, ())
    (second,) = new.add(windows(0, minute(2), created(1)), windows(1, minute(2), {}))
    assert second.gone == (PHONE,)


# -- limits ---------------------------------------------------------------------------------------------------------------------------


LONG = 10**12


def test_beyond_the_limit_the_oldest_minute_is_given_out_as_it_is() -> None:
    stage = Stage(incomplete_after_ms=LONG, pending_max=3)
    given = [each for number in range(6) for each in stage.add(windows(0, minute(number), created(number)))]
    assert [(each.end, each.complete, each.missing) for each in given] == [
        (W, False, (1,)), (minute(1), False, (1,)), (minute(2), False, (1,)), (minute(3), False, (1,)),
    ]  # fmt: skip


def test_beyond_the_limit_the_oldest_minute_is_given_up_where_the_log_is_the_clock() -> None:
    """To give it out incomplete would make all that the slower partition reports of later minutes come too late."""
    stage = Stage(incomplete_after_ms=NEVER, pending_max=3)
    stage.add(*(windows(0, minute(number), created(number)) for number in range(6)))
    given = [each for number in range(6) for each in stage.add(windows(1, minute(number), created(1)))]
    assert [(each.end, each.complete, counted(each)) for each in given] == [(minute(number), True, number + 1) for number in (3, 4, 5)]


def test_minutes_that_never_become_whole_are_bounded_too() -> None:
    stage = Stage(incomplete_after_ms=NEVER, pending_max=3)
    for number in range(50):
        stage.add(windows(0, minute(number), created(1), part=0, parts=2))
    assert stage.given == []
    assert stage.combiner.counts == {Ignored.SUPERSEDED: 47}


def test_many_segments_wait_for_fewer_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combine, "PENDING_SEGMENTS_MAX", 5)
    stage = Stage(incomplete_after_ms=LONG)
    large: Segments = {(("channel",), (str(number),)): ({"1h": {"tickets_created": 1}}, 0) for number in range(4)}
    assert [len(stage.add(windows(0, minute(number), large))) for number in range(4)] == [0, 0, 2, 1]  # one given out and one that waits


def test_more_segments_than_there_may_be_are_left_out_and_those_that_readers_know_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combine, "SEGMENTS_MAX", 2)
    stage = Stage()
    stage.add(windows(0, W, created(1) | created(2, PHONE)), windows(1, W, {}))
    (given,) = stage.add(windows(0, minute(1), created(1) | created(2, PHONE)), windows(1, minute(1), created(3, MAIL)))
    assert set(given.segments) == {TOTAL, PHONE}
    assert stage.combiner.counts == {Ignored.SEGMENTS: 1}


# -- levels ---------------------------------------------------------------------------------------------------------------------------


def shown_backlog(combiner: Combiner) -> int | None:
    view = combiner.view()
    assert view is not None
    return view.levels.get(TOTAL, {}).get("backlog")


def test_levels_are_the_latest_of_each_partition_added_up() -> None:
    stage = Stage()
    assert stage.combiner.view() is None
    stage.add(windows(0, W, {}), windows(1, W, {}), levels(0, W, 3), levels(1, W, 4))
    assert shown_backlog(stage.combiner) == 7
    stage.add(levels(1, W + 900, 2), levels(1, W + 900, 2))
    assert shown_backlog(stage.combiner) == 5
    stage.add(levels(0, W - 100, 8, epoch=2))  # a new owner goes on from the last commit
    assert shown_backlog(stage.combiner) == 10


def test_levels_in_parts_change_at_once() -> None:
    stage = Stage(1)
    stage.add(windows(0, W, {}, of=1), levels(0, W, 3, of=1))
    stage.add(levels(0, W + 1, 5, of=1, part=0, parts=2))
    assert shown_backlog(stage.combiner) == 3
    stage.add(levels(0, W + 1, 5, of=1, part=1, parts=2))
    assert shown_backlog(stage.combiner) == 5


def test_a_view_is_not_changed_by_what_comes_later() -> None:
    stage = Stage(1)
    stage.add(windows(0, W, created(1), of=1), levels(0, W, 3, of=1))
    view = stage.combiner.view()
    assert view is stage.combiner.view()
    kept = repr(view)
    stage.add(windows(0, minute(1), created(2), of=1), levels(0, minute(1), 4, of=1))
    assert repr(view) == kept != repr(stage.combiner.view())


# -- in whatever order ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_the_end_does_not_depend_on_the_order_in_which_slices_came(seed: int) -> None:
    dice = random.Random(seed)
    reports = {
        partition: [
            windows(partition, minute(number), created(dice.randrange(5)) | created(1, PHONE), of=4, part=part, parts=1)
            for number in range(5) for part in (0,)
        ]
        for partition in range(4)
    }  # fmt: skip
    expected = [sum(counted_in(reports[partition][number]) for partition in range(4)) for number in range(5)]
    stage = Stage(4)
    left = {partition: list(partials) for partition, partials in reports.items()}
    while left:
        partition = dice.choice(sorted(left))
        partial = left[partition].pop(0)
        stage.add(partial, *([partial] if dice.random() < 0.3 else []))
        left = {number: partials for number, partials in left.items() if partials}
    assert [each.end for each in stage.given] == [minute(number) for number in range(5)]
    assert [counted(each) for each in stage.given] == expected
    assert all(each.complete and each.sequence == 0 for each in stage.given)


def counted_in(partial: WindowsPartial) -> int:
    windows_of_total, _ = partial.segments[TOTAL]
    return windows_of_total["1h"]["tickets_created"]


def test_what_is_given_out_never_goes_back() -> None:
    again = 0
    for seed in range(30):
        dice = random.Random(seed)
        stage = Stage(3, pending_max=4)
        for turn in range(200):
            partial = windows(
                dice.randrange(3), minute(turn // 20 + dice.randrange(3)), created(dice.randrange(3)), of=3, epoch=dice.randrange(3),
                sequence=dice.randrange(2), part=dice.randrange(2), parts=2, since=minute(dice.randrange(-1, 3)),
            )  # fmt: skip
            stage.add(partial)
            stage.wait(dice.choice([0, 0, 3000]))
        orders = [(each.end, each.sequence) for each in stage.given]
        assert orders == sorted(set(orders))
        assert len(orders) > 1
        again += sum(sequence > 0 for _, sequence in orders)
    assert again > 3
