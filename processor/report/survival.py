"""How long something takes when not everything is over yet: Kaplan-Meier on the ladder of the histograms.

The mean of the answered ones hides those who still wait, and who hangs up hides how long the others would have stayed. Here they count as
what they are: still there, as far as was seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Any

from processor.core.histogram import BUCKETS, EDGES_MS, EDGES_SECONDS

SHOWN_EDGES = (20, 60, 120, 300, 600, 3600, 14400, 86400)  # seconds at which the curve is told


def censored_at(ages_ms: Iterable[int]) -> list[int]:
    """Ages of what is not over, per bucket of the ladder."""
    counts = [0] * BUCKETS
    for age in ages_ms:
        counts[bisect_left(EDGES_MS, max(age, 0))] += 1
    return counts


def survival(events: Sequence[int], censored: Sequence[int]) -> list[float]:
    """The share that lasts longer than the upper edge of each bucket.

    What is censored in a bucket is at risk in it, but in none after it: so of two that fall into one bucket the event comes first.
    """
    shares: list[float] = []
    at_risk, share = sum(events) + sum(censored), 1.0
    for over, lost in zip(events, censored, strict=True):
        if at_risk > 0:
            share *= 1 - over / at_risk
        shares.append(share)
        at_risk -= over + lost
    return shares


def document(events: Sequence[int], censored: Sequence[int]) -> dict[str, Any]:
    """The median as the edge that half of them do not exceed, null where that is not known; and the curve at some edges."""
    shares = survival(events, censored)
    n, open_ones = sum(events), sum(censored)
    median = next((edge for edge, share in zip(EDGES_SECONDS, shares, strict=False) if share <= 0.5), None) if n else None
    curve = {str(edge): round(shares[EDGES_SECONDS.index(edge)], 4) for edge in SHOWN_EDGES} if n + open_ones else {}
    return {"n": n, "censored": open_ones, "median_at_most_seconds": median, "longer_than": curve}
