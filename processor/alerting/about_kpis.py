"""Alerts about KPIs: what hurts customers."""

from __future__ import annotations

from collections.abc import Iterator

from processor.alerting.alert import MINUTE, Alert, kpi_alert
from processor.config import Config


def backlog(_config: Config) -> Iterator[Alert]:
    """More comes in than goes out."""
    yield kpi_alert(
        "SupportBacklogGrowing", "warning", "backlog",
        "deriv(job_group:support_backlog_tickets:sum[30m]) * 3600 > 5 and job_group:support_backlog_tickets:sum > 10",
        "More tickets come in than are solved.",
        'The backlog of group "{{ $labels.group }}" has grown by {{ $value | printf "%.0f" }} tickets an hour for half an hour.',
        "backlog-flow", for_seconds=30 * MINUTE,
    )  # fmt: skip


def clocks(config: Config) -> Iterator[Alert]:
    """Promises that break."""
    thresholds = config.alerts.sla
    breached, measured = (f"job_clock_policy:support_sla_clocks_{verb}:increase1h" for verb in ("breached", "measured"))
    yield kpi_alert(
        "SupportSlaBreaches", "warning", "sla", f"{breached} > {thresholds.breaches - 0.5:g}",
        "Service level agreements were broken.",
        '{{ $value | printf "%.0f" }} times within the last hour {{ $labels.clock }} took longer than policy {{ $labels.policy }} allows.',
        "sla-risk", keep_firing_seconds=5 * MINUTE, settles="1h",
    )  # fmt: skip
    yield kpi_alert(
        "SupportSlaBreaches", "critical", "sla", f"{breached} / {measured} > 0.2\nand {measured} >= 10",
        "Service level agreements are broken again and again.",
        "{{ $value | humanizePercentage }} of {{ $labels.clock }} under policy {{ $labels.policy }} was too late within the last hour.",
        "sla-risk", for_seconds=5 * MINUTE, settles="1h",
    )  # fmt: skip


def contacts(config: Config) -> Iterator[Alert]:
    """Calls and chats."""
    thresholds = config.alerts.contacts
    offered = "job_queue:support_contacts_offered_without_short:increase30m"
    for severity, share, summary in (
        ("warning", thresholds.abandoned_share, "Many callers leave before anybody answers."),
        ("critical", thresholds.abandoned_share_critical, "A great many callers leave before anybody answers."),
    ):
        yield kpi_alert(
            "SupportAbandonmentHigh", "critical" if severity == "critical" else "warning", "abandonment",
            f"job_queue:support_contacts_abandoned:increase30m / {offered} > {share:g}\nand {offered} >= {thresholds.contacts_min}",
            summary,
            '{{ $value | humanizePercentage }} of the contacts in queue "{{ $labels.queue }}" left waiting within the last 30 minutes; '
            "short ones do not count.",
            "queue-now", for_seconds=5 * MINUTE, settles="30m",
        )  # fmt: skip
