"""Every KPI of a replayed log by group, and customers by calendar month and quarter, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processor.core.kpi_readings import DEFAULT_RULES
from processor.core.kpi_statistics import QUANTILES, at_most
from processor.core.kpis import GROUPS, PLAIN, Definition, Measure, Rules, definition_of, measures
from processor.core.levels import CUSTOMERS, CUSTOMERS_COUNTED
from processor.core.outputs import View
from processor.core.rows import Row, add_row
from processor.core.schedule import scheduled_seconds
from processor.core.settings import DAY_MS
from processor.report.calendar import date_of, month_of, quarter_of
from processor.report.together import level_of, stock_of

Document = dict[str, Any]
RATES_WINDOW, RATES_SECONDS = "24h", 86_400
# Inside a bucket quantiles are as Prometheus reckons them; that they are at most the edge of their bucket holds for few observations, too.
STATS = ("p50", "p90")
# KPIs of a pace: that of the last day says more than that of all.
_LAST_DAY = frozenset({"backlog_growth", "backlog_work_off", "backlog_drain", "open_tickets_per_agent_online"})


def by_group(views: Sequence[View], days: Mapping[int, Row], last_day: Row, rules: Rules = DEFAULT_RULES) -> list[Document]:
    """All KPIs with what they rest on: of all days that are kept, those of a pace of the last 24 hours, which end where the backlog is."""
    everything = stock_of(views)
    for row in days.values():
        add_row(everything, row, 1)
    end = min((view.window_end for view in views), default=0)
    scheduled = scheduled_seconds(rules.shifts, (), (), min(days, default=0) * DAY_MS, end)
    backlog = level_of(views, "backlog")
    found = measures((), everything, backlog, 0, rules, scheduled)
    found |= {name: each for name, each in measures((), last_day, backlog, RATES_SECONDS, rules).items() if name in _LAST_DAY}
    groups: dict[str, list[Document]] = {group: [] for group in GROUPS}
    for name, measure in found.items():
        definition = definition_of(name)
        if definition is not None:
            told = described(definition, measure, rules)
            groups[definition.group].append({**told, "window": RATES_WINDOW} if name in _LAST_DAY else told)
    return [{"group": group, "kpis": kpis} for group, kpis in groups.items()]


def described(definition: Definition, measure: Measure, rules: Rules) -> Document:
    """A KPI with what it rests on."""
    found: Document = {
        "kpi": definition.name,
        "kind": str(definition.kind),
        "unit": definition.unit,
        "value": finite(measure.value),
        "n": measure.n,
    }
    if definition.kind not in PLAIN:
        found["low_n"] = measure.n < rules.min_n
    if measure.estimated:
        found["estimated"] = True
    if measure.interval is not None:
        found["low"], found["high"] = (round(bound, 4) for bound in measure.interval)
    stats = measure.stats()
    found.update({name: finite(stats[name]) for name in STATS if name in stats})
    if measure.timed and stats:
        found.update({f"{name}_at_most_seconds": at_most(QUANTILES[name], measure.timed.counts) for name in STATS})
    return found


def finite(value: float | None) -> float | str | None:
    """As JSON can have it: it has no infinity."""
    if value is None or isinstance(value, int):
        return value
    return "+Inf" if value == float("inf") else round(value, 4)


def customers(views: Sequence[View], days: Mapping[int, Row]) -> list[Document]:
    """Won, lost and kept by calendar month and quarter (UTC), from the present number and what changed on each day that is kept."""
    stock = stock_of(views)
    months: dict[str, Row] = {}
    quarters: dict[str, Row] = {}
    for day, row in days.items():
        date = date_of(day)
        for periods, name in ((months, month_of(date)), (quarters, quarter_of(date))):
            add_row(periods.setdefault(name, {}), {key: amount for key, amount in row.items() if key.startswith("customers_")}, 1)
    return [*_periods(months, stock), *_periods(quarters, stock)]


def _periods(periods: Mapping[str, Row], stock: Row) -> Iterator[Document]:
    """From the last one back: what a period ends with is what the next one began with."""
    counted = CUSTOMERS_COUNTED in stock
    end = stock.get(CUSTOMERS_COUNTED if counted else CUSTOMERS, 0)
    found: list[Document] = []
    for name, row in sorted(periods.items(), reverse=True):
        read = measures((), {**row, (CUSTOMERS_COUNTED if counted else CUSTOMERS): end}, 0)
        kept = read["retention"]
        start = int(kept.denominator or 0)
        if any(row.values()) or end:
            found.append({
                "period": name, "start": start, "won": row.get("customers_acquired", 0), "lost": int(start - (kept.numerator or 0)),
                "end": end, "retention": finite(kept.value), "churn": finite(read["churn"].value),
            })  # fmt: skip
        end = start
    return reversed(found)
