"""The forms of table that the parts of the report share on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich import box
from rich.table import Table

from processor.report.numbers import duration, percent


def plain_table(title: str, columns: Iterable[str], *, labels: int = 1) -> Table:
    """A table of numbers with so many names in front."""
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < labels else "right", no_wrap=True)
    return table


def survival_cells(found: dict[str, Any], edges: Iterable[str]) -> list[str]:
    """What Kaplan-Meier says: until when half is over, how much lasts longer than each edge, how many are over, how many are not."""
    half = found["median_at_most_seconds"]
    within = f"≤ {duration(half)}" if half is not None else "not known"
    longer = (percent(found["longer_than"].get(edge)) for edge in edges)
    return [within, *longer, f"{found['n']:,}", f"{found['censored']:,}"]
