"""What the engine must be told: plain values, compiled from the configuration file, with no default that the file does not know.

The configuration (pydantic, zones, holidays) stays outside; the engine gets UTC tables and integers, so that two hosts cannot disagree.
All durations and instants are integer milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from processor.core.business_hours import Calendar

MS = 1000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

# The clocks of this engine.
FIRST_RESPONSE = "first_response"
RESOLUTION = "resolution"
QUEUE_WAIT = "queue_wait"
CLOCKS = (FIRST_RESPONSE, RESOLUTION, QUEUE_WAIT)

# The dimensions by which KPIs can be grouped. Tickets have the first five, contacts have channel, topic and queue.
DIMENSIONS = ("channel", "priority", "group", "tier", "topic", "queue")
NONE = "none"  # the value of a dimension that an entity does not carry


@dataclass(frozen=True, slots=True)
class Target:
    """What a clock may take. `calendar` is a name in `Settings.calendars`, or None for calendar time (24/7)."""

    ms: int
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one SLA policy. The first policy of the list whose `match` holds and that is in force applies.

    `match` maps a dimension (or "policy_id") to the values it accepts; an empty mapping matches everything.
    `pauses` maps a ticket clock to the statuses in which it stands still.
    `calendar` is used for business durations even where a target is in calendar time.
    """

    id: str
    version: int
    effective_from: int
    match: dict[str, frozenset[str]]
    targets: dict[str, Target]
    pauses: dict[str, frozenset[str]]
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides a number. `fingerprint` is a hash over all of it, tables included."""

    timer_delay: int = 5 * MS
    allowed_lateness: int = DAY_MS
    clock_skew: int = 5 * MS
    tail_max: int = 512
    final_after: int = 72 * HOUR_MS
    reopen_horizon: int = 90 * DAY_MS
    contact_expires_after: int = 7 * DAY_MS
    max_stubs: int = 2_000_000
    group_bys: tuple[tuple[str, ...], ...] = (
        (),
        ("channel",),
        ("priority",),
        ("group",),
        ("tier",),
        ("topic",),
        ("channel", "group"),
        ("queue",),
    )
    calendars: dict[str, Calendar] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    # Waiting longer than this before leaving is an abandonment; not longer is a short one. By channel; `default` for the others.
    short_abandon: dict[str, int] = field(default_factory=lambda: {"phone": 5 * MS, "chat": 10 * MS, "default": 0})
    # UTC instants of local midnight of the reporting calendar, ascending: where `today` begins.
    midnights: tuple[int, ...] = ()
    # Also state the steps on the way to an outcome (clock paused, resumed) as facts.
    facts_detail_all: bool = False
    fingerprint: str = ""
