"""Kaplan-Meier by hand and against the definition, patient by patient."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.histogram import BUCKETS, EDGES_MS, EDGES_SECONDS
from processor.report.survival import censored_at, document, survival

TIMES = st.lists(st.tuples(st.one_of(st.integers(0, 2 * EDGES_MS[-1]), st.sampled_from(EDGES_MS)), st.booleans()), max_size=30)


@given(TIMES)
def test_it_is_the_product_over_those_at_risk(times: list[tuple[int, bool]]) -> None:
    """Times are known to their bucket; in one bucket what is over comes before what is lost sight of."""
    buckets = [(bisect_left(EDGES_MS, time), over) for time, over in times]
    events, censored = ([sum(1 for each in buckets if each == (number, over)) for number in range(BUCKETS)] for over in (True, False))
    share = Fraction(1)
    for number, found in enumerate(survival(events, censored)):
        at_risk = sum(1 for bucket, _ in buckets if bucket >= number)
        if at_risk:
            share *= Fraction(at_risk - events[number], at_risk)
        assert found == pytest.approx(float(share))


@given(TIMES)
def test_without_anything_open_it_is_the_plain_share_that_lasts_longer(times: list[tuple[int, bool]]) -> None:
    events = censored_at(time for time, _ in times)
    for edge, share in zip(EDGES_MS, survival(events, [0] * BUCKETS), strict=False):
        assert share == pytest.approx(sum(time > edge for time, _ in times) / len(times) if times else 1)


def test_those_who_wait_move_the_median() -> None:
    """Three answered within ten minutes, three that wait for hours: half of them are not answered within ten minutes."""
    answered, waiting = censored_at([500_000] * 3), censored_at([7_000_000] * 4)
    assert document(answered, [0] * BUCKETS)["median_at_most_seconds"] == 600
    found = document(answered, waiting)
    assert (found["n"], found["censored"], found["median_at_most_seconds"]) == (3, 4, None)
    assert found["longer_than"]["600"] == round(4 / 7, 4)


def test_nothing_is_no_median_and_no_curve() -> None:
    nothing = [0] * BUCKETS
    assert document(nothing, nothing) == {"n": 0, "censored": 0, "median_at_most_seconds": None, "longer_than": {}}
    assert len(EDGES_SECONDS) == BUCKETS - 1
