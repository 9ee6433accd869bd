"""Where KPIs stand: the newest part of a log beside the part before it, and against the targets of the configuration; as plain values.

How a value stands against its target is judged as on every board. What has changed against the part before is said where it is more than
chance may have done: where the interval of a share does not hold the earlier value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any, NamedTuple

from processor.boards.board import Better
from processor.boards.judging import STEADY, State, judge
from processor.codec.times import format_time
from processor.config.targets import KpiTarget
from processor.core.kpis import PLAIN, Measure, definition_of
from processor.export.goals import value_of
from processor.report.groups import described, finite
from processor.report.history import HOUR_MINUTES, TOTAL, History
from processor.report.segments import By

Document = dict[str, Any]
MET, NEAR, MISSED, FEW, UNKNOWN = "met", "near", "missed", "few", "unknown"
BETTER, WORSE, SAME = "better", "worse", "same"
_VERDICTS = {State.MET: MET, State.NEAR: NEAR, State.MISSED: MISSED, State.FEW: FEW}
# The newest part of a log of at least so many days, and its name.
PARTS = ((60, 30, "the last 30 days"), (14, 7, "the last 7 days"), (2, 1, "the last 24 hours"))
WHOLE_LOG = "the whole log"
_DAY_HOURS = 24


class Recent(NamedTuple):
    """Rows [first, until) of a history, and those before it; `before` is None where the log is too short."""

    name: str
    first: int
    until: int
    before: tuple[int, int] | None


def recent_of(history: History) -> Recent:
    """The newest part that has another one as long before it."""
    first, until = history.first, history.until
    a_day = _DAY_HOURS if history.minutes == HOUR_MINUTES else 1
    for at_least, days, name in PARTS:
        if until - first >= at_least * a_day:
            length = days * a_day
            return Recent(name, until - length, until, (until - 2 * length, until - length))
    return Recent(WHOLE_LOG, first, until, None)


def recent(history: History, names: Iterable[str]) -> Document:
    """KPIs of the newest part, each with its value before."""
    part, width = recent_of(history), history.width
    before, now = _measured(history, part, TOTAL)
    kpis = []
    for name in names:
        definition, measure = definition_of(name), now.get(name)
        if definition is None or measure is None or not (measure.n or (definition.kind in PLAIN and measure.value is not None)):
            continue
        told = described(definition, measure, history.rules)
        told["before"] = described(definition, before[name], history.rules)["value"] if before and name in before else None
        kpis.append(told)
    return {
        "name": part.name,
        "from": format_time(part.first * width),
        "to": format_time(min(part.until * width, max(history.end, part.first * width))),
        "before_from": format_time(part.before[0] * width) if part.before else None,
        "kpis": kpis,
    }


def goals(history: History, targets: Sequence[KpiTarget]) -> list[Document]:
    """Each target, and where its KPI stands in the newest part, before, and in the whole log."""
    part = recent_of(history)
    return [_goal(history, part, target) for target in targets]


def by_of(target: KpiTarget) -> By:
    """The segment of a target, as those are named that are told."""
    return tuple(sorted(target.dimensions.items()))


def _goal(history: History, part: Recent, target: KpiTarget) -> Document:
    by = by_of(target)
    before, now = _measured(history, part, by)
    (everything,) = history.measures([(history.first, history.until)], by)
    measure = now.get(target.kpi, Measure(None, 0))
    value, definition = value_of(measure, target.stat_shown), target.definition
    earlier = value_of(before[target.kpi], target.stat_shown) if before and target.kpi in before else None
    return {
        "kpi": target.kpi,
        "stat": target.stat_shown,
        "by": dict(target.dimensions),
        "unit": definition.unit,
        "target": target.number,
        "direction": target.direction,
        "window": part.name,
        **{key: each for key, each in described(definition, measure, history.rules).items() if key in ("n", "low_n", "low", "high")},
        "value": finite(value),
        "before": finite(earlier),
        "whole_log": finite(value_of(everything.get(target.kpi, Measure(None, 0)), target.stat_shown)),
        "verdict": _verdict(target, measure, value, history.rules.min_n),
        "trend": _trend(target, earlier, value, measure),
    }


def _measured(history: History, part: Recent, by: By) -> tuple[dict[str, Measure] | None, dict[str, Measure]]:
    stretches = ([part.before] if part.before else []) + [(part.first, part.until)]
    found = list(history.measures(stretches, by))
    return (found[0] if part.before else None), found[-1]


def _verdict(target: KpiTarget, measure: Measure, value: float | None, min_n: int) -> str:
    plain = target.definition.kind in PLAIN
    if value is None or not (measure.n or plain):
        return UNKNOWN
    better: Better = "up" if target.direction == "at_least" else "down"
    return _VERDICTS.get(judge(value, better=better, target=target.number, n=None if plain else measure.n, min_n=min_n), UNKNOWN)


def _trend(target: KpiTarget, before: float | None, now: float | None, measure: Measure) -> str:
    if before is None or now is None:
        return UNKNOWN
    if unchanged(before, now, measure.interval):
        return SAME
    return BETTER if (now > before) == (target.direction == "at_least") else WORSE


def unchanged(before: float, now: float, interval: tuple[float, float] | None) -> bool:
    """Whether chance alone, or next to nothing, makes the difference."""
    if interval is not None and interval[0] <= before <= interval[1]:
        return True
    return before == now or (isfinite(before + now) and abs(now - before) <= STEADY * max(abs(before), abs(now)))
