"""How sure a share of few observations can be: against the equation that the Wilson interval solves, and by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.kpis import Measure, wilson

Z = 1.959963984540054


@given(st.integers(1, 5000), st.data())
def test_the_bounds_are_where_the_share_is_just_z_standard_errors_away(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    low, high = wilson(part, whole)
    share = part / whole
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert abs(share - bound) == pytest.approx(Z * math.sqrt(bound * (1 - bound) / whole), abs=1e-9)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 1, 0.2065, 1.0), (8, 10, 0.4902, 0.9433), (900, 1000, 0.8799, 0.9171)],
)
def test_by_hand(part: int, whole: int, low: float, high: float) -> None:
    assert wilson(part, whole) == pytest.approx((low, high), abs=1e-4)


def test_only_a_share_of_observations_has_an_interval() -> None:
    assert Measure(0.5, 2, 1, 2, share=True).interval is not None
    assert Measure(0.5, 2, 1, 2).interval is None  # a rate
    assert Measure(None, 0, 0, 0, share=True).interval is None
    assert Measure(1.5, 2, 3, 2, share=True).interval is None  # the window cut one from the other
    assert Measure(-0.5, 2, -1, 2, share=True).interval is None
