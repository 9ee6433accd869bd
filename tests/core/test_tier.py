"""Rows are the same whether they are packed or not; and those of a day are packed, or a quiet partition would hold a hundred megabytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processor.core.places import Row
from processor.core.tier import PACKED_AT_ONCE, Tier

Model = dict[int, dict[int, Row]]

INDICES = st.integers(0, 30)
NAMES = st.sampled_from(["tickets_created", "first_response:sum", 'agents:"ä\ud800'])
WRITES = st.tuples(st.just("write"), INDICES, st.integers(0, 2), NAMES, st.integers(-(2**70), 2**70))
PACKS = st.tuples(st.just("pack"), st.integers(0, 40), st.frozensets(INDICES, max_size=3))
TAKES = st.tuples(st.just("take"), INDICES)


@given(st.lists(st.one_of(WRITES, PACKS, TAKES), max_size=60), INDICES, INDICES)
def test_what_is_packed_reads_and_changes_as_if_it_were_not(actions: list[tuple[object, ...]], first: int, last: int) -> None:
    tier, model = Tier(2), Model()
    for action in actions:
        match action:
            case ("write", int(index), int(segment), str(name), int(amount)):
                for rows in (tier.rows(index), model.setdefault(index, {})):
                    row = rows.setdefault(segment, {})
                    row[name] = row.get(name, 0) + amount
            case ("pack", int(newest), frozenset() as changed):
                tier.pack(newest, changed)
            case ("take", int(floor)):
                assert dict(tier.take_before(floor)) == {index: model.pop(index) for index in list(model) if index < floor}
        assert len(tier) == len(model)
    assert dict(tier.items()) == model
    assert [tier.get(index) for index in range(32)] == [model.get(index, {}) for index in range(32)]
    between = tier.between(first, last)
    assert sorted(map(repr, between)) == sorted(repr(rows) for index, rows in model.items() if first <= index < last)


def test_all_but_the_youngest_are_packed_in_the_end_a_few_at_once_and_what_changed_is_packed_again() -> None:
    tier = Tier(5)
    for index in range(100):
        tier.rows(index)[0] = {f"name-{number}": number for number in range(100)}
    tier.pack(100, frozenset())
    assert len(plain_of(tier)) == 100 - PACKED_AT_ONCE
    for _ in range(100):
        tier.pack(100, {50})
    assert sorted(plain_of(tier)) == [50, *range(95, 100)]
    tier.rows(20)[0]["more"] = 1
    assert sorted(plain_of(tier)) == [20, 50, *range(95, 100)]
    for _ in range(3):
        tier.pack(100, frozenset())
    assert sorted(plain_of(tier)) == [*range(95, 100)]
    assert tier.get(20)[0]["more"] == 1


def plain_of(tier: Tier) -> list[int]:
    """Those that are the very same object whenever they are read."""
    return [index for index in range(100) if tier.get(index) is tier.get(index)]
