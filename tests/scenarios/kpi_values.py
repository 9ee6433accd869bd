"""What a KPI's value is at a point of a scenario, from the rows of the engine, and whether that is what the scenario says."""

from __future__ import annotations

from math import isclose

from processor.core.distinct import VISITORS, collapse
from processor.core.engine import Engine
from processor.core.kpi_readings import Rules
from processor.core.kpis import Measure, measures
from processor.core.outputs import Report
from processor.core.rows import Row, Segment, add_row
from processor.core.settings import DIMENSIONS, MINUTE_MS
from processor.core.windows import WINDOWS, bounds_of
from tests.scenarios.words import UNITS, duration, fields_of

MINUTE_SECONDS = 60


def kpi_of(engine: Engine, words: list[str]) -> Measure:
    """`csat`, `csat group=support`, `backlog_growth 24h`: over everything, or over the window that ends at the last full minute."""
    (name, *window), where = fields_of(words)
    names = tuple(each for each in DIMENSIONS if each in where)
    group_by = next(index for index, each in enumerate(engine.settings.group_bys) if set(each) == set(names))
    segment: Segment = (group_by, tuple(where[each] for each in engine.settings.group_bys[group_by]))
    settings = engine.settings
    rules = Rules(0, settings.service_level_counts_short, settings.service_level_counts_flow_outs)
    report = _report(engine)
    if not window:
        row, backlog, seconds = _everything(engine, segment), engine.level_sums().get(segment, {}).get("backlog", 0), 0
        customers = report.windows.get((engine.settings.group_bys.index(()), ()), {}).get(WINDOWS[0], {}) if not names else {}
        row.update({key: amount for key, amount in customers.items() if key.startswith("customers") and key in _LEVELS})
    else:
        start, end = bounds_of(window[0], report.end // MINUTE_MS, settings.midnights)
        row, backlog = report.windows.get(segment, {}).get(window[0], {}), report.backlog.get(segment, 0)
        seconds = (end - start) * MINUTE_SECONDS
    return measures(names, row, backlog, seconds, rules)[name]


_LEVELS = ("customers", "customers_total")


def _report(engine: Engine) -> Report:
    """What a partition would report now; nothing of it is sent."""
    reports = engine.reports
    taken_until = reports.taken_until
    reports.take(engine.timer_time // MINUTE_MS * MINUTE_MS)
    reports.taken_until = taken_until
    return reports.taken.pop()


def _everything(engine: Engine, segment: Segment) -> Row:
    number = engine.rows.segment_id(segment)
    row: Row = {}
    for rows in engine.rows.tiers.values():
        for _, by_segment in rows.items():  # noqa: PERF102 - no dictionary
            add_row(row, by_segment.get(number, {}), 1)
    collapse(row, VISITORS)
    return row


def agrees(value: float | None, text: str) -> bool:
    """Shares to a tenth of a percent, durations to the millisecond."""
    if value is None or text == "none":
        return value is None and text == "none"
    if text.endswith("%"):
        return abs(value * 100 - float(text[:-1])) < 0.05 + 1e-9
    if text[-1] in UNITS:
        return isclose(value, duration(text) / 1000, abs_tol=0.0005)
    return isclose(value, float(text), abs_tol=0.005)
