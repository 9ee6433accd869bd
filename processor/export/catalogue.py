"""Every series that is served, declared once: name, type, unit, help, labels with their closed values, and where the number comes from.

Registration, exposition, snapshots, documentation and tests all read this table. Names and labels are a promise to the people who write
queries: labels may be added, nothing is renamed.

`gross` families depend on the order in which events came: they count what was stated, and their twin `..._retracted...` counts what was
taken back. Net = gross - retracted depends on the log alone; that is what snapshots compare. `operational` families say how the process
fares and are compared with nothing. All others are exact functions of the log and of timer time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from processor.config import Config
from processor.core.events import Reason
from processor.core.kpi_counts import CLOCK_COUNTED, COUNTED, DISCARD_REASONS, ENTERED_REASONS, LEFT_REASONS
from processor.core.posting import HISTOGRAMS, NUMBERS
from processor.core.postings_of_others import PRODUCTIVE_STATES
from processor.core.settings import CLOCKS, DIMENSIONS, HOUR_MS
from processor.core.windows import WINDOWS
from processor.export.family import Family, count, counter, gauge, health, histogram, of_process
from processor.export.kpi_families import BASIC_COUNTS, BASIC_TIMES, DISTINCT, SUMMED, counters, gauges, sums
from processor.export.kpi_view import Ignored
from processor.export.labels import FOLDED_COUNTED_MAX, FREE_DIMENSIONS

UNSOLVED_STATUSES = ("new", "open", "pending", "on_hold")
HORIZONS_MS = {"15m": HOUR_MS // 4, "30m": HOUR_MS // 2, "1h": HOUR_MS, "4h": 4 * HOUR_MS}
# Disjoint bands of age: name -> the age at which the band ends; the last one does not.
AGE_BANDS_MS = {"under_4h": 4 * HOUR_MS, "4h_to_1d": 24 * HOUR_MS, "1d_to_3d": 72 * HOUR_MS, "3d_to_7d": 168 * HOUR_MS,
                "7d_to_30d": 720 * HOUR_MS}  # fmt: skip
AGE_OVER = "over_30d"

TICKET = ("channel", "group", "priority")
TICKET_HISTOGRAM = ("channel", "group")
CONTACT = ("channel", "queue")
SLA = ("clock", "policy", "priority")

# What a window counts: the key of a row, without its sub-value -> the value of the label `kpi`. Clocks have one per clock.
SLA_VERBS = {key: verb for key, (verb, _) in CLOCK_COUNTED.items()}
CLOCK_OF = {f"{clock}_clocks_{verb}": clock for clock in CLOCKS for verb in SLA_VERBS.values()}
WINDOW_KPIS = (*COUNTED, DISTINCT, *HISTOGRAMS, *NUMBERS, *CLOCK_OF)
BASIC_WINDOW_KPIS = frozenset((*BASIC_COUNTS, *BASIC_TIMES, *CLOCK_OF))  # those of segments other than the total
WINDOW_SECONDS = (*HISTOGRAMS, *SUMMED)

IGNORED_PARTIALS: tuple[str, ...] = (*Ignored, "undecodable")  # what the KPI stage leaves out

TICKET_PART, KPI_PART = PARTS = ("ticket", "kpi")  # what has a loop of its own in each worker
LAG_EDGES = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
STEP_EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
LOOP_EDGES = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

_DISCARDED = "what was spam, deleted or merged away at the time"
_OLDEST = "seconds since 1970, to the minute; +Inf where there is none"
_SINCE_1970 = "seconds since 1970, 0 before the first event"


def _tickets() -> Iterator[Family]:
    yield from counter("ticket", "tickets_created", TICKET, "Tickets created.")
    yield from counter("ticket", "tickets_adopted", TICKET, "Tickets first seen by another event than their creation.")
    yield from counter("ticket", "tickets_solved", TICKET, "Changes from an unsolved into a solved or closed status.", excludes=_DISCARDED)
    yield from counter("ticket", "tickets_reopened", TICKET,
                       "Changes from a solved or closed into an unsolved status within the reopen horizon.", excludes=_DISCARDED)
    yield from counter("ticket", "tickets_merged", TICKET, "Tickets merged into another one.")
    yield from counter("ticket", "tickets_restored", TICKET, "Tickets taken back from spam, deletion or a merge.")
    yield from counter("ticket", "tickets_discarded", TICKET, "Tickets marked as spam or deleted.", by="reason", values=DISCARD_REASONS)
    yield from counter("ticket", "backlog_entered", TICKET, "Tickets that came into the backlog; entered - left, both net, is the backlog.",
                       by="reason", values=ENTERED_REASONS)
    yield from counter("ticket", "backlog_left", TICKET, "Tickets that left the backlog.", by="reason", values=LEFT_REASONS)
    yield from histogram("ticket", "first_response", TICKET_HISTOGRAM, "From creation to the first public reply of a human agent.",
                         excludes=f"automated replies, {_DISCARDED}")
    yield from histogram("ticket", "first_response_business", TICKET_HISTOGRAM, "From creation to the first public reply of a human agent.",
                         clock="business time of the policy's calendar",
                         excludes=f"tickets whose policy has no calendar, automated replies, {_DISCARDED}")
    yield from histogram("ticket", "first_resolution", TICKET_HISTOGRAM, "From creation to the first solution.",
                         excludes=f"adopted tickets, {_DISCARDED}")
    yield from histogram("ticket", "full_resolution", TICKET_HISTOGRAM,
                         "From creation to the last solution, counted when the ticket became final.",
                         excludes=f"adopted tickets, {_DISCARDED}")


def _contacts() -> Iterator[Family]:
    for name, definition, excludes in (
        ("contacts_offered", "Calls and chats that entered a queue or were accepted directly, once each.", "who left before any queue"),
        ("contacts_answered", "Contacts accepted by an agent, once each.", ""),
        ("contacts_answered_in_target", "Contacts whose wait, through all queues, kept the queue_wait target.", "waits without a target"),
        ("contacts_abandoned", "Contacts that left while waiting.", "those that left within the short-abandonment threshold"),
        ("contacts_short_abandoned", "Contacts that left while waiting, within the short-abandonment threshold.", ""),
    ):
        yield from counter("contact", name, CONTACT, definition, unit="contacts", excludes=excludes)
    yield from histogram("contact", "speed_of_answer", CONTACT, "From the offer to the acceptance of answered contacts.")
    yield from histogram("contact", "time_to_abandon", CONTACT, "From the offer to the leaving of abandoned contacts.",
                         excludes="short abandonments")


def _clocks() -> Iterator[Family]:
    for key, definition, excludes in (
        ("sla_started", "SLA clocks that started with a target.", ""),
        ("sla_measured", "SLA clocks that were decided: fulfilled in time or breached, once each.", "those cancelled before a breach"),
        ("sla_breached", "SLA clocks that passed their target, counted at the deadline.", ""),
        ("sla_induced", "Breaches that a change of priority or policy made, part of the breached.", ""),
        ("sla_cancelled", "SLA clocks that ended without fulfilment, whether they had breached before or not.", ""),
    ):
        yield from counter("sla", f"sla_clocks_{SLA_VERBS[key]}", SLA, definition, key=key, unit="clocks", by="clock", values=CLOCKS,
                           excludes=excludes)


def _levels() -> Iterator[Family]:
    yield gauge("level", "backlog_tickets", "backlog", "Unsolved tickets now.", "tickets", labels=("status", "group", "priority"),
                values=UNSOLVED_STATUSES)
    yield gauge("derived", "backlog_age_tickets", "created", "Unsolved tickets by age, in bands that do not overlap.", "tickets",
                labels=("age",), values=(*AGE_BANDS_MS, AGE_OVER))
    yield gauge("derived", "backlog_oldest_created_timestamp_seconds", "created_oldest", "Creation of the oldest unsolved ticket.", _OLDEST,
                merge="min")
    yield gauge("derived", "backlog_identity_error_tickets", "identity_error",
                "Backlog against what entered minus what left. Must be 0; else please report a fault of the processor.", "tickets")
    yield gauge("derived", "waiting_oldest_timestamp_seconds", "awaiting_oldest",
                "Creation of the unsolved ticket that waits longest for its first response.", _OLDEST, merge="min")
    yield gauge("level", "contacts_waiting", "waiting", "Contacts in a queue now.", "contacts", labels=CONTACT)
    yield gauge("derived", "contacts_waiting_oldest_timestamp_seconds", "queued_oldest", "Since when the longest waiting contact waits.",
                _OLDEST, merge="min")
    yield gauge("level", "agents", "agents", "Agents at work now, by state.", "agents", labels=("state", "group"), values=PRODUCTIVE_STATES)
    yield gauge("derived", "customers", "customers", "Customers now of whom events told that they were won.", "customers")
    yield gauge("derived", "customers_counted", "customers_counted", "All customers, where somebody counts them, as last counted.",
                "customers")
    yield gauge("level", "sla_clocks_running", "running", "SLA clocks that run now, the overdue ones included.", "clocks", labels=SLA)
    yield gauge("level", "sla_clocks_paused", "paused", "SLA clocks that stand still now.", "clocks", labels=SLA)
    yield gauge("level", "sla_clocks_overdue", "overdue", "SLA clocks that run now and have passed their target.", "clocks", labels=SLA)
    yield gauge("derived", "sla_clocks_due", "due",
                "Running SLA clocks due within the horizon from timer time on, to the minute. Cumulative like le: do not sum over horizon.",
                "clocks", labels=("clock", "horizon"), values=tuple(HORIZONS_MS))
    yield gauge("derived", "sla_clocks_warned", "warned",
                "SLA clocks that run now and whose warning has come (`warn` of a target).", "clocks", labels=("clock",), values=CLOCKS)
    yield gauge("derived", "sla_next_due_timestamp_seconds", "next_due", "The next deadline of a running SLA clock.", _OLDEST,
                labels=("clock",), values=CLOCKS, merge="min")


def _windows() -> Iterator[Family]:
    labels = ("kpi", "window", "by", *DIMENSIONS)
    tabular = (
        "Net, in event time, ending at support_window_end_timestamp_seconds. Segments have tickets, contacts, clocks and basic times, the "
        "total all. Tabular: do not sum over kpi, window or by."
    )
    yield gauge("window", "window_observations", "observations", f"Observations in the window. {tabular}", "observations", labels=labels,
                values=WINDOWS)
    yield gauge("window", "window_observed_seconds", "seconds", f"Sum of the durations observed in the window. {tabular}", "seconds",
                labels=labels, values=WINDOWS)
    yield replace(
        gauge("window", "arrivals_tickets", "topics", "Tickets created within the last hour, by topic. Net, in event time, ending at "
              "support_window_end_timestamp_seconds. Only where segments.group_bys has [topic].", "tickets", labels=("topic",)),
        stability="experimental",
    )
    yield gauge("derived", "window_end_timestamp_seconds", "window_end",
                "Where the windows end: the last full minute that timer time has passed; 24h and 7d end at the quarter of an hour before.",
                "seconds since 1970", merge="min")


def _calendars() -> Iterator[Family]:
    yield of_process("calendar", "calendar_open", "open",
                     "1 while the calendar is open, 0 while it is closed, at the newest timer time of this process.", "flag",
                     labels=("calendar",))


def _counts() -> Iterator[Family]:
    yield count("events_consumed", "", "Records read, whatever became of them.")
    yield count("events_duplicate", "duplicates", "Events that were there before, with the same source, id and content.")
    yield count("events_late", "late", "Events too late to correct anything; they are rejected, too.")
    yield count("events_invalid", "rejected", "Records rejected and dead-lettered.", by="reason", values=tuple(Reason))
    yield count("events_skipped", "skipped", "Events of types that nobody documented, where those are skipped.")
    yield count("events_control", "control", "Control events, which move clocks only.")
    yield count("rekeyed", "rekeyed", "What entities handed to tickets: waits of merged tickets, answers on the phone.",
                unit="records", gross=True)
    yield count("rekeyed_late", "rekeyed_late", "Of these, what came after the ticket was settled, and was left out.", unit="records",
                gross=True)
    yield count("corrections", "corrections", "Timelines folded again because an event came out of order.", unit="corrections", gross=True)
    yield gauge("derived", "processor_watermark_timestamp_seconds", "stream_time", "Stream time: the newest event time in the log.",
                _SINCE_1970, merge="max")
    yield gauge("derived", "processor_timer_timestamp_seconds", "timer_time",
                "Timer time: how far deadlines have been noticed, except for those that wait for the rest of a backfill.",
                _SINCE_1970, merge="max")
    yield gauge("derived", "processor_ledger_facts", "ledger_facts", "Net facts in the ledger digest.", "facts")


def _process() -> Iterator[Family]:
    yield health("gauge", "replaying", "1 while old records are caught up and KPI alerts should rest, else 0.", "flag", per_partition=True)
    yield health("gauge", "partition_running", "1 while an owned partition is being processed; 0 while it starts, fails or was refused.",
                 "flag", per_partition=True)
    yield health("gauge", "clock_parted", "1 while the system's clock and the monotonic one disagree; timers wait.", "flag")
    yield health("gauge", "last_event_timestamp_seconds", "Time of the newest event that this process has folded.", _SINCE_1970,
                 per_partition=True)
    yield health("histogram", "event_lag_seconds",
                 "From the time of an event to its step; one observation for each step that brings a newer event, of the newest.",
                 "seconds", edges=LAG_EDGES)
    yield health("counter", "steps_total", "Transactions committed.", "steps")
    yield health("counter", "step_failures_total", "Steps and takeovers given up; the partition was taken over again.", "steps")
    yield health("histogram", "step_seconds", "How long the commit of a step took.", "seconds", edges=STEP_EDGES)
    yield health("counter", "engine_errors_total", "Events on which the engine itself failed; each is a fault to report.", "events")
    yield health("counter", "takeovers_total", "Partitions taken over.", "takeovers")
    yield health("counter", "rebalances_total", "Times that the consumer group has dealt partitions out to this worker.", "times")
    yield health("gauge", "recovery_seconds", "How long the last takeover of the partition took.", "seconds", per_partition=True)
    yield health("gauge", "recovered_ratio", "The share of its state that an owned partition has read; 1 once it runs.", "ratio",
                 per_partition=True)
    yield health("gauge", "lag_records", "Records of the events topic that are known to follow what is applied.", "records",
                 per_partition=True)
    yield health("gauge", "lag_seconds", "While there are such records: how long ago the one applied last was appended; else 0.", "seconds",
                 per_partition=True)
    yield health("histogram", "loop_lag_seconds", "How much later than asked the event loop woke up.", "seconds", edges=LOOP_EDGES)
    yield health("gauge", "exposition_seconds", "How long it took to render the metrics last served.", "seconds")
    yield health("counter", "kpi_partials_ignored_total", "Partials that the KPI stage left out.", "partials", labels=("reason",))
    yield health("counter", "kpi_publications_total", "Minutes W published, once for each partition of the KPI stage.", "publications")
    yield health("counter", "kpi_publications_incomplete_total", "Of them those in which a partition had not reported.",
                 "publications")
    yield health("counter", "kpis_published_total", "Records written to the topic of KPIs.", "records")
    yield health("counter", "kpi_failures_total", "Times that the KPI stage or a partition of it failed and was taken over again.", "times")
    yield health("counter", "kpi_cpu_seconds_total", "Processor time for adding up and encoding KPIs.", "seconds")
    yield health("gauge", "kpi_published_end_timestamp_seconds", "The newest W that this process has published as KPIs.",
                 "seconds since 1970, 0 before the first")
    yield health("gauge", "kpi_epoch", "Which ownership of a partition of the KPI stage this is; later ones are greater. Of what is owned.",
                 "ownerships", labels=("kpi_partition",))
    yield health("gauge", "heartbeat_timestamp_seconds",
                 "When the slowest partition of a part went round its loop last: ticket = folding events, kpi = adding up partitions. It "
                 "stands still where something hangs, whatever the HTTP server still answers.", "seconds since 1970", labels=("part",),
                 values=PARTS, stability="experimental")
    yield of_process("labels", "processor_label_values_folded", "folded",
                     "Different values of the dimension that are shown as other, since more came than are shown by name; counted up to "
                     f"{FOLDED_COUNTED_MAX:,}.", "values", labels=("dimension",), values=FREE_DIMENSIONS, operational=True)
    yield health("gauge", "build_info", "Always 1; the labels say what runs.", "flag", labels=("version", "configuration", "engine"))


FAMILIES: tuple[Family, ...] = (
    *_tickets(), *_contacts(), *counters(), *sums(), *_clocks(), *_levels(), *_windows(), *_calendars(), *gauges(), *_counts(), *_process(),
)  # fmt: skip
OF_NO_PARTITION = frozenset({"kpi", "calendar", "labels"})  # sources of what no single partition knows
BY_NAME = {family.name: family for family in FAMILIES}


def compared(family: Family) -> bool:
    """Whether two processes that read the same log must agree on its values as they stand. What the KPI stage serves is in its topic."""
    return not family.gross and not family.operational and family.source not in OF_NO_PARTITION


def estimate_samples(config: Config) -> int:
    """Samples that one worker serves if it owns every partition and every known value occurs in every window.

    Values that the configuration does not know come on top: at most `labels.LABEL_VALUES_MAX` per dimension.
    """
    from processor.export.collector import estimate_samples as estimate  # it imports this module

    return estimate(config)
