"""The tables of all KPIs by group on a terminal, with what each rests on, and what those who still wait mean for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.markup import escape
from rich.table import Table

from processor.report.groups import STATS
from processor.report.numbers import duration, percent, within
from processor.report.tables import plain_table, survival_cells

Document = dict[str, Any]
PERIODS_MAX = 16  # of months and quarters, the newest
FEW = "few"  # the mark of what rests on fewer observations than kpis.min_n
ESTIMATED = "estimated"  # of what rests on kpis.scheduled_agents
COUNTS = ("count", "net", "level")


def group_tables(document: Document) -> Iterator[Table]:
    """A table for each group in which something was observed; counts are in the tables below and in --json."""
    for group in document["kpi_groups"]:
        rows = [each for each in group["kpis"] if each["kind"] not in COUNTS and each["value"] is not None]
        if rows:
            table = plain_table(group["group"], ("KPI", "value", "95 % sure", "half", "90 %", "n", ""))
            for each in rows:
                name = each["kpi"] + (f" ({each['window']})" if "window" in each else "")
                quantiles = (_quantile(each, stat) for stat in STATS)
                table.add_row(escape(name), shown(each["value"], each["unit"]), interval(each), *quantiles, f"{each['n']:,}", _mark(each))
            yield table
    yield from _waiting(document["waiting_included"], channels="patience" not in document)
    if document["customers"]:
        yield _customers(document["customers"][-PERIODS_MAX:])


def _quantile(each: Document, stat: str) -> str:
    edge = f"{stat}_at_most_seconds"
    return within(each[edge], each["n"]) if edge in each else shown(each.get(stat), each["unit"])


def _waiting(found: Document, *, channels: bool) -> Iterator[Table]:
    """`channels`: whether patience has no table of its own."""
    rows = [("first response, those who wait included", found["first_response"]), ("patience in a queue", found["patience"])]
    if channels:
        rows += [(f"patience in a queue, {channel}", each) for channel, each in sorted(found["patience_by_channel"].items())]
    rows = [(name, each) for name, each in rows if each["n"] or each["censored"]]
    if not rows:
        return
    edges = ("60", "300", "3600", "86400")
    table = plain_table(
        "Kaplan-Meier: what is not over counts as longer than it has lasted (patience ends with giving up, not with an answer)",
        ("", "half within", *(f"longer than {duration(int(edge))}" for edge in edges), "over", "not over"),
    )
    for name, each in rows:
        table.add_row(escape(name), *survival_cells(each, edges))
    yield table


def _customers(periods: Iterable[Document]) -> Table:
    table = plain_table("Customers by calendar month and quarter (UTC)", ("period", "start", "won", "lost", "end", "kept", "lost"))
    for each in periods:
        numbers = (f"{each[name]:,}" for name in ("start", "won", "lost", "end"))
        table.add_row(each["period"], *numbers, percent(each["retention"]), percent(each["churn"]))
    return table


def shown(value: Any, unit: str) -> str:
    """A KPI's value for people."""
    if value is None:
        return "-"
    if value == "+Inf":
        return "never"
    if unit == "seconds":
        return duration(value)
    if unit == "ratio":
        return percent(value)
    return f"{value:,.2f}".rstrip("0").rstrip(".") + (f" {unit}" if unit.isupper() else "")


def interval(each: Document) -> str:
    """How sure a share is."""
    return f"{percent(each['low'])} to {percent(each['high'])}" if "low" in each else ""


def _mark(each: Document) -> str:
    marks = ((ESTIMATED, each.get("estimated")), (FEW, each.get("low_n")))
    return ", ".join(f"[yellow]{mark}[/]" for mark, applies in marks if applies)
