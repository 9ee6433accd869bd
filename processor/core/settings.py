"""What the engine must be told: plain values, compiled from the configuration file, with no default that the file does not know.

The configuration (pydantic, zones, holidays) stays outside; the engine gets UTC tables and integers, so that two hosts cannot disagree.
All durations and instants are integer milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from processor.core.business_hours import Calendar

MS: Final = 1000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

# The clocks of this engine.
FIRST_RESPONSE: Final = "first_response"
NEXT_RESPONSE: Final = "next_response"
UPDATE: Final = "update"  # since the oldest unanswered customer message
PERIODIC_UPDATE: Final = "periodic_update"
PAUSABLE_UPDATE: Final = "pausable_update"
RESOLUTION: Final = "resolution"
REQUESTER_WAIT: Final = "requester_wait"
AGENT_WORK: Final = "agent_work"
GROUP_OWNERSHIP: Final = "group_ownership"
SURVEY_FOLLOWUP: Final = "survey_followup"
QUEUE_WAIT: Final = "queue_wait"
TICKET_CLOCKS: Final[tuple[str, ...]] = (
    *(FIRST_RESPONSE, NEXT_RESPONSE, UPDATE, PERIODIC_UPDATE, PAUSABLE_UPDATE, RESOLUTION, REQUESTER_WAIT, AGENT_WORK),
    *(GROUP_OWNERSHIP, SURVEY_FOLLOWUP),
)
CLOCKS: Final[tuple[str, ...]] = (*TICKET_CLOCKS, QUEUE_WAIT)

# The dimensions by which KPIs can be grouped. Tickets have all but queue; contacts have channel, topic and queue; agents have channel and
# group; costs have group.
DIMENSIONS: Final[tuple[str, ...]] = ("channel", "priority", "group", "tier", "topic", "queue", "language", "product", "complexity")
NONE: Final = "none"  # the value of a dimension that an entity does not carry
NO_DIMENSIONS: Final[tuple[str, ...]] = (NONE,) * len(DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Target:
    """What a clock may take. `calendar` is a name in `Settings.calendars`, or None for calendar time (24/7).

    With `working_days` it is due that many working days after its start, at the same time of day or when the day ends, and later by the
    open time of every pause; `ms` is then 0. `warning` and `warning_days` say when to warn: from the due instant on (negative: before it),
    in the same time, or in working days.
    """

    ms: int
    calendar: str | None = None
    working_days: int = 0
    end_of_working_day: bool = False
    warning: int | None = None
    warning_days: int | None = None

    @property
    def warns(self) -> bool:
        """Whether it has a warning."""
        return self.warning is not None or self.warning_days is not None


@dataclass(frozen=True, slots=True)
class Options:
    """Where a product counts otherwise."""

    # update: not from the oldest unanswered message of the customer on, but from the creation, and anew at every message of either side.
    update_at_every_contact: bool = False
    # periodic_update and pausable_update: also ended, as cancelled, by a message of the customer.
    customer_ends_update: bool = False
    # first_response: a new instance at each hand-off by a bot and at each reopen, open or not.
    first_response_restarts: bool = False
    # clock -> statuses in which it shows no due instant, though time goes on.
    hidden: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of one SLA policy. The first policy of the list whose `match` holds and that is in force applies.

    `match` maps a dimension (or "policy_id") to the values it accepts; an empty mapping matches everything.
    `pauses` maps a ticket clock to the statuses in which it stands still.
    `calendar` is used for business durations even where a target is in calendar time.
    `options` are those of the policy that a ticket has when something happens.
    """

    id: str
    version: int
    effective_from: int
    match: dict[str, frozenset[str]]
    targets: dict[str, Target]
    pauses: dict[str, frozenset[str]]
    calendar: str | None = None
    options: Options = Options()


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
    quiet_max: int = 20_000
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
    # Answers to surveys may be later than anything else; one may be changed for so long; a respondent's NPS counts once in so long.
    survey_lateness: int = 7 * DAY_MS
    survey_edit_window: int = 7 * DAY_MS
    nps_window: int = 90 * DAY_MS
    # The score from which an answer is satisfied, by survey and scale, such as ("csat", 1, 5); other scales: three quarters of the way up.
    satisfied_from: dict[tuple[str, float, float], float] = field(default_factory=lambda: {("csat", 1, 5): 4, ("csat", 1, 10): 8})
    ces_low_is_easy: bool = False  # the older question: 1 = very little effort
    # A reopened ticket that is solved again so soon, without a human reply in between, was not really reopened ("thank you").
    benign_reopen_window: int = DAY_MS
    # First contact resolution: the requester who comes back about the topic within this time was not helped.
    repeat_window: int = 7 * DAY_MS
    fcr_excluded_topics: frozenset[str] = frozenset()  # out of the net rate: nobody can solve these at first contact
    fcr_counts_unanswered: bool = False  # whether tickets solved without any human reply are eligible
    # Solved by an automation after the customer kept silent (status reason in auto_close_reasons): solved at the last human reply instead.
    auto_close_reasons: frozenset[str] = frozenset({"auto_close"})
    auto_close_at_last_reply: bool = False
    # A chat that ends in the queue without a word is abandoned silently. Service level: what else is in the denominator.
    silent_abandon_channels: frozenset[str] = frozenset({"chat", "messaging"})
    service_level_counts_short: bool = False
    service_level_counts_flow_outs: bool = False
    # UTC instants of local midnight of the reporting calendar, ascending: where `today` begins.
    midnights: tuple[int, ...] = ()
    # Also state the steps on the way to an outcome (clock paused, resumed) as facts.
    facts_detail_all: bool = False
    fingerprint: str = ""
