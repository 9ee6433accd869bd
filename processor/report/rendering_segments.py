"""The tables of long windows by segment on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.markup import escape
from rich.table import Table

from processor.core.kpis import DEFINITIONS
from processor.report.rendering_groups import shown
from processor.report.tables import plain_table

Document = dict[str, Any]
WINDOW = "30d"  # of the long windows the one that is shown; --json has all
SEGMENTS_SHOWN = 8  # of each group-by
KPIS = {
    "tickets_created": "created", "tickets_solved": "solved", "backlog_tickets": "backlog", "first_response": "first response",
    "full_resolution": "resolution", "sla_compliance_per_ticket": "solved in SLA", "csat": "CSAT", "fcr": "FCR", "reopen": "reopened",
    "contacts_offered": "contacts", "service_level": "in target", "abandonment": "abandoned",
}  # fmt: skip


def segment_tables(document: Document) -> Iterator[Table]:
    """A table for each way in which segments are cut, of the KPIs that any of them has."""
    cuts: dict[tuple[str, ...], list[tuple[str, Document]]] = {}
    for segment in document.get("segments", {"segments": []})["segments"]:
        kpis = {kpi["kpi"]: kpi for period in segment["periods"] if period["period"] == WINDOW for kpi in period["kpis"]}
        if kpis:
            cuts.setdefault(tuple(segment["by"]), []).append((", ".join(segment["by"].values()), kpis))
    for names, segments in cuts.items():
        columns = [name for name in KPIS if any(name in kpis for _, kpis in segments)]
        if columns:
            more = f", the busiest {SEGMENTS_SHOWN} of {len(segments)}" if len(segments) > SEGMENTS_SHOWN else ""
            table = plain_table(f"The last 30 days by {' and '.join(names)} (UTC{more})", ("", *(KPIS[name] for name in columns)))
            for value, kpis in segments[:SEGMENTS_SHOWN]:
                shown_values = (shown(kpis[name]["value"], DEFINITIONS[name].unit) if name in kpis else "-" for name in columns)
                table.add_row(escape(value), *shown_values)
            yield table
