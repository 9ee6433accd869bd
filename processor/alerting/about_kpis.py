"""Alerts about backlog, arrivals, promises, waits and contacts: what hurts customers now."""

from __future__ import annotations

from collections.abc import Iterator

from processor.alerting.alert import HOUR, MINUTE, Alert, Severity, kpi_alert
from processor.alerting.series import together
from processor.config import Config

PLACE = '{{ with $labels.group }}group "{{ . }}"{{ else }}all groups{{ end }}'
_LEVELS: tuple[Severity, Severity] = "warning", "critical"


def backlog(config: Config) -> Iterator[Alert]:
    """More comes in than goes out: the net flow and how long the backlog takes to drain, never how large it is."""
    limits = config.alerts.backlog
    flow, stock = "job_group:support_backlog_net_flow:increase30m", "job_group:support_backlog_tickets:sum"
    for severity, tickets, share, summary in zip(
        _LEVELS, (limits.growth_tickets, limits.growth_tickets_critical), (limits.growth_share, limits.growth_share_critical),
        ("More tickets come in than are solved.", "Far more tickets come in than are solved."), strict=True,
    ):  # fmt: skip
        yield kpi_alert(
            "SupportBacklogGrowing", severity, "backlog",
            f"{flow} > {tickets - 0.5:g}\nand {flow} / clamp_min({stock} - {flow}, 1) >= {share:g}",
            summary,
            'The backlog of group "{{ $labels.group }}" has grown by {{ $value | printf "%.0f" }} tickets within 30 minutes; '
            "at this pace it never drains.",
            "backlog-flow", for_seconds=5 * MINUTE, keep_firing_seconds=15 * MINUTE, settles="30m",
        )  # fmt: skip
    day = '{window="24h",by=~"total|group"}'
    drain, work_off = (together(f"support_window_backlog_{name}_seconds{day}", "job, group") for name in ("drain", "work_off"))
    yield kpi_alert(
        "SupportBacklogDrainTooLong", "warning", "backlog_drain",
        f"{work_off} > {limits.work_off_max.ms // 1000}\nand {drain} > {limits.drain_max.ms // 1000}",
        "The backlog is more than the team works off in days.",
        f"Of {PLACE}: what is unsolved takes {{{{ $value | humanizeDuration }}}} at the pace of the last 24 hours, even if nothing more "
        "came in.",
        "backlog-flow", for_seconds=HOUR, keep_firing_seconds=HOUR,
    )  # fmt: skip


def arrivals(config: Config) -> Iterator[Alert]:
    """More comes in than at this hour of other weeks. Silent where no other week is known."""
    limits = config.alerts.arrivals
    for name, label, what in (
        ("job_group:support_tickets_created:increase1h", "group", "tickets of group"),
        ("job_topic:support_arrivals_tickets:sum", "topic", "tickets about topic"),
        ("job_queue:support_contacts_offered:increase1h", "queue", "contacts in queue"),
    ):
        more = f"({name} - {name}_usual)"
        yield kpi_alert(
            "SupportArrivalSurge", "warning", f"arrivals_{label}",
            f"{more} > {limits.surge_tickets - 0.5:g}\nand {name} >= {limits.surge_factor:g} * {name}_usual\n"
            f"and {more} / sqrt(clamp_min({name}_usual, 1)) >= {limits.surge_z:g}",
            "Far more comes in than usual at this hour of the week.",
            f'{{{{ $value | printf "%.0f" }}}} {what} "{{{{ $labels.{label} }}}}" more than at this hour of the last weeks '
            "came within an hour.",
            "backlog-flow" if label != "queue" else "queue-now", for_seconds=10 * MINUTE, keep_firing_seconds=15 * MINUTE, settles="1h",
        )  # fmt: skip


def waits(config: Config) -> Iterator[Alert]:
    """Customers who wait."""
    limits = config.alerts.waiting
    counted = 'job_group_le:support_first_response_seconds_bucket:increase1h{le="+Inf"}'
    yield kpi_alert(
        "SupportFirstResponseSlow", "warning", "first_response",
        f"job_group:support_first_response_seconds:p50_1h > {limits.first_response_median.ms // 1000}\n"
        f"and on (job, group) {counted} > {limits.first_responses_min - 0.5:g}",
        "First responses take too long.",
        'Half of the first responses of group "{{ $labels.group }}" within the last hour took longer than {{ $value | humanizeDuration }}.',
        "queue-now", for_seconds=10 * MINUTE, keep_firing_seconds=15 * MINUTE, settles="1h",
    )  # fmt: skip
    # +Inf stands for nobody who waits: that is less than any time.
    yield kpi_alert(
        "SupportOldestWaitingTooLong", "warning", "oldest_waiting",
        f"time() - min by (job) (support:waiting_oldest_timestamp_seconds:max) > {limits.oldest_ticket.ms // 1000}",
        "A ticket has been waiting for its first response for days.",
        "The ticket that waits longest for its first response was created {{ $value | humanizeDuration }} ago.",
        "queue-now", for_seconds=5 * MINUTE,
    )  # fmt: skip
    for severity, length in zip(_LEVELS, (limits.contact, limits.contact_critical), strict=True):
        yield kpi_alert(
            "SupportContactWaitingTooLong", severity, "contact_waiting",
            f"time() - min by (job) (support:contacts_waiting_oldest_timestamp_seconds:max) > {length.ms // 1000}",
            f"A caller has been waiting for more than {length}.",
            "The call or chat that waits longest has been in a queue for {{ $value | humanizeDuration }}.",
            "queue-now", for_seconds=MINUTE, keep_firing_seconds=5 * MINUTE,
        )  # fmt: skip


def contacts(config: Config) -> Iterator[Alert]:
    """Calls and chats."""
    limits = config.alerts.contacts
    offered, decided = "job_queue:support_contacts_offered_without_short:increase30m", "job_queue:support_contacts_decided:increase1h"
    enough = f"> {limits.contacts_min - 0.5:g}"
    for severity, share, summary in zip(
        _LEVELS, (limits.abandoned_share, limits.abandoned_share_critical),
        ("Many callers leave before anybody answers.", "A great many callers leave before anybody answers."), strict=True,
    ):  # fmt: skip
        yield kpi_alert(
            "SupportAbandonmentHigh", severity, "abandonment",
            f"job_queue:support_contacts_abandoned:increase30m / {offered} > {share:g}\nand {offered} {enough}",
            summary,
            '{{ $value | humanizePercentage }} of the contacts in queue "{{ $labels.queue }}" left waiting within the last 30 minutes; '
            "short ones do not count.",
            "queue-now", for_seconds=5 * MINUTE, settles="30m",
        )  # fmt: skip
    yield kpi_alert(
        "SupportServiceLevelLow", "warning", "service_level",
        f"job_queue:support_contacts_answered_in_target:increase1h / {decided} < {limits.service_level_min:g}\nand {decided} {enough}",
        "Too few contacts are answered in time.",
        '{{ $value | humanizePercentage }} of the contacts in queue "{{ $labels.queue }}" were answered in time within the last hour.',
        "queue-now", for_seconds=10 * MINUTE, settles="1h",
    )  # fmt: skip
    missed, initiated = "job:support_calls_missed:increase1h", "job:support_calls_initiated:increase1h"
    yield kpi_alert(
        "SupportMissedCalls", "warning", "missed_calls",
        f"{missed} / {initiated} > {limits.missed_share:g}\nand {initiated} {enough}",
        "Many calls are answered by nobody.",
        "{{ $value | humanizePercentage }} of the calls within the last hour reached no human, and were not called back.",
        "queue-now", for_seconds=5 * MINUTE, settles="1h",
    )  # fmt: skip
    # Where nobody ever reports agents, nothing is said about them.
    yield kpi_alert(
        "SupportNoAgentsAvailable", "critical", "agents",
        "sum by (job) (support:contacts_waiting:max) > 0\nand on (job) job:support_agents:sum == 0\n"
        "and on (job) max_over_time(job:support_agents:sum[1d]) > 0",
        "Customers wait on the line and no agent is at work.",
        '{{ $value | printf "%.0f" }} calls or chats wait, and no agent is online, available, busy or in wrap-up.',
        "queue-now", for_seconds=2 * MINUTE, keep_firing_seconds=5 * MINUTE,
    )  # fmt: skip
