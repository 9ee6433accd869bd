"""What each KPI is: by hand, against a naive count of the observations, and against the wording of histogram_quantile."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.events import CONTACT, TICKET
from processor.core.facts import Fact
from processor.core.histogram import BUCKETS, EDGES_MS, EDGES_SECONDS
from processor.core.kpis import DEFINITIONS, QUANTILES, Kind, measures, quantile
from processor.core.postings import HISTOGRAMS, POSTINGS
from processor.core.rows import Row, add_row
from processor.core.settings import CLOCKS

COUNTS = st.lists(st.integers(0, 50), min_size=BUCKETS, max_size=BUCKETS).filter(any)
DURATIONS_MS = st.lists(st.one_of(st.integers(0, 3 * EDGES_MS[-1]), st.sampled_from(EDGES_MS)), max_size=40)


def naive_quantile(share: Fraction, counts: list[int]) -> float:
    """The documented rule, observation by observation: those of a bucket lie evenly in it."""
    rank = share * sum(counts)
    seen = Fraction(0)
    for index, count in enumerate(counts):
        if count and seen + count >= rank:
            if index == len(EDGES_SECONDS):
                break
            lower = EDGES_SECONDS[index - 1] if index else 0
            return float(lower + (EDGES_SECONDS[index] - lower) * (rank - seen) / count)
        seen += count
    return float(EDGES_SECONDS[-1])


def observed(name: str, durations_ms: list[int]) -> Row:
    row: Row = {}
    for duration in durations_ms:
        add_row(row, {HISTOGRAMS[name].bucket(duration): 1, HISTOGRAMS[name].sum: duration}, 1)
    return row


@given(COUNTS, st.sampled_from([Fraction(1, 2), Fraction(3, 4), Fraction(9, 10), Fraction(19, 20)]))
def test_quantiles_are_those_of_histogram_quantile(counts: list[int], share: Fraction) -> None:
    assert math.isclose(quantile(float(share), counts), naive_quantile(share, counts), rel_tol=1e-9)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({3: 4}, 0.5, 25.0),  # four of 20 to 30 s: the second of them
        ({0: 1}, 0.5, 2.5),  # the first bucket begins at 0
        ({0: 1, BUCKETS - 1: 99}, 0.5, 7_776_000.0),  # above the ladder: its last edge
        ({4: 10, 6: 10}, 0.5, 60.0),  # an edge exactly
        ({4: 10, 6: 10}, 0.75, 210.0),
    ],
)
def test_quantiles_by_hand(counts: dict[int, int], share: float, expected: float) -> None:
    assert quantile(share, [counts.get(index, 0) for index in range(BUCKETS)]) == expected


@given(DURATIONS_MS)
def test_a_duration_has_the_mean_of_its_observations_and_the_edge_above_the_longest(durations: list[int]) -> None:
    found = measures((), observed("first_response", durations), 0)["first_response"]
    assert found.n == found.denominator == len(durations)
    assert found.numerator == sum(durations) / 1000
    if not durations:
        assert found.value is None
        assert found.stats() == {}
        return
    stats = found.stats()
    assert found.value == stats["mean"] == sum(durations) / 1000 / len(durations)
    place = bisect_left(EDGES_MS, max(durations))
    assert stats["max"] == (EDGES_SECONDS[place] if place < len(EDGES_SECONDS) else math.inf)
    assert [stats[name] for name in QUANTILES] == sorted(stats[name] for name in QUANTILES)
    assert all(math.isfinite(stats[name]) for name in QUANTILES)


ROW: Row = {
    "tickets_created": 7, "tickets_solved": 8, "tickets_reopened": 2, "tickets_discarded:spam": 1, "tickets_discarded:deleted": 2,
    "backlog_entered:created": 7, "backlog_entered:reopened": 2, "backlog_left:solved": 8, "backlog_left:discarded": 3,
    "sla_started:resolution": 9, "sla_measured:resolution": 8, "sla_breached:resolution": 2, "sla_induced:resolution": 1,
    "sla_measured:queue_wait": 5, "contacts_offered": 20, "contacts_answered": 12, "contacts_answered_in_target": 9,
    "contacts_abandoned": 3, "contacts_short_abandoned": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "n"),
    [
        ("tickets_created", 7, 7),
        ("tickets_discarded", 3, 3),
        ("backlog_entered", 9, 9),
        ("backlog_left", 11, 11),
        ("backlog_net_flow", -2, 20),
        ("backlog_tickets", 31, 31),
        ("resolution_clocks_started", 9, 9),
        ("resolution_clocks_breach_induced", 1, 1),
        ("first_response_clocks_measured", 0, 0),
        ("resolution_sla_compliance", 6 / 8, 8),
        ("queue_wait_sla_compliance", 1.0, 5),
        ("first_response_sla_compliance", None, 0),
        ("abandonment", 3 / 16, 16),  # short ones in neither
        ("service_level", 9 / 15, 15),
        ("reopen", 2 / 8, 8),
    ],
)
def test_by_hand(name: str, value: float | None, n: int) -> None:
    found = measures((), ROW, 31)[name]
    assert (found.value, found.n) == (value, n)
    if DEFINITIONS[name].kind is Kind.RATIO:
        assert found.denominator == n


def test_a_window_that_sees_only_the_end_of_short_contacts_has_no_rate() -> None:
    found = measures((), {"contacts_short_abandoned": 2, "contacts_abandoned": 1}, 0)["abandonment"]
    assert (found.value, found.n, found.numerator, found.denominator) == (None, 0, 1, 0)


@given(st.dictionaries(st.sampled_from([*ROW, *HISTOGRAMS["time_to_abandon"].buckets]), st.integers(0, 9)))
def test_nothing_observed_is_no_value_and_never_not_a_number(row: Row) -> None:
    for name, found in measures((), row, 0).items():
        if DEFINITIONS[name].kind in (Kind.RATIO, Kind.DURATION):
            assert (found.value is None) == (found.n == 0)
        assert found.value is None or math.isfinite(found.value)


DIMS = ("phone", "normal", "none", "none", "none", "none")
STORIES = st.lists(
    st.one_of(
        st.tuples(st.just("contact.offered"), st.just(())),
        st.tuples(st.just("contact.answered"), st.tuples(st.integers(0, 10**8), st.booleans())),
        st.tuples(st.just("contact.abandoned"), st.tuples(st.integers(0, 10**8), st.booleans())),
        st.tuples(st.just("clock.fulfilled"), st.tuples(*map(st.just, ("resolution", "p", 1, 5, 5)), st.booleans(), st.just(()))),
        st.tuples(st.just("clock.breached"), st.tuples(*map(st.just, ("resolution", "p", 1, 5)), st.booleans(), st.just(()))),
        st.tuples(st.just("ticket.solved"), st.tuples(st.integers(0, 10**10))),
        st.tuples(st.just("ticket.reopened"), st.tuples(st.just(1))),
    ),
    max_size=60,
)


@given(STORIES)
def test_ratios_are_those_of_a_naive_count_of_what_happened(story: list[tuple[str, tuple[Any, ...]]]) -> None:
    row: Row = {}
    for kind, content in story:
        add_row(row, dict(POSTINGS[kind](Fact(kind, 1, 0, DIMS, content))), 1)
    answered = [content for kind, content in story if kind == "contact.answered"]
    left = [content for kind, content in story if kind == "contact.abandoned"]
    in_time = sum(kind == "clock.fulfilled" and content[5] for kind, content in story)
    kinds = Counter(kind for kind, _ in story)
    abandoned = sum(not short for _, short in left)
    found = measures((), row, 0)
    for name, numerator, denominator in (
        ("service_level", sum(in_target for _, in_target in answered), len(answered) + abandoned),
        ("abandonment", abandoned, max(kinds["contact.offered"] - (len(left) - abandoned), 0)),
        ("resolution_sla_compliance", in_time, in_time + kinds["clock.breached"]),
        ("reopen", kinds["ticket.reopened"], kinds["ticket.solved"]),
    ):
        assert (found[name].numerator, found[name].denominator) == (numerator, denominator), name
        assert found[name].value == (numerator / denominator if denominator else None), name
    waits = [wait / 1000 for wait, _ in answered]
    assert found["speed_of_answer"].value == (pytest.approx(sum(waits) / len(waits)) if waits else None)


def test_the_total_has_every_kpi_and_a_segment_those_of_what_can_be_in_it() -> None:
    assert set(measures((), {}, 0)) == set(DEFINITIONS)
    assert set(measures(("channel",), {}, 0)) == set(DEFINITIONS)
    tickets = {name for name, each in DEFINITIONS.items() if each.entity == TICKET}
    assert set(measures(("channel", "group"), {}, 0)) == tickets
    assert set(measures(("queue",), {}, 0)) == {name for name, each in DEFINITIONS.items() if each.entity == CONTACT} != set()


def test_every_key_of_a_row_is_in_some_kpi() -> None:
    keys = [key for name in HISTOGRAMS for key in (*HISTOGRAMS[name].buckets, HISTOGRAMS[name].sum)]
    keys += [*ROW, "tickets_adopted", "tickets_merged", "tickets_restored", *(f"sla_cancelled:{clock}" for clock in CLOCKS)]
    nothing = measures((), {}, 0)
    for key in keys:
        assert measures((), {key: 1000}, 0) != nothing, key


def test_definitions_are_sentences_with_a_unit() -> None:
    assert len(DEFINITIONS) > 40
    for name, each in DEFINITIONS.items():
        assert each.name == name
        assert each.text.endswith(".")
        assert each.unit
        assert (each.clock in CLOCKS) == name.startswith(tuple(f"{clock}_clocks" for clock in CLOCKS)) or each.kind is Kind.RATIO
