"""Rows are sums: in whichever order they are merged, and what is taken back was never there. Also of counts of different people."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core import distinct, rows
from processor.core.facts import Fact
from processor.core.outputs import Rekeyed
from processor.core.rows import Rows, add_row
from processor.core.settings import HOUR_MS, MINUTE_MS
from tests.laws.driving import Manner, Partition, drive
from tests.laws.says import THEMES
from tests.laws.worlds import SETTINGS, SHORT_STEPS, START, story

Row = dict[str, int]
PEOPLE = tuple(f"{family}:{number:016x}" for family in distinct.FAMILIES for number in (1, 2, 3, 0xFFFF << 48, 7 << 55, (7 << 55) + 1))
KEYS = st.sampled_from(("tickets_created", "first_response:sum", "customers_counted", *PEOPLE))
ROW = st.dictionaries(KEYS, st.integers(-3, 5).filter(bool), max_size=12)


def merged(*parts: Row) -> Row:
    total: Row = {}
    for part in parts:
        add_row(total, part, 1)
    return total


def read(row: Row) -> Row:
    """What the row says: its numbers, and how many people."""
    numbers = {key: amount for key, amount in row.items() if not distinct.is_person(key)}
    return numbers | {family: distinct.count(row, family) for family in distinct.FAMILIES}


@given(ROW, ROW, ROW)
def test_merging_is_commutative_and_associative(one: Row, two: Row, three: Row) -> None:
    assert merged(one, two) == merged(two, one)
    assert merged(merged(one, two), three) == merged(one, merged(two, three))


@given(ROW, ROW)
def test_taking_back_is_the_inverse(one: Row, two: Row) -> None:
    total = merged(one, two)
    add_row(total, two, -1)
    assert total == merged(one)


@pytest.fixture
def short_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few people are already too many to be kept one by one."""
    for module in (distinct, rows):
        monkeypatch.setattr(module, "EXACT_MAX", 40)
    monkeypatch.setattr(distinct, "_FEW", 5)


@pytest.mark.usefixtures("short_rows")
@pytest.mark.parametrize("seed", range(40))
def test_it_is_so_where_people_are_estimated(seed: int) -> None:
    random = Random(seed)
    everybody = [f"{random.choice(distinct.FAMILIES)}:{random.getrandbits(64):016x}" for _ in range(random.choice((20, 60, 200)))]
    parts = [dict.fromkeys(random.sample(everybody, random.randrange(len(everybody))), 1) for _ in range(4)]
    said = read(merged(*parts))
    for _ in range(4):
        random.shuffle(parts)
        assert read(merged(*parts)) == said
        assert read(merged(merged(*parts[:2]), merged(*parts[2:]))) == said
    total = merged(*parts, dict.fromkeys(everybody, 2))
    add_row(total, dict.fromkeys(everybody, 2), -1)
    assert read(total) == said


def facts_of(theme: str, seed: int) -> list[tuple[str, Fact]]:
    partition = drive(SETTINGS, story(seed, theme, SHORT_STEPS, 40), START + 20 * HOUR_MS, Manner())
    return [(name[0], partition.stated[name].fact) for name in partition.facts]


def sums(posted: Rows) -> tuple[object, ...]:
    tiers = {
        (tier, index, posted.segments[segment]): kept
        for tier, indexes in posted.tiers.items() for index, by_segment in indexes.items() for segment, row in by_segment.items()
        if (kept := merged(row))
    }  # fmt: skip
    cells: dict[tuple[str, ...], Row] = {}
    for key, cell in posted.cells.items():
        net = merged({name: amount for name, amount in cell.items() if not name.endswith("-")})
        add_row(net, {name[:-1]: amount for name, amount in cell.items() if name.endswith("-")}, -1)
        cells |= {key: net} if net else {}
    return tiers, cells


@pytest.mark.parametrize("theme", THEMES)
def test_facts_that_are_taken_back_were_never_there(theme: str) -> None:
    compared = 0
    for seed in range(6):
        random, facts = Random(seed), facts_of(theme, seed)
        never, corrected = Rows(SETTINGS), Rows(SETTINGS)
        more = facts_of(theme, seed + 100)
        for entity, fact in facts:
            never.post(entity, fact, 1)
        changes = [(*each, 1) for each in facts] + [(*each, sign) for each in more for sign in (1, -1)]
        changes.sort(key=lambda change: (change[2] < 0, random.random()))
        for entity, fact, sign in changes:
            corrected.post(entity, fact, sign)
        assert sums(never) == sums(corrected)
        compared += len(more)
    assert compared > 20


@pytest.mark.parametrize("seed", range(12))
def test_what_is_handed_over_and_taken_back_was_never_handed_over(seed: int) -> None:
    events = story(seed, "replies", SHORT_STEPS, 30)
    at = events[len(events) // 2].occurred_at
    words = (
        ("ticket.contact_answered", "T1", ("C9", 5000, None)), ("ticket.wait_handed", "T1", ("T9", START - MINUTE_MS, 1)),
        ("ticket.contacted_again", "T1", ("P1", "T9")), ("person.contacted", "P1", ("T9", "billing", at)),
    )  # fmt: skip
    until = events[-1].occurred_at + HOUR_MS
    never, corrected = Partition(SETTINGS), Partition(SETTINGS)
    for event in events:
        never.apply(event)
        corrected.apply(event)
    for number, (kind, target, data) in enumerate(words):
        for sign in (1, -1):
            corrected.engine.apply_rekeyed(Rekeyed(sign, kind, target, number, at, data))
            corrected._take_back()
    for partition in (never, corrected):
        partition.engine.advance(until)
        partition._take_back()
        partition.step()
    assert corrected.facts == never.facts
    assert corrected.engine.view().levels == never.engine.view().levels
