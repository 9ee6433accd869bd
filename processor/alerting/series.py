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
BURN_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording rule."""

    record: str
    expr: str


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


def net(name: str, by: str, length: str, suffix: str = "_total") -> str:
    """By how much a counter has grown within a time, by some labels, less what was taken back."""
    grown = f"sum by ({by}) (increase(support:{{}}{suffix}:max[{length}]))"
    return f"{grown.format(name)}\n- {grown.format(f'{name}_retracted')}"


def together(name: str, by: str) -> str:
    """A gauge of the exposition, of whoever serves it."""
    return f"max by ({by}) ({name})"


def recordings(config: Config) -> tuple[Recording, ...]:
    """Everything above the lowest. What others read comes first."""
    return (*_resting(config), *_tickets(), *_contacts(config), *_clocks(), *_usual())


def _resting(config: Config) -> Iterator[Recording]:
    yield Recording(REPLAYING, "max by (job) (support:processor_replaying:max)")
    # Without a calendar nothing matches, and nothing rests: no calendar has an empty name.
    chosen = f'support_calendar_open{{calendar="{config.alerts.calendar or ""}"}}'
    yield Recording(OPEN, f"max by (job) ({chosen})")


def _tickets() -> Iterator[Recording]:
    by = "job, group"
    yield Recording("job_group:support_backlog_tickets:sum", f"sum by ({by}) (support:backlog_tickets:max)")
    yield Recording(
        "job_group:support_backlog_net_flow:increase30m", f"{net('backlog_entered', by, '30m')}\n- ({net('backlog_left', by, '30m')})"
    )
    yield Recording("job_group:support_tickets_created:increase1h", net("tickets_created", by, "1h"))
    yield Recording("job_topic:support_arrivals_tickets:sum", "sum by (job, topic) (support:arrivals_tickets:max)")
    yield Recording("job_group_survey:support_surveys_negative:increase4h", net("surveys_negative", f"{by}, survey", "4h"))
    buckets = net("first_response_seconds", f"{by}, le", "1h", "_bucket").replace("_bucket_retracted", "_retracted_bucket")
    yield Recording("job_group_le:support_first_response_seconds_bucket:increase1h", buckets)
    yield Recording("job_group:support_first_response_seconds:p50_1h",
                    "histogram_quantile(0.5, job_group_le:support_first_response_seconds_bucket:increase1h)")  # fmt: skip


def _contacts(config: Config) -> Iterator[Recording]:
    by = "job, queue"
    # Whose patience was tried: who left within the threshold of a short abandonment is in neither side of the rate.
    yield Recording(
        "job_queue:support_contacts_offered_without_short:increase30m",
        f"{net('contacts_offered', by, '30m')}\n- ({net('contacts_short_abandoned', by, '30m')})",
    )
    yield Recording("job_queue:support_contacts_abandoned:increase30m", net("contacts_abandoned", by, "30m"))
    yield Recording("job_queue:support_contacts_offered:increase1h", net("contacts_offered", by, "1h"))
    # The denominator of the service level, as it is configured.
    level = config.service_level
    decided = ["contacts_answered", "contacts_abandoned"]
    decided += ["contacts_short_abandoned"] if level.counts_short_abandonments else []
    decided += ["contacts_flowed_out"] if level.counts_flow_outs else []
    yield Recording("job_queue:support_contacts_decided:increase1h", "\n+ ".join(f"({net(name, by, '1h')})" for name in decided))
    yield Recording("job_queue:support_contacts_answered_in_target:increase1h", net("contacts_answered_in_target", by, "1h"))
    # Where a call goes is known later than that it came, so not by queue.
    yield Recording("job:support_calls_initiated:increase1h", net("calls_initiated", "job", "1h"))
    yield Recording("job:support_calls_missed:increase1h", f"{net('calls_missed', 'job', '1h')}\n- ({net('calls_recovered', 'job', '1h')})")
    yield Recording("job:support_agents:sum", "sum by (job) (support:agents:max)")


def _clocks() -> Iterator[Recording]:
    yield Recording("job_clock_policy:support_sla_clocks_breached:increase1h", net("sla_clocks_breached", "job, clock, policy", "1h"))
    by = "job, clock"
    for length in BURN_WINDOWS:
        for verb in ("measured", "breached"):
            yield Recording(f"job_clock:support_sla_clocks_{verb}:increase{length}", net(f"sla_clocks_{verb}", by, length))
        breached, measured = (f"job_clock:support_sla_clocks_{verb}:increase{length}" for verb in ("breached", "measured"))
        yield Recording(
            f"job_clock:support_sla_clocks_breached_per_sla_clocks_measured:ratio_increase{length}", f"{breached}\n/ ({measured} > 0)"
        )
    # What is due soon, less what the team has lately kept in such a time.
    yield Recording(
        "job_clock:support_sla_breaches:predicted30m",
        'sum by (job, clock) (support:sla_clocks_due:max{horizon="30m"})\n'
        "- clamp_min(job_clock:support_sla_clocks_measured:increase30m - job_clock:support_sla_clocks_breached:increase30m, 0)",
    )
    paused, running = (f"sum by ({by}) (support:sla_clocks_{state}:max)" for state in ("paused", "running"))
    yield Recording("job_clock:support_sla_clocks_paused:ratio", f"{paused}\n/ ({paused} + {running} > 0)")


def _usual() -> Iterator[Recording]:
    """What came at this hour of the last three weeks, the median; of fewer where there are no more."""
    for by, name in (
        ("job, group", "job_group:support_tickets_created:increase1h"),
        ("job, topic", "job_topic:support_arrivals_tickets:sum"),
        ("job, queue", "job_queue:support_contacts_offered:increase1h"),
        ("job", "job:support_processor_events_consumed:increase30m"),
    ):
        if by == "job":
            yield Recording(name, "sum by (job) (increase(support:processor_events_consumed_total:max[30m]))")
        weeks = "\n  or ".join(f'label_replace({name} offset {week}w, "week", "{week}", "", "")' for week in (1, 2, 3))
        yield Recording(f"{name}_usual", f"quantile by ({by}) (0.5,\n  {weeks}\n)")
