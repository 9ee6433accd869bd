"""What makes the numbers wrong, old or silent. These never rest."""

from __future__ import annotations

from tests.deploy.stories import JOB, Fires, Story

TIMER, REPLAYING = 'support_processor_timer_timestamp_seconds{partition="0"}', 'support_processor_replaying{partition="0"}'
RUNNING = "support_processor_partition_running"
RUNS = "support_processor_build_info{}"

STORIES = (
    Story(
        "SupportProcessorDown", "nobody answers from minute 6 to 30", {RUNS: "1x5 stale _x23 1x20"},
        silent=("5m", "7m"), fires={"10m": (Fires(labels={"job": JOB}),)}, resolved="35m",
    ),
    Story(
        "SupportPartitionNotRunning", "one of two partitions stands still for 20 minutes",
        {f'{RUNNING}{{partition="0"}}': "1x100", f'{RUNNING}{{partition="1"}}': "1x4 0x20 1x60"},
        silent=("4m", "9m"), fires={"11m": (Fires("1"),)}, resolved="30m",
    ),
    Story(
        "SupportNoPartitions", "two workers, and the group gives partitions to none of them until minute 20",
        {
            'support_processor_build_info{instance="a"}': "1x60", 'support_processor_build_info{instance="b"}': "1x60",
            'support_processor_partition_running{instance="b",partition="0"}': "_x20 1x60",
        },
        silent=("4m",), fires={"10m": (Fires("2"),)}, resolved="25m",
    ),
    Story(
        "SupportDataStale", "time stands still from minute 10 to 40; a partition without any event does not count",
        {TIMER: "1+60x10 601x29 2460+60x60", 'support_processor_timer_timestamp_seconds{partition="1"}': "0x100", REPLAYING: "0x100"},
        silent=("14m", "16m"), fires={"20m": (Fires("9m 59s"),)}, resolved="45m",
    ),
    Story(
        "SupportDataStale", "old times are no wonder while history is read", {TIMER: "1x100", REPLAYING: "1x100"},
        silent=("10m", "30m", "60m"),
    ),
    Story(
        "SupportClockParted", "the clock jumps and agrees again",
        {"support_processor_clock_parted{}": "0x4 1x10 0x40"},
        silent=("4m", "6m"), fires={"8m": (Fires(labels={"instance": "a"}),)}, resolved="20m",
    ),
    Story(
        "SupportProcessorReplaying", "a backfill of ten minutes", {REPLAYING: "0x4 1x10 0x40"},
        silent=("4m",), fires={"6m": (Fires(),)}, resolved="17m",
    ),
    Story(
        "SupportReplayingTooLong", "a backfill of an hour", {REPLAYING: "0x4 1x60 0x40"},
        silent=("4m", "34m"), fires={"36m": (Fires(),)}, resolved="67m",
    ),
    Story(
        "SupportWorkerHangs", "a worker answers scrapes and its loop has stood still since minute 5; the KPI stage may wait for news",
        {
            'support_processor_heartbeat_timestamp_seconds{part="ticket"}': "0+60x5 300x9 900+60x60",
            'support_processor_heartbeat_timestamp_seconds{part="kpi"}': "0x100",
        },
        silent=("7m", "8m"), fires={"10m": (Fires("5m 0s", labels={"instance": "a", "part": "ticket"}),)}, resolved="20m",
    ),
    Story(
        "SupportKpisStale", "no minute is published from minute 5 to 30",
        {"support_processor_kpi_published_end_timestamp_seconds{}": "0 60+60x4 300x24 1800+60x60", REPLAYING: "0x100"},
        silent=("10m", "14m"), fires={"17m": (Fires("12m 0s"),)}, resolved="40m",
    ),
    Story(
        "SupportInvalidEvents", "three records are rejected at minute 10",
        {'support_processor_events_invalid_total{reason="malformed_json",partition="0"}': "0x9 3x60",
         'support_processor_events_invalid_total{reason="too_late",partition="0"}': "0x70"},
        silent=("9m",), fires={"12m": (Fires("3", labels={"reason": "malformed_json"}),)}, resolved="40m",
    ),
    Story(
        "SupportEventLagHigh", "a hundred seconds of delay for half an hour; nothing comes later",
        {
            'support_processor_event_lag_seconds_bucket{le="60"}': "0+1x10 10x200",
            'support_processor_event_lag_seconds_bucket{le="300"}': "0+1x40 40x200",
            'support_processor_event_lag_seconds_bucket{le="+Inf"}': "0+1x40 40x200",
            REPLAYING: "0x200",
        },
        silent=("10m", "19m"), fires={"30m": (Fires("4m 36s"),)}, resolved="70m",
    ),
    Story(
        "SupportEngineErrors", "the engine fails once",
        {"support_processor_engine_errors_total{}": "0x9 1x80"}, silent=("9m",), fires={"12m": (Fires("1"),)}, resolved="50m",
    ),
    Story(
        "SupportLabelsFolded", "seven groups have no name of their own until the worker is started anew",
        {'support_processor_label_values_folded{dimension="group"}': "0x4 7x30 0x40",
         'support_processor_label_values_folded{dimension="topic"}': "0x80"},
        silent=("4m", "14m"), fires={"16m": (Fires("7", labels={"dimension": "group"}),)}, resolved="40m",
    ),
    Story(
        "SupportBacklogInvariantBroken", "two tickets off for ten minutes",
        {'support_backlog_identity_error_tickets{partition="0"}': "0x4 2x10 0x40",
         'support_backlog_identity_error_tickets{partition="1"}': "0x60"},
        silent=("4m", "5m"), fires={"7m": (Fires("2"),)}, resolved="17m",
    ),
    Story(
        "SupportWatchdog", "always, whatever there is", {RUNS: "1x10"}, silent=(),
        fires={"0m": (Fires(labels={"job": JOB}),), "3m": (Fires(labels={"job": JOB}),), "60m": (Fires(labels={"job": JOB}),)},
    ),
)  # fmt: skip
