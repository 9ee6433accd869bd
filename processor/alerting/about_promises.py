"""Alerts about service level agreements: single breaches, those that come, and how fast the budget of a week is used up.

The usual burn rates of 14.4 and 6 can never fire where the objective is low: at 80 % no more than 5 times the allowed share can break, at
90 % no more than 10 times. So they are scaled to a week, and capped at 70 % of what is possible.
"""

from __future__ import annotations

from collections.abc import Iterator

from processor.alerting.alert import MINUTE, Alert, Severity, kpi_alert
from processor.config import Config
from processor.config.policies import Targets

# severity, long window, short window (that it still goes on), burn rate: 2 % of a week's budget in 1 h, 10 % in 6 h, 25 % in a day
BURNS: tuple[tuple[str, Severity, str, str, float], ...] = (
    ("SupportSlaBudgetBurnFast", "critical", "1h", "5m", 3.4),
    ("SupportSlaBudgetBurnFast", "critical", "6h", "30m", 2.8),
    ("SupportSlaBudgetBurnSlow", "warning", "1d", "2h", 1.75),
)
REACHABLE = 0.7  # of the highest burn rate that there can be
_SPOKEN = {"1h": "hour", "6h": "6 hours", "1d": "24 hours"}


def burn_rate(rate: float, objective: float) -> float:
    """The rate, or what can still be reached with this objective."""
    return min(rate, REACHABLE / (1 - objective))


def promises(config: Config) -> Iterator[Alert]:
    """All of them."""
    limits = config.alerts.sla
    yield kpi_alert(
        "SupportSlaBreaches", "warning", "sla_breaches",
        f"job_clock_policy:support_sla_clocks_breached:increase1h > {limits.breaches - 0.5:g}",
        "Service level agreements were broken.",
        '{{ $value | printf "%.0f" }} times within the last hour {{ $labels.clock }} took longer than policy {{ $labels.policy }} allows.',
        "sla-risk", keep_firing_seconds=5 * MINUTE, settles="1h",
    )  # fmt: skip
    yield kpi_alert(
        "SupportSlaBreachesImminent", "critical", "sla_imminent",
        f"job_clock:support_sla_breaches:predicted30m > {limits.breaches_imminent - 0.5:g}",
        "More deadlines come within 30 minutes than the team reaches.",
        'At the pace of the last 30 minutes {{ $value | printf "%.0f" }} deadlines of {{ $labels.clock }} will be missed in the next 30.',
        "sla-risk", for_seconds=5 * MINUTE, settles="30m",
    )  # fmt: skip
    for clock in measured_clocks(config):
        objective = limits.objectives.get(clock, limits.objective)
        for burn in BURNS:
            yield _burning(burn, clock, objective, limits.clocks_min)


def measured_clocks(config: Config) -> list[str]:
    """The clocks for which some policy has a target."""
    return [clock for clock in Targets.model_fields if any(getattr(policy.targets, clock) is not None for policy in config.policies)]


def _burning(burn: tuple[str, Severity, str, str, float], clock: str, objective: float, clocks_min: int) -> Alert:
    name, severity, long, short, rate = burn
    share = burn_rate(rate, objective) * (1 - objective)
    of_clock = f'{{clock="{clock}"}}'
    ratio = "job_clock:support_sla_clocks_breached_per_sla_clocks_measured:ratio_increase"
    over = f"{of_clock} > {share:.6g}"
    enough = f"job_clock:support_sla_clocks_measured:increase{long}{of_clock} > {clocks_min - 0.5:g}"
    pace = "fast" if severity == "critical" else "steadily"
    return kpi_alert(
        name, severity, "sla_budget", f"{ratio}{long}{over}\nand {ratio}{short}{over}\nand {enough}",
        f"Service level agreements break so {pace} that the week's budget will not last.",
        f"{{{{ $value | humanizePercentage }}}} of {clock} was too late in the last {_SPOKEN[long]}; {1 - objective:.1%} of a week may be.",
        "sla-risk", keep_firing_seconds=15 * MINUTE, settles=short, labels={"clock": clock, "window": long},
    )  # fmt: skip
