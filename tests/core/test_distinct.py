"""Different people are counted exactly while they are few, and nearly so when they are many, in whatever order they are added up."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core import distinct
from processor.core.distinct import AGENTS, VISITORS, collapse, compact, count, is_person
from processor.core.facts import pseudonym
from processor.core.rows import Row, add_row

PEOPLE = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([1, 1, 1, -1])), max_size=80)


def key(number: int, family: str = VISITORS) -> str:
    return f"{family}:{pseudonym(str(number))}"


@given(PEOPLE)
def test_few_are_counted_exactly(story: list[tuple[int, int]]) -> None:
    row: Row = {"tickets_created": 3}
    expected: Counter[int] = Counter()
    for number, sign in story:
        add_row(row, {key(number): 1, key(number, AGENTS): 1}, sign)
        expected[number] += sign
    positive = sum(each > 0 for each in expected.values())
    assert count(row, VISITORS) == count(row, AGENTS) == positive
    collapse(row, VISITORS)
    assert row.get(VISITORS, 0) == positive
    assert not [each for each in row if each.startswith(f"{VISITORS}:")]
    assert count(row, AGENTS) == positive


@pytest.mark.parametrize("people", [12_000, 50_000, 100_000])
def test_many_are_estimated_within_three_standard_errors(people: int) -> None:
    row: Row = {}
    for number in range(people):
        add_row(row, {key(number): 1}, 1)
    assert len(row) <= 10_000
    assert count(row, VISITORS) == pytest.approx(people, rel=0.15)


def test_a_sketch_takes_back_what_it_was_given() -> None:
    row: Row = {}
    for number in range(3000):
        add_row(row, {key(number): 1}, 1)
    compact(row)
    before = count(row, VISITORS)
    assert not [each for each in row if not each.startswith(f"{VISITORS}:~")]
    numbers = list(range(100, 3000))
    random.Random(5).shuffle(numbers)
    for number in numbers:
        add_row(row, {key(number): 1}, -1)
    assert before == pytest.approx(3000, rel=0.15)
    assert count(row, VISITORS) == pytest.approx(100, abs=25)
    for number in range(100):
        add_row(row, {key(number): 1}, -1)
    assert count(row, VISITORS) == 0
    compact(row)
    assert count(row, VISITORS) == 0


@given(st.lists(st.lists(st.integers(0, 500), max_size=120), max_size=5), st.sets(st.integers(0, 4)))
def test_where_sketches_begin_makes_no_difference_to_the_sum(parts: list[list[int]], sketched: set[int]) -> None:
    plain: Row = {}
    mixed: Row = {}
    for place, numbers in enumerate(parts):
        row: Row = {}
        for number in numbers:
            add_row(row, {key(number): 1}, 1)
        add_row(plain, row, 1)
        if place in sketched:
            for each in list(row):
                add_row(row, {distinct._register(VISITORS, each): row[each]}, 1)
                del row[each]
        add_row(mixed, row, 1)
    everything = {distinct._register(VISITORS, each): amount for each, amount in plain.items()}
    if any(each.startswith(f"{VISITORS}:~") for each in mixed):
        merged: Row = {}
        for each, amount in plain.items():
            add_row(merged, {distinct._register(VISITORS, each): amount}, 1)
        assert count(mixed, VISITORS) == count(merged, VISITORS)
    else:
        assert count(mixed, VISITORS) == count(plain, VISITORS) == len(plain)
    assert len(everything) <= len(plain)


def test_keys_of_people_are_known_by_their_family() -> None:
    assert is_person(key(1))
    assert is_person("agents:~5.3")
    assert not is_person("kb_visitors")
    assert not is_person("agent_time:busy")
