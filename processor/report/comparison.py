"""Two reports of one log side by side: as it was, and as it would have been under other settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from processor.report.document import CLOCKS
from processor.report.numbers import duration, percent
from processor.report.tables import plain_table

Document = dict[str, Any]
Value = float | int | None

COUNTS = ("started", "measured", "breached", "induced", "cancelled")
POLICIES_MAX = 30  # lines of the table by policy; what is left out is counted


def compare(as_it_was: Document, what_if: Document) -> list[Document]:
    """A line for each number: name, unit (tickets, contacts, clocks, seconds, ratio, at_most_seconds), both values, the difference."""
    pairs = zip(_numbers(as_it_was["kpis"]), _numbers(what_if["kpis"]), strict=True)
    return [_line(kpi, unit, first, second) for (kpi, unit, first), (_, _, second) in pairs]


def compare_policies(as_it_was: Document, what_if: Document) -> list[Document]:
    """A line for each clock of each policy that either report has."""
    first, second = ({(row["clock"], row["policy"]): row for row in each["kpis"]["sla"]} for each in (as_it_was, what_if))
    return [
        {
            "clock": clock,
            "policy": policy,
            **{
                name: [row.get((clock, policy), {}).get(name) for row in (first, second)]
                for name in ("started", "measured", "breached", "compliance_ratio")
            },
        }
        for clock, policy in sorted({*first, *second})
    ]


def _line(kpi: str, unit: str, first: Value, second: Value) -> Document:
    difference = None if first is None or second is None else round(second - first, 4)
    return {"kpi": kpi, "unit": unit, "as_it_was": first, "what_if": second, "difference": difference}


def _numbers(kpis: Mapping[str, Any]) -> Iterator[tuple[str, str, Value]]:
    """Every number that is compared, in the order in which it is shown."""
    for clock in CLOCKS:
        rows = [row for row in kpis["sla"] if row["clock"] == clock]
        sums = {name: sum(row[name] for row in rows) for name in COUNTS}
        measured = sums["measured"]
        yield f"{clock} compliance", "ratio", round((measured - sums["breached"]) / measured, 4) if measured else None
        yield from ((f"{clock} {name}", "clocks", count) for name, count in sums.items())
    first = kpis["first_response"]
    yield from _distribution("first response", "tickets", first)
    yield from _distribution("first response, business hours", "tickets", first["business"])
    yield "first response, still waiting", "tickets", first["waiting"]
    yield from _distribution("first resolution", "tickets", kpis["first_resolution"])
    yield from _distribution("full resolution", "tickets", kpis["full_resolution"])
    contacts = kpis["abandonment"]
    for name in ("offered", "answered", "answered_in_target"):
        yield f"contacts {name.replace('_', ' ')}", "contacts", contacts[name]
    yield "abandonment", "ratio", contacts["abandonment_ratio"]
    yield from _distribution("speed of answer", "contacts", contacts["speed_of_answer"])
    yield "backlog", "tickets", kpis["backlog"]["now"]


def _distribution(name: str, unit: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str, Value]]:
    yield f"{name}, n", unit, values["n"]
    yield f"{name}, mean", "seconds", values["mean_seconds"]
    for quantile, shown in (("median", "median"), ("p90", "90 %")):
        yield f"{name}, {shown}", "at_most_seconds", values[f"{quantile}_at_most_seconds"]


# -- for people -------------------------------------------------------------------------------------------------------------------


def render(what_if: Document, console: Console) -> None:
    """Print what `WhatIf.document` made: the settings, the numbers that differ, the policies."""
    rows = differing(what_if)
    same = f"{len(what_if['comparison']) - len(rows)} of {len(what_if['comparison'])} numbers are the same"
    console.print(f"[bold]What if the newest versions had always been in force[/]: {same}.", highlight=False)
    if rows:
        table = plain_table("Numbers that differ", ("KPI", "as it was", "what if", "difference"))
        for row in rows:
            table.add_row(*map(escape, row))
        console.print(table)
    if what_if["policies"]:
        console.print(_policies(what_if["policies"]))
    console.print(_settings_table(what_if["settings"]))


def differing(what_if: Document) -> list[tuple[str, str, str, str]]:
    """The numbers that differ, as texts: name, as it was, what if, difference."""
    lines = (line for line in what_if["comparison"] if line["as_it_was"] != line["what_if"])
    return [
        (line["kpi"], _shown(line["unit"], line["as_it_was"]), _shown(line["unit"], line["what_if"]), _difference(line)) for line in lines
    ]


def _policies(rows: list[Document]) -> Table:
    more = f" (the first {POLICIES_MAX} of {len(rows)})" if len(rows) > POLICIES_MAX else ""
    columns = ("clock", "policy", "measured as it was", "what if", "breached as it was", "what if", "kept as it was", "what if")
    table = plain_table(f"By policy{more}", columns, labels=2)
    for row in rows[:POLICIES_MAX]:
        counts = [_shown("clocks", value) for name in ("measured", "breached") for value in row[name]]
        table.add_row(row["clock"], escape(row["policy"]), *counts, *map(percent, row["compliance_ratio"]))
    return table


def _settings_table(settings: Document) -> Table:
    """What was applied on either side, and by the hashes what of it is the same."""
    table = plain_table("Applied", ("what", "as it was", "what if"), labels=3)
    sides = [settings["as_it_was"], settings["what_if"]]
    table.add_row("settings", *(side["fingerprint"] for side in sides))
    for kind, word in (("policies", ""), ("calendars", "calendar ")):
        for name in dict.fromkeys(name for side in sides for name in side[kind]):
            table.add_row(escape(f"{word}{name}"), *(side[kind].get(name, "-") for side in sides))
    return table


def _shown(unit: str, value: Value) -> str:
    if unit == "ratio":
        return percent(value)
    if unit == "at_most_seconds":
        return "-" if value is None else f"≤ {duration(value)}"
    if unit == "seconds":
        return duration(value)
    return "-" if value is None else f"{value:,}"


def _difference(line: Document) -> str:
    difference = line["difference"]
    if difference is None:
        return "-"
    sign = "+" if difference > 0 else "-" if difference < 0 else ""
    if line["unit"] == "ratio":
        return f"{sign}{abs(difference) * 100:.2f} points"
    return sign + _shown("seconds" if line["unit"] == "at_most_seconds" else line["unit"], abs(difference))
