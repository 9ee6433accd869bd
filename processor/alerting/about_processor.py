"""Alerts about the processor: what makes the numbers wrong, old or silent. They never rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from processor.alerting.alert import MINUTE, REPLAYING, Alert, gated
from processor.config import Config

BOARD = "processor-health"
_alert = partial(Alert, kind="processor", board=BOARD)


def processor(config: Config) -> Iterator[Alert]:
    """All of them."""
    yield from _running(config)
    yield from _time(config)
    yield from _stages()
    yield from _input(config)
    yield Alert(
        "SupportWatchdog", "info", "watchdog", "watchdog", "vector(1)",
        "Always fires, so that its silence shows that alerts no longer arrive.",
        "Have the receiver raise an alarm when this stops coming.", BOARD, labels={"job": config.alerts.job},
    )  # fmt: skip


def _running(config: Config) -> Iterator[Alert]:
    job: Mapping[str, str] = {"job": config.alerts.job}
    yield _alert(
        name="SupportProcessorDown", severity="critical", family="data", for_seconds=2 * MINUTE, labels=job,
        expr=f'absent(support_processor_build_info{{job="{config.alerts.job}"}})',
        summary="No worker answers.",
        description="Prometheus reaches no worker; events wait in Kafka and nothing is counted.",
    )  # fmt: skip
    yield _alert(
        name="SupportPartitionNotRunning", severity="critical", family="data", for_seconds=5 * MINUTE,
        expr="count by (job) (support_processor_partition_running == 0)",
        summary="A partition is not being processed.",
        description='{{ $value | printf "%.0f" }} partitions start, fail or were refused for five minutes; /readyz and the log say why.',
    )  # fmt: skip
    # A worker in reserve owns nothing either, but then others do.
    yield _alert(
        name="SupportNoPartitions", severity="critical", family="data", for_seconds=5 * MINUTE,
        expr="count by (job) (support_processor_build_info)\nunless on (job) count by (job) (support_processor_partition_running)",
        summary="Workers answer, but none of them owns a partition.",
        description='{{ $value | printf "%.0f" }} workers wait for the consumer group to deal out the partitions; nothing is counted.',
    )  # fmt: skip


def _time(config: Config) -> Iterator[Alert]:
    stale = config.alerts.processor.stale_after.ms // 1000
    # Timer time is the event time up to which everything was read and every deadline noticed; 0 on partitions that never had an event.
    yield _alert(
        name="SupportDataStale", severity="critical", family="data", for_seconds=2 * MINUTE,
        expr=f"time() - min by (job) (support:processor_timer_timestamp_seconds:max > 0) > {stale}\nunless on (job) {REPLAYING} == 1",
        summary="The numbers are old.",
        description="The processor is {{ $value | humanizeDuration }} behind; no KPI alert can be trusted until it has caught up.",
    )  # fmt: skip
    yield _alert(
        name="SupportClockParted", severity="warning", family="clock", for_seconds=2 * MINUTE,
        expr="max by (job, instance) (support_processor_clock_parted) == 1",
        summary="The clock of the machine jumped.",
        description="The system's clock and the monotonic one disagree; deadlines without events wait until they agree.",
    )  # fmt: skip
    yield _alert(
        name="SupportProcessorReplaying", severity="info", family="replaying",
        expr=f"{REPLAYING} == 1",
        summary="Old events are being caught up.",
        description="Counters jump while history is read; KPI alerts rest until it is done.",
    )  # fmt: skip
    # Never inhibited: a stuck flag would silence everything.
    yield _alert(
        name="SupportReplayingTooLong", severity="critical", family="replaying", for_seconds=30 * MINUTE,
        expr=f"{REPLAYING} == 1",
        summary="Catching up does not come to an end.",
        description="The processor has been reading old events for half an hour, and KPI alerts have been silent for as long.",
    )  # fmt: skip


def _stages() -> Iterator[Alert]:
    # Both are of a process, not of a partition: what hangs may still answer scrapes.
    yield _alert(
        name="SupportWorkerHangs", severity="critical", family="data", for_seconds=MINUTE,
        expr='time() - min by (job, instance, part) (support_processor_heartbeat_timestamp_seconds{part="ticket"}) > 120',
        summary="A worker answers but does not go on.",
        description="A partition of {{ $labels.instance }} has not gone round its loop for {{ $value | humanizeDuration }}.",
    )  # fmt: skip
    yield _alert(
        name="SupportKpisStale", severity="warning", family="kpi_stage", for_seconds=5 * MINUTE,
        expr=f"time() - max by (job) (support_processor_kpi_published_end_timestamp_seconds > 0) > 300\nunless on (job) {REPLAYING} == 1",
        summary="The KPIs of all partitions together are old.",
        description="The KPI stage published its last minute {{ $value | humanizeDuration }} ago; walls and quality alerts stand still.",
    )  # fmt: skip


def _input(config: Config) -> Iterator[Alert]:
    yield _alert(
        name="SupportInvalidEvents", severity="warning", family="input", keep_firing_seconds=5 * MINUTE,
        expr="sum by (job, reason) (increase(support:processor_events_invalid_total:max[15m])) > 0",
        summary="Events were rejected.",
        description='{{ $value | printf "%.0f" }} records within 15 minutes could not be used: {{ $labels.reason }}. '
        "They are in the dead-letter topic.",
    )  # fmt: skip
    limits, consumed = config.alerts.processor, "job:support_processor_events_consumed:increase30m"
    yield _alert(
        name="SupportSourceSilent", severity="critical", family="input", for_seconds=5 * MINUTE, keep_firing_seconds=5 * MINUTE, gated=True,
        expr=gated(f"{consumed}_usual >= {limits.silent_events}\nand {consumed} < 0.5"),
        summary="No events come, although they usually do at this hour of the week.",
        description='No event for 30 minutes; in the last weeks there were {{ $value | printf "%.0f" }} at this hour. '
        "What is not sent is not counted.",
    )  # fmt: skip
    buckets = "sum by (job, le) (rate(support_processor_event_lag_seconds_bucket[10m]))"
    yield _alert(
        name="SupportEventLagHigh", severity="warning", family="lag", for_seconds=10 * MINUTE, keep_firing_seconds=5 * MINUTE,
        expr=f"histogram_quantile(0.9, {buckets}) > {limits.lag_max.ms / 1000:g}\nunless on (job) {REPLAYING} == 1",
        summary="Events are counted late.",
        description="One step in ten takes more than {{ $value | humanizeDuration }} from its newest event until that is counted.",
    )  # fmt: skip
    yield _alert(
        name="SupportEngineErrors", severity="critical", family="engine", keep_firing_seconds=15 * MINUTE,
        expr="sum by (job) (increase(support_processor_engine_errors_total[15m])) > 0",
        summary="The engine failed on events.",
        description='{{ $value | printf "%.0f" }} times within 15 minutes an event made the engine fail. Each is a fault to report.',
    )  # fmt: skip
    yield _alert(
        name="SupportLabelsFolded", severity="warning", family="labels", for_seconds=10 * MINUTE,
        expr="max by (job, dimension) (support_processor_label_values_folded) > 0",
        summary="Some values are not shown by name.",
        description='{{ $value | printf "%.0f" }} values of {{ $labels.dimension }} are shown together as "other".',
    )  # fmt: skip
    yield _alert(
        name="SupportBacklogInvariantBroken", severity="critical", family="invariant", for_seconds=MINUTE,
        expr="max by (job) (abs(support_backlog_identity_error_tickets)) > 0",
        summary="The backlog is not what entered minus what left.",
        description='It is off by {{ $value | printf "%.0f" }} tickets. That is a fault of the processor, never of the input.',
    )  # fmt: skip
