"""Alerts about quality: what suffers where only speed is measured, and goals that are missed.

They compare event-time windows of all partitions together, the last 24 hours with the last 7 days, in total and by group. A guard pair is
two KPIs of which one looks better while the other gets worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from processor.alerting.about_kpis import PLACE
from processor.alerting.alert import HOUR, MINUTE, Alert, kpi_alert
from processor.alerting.series import together
from processor.config import Config
from processor.config.alerts import QualityAlerts

BY = "job, group"
_SEGMENTS = 'by=~"total|group"'
_TIMES = {"handle_time": "mean", "first_response": "p50", "first_resolution": "p50"}


def _now(kpi: str, window: str = "24h") -> str:
    """A KPI by group and in total (group empty)."""
    if kpi in _TIMES:
        return together(f'support_window_{kpi}_seconds{{stat="{_TIMES[kpi]}",window="{window}",{_SEGMENTS}}}', BY)
    if kpi == "ces":
        return together(f'support_window_ces{{stat="mean",window="{window}",{_SEGMENTS}}}', BY)
    return together(f'support_window_{kpi}_ratio{{window="{window}",{_SEGMENTS}}}', BY)


def _enough(kpi: str, least: int) -> str:
    observed = together(f'support_window_kpi_observations{{kpi="{kpi}",window="24h",{_SEGMENTS}}}', BY)
    return f"and on ({BY}) {observed} >= {least}"


@dataclass(frozen=True, slots=True)
class Side:
    """One KPI of a pair, and by how much it must have changed, in 24 hours against 7 days."""

    kpi: str
    direction: str  # faster, up, down

    def expr(self, limits: QualityAlerts) -> str:
        """The value of the last 24 hours, where it has changed so."""
        day, week = _now(self.kpi), _now(self.kpi, "7d")
        change = limits.effort_change if self.kpi == "ces" else limits.share_change
        if self.direction == "faster":
            compared = f"({day} < {1 - limits.faster_by:g} * {week})"
        elif self.direction == "up":
            compared = f"({day} >= {week} + {change:g})"
        else:
            compared = f"({day} <= {week} - {change:g})"
        return f"{compared}\n{_enough(self.kpi, limits.observations_min)}"


@dataclass(frozen=True, slots=True)
class Pair:
    """What looks better, and what gets worse."""

    alert: str
    better: Side
    worse: Side
    told: str

    @property
    def name(self) -> str:
        """The label `pair`."""
        return f"{self.better.kpi}_{self.worse.kpi}"


_HASTE, _FASTER = "SupportQualitySacrificed", "Contacts are handled faster"
_SOON, _SOONER = "SupportSolvedTooSoon", "Tickets are solved faster"
PAIRS = (
    Pair(_HASTE, Side("handle_time", "faster"), Side("csat", "down"), f"{_FASTER}, and customers are less satisfied"),
    Pair(_HASTE, Side("handle_time", "faster"), Side("fcr_provisional", "down"),
         f"{_FASTER}, and fewer are resolved at first contact"),
    Pair(_HASTE, Side("handle_time", "faster"), Side("ces", "down"), f"{_FASTER}, and customers find it harder"),
    Pair("SupportFcrCsatDivergence", Side("csat", "up"), Side("fcr_provisional", "down"),
         "Customers are more satisfied, and fewer tickets are resolved at first contact"),
    Pair("SupportFcrCsatDivergence", Side("csat", "up"), Side("ces", "down"), "Customers are more satisfied, and find it harder"),
    Pair(_SOON, Side("first_resolution", "faster"), Side("reopen", "up"), f"{_SOONER}, and more come back"),
    Pair(_SOON, Side("first_resolution", "faster"), Side("repeat_contact", "up"), f"{_SOONER}, and more customers ask again"),
    Pair("SupportAutoReplyMasking", Side("first_response", "faster"), Side("automated_first_reply", "up"),
         "First responses are faster, and more customers get an automatic reply first"),
)  # fmt: skip
_SUMMARIES = {
    _HASTE: "Contacts are handled faster at the cost of quality.",
    "SupportFcrCsatDivergence": "Satisfaction and first contact resolution say opposite things.",
    _SOON: "Tickets are called solved before they are.",
    "SupportAutoReplyMasking": "Automatic replies hide how long customers wait.",
}


def quality(config: Config) -> Iterator[Alert]:
    """All of them."""
    limits = config.alerts.quality
    for pair in PAIRS:
        # The value is that of what got worse. Calls have no group: their handle time is compared in total.
        yield _pair(pair.alert, pair.name, f"{pair.worse.expr(limits)}\nand on ({BY}) ({pair.better.expr(limits)})", pair.told)
    growth = together(f'support_window_backlog_growth_ratio{{window="24h",{_SEGMENTS}}}', BY)
    shrinking = f"({growth} <= -{limits.share_change:g})"
    yield _pair(_SOON, "backlog_growth_reopen", f"{Side('reopen', 'up').expr(limits)}\nand on ({BY}) {shrinking}",
                "The backlog shrinks, and more tickets come back")  # fmt: skip
    yield _parking(limits)
    yield from _levels(limits)
    yield _goals(limits)


def _pair(alert: str, name: str, expr: str, told: str) -> Alert:
    return kpi_alert(
        alert, "warning", f"guard_{name}", expr, _SUMMARIES[alert],
        f'{told}: {PLACE}, the last 24 hours against the last 7 days ({{{{ $value | printf "%.3g" }}}} now).',
        "quality", for_seconds=30 * MINUTE, keep_firing_seconds=HOUR, labels={"pair": name},
    )  # fmt: skip


def _parking(limits: QualityAlerts) -> Alert:
    """More clocks stand still than usual, while fewer break."""
    share, kept = "job_clock:support_sla_clocks_paused:ratio", 'support_window_sla_compliance_ratio{{window="{}",by="total"}}'
    day, week = (together(kept.format(window), "job, clock") for window in ("24h", "7d"))
    observed = together('support_window_kpi_observations{kpi=~".+_sla_compliance",window="24h",by="total"}', "job, kpi")
    of_clock = f'label_replace({observed}, "clock", "$1", "kpi", "(.+)_sla_compliance")'
    return kpi_alert(
        "SupportClockParking", "warning", "guard_parking",
        f"({share} >= avg_over_time({share}[1w]) + {limits.share_change:g})\n"
        f"and on (job, clock) ({day} >= {week} + {limits.share_change:g})\nand on (job, clock) {of_clock} >= {limits.observations_min}",
        "Agreements are kept because their clocks stand still.",
        "{{ $value | humanizePercentage }} of the clocks of {{ $labels.clock }} are paused, more than in the last 7 days, and more "
        "are kept.",
        "sla-risk", for_seconds=30 * MINUTE, keep_firing_seconds=HOUR,
    )  # fmt: skip


def _levels(limits: QualityAlerts) -> Iterator[Alert]:
    slowly = partial(kpi_alert, for_seconds=30 * MINUTE, keep_firing_seconds=HOUR)
    share = f"Of {PLACE}: {{{{ $value | humanizePercentage }}}}"
    yield slowly(
        "SupportReopenRateHigh", "warning", "reopen",
        f"{_now('reopen')} > {limits.reopened_share:g}\n{_enough('reopen', limits.observations_min)}",
        "Many solved tickets come back.", f"{share} of the tickets solved in 24 hours were reopened, benign reopenings left out.",
        "quality",
    )  # fmt: skip
    yield slowly(
        "SupportEscalationSpike", "warning", "escalation",
        f"{_now('escalation')} > {limits.escalated_share:g}\n"
        f"and {_now('escalation')} >= {limits.escalated_factor:g} * {_now('escalation', '7d')}\n"
        f"{_enough('escalation', limits.observations_min)}",
        "Far more tickets are escalated than usual.", f"{share} of the solved tickets were escalated in 24 hours, against 7 days before.",
        "quality",
    )  # fmt: skip
    yield slowly(
        "SupportCsatDrop", "warning", "csat",
        f"{_now('csat')} <= {_now('csat', '7d')} - {limits.csat_drop:g}\n{_enough('csat', limits.observations_min)}",
        "Customers are less satisfied than last week.", f"{share} of those who answered in 24 hours are satisfied, far fewer than before.",
        "quality",
    )  # fmt: skip
    yield kpi_alert(
        "SupportSurveyScoresLow", "warning", "survey_scores",
        f"job_group_survey:support_surveys_negative:increase4h > {limits.negative_answers - 0.5:g}",
        "Several customers gave low scores.",
        '{{ $value | printf "%.0f" }} low scores in survey {{ $labels.survey }} within 4 hours, group "{{ $labels.group }}".',
        "quality", keep_firing_seconds=15 * MINUTE, settles="4h",
    )  # fmt: skip


def _goals(limits: QualityAlerts) -> Alert:
    progress = together('support_kpi_goal_progress_ratio{window="7d"}', "job, goal, kpi, by, channel, priority, group, topic, queue")
    return kpi_alert(
        "SupportGoalOffTrack", "warning", "goal", f"{progress} < {limits.goal_progress_min:g}",
        "A goal is missed over the last 7 days.",
        "{{ $labels.goal }} is reached to {{ $value | humanizePercentage }} over the last 7 days.",
        "goals", for_seconds=HOUR, keep_firing_seconds=HOUR,
    )  # fmt: skip
