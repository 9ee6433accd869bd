"""Sums that must agree at every instant: backlog = entered - left, windows = what the net facts say, rows whatever their age."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.dimensions import ENTITY_DIMENSIONS
from processor.core.engine import Engine
from processor.core.events import CONTACT, PERSON, TICKET
from processor.core.facts import Fact
from processor.core.postings import PEOPLE, POSTINGS
from processor.core.rows import MINUTE, QUARTER
from processor.core.settings import DIMENSIONS, HOUR_MS, MINUTE_MS, NONE
from tests.laws.driving import Partition, net_cells
from tests.laws.meeting import ESSENTIAL, Met
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, Line, arrivals_of, events_of, lines

DETAILED = replace(SETTINGS, facts_detail_all=True)
LENGTHS = {"5m": 5, "1h": 60, "24h": 1440, "7d": 10080}

Segment = tuple[int, tuple[str, ...]]
Posted = list[tuple[int, Segment, str, int]]  # minute, segment, key, amount


def segments_of(entity: str, fact: Fact, dims: tuple[str, ...]) -> set[Segment]:
    """Every segment to which an entity with these dimensions belongs."""
    known = ENTITY_DIMENSIONS[entity]
    values = dict(zip(DIMENSIONS, dims, strict=True))
    nobody = entity == PERSON and set(dims) == {NONE}  # counts in the total only
    return {
        (index, tuple(values[name] for name in names))
        for index, names in enumerate(DETAILED.group_bys) if known.issuperset(names) and not (nobody and names)
    }  # fmt: skip


def posted(partition: Partition) -> Posted:
    """What the net facts add to which segment in which minute."""
    result: Posted = []
    for name, count in partition.facts.items():
        fact, entity = partition.stated[name].fact, name[0]
        minute, here = fact.at // MINUTE_MS, segments_of(entity, fact, fact.dims)
        if fact.kind == "ticket.moved":
            there = segments_of(entity, fact, fact.content[0])
            result += [(minute, segment, "backlog_left:moved_out", count) for segment in there - here]
            result += [(minute, segment, "backlog_entered:moved_in", count) for segment in here - there]
        else:
            result += [(minute, segment, key, count * amount) for key, amount in POSTINGS[fact.kind](fact) for segment in here]
            result += [(minute, segment, key, count) for segment, key in people(fact, here)]
    return result


def people(fact: Fact, here: set[Segment]) -> list[tuple[Segment, str]]:
    """Who is to be counted once, and where."""
    family, index = PEOPLE.get(fact.kind, ("", 0))
    if not family or fact.content[index] is None:
        return []
    return [(segment, f"{family}:{fact.content[index]}") for segment in here if DETAILED.group_bys[segment[0]] in ((), ("group",))]


def clean(sums: dict[Segment, Counter[str]]) -> dict[Segment, dict[str, int]]:
    """Without zeros."""
    return {segment: kept for segment, row in sums.items() if (kept := {key: amount for key, amount in row.items() if amount})}


def added(posts: Posted, start: int, end: int) -> dict[Segment, dict[str, int]]:
    """Sums of the minutes [start, end), without zeros."""
    sums: dict[Segment, Counter[str]] = {}
    for minute, segment, key, amount in posts:
        if start <= minute < end:
            sums.setdefault(segment, Counter())[key] += amount
    return clean(sums)


def check_windows(partition: Partition) -> None:
    view, posts = partition.engine.view(), posted(partition)
    end = view.window_end // MINUTE_MS
    assert end == view.timer_time // MINUTE_MS
    for name, found in view.windows.items():
        last = end // 15 * 15 if name in ("24h", "7d") else end
        midnight = max((each // MINUTE_MS for each in DETAILED.midnights if each <= end * MINUTE_MS), default=0)
        first = midnight if name == "today" else last - LENGTHS[name]
        assert found == added(posts, first, last), name


def check_rows(partition: Partition) -> None:
    engine = partition.engine
    rows = engine.rows
    sums: dict[Segment, Counter[str]] = {}
    for tier, by_index in rows.tiers.items():
        for index, by_segment in by_index.items():
            if tier == MINUTE:
                assert index >= rows.minute_floor
            if tier == QUARTER:
                assert rows.quarter_floor <= index < -(-rows.minute_floor // 15)
            for number, row in by_segment.items():
                sums.setdefault(rows.segments[number], Counter()).update(row)
    assert clean(sums) == added(posted(partition), 0, 1 << 62)


def check_backlog(engine: Engine) -> None:
    view = engine.view()
    levels: Counter[tuple[str, str]] = Counter()
    for key, count in view.levels.items():
        assert count > 0
        if key[0] == "backlog":
            levels[key[2][2], key[2][1]] += count
    flows: Counter[tuple[str, str]] = Counter()
    for key, cell in net_cells(view).items():
        if key[0] == TICKET:
            entered = sum(amount for name, amount in cell.items() if name.startswith("backlog_entered"))
            flows[key[2], key[3]] += entered - sum(amount for name, amount in cell.items() if name.startswith("backlog_left"))
        elif key[0] == CONTACT:
            settled = cell.get("contacts_answered", 0) + cell.get("contacts_abandoned", 0) + cell.get("contacts_short_abandoned", 0)
            assert settled >= 0
    assert +levels == +flows
    assert all(count >= 0 for count in flows.values())
    assert sum(levels.values()) == view.open_tickets


def check_sums(partition: Partition) -> None:
    partition.step()
    check_windows(partition)
    check_rows(partition)
    check_backlog(partition.engine)


def check(drawn: list[Line], steps: tuple[int, ...], salt: int) -> Met:
    partition = Partition(DETAILED)
    arrivals = arrivals_of(drawn, events_of(drawn, steps), salt)
    for number, event in enumerate(arrivals):
        partition.apply(event)
        if number % 3 == salt % 3:
            partition.engine.advance(partition.engine.stream_time - (salt % 4) * 5 * MINUTE_MS)
        if number % 4 == salt % 4:
            partition.engine.sweep()
        if number % 5 == salt % 5:
            check_sums(partition)
        if number % 11 == 10:
            partition.restart()
    for ahead in (0, 5 * MINUTE_MS, HOUR_MS, 24 * HOUR_MS, 26 * HOUR_MS, 200 * HOUR_MS):
        partition.engine.advance(partition.engine.stream_time + ahead)
        partition.engine.sweep()
        check_sums(partition)
    return partition.met


@pytest.mark.parametrize("steps", [SHORT_STEPS, LONG_STEPS], ids=["an hour", "weeks"])
def test_sums_agree(steps: tuple[int, ...]) -> None:
    met = Met()

    @given(lines(steps, 50), st.integers(1, 12))
    def law(drawn: list[Line], salt: int) -> None:
        met.update(check(drawn, steps, salt))

    law()
    met.check(ESSENTIAL)
