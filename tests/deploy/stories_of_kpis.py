"""Backlog, promises, waits, calls and chats. A minute is a sample: `0+1x60` rises for an hour."""

from __future__ import annotations

from tests.deploy.stories import Fires, Story

BILLING, HOTLINE, DESK = {"group": "billing"}, {"queue": "hotline"}, {"queue": "desk"}


def buckets(group: str, fast: str, slow: str) -> dict[str, str]:
    """First responses, those of at most four hours and all."""
    family = f'support_first_response_seconds_bucket{{channel="email",group="{group}",partition="0",le='
    return {f'{family}"14400"}}': fast, f'{family}"28800"}}': slow, f'{family}"+Inf"}}': slow}


def queue(name: str, **values: str) -> dict[str, str]:
    """Counters of a queue."""
    return {f'support_contacts_{key}_total{{channel="phone",queue="{name}",partition="0"}}': text for key, text in values.items()}


def flow(group: str, entered: str, stock: str, left: str = "0x200") -> dict[str, str]:
    """A group's backlog and what comes and goes."""
    at = f'channel="email",group="{group}",priority="normal",partition="0"'
    return {
        f'support_backlog_entered_total{{{at},reason="created"}}': entered,
        f'support_backlog_left_total{{{at},reason="solved"}}': left,
        f'support_backlog_tickets{{status="open",group="{group}",priority="normal",partition="0"}}': stock,
    }


def clock(name: str, measured: str, breached: str, policy: str = "p") -> dict[str, str]:
    """Clocks that were decided."""
    at = f'clock="{name}",policy="{policy}",priority="high",partition="0"'
    return {f"support_sla_clocks_measured_total{{{at}}}": measured, f"support_sla_clocks_breached_total{{{at}}}": breached}


STORIES = (
    Story(
        "SupportBacklogGrowing", "a ticket a minute for 40 minutes on top of 50; others grow by too little, or are too large to notice",
        {
            **flow("billing", "0x5 1+1x39 40x160", "50x5 51+1x39 90x160"),
            **flow("calm", "0+0.3x200", "20+0.3x200"),
            **flow("large", "0+0.5x200", "4000+0.5x200"),
            **flow("busy", "0+5x200", "50x200", left="0+5x200"),  # as many leave as come
        },
        silent=("14m", "19m"),
        fires={
            "25m": (Fires("20", "warning", BILLING),),
            "43m": (Fires("30", "warning", BILLING), Fires("30", "critical", BILLING)),
        },
        resolved="95m",
    ),
    Story(
        "SupportBacklogGrowing", "the partition moves to another worker in between: what it had counted is not counted again",
        {
            'support_backlog_entered_total{instance="a",group="billing",partition="0",reason="created"}': "500x20 stale",
            'support_backlog_entered_total{instance="b",group="billing",partition="0",reason="created"}': "_x20 500x60",
            'support_backlog_left_total{group="billing",partition="0",reason="solved"}': "450x80",
            'support_backlog_tickets{group="billing",partition="0"}': "50x80",
        },
        silent=("19m", "22m", "30m", "60m"),
    ),
    Story(
        "SupportSlaBreaches", "the first breach ever, and one that is taken back",
        {
            **clock("first_response", "0x9 1x100", "0x9 1x100"),
            **clock("resolution", "0x9 1x100", "0x9 1x100"),
            'support_sla_clocks_breached_retracted_total{clock="resolution",policy="p",priority="high",partition="0"}': "0x9 1x100",
        },
        silent=("9m",), fires={"12m": (Fires("1", labels={"clock": "first_response", "policy": "p"}),)}, resolved="80m",
    ),
    Story(
        "SupportSlaBreachesImminent", "20 are due and the team reaches 15; elsewhere it reaches 30",
        {
            'support_sla_clocks_due{clock="first_response",horizon="30m",partition="0"}': "3x39 20x39 2x60",
            'support_sla_clocks_due{clock="first_response",horizon="4h",partition="0"}': "900x200",
            'support_sla_clocks_due{clock="queue_wait",horizon="30m",partition="0"}': "20x200",
            **clock("first_response", "0+0.5x200", "0x200"), **clock("queue_wait", "0+1x200", "0x200"),
        },
        silent=("39m", "44m"), fires={"46m": (Fires("5", labels={"clock": "first_response"}),)}, resolved="95m",
    ),
    Story(
        "SupportSlaBudgetBurnFast", "two in five are late for an hour; of calls, three in ten where two may be",
        {**clock("first_response", "0+1x300", "0+0.4x60 24x240"), **clock("queue_wait", "0+1x300", "0+0.3x300")},
        silent=("8m",),
        fires={"15m": tuple(Fires("40%", labels={"clock": "first_response", "window": window}) for window in ("1h", "6h"))},
        resolved="100m",
    ),
    Story(
        "SupportSlaBudgetBurnFast", "nothing happens, or too little to speak of a share",
        clock("first_response", "0+0.1x300", "0+0.1x300"), silent=("10m", "40m"),
    ),
    Story(
        "SupportSlaBudgetBurnSlow", "two in five are late for an hour, and it takes two hours until that is no matter",
        {**clock("first_response", "0+1x300", "0+0.4x60 24x240"), **clock("queue_wait", "0+1x300", "0+0.3x300")},
        silent=("8m",), fires={"15m": (Fires("40%", labels={"clock": "first_response", "window": "1d"}),)}, resolved="200m",
    ),
    Story(
        "SupportFirstResponseSlow", "an hour of responses of four to eight hours; fast ones, and one single slow one, are fine",
        {
            **buckets("billing", "0x200", "0+1x60 60x140"), **buckets("fast", "0+1x200", "0+1x200"),
            **buckets("single", "0x200", "0x9 1x190"),
        },
        silent=("18m",), fires={"25m": (Fires("6h 0m 0s", labels=BILLING),)}, resolved="140m",
    ),
    Story(
        "SupportOldestWaitingTooLong", "three days are over at minute 5; then it is answered, and nobody waits",
        {
            'support_waiting_oldest_timestamp_seconds{partition="0"}': "-258900x30 Inf+0x60",
            'support_waiting_oldest_timestamp_seconds{partition="1"}': "Inf+0x100",
        },
        silent=("5m", "9m"), fires={"15m": (Fires("3d 0h 10m 0s"),)}, resolved="45m",
    ),
    Story(
        "SupportContactWaitingTooLong", "a caller waits from minute 1 to 20",
        {'support_contacts_waiting_oldest_timestamp_seconds{partition="0"}': "Inf 60x19 Inf+0x60"},
        silent=("6m",),
        fires={
            "10m": (Fires("9m 0s", "warning"),),
            "19m": (Fires("18m 0s", "warning"), Fires("18m 0s", "critical")),
        },
        resolved="30m",
    ),
    Story(
        "SupportAbandonmentHigh", "12 % leave the hotline, 30 % the desk, 9 % the chat, and of nine callers all",
        {
            **queue("hotline", offered="0+10x60 600x60", abandoned="0+1.2x60 72x60", short_abandoned="0x120"),
            **queue("desk", offered="0+10x60 600x60", abandoned="0+2.4x60 144x60", short_abandoned="0+2x60 120x60"),
            **queue("chat", offered="0+10x60 600x60", abandoned="0+0.9x60 54x60", short_abandoned="0x120"),
            **queue("few", offered="0+0.3x120", abandoned="0+0.3x120", short_abandoned="0x120"),
        },
        silent=("5m",),
        fires={
            "20m": (Fires("12%", "warning", HOTLINE), Fires("30%", "warning", DESK), Fires("30%", "critical", DESK)),
        },
        resolved="110m",
    ),
    Story(
        "SupportServiceLevelLow", "60 % in time, and 75 % elsewhere",
        {
            **queue("hotline", answered="0+0.8x60 48x120", abandoned="0+0.2x60 12x120", answered_in_target="0+0.6x60 36x120"),
            **queue("chat", answered="0+1x180", abandoned="0x180", answered_in_target="0+0.75x180"),
        },
        silent=("19m",), fires={"25m": (Fires("60%", labels=HOTLINE),)}, resolved="150m",
    ),
    Story(
        "SupportMissedCalls", "30 % of the calls for an hour",
        {
            'support_calls_initiated_total{channel="phone",queue="hotline",partition="0"}': "0+1x60 60x120",
            'support_calls_missed_total{channel="phone",queue="hotline",partition="0"}': "0+0.3x60 18x120",
            'support_calls_recovered_total{channel="phone",queue="hotline",partition="0"}': "0x180",
        },
        silent=("8m", "14m"), fires={"20m": (Fires("30%"),)}, resolved="150m",
    ),
    Story(
        "SupportMissedCalls", "half of those missed are called back",
        {
            'support_calls_initiated_total{channel="phone",queue="hotline",partition="0"}': "0+1x120",
            'support_calls_missed_total{channel="phone",queue="hotline",partition="0"}': "0+0.3x120",
            'support_calls_recovered_total{channel="phone",queue="hotline",partition="0"}': "0+0.15x120",
        },
        silent=("20m", "60m"),
    ),
    Story(
        "SupportNoAgentsAvailable", "the last one leaves at minute 10, three wait from minute 13 to 53",
        {
            'support_agents{state="available",group="billing",partition="0"}': "2x9 0x90",
            'support_agents{state="busy",group="billing",partition="0"}': "0x100",
            'support_contacts_waiting{channel="phone",queue="hotline",partition="0"}': "0x12 3x39 0x60",
        },
        silent=("12m", "14m"), fires={"16m": (Fires("3"),)}, resolved="60m",
    ),
    Story(
        "SupportNoAgentsAvailable", "nobody has ever told who is at work",
        {
            'support_agents{state="available",group="billing",partition="0"}': "0x100",
            'support_contacts_waiting{channel="phone",queue="hotline",partition="0"}': "3x100",
        },
        silent=("10m", "30m"),
    ),
)

# A worker that has seen nothing, and one that has seen a single ticket; no alert about KPIs may come of it.
_NOTHING = {
    **flow("billing", "0x60", "0x60"), **clock("first_response", "0x60", "0x60"), **queue("hotline", offered="0x60", abandoned="0x60"),
    **buckets("billing", "0x60", "0x60"),
    'support_waiting_oldest_timestamp_seconds{partition="0"}': "Inf+0x60",
    'support_contacts_waiting_oldest_timestamp_seconds{partition="0"}': "Inf+0x60",
    'support_window_backlog_drain_seconds{window="24h",by="total"}': "NaN+0x60",
    'support_processor_events_consumed_total{partition="0"}': "0x60",
}
QUIET = {
    "no data yet": _NOTHING,
    "one ticket only, answered late": {
        **_NOTHING, **flow("billing", "0x9 1x50", "0x9 1x50"), **clock("first_response", "0x9 1x50", "0x60"),
        **buckets("billing", "0x60", "0x9 1x50"),
        'support_waiting_oldest_timestamp_seconds{partition="0"}': "Inf+0x9 600x50",
        'support_window_backlog_drain_seconds{window="24h",by="total"}': "NaN+0x9 Inf+0x50",
        'support_window_backlog_work_off_seconds{window="24h",by="total"}': "_x60",
        'support_window_csat_ratio{window="24h",by="total"}': "0x60", 'support_window_csat_ratio{window="7d",by="total"}': "1x60",
        'support_window_kpi_observations{kpi="csat",window="24h",by="total"}': "1x60",
        'support_processor_events_consumed_total{partition="0"}': "0x9 3x50",
    },
}  # fmt: skip
