"""The tables of shares by what else is known of the ticket, and of patience by queue, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from processor.report.numbers import bar, duration, percent
from processor.report.rendering_groups import FEW, interval
from processor.report.tables import plain_table, survival_cells

Document = dict[str, Any]
VALUES_SHOWN = 10  # of one cross; --json has more
QUEUES_SHOWN = 12
BAR_WIDTH = 20
EDGES = ("20", "60", "300", "3600")  # seconds
TITLES = {
    ("csat", "first_response"): "Satisfied customers by how long they waited for the first response",
    ("csat", "clocks"): "Satisfied customers by whether a clock of the ticket breached",
    ("csat", "channel"): "Satisfied customers by the channel of the ticket",
    ("fcr", "language"): "Resolved at the first contact, by language",
    ("repeat_contact", "topic"): "Repeat contacts of solved tickets, by topic",
}


def cross_tables(document: Document) -> Iterator[Table]:
    """A table for each cross, and one of all queues."""
    for cross in document.get("crosses", ()):
        yield _cross(cross)
    if document.get("patience"):
        yield _patience(document["patience"])


def _cross(cross: Document) -> Table:
    values: Sequence[Document] = cross["values"]
    title = TITLES[cross["kpi"], cross["by"]] + _more(values, VALUES_SHOWN)
    table = plain_table(title, (cross["by"].replace("_", " "), "share", "95 % sure", "n", "", ""))
    table.columns[4].justify = "left"
    for each in values[:VALUES_SHOWN]:
        few = f"[yellow]{FEW}[/]" if each["low_n"] else ""
        shown = bar(each["ratio"], 1, BAR_WIDTH)
        table.add_row(escape(each["value"].replace("_", " ")), percent(each["ratio"]), interval(each), f"{each['n']:,}", shown, few)
    return table


def _patience(queues: Sequence[Document]) -> Table:
    table = plain_table(
        f"Patience (Kaplan-Meier): how long customers would wait before they give up{_more(queues, QUEUES_SHOWN)}",
        ("channel", "queue", "half within", *(f"longer than {duration(int(edge))}" for edge in EDGES), "gave up", "did not"),
        labels=2,
    )
    for each in queues[:QUEUES_SHOWN]:
        queue = "all" if each["queue"] is None else escape(each["queue"])
        table.add_row(escape(each["channel"]), queue, *survival_cells(each, EDGES))
    return table


def _more(rows: Sequence[Any], limit: int) -> str:
    return f" (the first {limit} of {len(rows):,})" if len(rows) > limit else ""
