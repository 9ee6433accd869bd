"""KPIs over time, as plain values: a value for each hour, day or week of the log, with what it rests on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from processor.codec.times import format_time
from processor.core.kpis import PLAIN, Measure, definition_of
from processor.report.groups import STATS, described
from processor.report.history import DAY_MINUTES, HOUR_MINUTES, TOTAL, History

Document = dict[str, Any]
DAYS_MAX = 62  # a longer log is told by weeks
QUIET_SHARE = 0.01  # a beginning in which less than this share of everything happened is left out …
QUIET_PART = 1 / 3  # … where it is at least so long a part of the log: it would leave no room for the rest …
ROOM = 30  # … and the log has more steps than these
_WEEK = 7
_FIRST_MONDAY = 4  # day since 1970


def over_time(history: History, names: Iterable[str]) -> Document:
    """The KPIs of these names that were observed at all. Lists go by the steps; null where nothing was observed."""
    busy, until = _busy_from(history), history.until
    step, stretches = _stretches(history, busy, until)
    found: dict[str, Document] = {}
    wanted = list(dict.fromkeys(names))
    steps = list(history.measures(stretches))
    for name in wanted:
        measured = [measures.get(name) for measures in steps]
        if any(each is not None and (each.n or each.value) for each in measured):
            found[name] = _series(name, [each or Measure(None, 0) for each in measured], history)
    width = history.width
    return {
        "step": step,
        "zone": "UTC",
        "starts": [format_time(first * width) for first, _ in stretches],
        "complete": [history.whole(end) for _, end in stretches],
        "quiet_steps_left_out": {"from": format_time(history.first * width), "to": format_time(busy * width)}
        if busy > history.first else None,
        "kpis": list(found.values()),
    }  # fmt: skip


def _busy_from(history: History) -> int:
    first, until = history.first, history.until
    total = sum(history.volume(index) for index in history.rows.get(TOTAL, {}))
    seen, busy = 0, first
    while total and busy < until:
        seen += history.volume(busy)
        if seen > QUIET_SHARE * total:
            break
        busy += 1
    return busy if until - first > ROOM and busy - first >= QUIET_PART * (until - first) else first


def _stretches(history: History, first: int, until: int) -> tuple[str, list[tuple[int, int]]]:
    if history.minutes == HOUR_MINUTES:
        return "hour", [(index, index + 1) for index in range(first, until)]
    assert history.minutes == DAY_MINUTES
    if until - first <= DAYS_MAX:
        return "day", [(index, index + 1) for index in range(first, until)]
    monday = first - (first - _FIRST_MONDAY) % _WEEK
    return "week", [(index, index + _WEEK) for index in range(monday, until, _WEEK)]


def _series(name: str, measured: list[Measure], history: History) -> Document:
    definition = definition_of(name)
    assert definition is not None, "names are those of KPIs"
    told = [described(definition, each, history.rules) for each in measured]
    series: Document = {"kpi": name, "kind": str(definition.kind), "unit": definition.unit}
    series["values"] = [each["value"] for each in told]
    if definition.kind in PLAIN:
        return series
    series["n"] = [each["n"] for each in told]
    for key in ("low", "high", *STATS):
        if any(key in each for each in told):
            series[key] = [each.get(key) for each in told]
    return series
