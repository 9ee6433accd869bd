"""The tables of long windows, of hours of the week, of times of creation and of the longest tickets on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from processor.report.numbers import duration, percent, within
from processor.report.rendering_groups import shown
from processor.report.rendering_segments import segment_tables
from processor.report.tables import plain_table
from processor.report.times import WEEKDAYS

Document = dict[str, Any]
MONTHS_SHOWN, QUARTERS_SHOWN = 4, 3  # columns of the table of long windows, the newest, beside the rolling ones
# What is shown of a period; --json has every KPI.
PERIOD_KPIS = (
    *("tickets_created", "tickets_solved", "backlog_growth", "first_response", "full_resolution", "csat", "nps", "ces", "fcr", "reopen"),
    *("abandonment", "service_level", "handle_time", "tickets_per_hour", "kb_efficiency", "retention", "churn"),
)
COHORTS_SHOWN = 14  # days, weeks or months of creation


def time_tables(document: Document) -> Iterator[Table]:
    """All that there is anything in."""
    if document["periods"]:
        yield _periods(document["periods"])
    yield from segment_tables(document)
    hours = document.get("hours_of_week", {"hours": []})
    if hours["hours"]:
        yield from _hours(hours)
    if document.get("by_creation", {"days": []})["days"]:
        yield from _by_creation(document["by_creation"])
    longest = document.get("longest", {"open": [], "solved": []})
    for name, title in (("open", "Longest open"), ("solved", "Slowest solved")):
        if longest[name]:
            yield _longest(title, longest[name])


def _periods(periods: Sequence[Document]) -> Table:
    rolling = [each for each in periods if each["period"].endswith("d")]
    quarters = [each for each in periods if "Q" in each["period"]]
    months = [each for each in periods if each not in rolling and each not in quarters]
    kept = [*rolling, *months[-MONTHS_SHOWN:], *quarters[-QUARTERS_SHOWN:]]
    partly = "" if all(each["complete"] for each in kept) else "; * = the log has only a part of it"
    names = [each["period"] + ("" if each["complete"] else "*") for each in kept]
    table = plain_table(f"Long windows and calendar periods (UTC{partly})", ("KPI", *names))
    found = [{kpi["kpi"]: kpi for kpi in each["kpis"]} for each in kept]
    for name in PERIOD_KPIS:
        if any(name in kpis for kpis in found):
            table.add_row(name, *(shown(kpis[name]["value"], kpis[name]["unit"]) if name in kpis else "-" for kpis in found))
    return table


def _hours(found: Document) -> Iterator[Table]:
    """A line for each day, a column for each hour in which anything happened."""
    by_hour = {(each["weekday"], each["hour"]): each for each in found["hours"]}
    columns = sorted({hour for _, hour in by_hour})
    cells: tuple[tuple[str, Callable[[Document], str]], ...] = (
        ("tickets created, calls and chats offered", lambda each: f"{each['tickets_created'] + each['contacts_offered']:,}"),
        ("first response, mean of the replies given then", lambda each: _short(each["first_response"]["mean_seconds"])),
        ("service level of the calls and chats then, %", lambda each: _whole(each["service_level"]["value"])),
    )
    for title, cell in cells:
        texts = {place: cell(each) for place, each in by_hour.items()}
        if any(text not in ("", "0") for text in texts.values()):
            table = plain_table(f"By hour of the week ({escape(found['zone'])}): {title}", ("", *(f"{hour:02}" for hour in columns)))
            for day in WEEKDAYS:
                if any(place[0] == day for place in by_hour):
                    table.add_row(day, *(texts.get((day, hour), "") for hour in columns))
            yield table


def _short(seconds: float | None) -> str:
    """Few characters: there are 24 columns."""
    if seconds is None:
        return ""
    length, unit = next(((length, unit) for length, unit in ((86_400, "d"), (3600, "h"), (60, "m")) if seconds >= length), (1, "s"))
    return f"{seconds / length:.0f}{unit}"


def _whole(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f}"


def _by_creation(found: Document) -> Iterator[Table]:
    """Weeks and months; of a short log the days."""
    many = len(found["days"]) > COHORTS_SHOWN
    for kind in ("weeks", "months") if many else ("days",):
        rows = found[kind]
        more = f", the newest {COHORTS_SHOWN}" if len(rows) > COHORTS_SHOWN else ""
        title = f"By creation: what became of the tickets created in {kind}, whenever it did ({escape(found['zone'])}{more})"
        columns = ("created", "answered", "share", "first response, mean", "half", "solved", "share", "first resolution, mean", "half")
        table = plain_table(title, ("", *columns))
        for each in rows[-COHORTS_SHOWN:]:
            numbers: list[str] = []
            for what, kpi in (("answered", "first_response"), ("solved", "first_resolution")):
                mean, half = (each[f"cohort_{kpi}_{stat}_seconds"] for stat in ("mean", "median_at_most"))
                numbers += (f"{each[what]:,}", percent(each[f"{what}_share"]), duration(mean), within(half, each[what]))
            table.add_row(each["created_in"], f"{each['created']:,}", *numbers)
        yield table


def _longest(title: str, tickets: Sequence[Document]) -> Table:
    names = [name for name in ("status", "group", "priority") if name in tickets[0]]
    table = plain_table(f"{title} tickets: `ticket-kpis explain ID` with the log tells why", ("ticket", *names, "since its creation"))
    for each in tickets:
        table.add_row(escape(each["ticket"]), *(escape(each[name]) for name in names), duration(each["seconds"]))
    return table
