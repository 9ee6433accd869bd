"""What stands below the numbers where people work with a board: over time, and told apart by group, channel, queue, policy or partition.

The variables are Grafana's: $job, $window, $group, $channel, $priority, on the health board $instance. Counts of tickets, contacts and
clocks rest on what a worker keeps, so their rates are of the recorded `support:...:max`; those of a process are its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from processor.boards.promql import JOB, once
from processor.core.settings import CLOCKS

WINDOW = "$window"
_GROUP, _CHANNEL, _PRIORITY = 'group=~"$group"', 'channel=~"$channel"', 'priority=~"$priority"'
_PROCESS = f'{JOB}, instance=~"$instance"'

Kind = Literal["lines", "stacked", "heatmap", "table"]


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and how its series are called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. `question` is its title."""

    question: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    kind: Kind = "lines"


def _window(kpi: str, by: str, *matchers: str, labels: str = "") -> str:
    """A gauge of the KPI stage over $window, of segments by one dimension or of the total."""
    told = ", ".join([JOB, f'window="{WINDOW}"', f'by="{by}"', *matchers])
    return f"max by (job{', ' if labels else ''}{labels}) (support_window_{kpi}{{{told}}})"


def _counted(kpis: str, by: str, *matchers: str, labels: str = "") -> str:
    """Counts over $window, of segments by one dimension or of the total."""
    told = ", ".join([JOB, f'kpi=~"{kpis}"', f'window="{WINDOW}"', f'by="{by}"', *matchers])
    return f"sum by (job{', ' if labels else ''}{labels}) (max without (instance, pod) (support_window_observations{{{told}}}))"


def _level(level: str, by: str, *matchers: str) -> str:
    told = ", ".join([JOB, f'level="{level}"', f'by="{by}"', *matchers])
    return f"max by (job, {by}) (support_kpi_level{{{told}}})"


def _increase(name: str, labels: str, *matchers: str, over: str = "$__rate_interval") -> str:
    """What was added to a total and not taken back. `name` has {} where `_retracted` stands in the twin's."""
    told = ", ".join([JOB, *matchers])
    gross, taken_back = (f"sum by ({labels}) (increase(support:{name.format(twin)}:max{{{told}}}[{over}]))" for twin in ("", "_retracted"))
    return f"{gross} - {taken_back}"


def _stats(kpi: str, *stats: str) -> tuple[Query, ...]:
    return tuple(Query(_window(kpi, "total", f'stat="{stat}"'), stat) for stat in stats)


def _goal(kpi: str, stat: str = "") -> Query:
    return Query(f'max by (job) (support_kpi_target{{{JOB}, kpi="{kpi}", stat="{stat}", by="total"}})', "target")


QUEUE_NOW = (
    Panel("Where do people wait?", "Contacts in each queue now.", "contacts",
          (Query(f"sum by (queue) (max without (instance, pod) (support_contacts_waiting{{{JOB}, {_CHANNEL}}}))", "{{queue}}"),),
          "stacked"),
    Panel("Where do people give up?", "Abandoned / offered contacts by queue within the window, short abandonments in neither.", "ratio",
          (Query(_window("abandonment_ratio", "queue", labels="queue"), "{{queue}}"),)),
    Panel("How soon do we answer?", "From the offer to the acceptance of answered contacts within the window.", "seconds",
          _stats("speed_of_answer_seconds", "p50", "p90")),
    Panel("What are agents doing?", "Agents at work now, by state. Those who are away or offline are not among them.", "agents",
          (Query(f"sum by (state) (max without (instance, pod) (support_agents{{{JOB}, {_GROUP}}}))", "{{state}}"),), "stacked"),
    Panel("Which group owes a first answer?", "Unsolved tickets by group to which no human has replied yet.", "tickets",
          (Query(_level("awaiting", "group", _GROUP), "{{group}}"),), "stacked"),
    Panel("How long do first answers take?", "First responses by how long they took. Net of what late events took back.", "tickets",
          (Query(_increase("first_response_seconds{}_bucket", "le", _GROUP, _CHANNEL), "{{le}}"),), "heatmap"),
)  # fmt: skip

SLA_RISK = (
    Panel("What falls due next?", "Running SLA clocks that are due within the horizon; a longer one includes the shorter.", "clocks",
          (Query(f"sum by (clock, horizon) (max without (instance, pod) (support_sla_clocks_due{{{JOB}}}))", "{{clock}} in {{horizon}}"),)),
    Panel("Which promises are broken and still open?", "SLA clocks that run now and have passed their target, by clock and priority.",
          "clocks", (Query(f"sum by (clock, priority) (max without (instance, pod) (support_sla_clocks_overdue{{{JOB}, {_PRIORITY}}}))",
                           "{{clock}}, {{priority}}"),), "stacked"),
    Panel("Which policies break?", "SLA clocks that passed their target, by policy. Net of what late events took back.", "clocks",
          (Query(_increase("sla_clocks_breached{}_total", "policy, clock", _PRIORITY), "{{policy}}: {{clock}}"),), "stacked"),
    Panel("Do we keep what we promise?", "Clocks that kept their target / those that were decided within the window.", "ratio",
          (Query(_window("sla_compliance_ratio", "total", labels="clock"), "{{clock}}"),)),
    Panel("Which group keeps its promises?", "first_response clocks that kept their target / those decided within the window, by group.",
          "ratio", (Query(_window("sla_compliance_ratio", "group", _GROUP, f'clock="{CLOCKS[0]}"', labels="group"), "{{group}}"),)),
    Panel("How many promises broke?", "SLA clocks that passed their target within the window.", "clocks",
          (Query(_counted(".+_clocks_breached", "total", labels="kpi"), "{{kpi}}"),)),
)  # fmt: skip

BACKLOG_FLOW = (
    Panel("Whose backlog is it?", "Unsolved tickets by group.", "tickets",
          (Query(f"sum by (group) (support:backlog_tickets:max{{{JOB}, {_GROUP}, {_PRIORITY}}})", "{{group}}"),), "stacked"),
    Panel("What are they waiting for?", "Unsolved tickets by status: new and open wait for us.", "tickets",
          (Query(f"sum by (status) (support:backlog_tickets:max{{{JOB}, {_GROUP}, {_PRIORITY}}})", "{{status}}"),), "stacked"),
    Panel("Do we solve as much as comes in?", "What entered and what left the backlog within the window.", "tickets",
          (Query(_counted("backlog_entered", "total"), "in"), Query(_counted("backlog_left", "total"), "out"))),
    Panel("Which group falls behind?", "What entered minus what left the backlog of the group within the window.", "tickets",
          (Query(f"{_counted('backlog_entered', 'group', _GROUP, labels='group')} - "
                 f"{_counted('backlog_left', 'group', _GROUP, labels='group')}", "{{group}}"),)),
    Panel("Which topic surges?", "Tickets created within the last hour, by topic. Needs [topic] among segments.group_bys.", "tickets",
          (Query(f"sum by (topic) (max without (instance, pod) (support_arrivals_tickets{{{JOB}}}))", "{{topic}}"),), "stacked"),
    Panel("How old are they?", "Unsolved tickets by age.", "tickets",
          (Query(f"sum by (age) (max without (instance, pod) (support_backlog_age_tickets{{{JOB}}}))", "{{age}}"),), "stacked"),
    Panel("How much work is in hand?", "Backlog / tickets that leave it per second of the window, by group.", "seconds",
          (Query(_window("backlog_work_off_seconds", "group", _GROUP, labels="group"), "{{group}}"),)),
    Panel("What comes in by which channel?", "Tickets created within the window, by channel.", "tickets",
          (Query(_counted("tickets_created", "channel", _CHANNEL, labels="channel"), "{{channel}}"),), "stacked"),
)  # fmt: skip

QUALITY = (
    Panel("Are customers satisfied?", "Satisfied answers / answers within the window, with the target.", "ratio",
          (Query(_window("csat_ratio", "total"), "satisfied"), _goal("csat"))),
    Panel("With whom are they satisfied?", "Satisfied answers / answers within the window, by group.", "ratio",
          (Query(_window("csat_ratio", "group", _GROUP, labels="group"), "{{group}}"),)),
    Panel("Does it come back?", "Reopened and repeated / solved tickets within the window.", "ratio",
          (Query(_window("reopen_ratio", "total"), "reopened"), Query(_window("repeat_contact_ratio", "total"), "asked again"))),
    Panel("Do we solve it the first time?", "First contact resolution within the window: as far as is known, and by what customers say.",
          "ratio", (Query(_window("fcr_provisional_ratio", "total"), "so far"), Query(_window("fcr_survey_ratio", "total"), "by survey"))),
    Panel("Is speed bought with quality?", "Mean handle time within the window. Where it falls together with satisfaction, it is.",
          "seconds", (Query(_window("handle_time_seconds", "total", 'stat="mean"'), "handle time"),)),
    Panel("How easy was it?", "Answers from 1 to 7, where 7 is very easy. Net of what was changed later.", "answers",
          (Query(_increase("ces_score{}_bucket", "le", _CHANNEL), "{{le}}"),), "heatmap"),
    Panel("How many answer at all?", "Answers / surveys sent within the window. Few answers are seldom those of everybody.", "ratio",
          tuple(Query(_window(f"{survey}_response_ratio", "total"), survey) for survey in ("csat", "nps", "ces"))),
    Panel("What rests on how much?", "Observations within the window. Below kpis.min_n a value says little.", "observations",
          (Query(f'max by (kpi) (support_window_kpi_observations{{{JOB}, kpi=~"csat|nps|ces|fcr|reopen", window="{WINDOW}", by="total"}})',
                 "{{kpi}}"), Query(f"max by (job) (support_kpi_min_observations{{{JOB}}})", "too few below"))),
)  # fmt: skip

GOALS = (
    Panel("How far is each goal reached?", "1 = the target is kept, above it more than that, within the window. Absent where n is low.",
          "ratio", (Query(f'max by (goal) (support_kpi_goal_progress_ratio{{{JOB}, window="{WINDOW}"}})', "{{goal}}"),)),
    Panel("What have we promised?", "Every target of kpis.targets: durations in seconds, shares from 0 to 1.", "number",
          (Query(f"max by (kpi, stat, direction, by, channel, group, queue, priority) (support_kpi_target{{{JOB}}})", ""),), "table"),
    Panel("Do policies hold?", "Clocks that kept their target / those that were decided within the time shown, by policy.", "ratio",
          (Query(f"1 - ({_increase('sla_clocks_breached{}_total', 'policy, clock', _PRIORITY, over='$__range')}) / "
                 f"(({_increase('sla_clocks_measured{}_total', 'policy, clock', _PRIORITY, over='$__range')}) > 0)",
                 "{{policy}}: {{clock}}"),)),
    Panel("Do we answer calls and chats in time?", "Service level within the window, with the target.", "ratio",
          (Query(_window("service_level_ratio", "total"), "service level"), _goal("service_level"))),
    Panel("How long does a first answer take?", "Mean first response within the window, with the target.", "seconds",
          (Query(_window("first_response_seconds", "total", 'stat="mean"'), "first response"), _goal("first_response", "mean"))),
    Panel("Are customers satisfied?", "Satisfied answers / answers within the window, with the target.", "ratio",
          (Query(_window("csat_ratio", "total"), "satisfied"), _goal("csat"))),
    Panel("Would they recommend us?", "100 x (promoters - detractors) / answers within the window, with the target.", "points",
          (Query(_window("nps", "total"), "recommendation"), _goal("nps"))),
)  # fmt: skip

PROCESSOR_HEALTH = (
    Panel("How much comes in?", "Records read per second, whatever became of them.", "events per second",
          (Query(f"sum by (job) (rate(support:processor_events_consumed_total:max{{{JOB}}}[$__rate_interval]))", "read"),)),
    Panel("Which partition is behind?", "How long ago the record applied last was appended; 0 where nothing is unread.", "seconds",
          (Query(f"max by (partition) (support_processor_lag_seconds{{{_PROCESS}}})", "partition {{partition}}"),)),
    Panel("How fresh is what is counted?", "From the time of an event to its step.", "seconds",
          tuple(Query(f"histogram_quantile({share}, sum by (le) "
                      f"(rate(support_processor_event_lag_seconds_bucket{{{_PROCESS}}}[$__rate_interval])))", name)
                for share, name in ((0.5, "p50"), (0.99, "p99")))),
    Panel("What is rejected?", "Records rejected and dead-lettered, by reason.", "events",
          (Query(f"sum by (reason) (increase(support:processor_events_invalid_total:max{{{JOB}}}[$__rate_interval]))", "{{reason}}"),),
          "stacked"),
    Panel("What goes wrong?", "Steps given up, engine errors and failures of the KPI stage. A takeover after a restart is usual.", "events",
          tuple(Query(f"sum by (instance) (increase(support_processor_{name}_total{{{_PROCESS}}}[$__rate_interval]))",
                      f"{{{{instance}}}}: {told}")
                for name, told in (("step_failures", "steps given up"), ("engine_errors", "engine errors"),
                                   ("kpi_failures", "KPI stage failed"), ("takeovers", "takeovers")))),
    Panel("How busy is the worker?", "How much later than asked the event loop woke up, of a hundred times the worst.", "seconds",
          (Query(f"histogram_quantile(0.99, sum by (le, instance) "
                 f"(rate(support_processor_loop_lag_seconds_bucket{{{_PROCESS}}}[$__rate_interval])))", "{{instance}}"),)),
    Panel("How long do takeovers take?", "The last takeover of each partition.", "seconds",
          (Query(f"max by (partition) (support_processor_recovery_seconds{{{_PROCESS}}})", "partition {{partition}}"),)),
    Panel("How far does each clock reach?", "How old timer time is: up to there the deadlines of the partition have been noticed, "
          "except for those that wait for the rest of a backfill.",
          "seconds", (Query(f"time() - max by (partition) ({once('support_processor_timer_timestamp_seconds')} > 0)",
                            "partition {{partition}}"),)),
    Panel("Does every part of each worker go round?", "Since the slowest partition of a part went round its loop last.", "seconds",
          (Query(f"time() - min by (instance, part) (support_processor_heartbeat_timestamp_seconds{{{_PROCESS}}})",
                 "{{instance}}: {{part}}"),)),
    Panel("What is not shown by name?", "Values of a dimension that are shown as other, since more came than are shown by name.", "values",
          (Query(f"max by (dimension) (support_processor_label_values_folded{{{_PROCESS}}})", "{{dimension}}"),)),
    Panel("What runs?", "Versions of the workers, and fingerprints of their configurations: all the same, unless they are being changed.",
          "number", (Query(f"max by (instance, version, configuration, engine) (support_processor_build_info{{{_PROCESS}}})", ""),),
          "table"),
)  # fmt: skip

PANELS: dict[str, tuple[Panel, ...]] = {
    "queue-now": QUEUE_NOW,
    "sla-risk": SLA_RISK,
    "backlog-flow": BACKLOG_FLOW,
    "quality": QUALITY,
    "goals": GOALS,
    "processor-health": PROCESSOR_HEALTH,
}


def expressions() -> Iterator[str]:
    """Every expression. What they read as `support:NAME:max` must be recorded."""
    return (query.expr for panels in PANELS.values() for panel in panels for query in panel.queries)
