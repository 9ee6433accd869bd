"""The recorded series that alerts and dashboards read.

Lowest are those of the catalogue, one for each partition, whoever owns it: `support:NAME:max`. When a partition moves, the new owner's
series begins while the old one's fades; totals are durable, so the larger is the right one, and rates over these series lose nothing. Which
of them are recorded follows from the expressions: what is named there is recorded, nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from processor.alerting.alert import OPEN, REPLAYING
from processor.config import Config
from processor.export.family import PREFIX

LOWEST = re.compile(r"\bsupport:(\w+):max\b")
_RETRACTED = re.compile(r"_retracted(?=_total$|_bucket$|_sum$|_count$|$)")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule, and why it is there."""

    record: str
    expr: str
    why: str = ""


def lowest(expressions: Iterable[str]) -> Iterator[Recording]:
    """A series for each `support:NAME:max` that an expression names.

    What a log loaded from `replay --openmetrics` holds is net: its twins are absent, and count as 0.
    """
    names = sorted({name for expression in expressions for name in LOWEST.findall(expression)})
    for name in names:
        expr = f"max without (instance, pod) ({PREFIX}{name})"
        if _RETRACTED.search(name):
            expr += f"\nor 0 * max without (instance, pod) ({PREFIX}{_RETRACTED.sub('', name)})"
        yield Recording(f"support:{name}:max", expr)


def net(name: str, by: str, length: str) -> str:
    """By how much a counter has grown within a time, by some labels, less what was taken back."""
    grown = f"sum by ({by}) (increase(support:{{}}_total:max[{length}]))"
    return f"{grown.format(name)}\n- {grown.format(f'{name}_retracted')}"


def recordings(config: Config) -> tuple[Recording, ...]:
    """Everything above the lowest. What is named elsewhere first."""
    return (*_resting(config), *_tickets(), *_contacts(), *_clocks())


def _resting(config: Config) -> Iterator[Recording]:
    yield Recording(REPLAYING, "max by (job) (support:processor_replaying:max)", "Alerts about KPIs rest while history is read.")
    # Without a calendar nothing matches, and nothing rests: no calendar has an empty name.
    chosen = f'support_calendar_open{{calendar="{config.alerts.calendar or ""}"}}'
    yield Recording(OPEN, f"max by (job) ({chosen})", "And while nobody is at work.")


def _tickets() -> Iterator[Recording]:
    yield Recording("job_group:support_backlog_tickets:sum", "sum by (job, group) (support:backlog_tickets:max)")


def _contacts() -> Iterator[Recording]:
    yield Recording(
        "job_queue:support_contacts_offered_without_short:increase30m",
        f"{net('contacts_offered', 'job, queue', '30m')}\n- ({net('contacts_short_abandoned', 'job, queue', '30m')})",
        "Whose patience was tried: who left within the threshold of a short abandonment is in neither side of the rate.",
    )
    yield Recording("job_queue:support_contacts_abandoned:increase30m", net("contacts_abandoned", "job, queue", "30m"))


def _clocks() -> Iterator[Recording]:
    for verb in ("measured", "breached"):
        yield Recording(f"job_clock_policy:support_sla_clocks_{verb}:increase1h", net(f"sla_clocks_{verb}", "job, clock, policy", "1h"))
