"""The report on a terminal: four headlines, then tables by channel, group, queue and day, then what was wrong with the input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich import box
from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from processor.core.rows import DAYS_KEPT
from processor.report.document import CLOCKS
from processor.report.numbers import bar, duration, percent, within
from processor.report.rendering_crosses import cross_tables
from processor.report.rendering_groups import group_tables
from processor.report.rendering_times import time_tables

Document = dict[str, Any]

ROWS_MAX = 12  # lines of one table; what is left out is counted
DAYS_MAX = 31  # days shown one by one; longer logs are shown by month
EXAMPLES_MAX = 2  # examples of one reason for a rejection


def render(document: Document, console: Console) -> None:
    """Print the report."""
    console.print(_title(document))
    console.print(Columns(list(_headlines(document["kpis"]))))
    for table in _tables(document):
        console.print(table)
    for line in _closing(document):
        console.print(line, highlight=False)


def _at_most(distribution: Document, name: str) -> str:
    return within(distribution[f"{name}_at_most_seconds"], distribution["n"])


# -- headlines --------------------------------------------------------------------------------------------------------------------


def _title(document: Document) -> str:
    speed = f"{document['records_per_second']:,}/s" if document["records_per_second"] else "-"
    rejected = document["events"]["rejected"]
    wrong = f" ([yellow]{rejected:,} of them rejected[/], see the end)" if rejected else ""
    return (
        f"[bold]{document['records']:,} records[/]{wrong}, {document['partitions']} partition{'' if document['partitions'] == 1 else 's'}, "
        f"read in {document['seconds']:.1f} s ({speed}). Last event {document['last_event'] or '-'}, timers until "
        f"{document['timers_until'] or '-'}. All numbers are net: what late events took back is out. Tables have all tickets as "
        "created; spam, and what we sent out unasked, never enters the backlog."
    )


def _headlines(kpis: Document) -> Iterator[Panel]:
    first = kpis["first_response"]
    lines = [f"n {first['n']:,}, median {_at_most(first, 'median')}", f"90 % {_at_most(first, 'p90')}"]
    lines.append(f"{first['waiting']:,} still waiting")
    lines.append(f"oldest since {first['waiting_since']}" if first["waiting_since"] else "nobody waits")
    yield _panel("First response", f"mean {duration(first['mean_seconds'])}", lines)
    backlog = kpis["backlog"]
    entered = sum(count for reason, count in backlog["entered"].items() if reason != "moved_in")
    left = sum(count for reason, count in backlog["left"].items() if reason != "moved_out")
    created, reopened = (backlog["entered"].get(reason, 0) for reason in ("created", "reopened"))
    solved = backlog["left"].get("solved", 0)
    lines = [f"in {entered:,}: new {created:,},", f"  reopened {reopened:,}, other {entered - created - reopened:,}"]
    lines += [f"out {left:,}: solved {solved:,}, other {left - solved:,}"]
    lines += [f"oldest of {backlog['oldest_created']}" if backlog["oldest_created"] else "empty"]
    yield _panel("Backlog", f"{backlog['now']:,} unsolved", lines)
    contacts = kpis["abandonment"]
    lines = [f"{contacts['abandoned']:,} of {contacts['offered'] - contacts['short_abandoned']:,} (offered - short)"]
    lines += [f"answered {contacts['answered']:,}, short {contacts['short_abandoned']:,}"]
    lines += [f"answer after {duration(contacts['speed_of_answer']['mean_seconds'])} on average", f"{contacts['waiting']:,} waiting now"]
    yield _panel("Abandonment", percent(contacts["abandonment_ratio"]), lines)
    measured = sum(row["measured"] for row in kpis["sla"])
    breached = sum(row["breached"] for row in kpis["sla"])
    lines = [f"{breached:,} breached of {measured:,} measured"]
    lines += [f"{clock}: {percent(_kept(kpis['sla'], clock))}" for clock in CLOCKS]
    yield _panel("SLA compliance", percent((measured - breached) / measured if measured else None), lines)


def _panel(title: str, headline: str, lines: Iterable[str]) -> Panel:
    return Panel("\n".join([f"[bold]{escape(headline)}[/]", *map(escape, lines)]), title=title, width=40, title_align="left")


def _kept(rows: Iterable[Document], clock: str) -> float | None:
    rows = [row for row in rows if row["clock"] == clock]
    measured = sum(row["measured"] for row in rows)
    return (measured - sum(row["breached"] for row in rows)) / measured if measured else None


# -- tables -----------------------------------------------------------------------------------------------------------------------


def _tables(document: Document) -> Iterator[RenderableType]:
    kpis = document["kpis"]
    yield from group_tables(document)
    if kpis["sla"]:
        yield _table(
            "Service level agreements: a clock is started under its first policy and ends under its last",
            ("clock", "policy", "started", "measured", "breached", "induced", "cancelled", "kept", ""),
            [
                (row["clock"], row["policy"], row["started"], row["measured"], row["breached"], row["induced"], row["cancelled"],
                 percent(row["compliance_ratio"]), bar(row["compliance_ratio"] or 0, 1, 12))
                for row in kpis["sla"]
            ],
            labels=2,
        )  # fmt: skip
    for name in ("channel", "group", "priority"):
        rows = sorted(document[_plural(name)], key=lambda row: -row["created"])
        if rows:
            yield _tickets(name, rows)
    if document["queues"]:
        yield _contacts(sorted(document["queues"], key=lambda row: -row["offered"]))
    if document["days"]:
        yield _days(document["days"])
    yield from cross_tables(document)
    yield from time_tables(document)


def _plural(name: str) -> str:
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _tickets(name: str, rows: Sequence[Document]) -> Table:
    largest = max(row["backlog"] for row in rows)
    return _table(
        f"Tickets by {name}",
        (name, "created", "solved", "reopened", "backlog", "", "replied", "mean", "median", "90 %", "solved in (mean)"),
        [
            (row[name], row["created"], row["solved"], row["reopened"], row["backlog"], bar(row["backlog"], largest, 12),
             row["first_response"]["n"], duration(row["first_response"]["mean_seconds"]), _at_most(row["first_response"], "median"),
             _at_most(row["first_response"], "p90"), duration(row["first_resolution"]["mean_seconds"]))
            for row in rows
        ],
    )  # fmt: skip


def _contacts(rows: Sequence[Document]) -> Table:
    largest = max((row["abandonment_ratio"] or 0 for row in rows), default=0)
    return _table(
        "Calls and chats by queue: offered in the first, answered or abandoned in the last; answer and patience are means",
        ("channel", "queue", "offered", "answered", "in target", "abandoned", "short", "ratio", "", "answer", "90 %", "patience"),
        [
            (row["channel"], row["queue"], row["offered"], row["answered"], row["answered_in_target"], row["abandoned"],
             row["short_abandoned"], percent(row["abandonment_ratio"]), bar(row["abandonment_ratio"] or 0, largest, 12),
             duration(row["speed_of_answer"]["mean_seconds"]), _at_most(row["speed_of_answer"], "p90"),
             duration(row["time_to_abandon"]["mean_seconds"]))
            for row in rows
        ],
        labels=2,
    )  # fmt: skip


def _days(days: Sequence[Document]) -> Table:
    what = "day" if len(days) <= DAYS_MAX else "month"
    rows = list(days) if what == "day" else _months(days)
    largest = max(max(row["created"], row["offered"]) for row in rows)
    columns = ("created", "solved", "reopened", "net_flow", "first_responses", "offered", "answered", "abandoned", "breached")
    newest = f", the newest {DAYS_MAX}" if len(rows) > DAYS_MAX else ""
    kept = f"; only the last {DAYS_KEPT} days are kept" if what == "month" else ""
    title = f"By {what} (UTC{newest}{kept}); the bar is tickets created, or calls and chats offered where those are more"
    return _table(
        title,
        (what, *(name.replace("_", " ") for name in columns), ""),
        [(row["day"], *(row[name] for name in columns), bar(max(row["created"], row["offered"]), largest)) for row in rows[-DAYS_MAX:]],
        limit=DAYS_MAX,
    )


def _months(days: Iterable[Document]) -> list[Document]:
    months: dict[str, Document] = {}
    for day in days:
        month = months.setdefault(day["day"][:7], {"day": day["day"][:7]})
        for name, value in day.items():
            if name != "day":
                month[name] = month.get(name, 0) + value
    return list(months.values())


def _table(title: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, labels: int = 1, limit: int = ROWS_MAX) -> Table:
    more = f" (the first {limit} of {len(rows)})" if len(rows) > limit else ""
    table = Table(title=f"{title}{more}", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < labels or not column else "right", no_wrap=number >= labels)
    for row in rows[:limit]:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else escape(str(value)) for value in row))
    return table


# -- the input --------------------------------------------------------------------------------------------------------------------


def _closing(document: Document) -> Iterator[str]:
    events = document["events"]
    yield (
        f"[bold]Input[/]: {events['accepted']:,} events folded ({events['corrections']:,} out of order), "
        f"{events['duplicates']:,} duplicates, {events['skipped']:,} of unknown types skipped, "
        f"{events['control']:,} control, {events['rejected']:,} rejected."
    )
    for reason, count in document["rejected"].items():
        examples = document["rejected_examples"].get(reason, [])
        yield f"  [yellow]{reason}[/] {count:,}" + "".join(f"\n      {escape(example)}" for example in examples[:EXAMPLES_MAX])
    if document["rejected"]:
        yield "  --rejected FILE lists them all"
    yield f"[bold]Ledger[/]: {document['ledger_count']:,} net facts, digest {document['digest']}"
