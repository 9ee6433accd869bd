"""The generator's books: what everything that happens will have added to the totals when the log ends. This is what all books share.

Totals are net: a ticket that is spam, deleted or merged away at the end adds its creation and its comings and goings, but none of its
outcomes; one that came back adds them as if it had never been gone.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from processor.synthetic.clock import BookClock

Totals = Counter[str]


@lru_cache(maxsize=1024)
def labelled(family: str, **labels: str) -> str:
    """A family's name with labels, as it is exported."""
    return family + "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def observe(totals: Totals, histogram: str, duration_ms: int) -> None:
    """Count a duration; sums are kept in milliseconds until the end."""
    totals[f"support_{histogram}_seconds_count"] += 1
    totals[f"support_{histogram}_seconds_sum"] += duration_ms


def in_thousandths(family: str) -> bool:
    """Whether the totals hold thousandths of what the family is served in: milliseconds, cents and scores add up exactly."""
    name = family.partition("{")[0]
    return name.endswith(("_seconds_sum", "_seconds_total")) or name in ("support_operating_cost_total", "support_ces_score_sum")


def measure(totals: Totals, clock: BookClock | None, until: int, fulfilled: bool) -> None:
    """A clock is measured once: breached, or fulfilled in time."""
    if clock is None or clock.target is None:
        return
    if clock.breached or clock.due <= until:
        totals[labelled("support_sla_clocks_measured_total", clock=clock.name)] += 1
        totals[labelled("support_sla_clocks_breached_total", clock=clock.name)] += 1
        if clock.induced:
            totals[labelled("support_sla_clocks_breach_induced_total", clock=clock.name)] += 1
    elif fulfilled:
        totals[labelled("support_sla_clocks_measured_total", clock=clock.name)] += 1
