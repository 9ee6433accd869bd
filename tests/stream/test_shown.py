"""How often a partition's numbers are copied: often where that is cheap, seldom where it is dear, but in time."""

from __future__ import annotations

import pytest

from processor.stream.shown import LATEST_SECONDS, LATEST_SECONDS_BEHIND, LATEST_SECONDS_FAR_BEHIND, SHARE, Pace


@pytest.mark.parametrize(
    ("took", "behind", "pause"),
    [
        (0.0001, None, 0.1),  # as the configuration has it
        (0.01, None, 0.01 * SHARE),
        (0.5, None, LATEST_SECONDS),
        (0.02, 5.0, 0.02 * SHARE),
        (0.5, 5.0, LATEST_SECONDS_BEHIND),
        (0.5, 20.0, 2.0),
        (0.5, 3600.0, LATEST_SECONDS_FAR_BEHIND),
    ],
)
def test_what_it_costs_decides_within_bounds(took: float, behind: float | None, pause: float) -> None:
    pace = Pace(0.1)
    pace.copied(100.0, took)
    assert pace.left(100.0, behind_seconds=behind) == pytest.approx(pause)
    assert pace.left(100.0 + pause, behind_seconds=behind) <= 1e-9


def test_a_longer_pause_that_is_configured_is_kept() -> None:
    pace = Pace(5.0)
    pace.copied(100.0, 0.5)
    assert pace.left(100.0, behind_seconds=None) == 5.0
