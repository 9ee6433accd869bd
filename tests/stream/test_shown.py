"""How often a partition's numbers are copied: often where that is cheap, seldom where it is dear, but in time."""

from __future__ import annotations

import pytest

from processor.stream.shown import LATEST_SECONDS, LATEST_SECONDS_BEHIND, SHARE, Pace


@pytest.mark.parametrize(
    ("took", "behind", "pause"),
    [
        (0.0001, False, 0.1),  # as the configuration has it
        (0.01, False, 0.01 * SHARE),
        (0.5, False, LATEST_SECONDS),
        (0.02, True, 0.02 * SHARE),
        (0.5, True, LATEST_SECONDS_BEHIND),
    ],
)
def test_what_it_costs_decides_within_bounds(took: float, behind: bool, pause: float) -> None:
    pace = Pace(0.1)
    pace.copied(100.0, took)
    assert pace.left(100.0, behind=behind) == pytest.approx(pause)
    assert pace.left(100.0 + pause, behind=behind) <= 1e-9


def test_a_longer_pause_that_is_configured_is_kept() -> None:
    pace = Pace(5.0)
    pace.copied(100.0, 0.5)
    assert pace.left(100.0, behind=False) == 5.0
