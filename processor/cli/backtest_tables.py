"""What a backtest found, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from statistics import median
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from processor.backtest.findings import FOR_THE_DAY, PAGES
from processor.codec.times import parse_time
from processor.config.zones import load_zone
from processor.core.settings import MS
from processor.report.numbers import duration, percent

Document = dict[str, Any]

ROWS_MAX = 100  # of one table; what is left out is counted
WIDE = 140  # columns of a terminal; a narrower one gets fewer columns of the tables
_WIDE_ALONE = {
    "breaches while firing", "", "for (median)", "before any breach", "inhibited", "what it says", "created", "solved", "offered",
    "warnings",
}  # fmt: skip
_STYLES = {PAGES: "bold red", FOR_THE_DAY: "yellow"}


def render(found: Document, zone_name: str, console: Console, *, everything: bool) -> None:
    """Print it, with times of the reporting zone. Pages one by one, the others as well where `everything` is asked for."""
    zone, fired = load_zone(zone_name), found["fired"]
    console.print(_title(found))
    pages = [each for each in fired if each["severity"] == PAGES]
    for told, title in ((pages, "Pages"), ([each for each in fired if each["severity"] != PAGES] if everything else [], "All others")):
        if told:
            console.print(_fitting(_one_by_one(told[:ROWS_MAX], f"{title} ({zone_name})", zone), console.width, "severity"))
        if len(told) > ROWS_MAX:
            console.print(f"and {len(told) - ROWS_MAX:,} more; --json FILE has all of them")
    if fired:
        console.print(_fitting(_by_alert(fired), console.width))
    console.print(_fitting(_days(found["days"], zone_name, ", " if console.width >= WIDE else "\n"), console.width))
    if console.width < WIDE:
        console.print(f"A terminal of {WIDE} columns shows more of each table; --json FILE has everything.", highlight=False)
    for line in _closing(found, zone):
        console.print(line, highlight=False)


def _fitting(table: Table, width: int, *spare: str) -> Table:
    """Without columns for which there is no room, these among them; the names of alerts stay whole."""
    if width < WIDE:
        table.columns = [column for column in table.columns if column.header not in {*_WIDE_ALONE, *spare}]
    for column in table.columns:
        column.overflow = "fold"
        column.no_wrap = column.header == "alert" or (column.header == "by" and width < WIDE)
    return table


def _title(found: Document) -> str:
    took = found["took_seconds"]
    return (
        f"[bold]{found['records']:,} records[/] replayed in {took['replaying']:.0f} s into {found['samples']:,} samples, and the rules "
        f"evaluated for each minute from {found['from']} to {found['until']}, in {took['evaluating']:.0f} s."
    )


def _one_by_one(told: Iterable[Document], title: str, zone: tzinfo) -> Table:
    heads = ("alert", "severity", "of what", "fired", "for", "first breach", "breaches while firing", "")
    table = Table(*heads, title=title, title_justify="left")
    for each in told:
        table.add_row(
            each["alert"], _painted(each["severity"]), _labels(each), _local(each["fired_at"], zone), duration(each["seconds"]),
            _first_breach(each, zone), f"{each['breaches_while_firing']:,}", _note(each),
        )  # fmt: skip
    return table


def _painted(severity: str) -> str:
    return f"[{_STYLES.get(severity, 'none')}]{escape(severity)}[/]"


def _labels(each: Document) -> str:
    return escape(", ".join(f"{name} {value}" for name, value in each["labels"].items()))


def _first_breach(each: Document, zone: tzinfo) -> str:
    """Early only where there was none before: what has been going wrong for a while is not foretold any more."""
    if before := each["breaches_in_the_hour_before"]:
        return f"too late: {before:,} in the hour before"
    if each["first_breach_after"] is None:
        return "none"
    return f"{_local(each['first_breach_after'], zone)}, {duration(each['early_seconds'])} later"


def _note(each: Document) -> str:
    notes = ["fired already in the beginning"] if each["fired_already"] else []
    notes += ["still fires in the end"] if each["ended_at"] is None else []
    if inhibited := each["inhibited_seconds"]:
        notes.append("inhibited by a page" + ("" if inhibited >= each["seconds"] else f" for {duration(inhibited)}"))
    return "; ".join(notes)


def _by_alert(fired: Sequence[Document]) -> Table:
    heads = ("alert", "severity", "times", "days", "for (median)", "for (longest)", "before any breach", "inhibited", "what it says")
    table = Table(*heads, title="By alert", title_justify="left")
    for alert, severity in sorted({(each["alert"], each["severity"]) for each in fired}, key=lambda name: (name[1] != PAGES, name)):
        told = [each for each in fired if (each["alert"], each["severity"]) == (alert, severity)]
        seconds = [each["seconds"] for each in told]
        begun = [each for each in told if not each["fired_already"]]
        early = sum(each["early_seconds"] is not None and not each["breaches_in_the_hour_before"] for each in begun)
        table.add_row(
            alert, _painted(severity), _times(len(begun), len(told) - len(begun)), f"{len({each['day'] for each in begun}):,}",
            duration(median(seconds)), duration(max(seconds)), f"{early:,}", f"{sum(each['inhibited_seconds'] > 0 for each in told):,}",
            escape(told[0]["summary"]),
        )  # fmt: skip
    return table


def _times(begun: int, already: int) -> str:
    return f"{begun:,}" + (f" and {already:,} from before" if already else "")


def _days(days: Sequence[Document], zone_name: str, between: str) -> Table:
    heads = ("day", "", "created", "solved", "offered", "abandoned", "breaches", "warnings", "pages", "by")
    table = Table(*heads, title=f"By day ({zone_name})", title_justify="left")
    for day in days:
        table.add_row(
            day["date"], day["weekday"], f"{day['tickets_created']:,}", f"{day['tickets_solved']:,}", f"{day['contacts_offered']:,}",
            percent(day["abandoned_ratio"]), f"{day['breaches']:,}", f"{day['warnings']:,}", f"{day['pages']:,}",
            between.join(day["paged_by"]), style=_STYLES[PAGES] if day["pages"] else None,
        )  # fmt: skip
    return table


def _closing(found: Document, zone: tzinfo) -> Iterator[str]:
    if found["pages"]:
        share = percent(found["days_paged_ratio"])
        yield f"Paged on {len(found['days_paged'])} of {len(found['days']):,} days ({share}), {found['pages']:,} times."
    else:
        yield "Nobody would have been paged."
    breach, page = found["first_breach_at"], found["first_page_at"]
    if breach and page:
        early = (parse_time(breach) - parse_time(page)) / MS
        how = f"{duration(early)} before" if early >= 0 else f"{duration(-early)} after"
        yield f"The first page came {_local(page, zone)}, {how} the first of {found['breaches']:,} breaches of SLA targets."
    elif breach:
        yield f"The first of {found['breaches']:,} breaches of SLA targets came {_local(breach, zone)}."
    if already := sorted({each["alert"] for each in found["fired"] if each["fired_already"]}):
        yield f"Fired already in the beginning, and count as no page or warning: {', '.join(already)}."
    if found["never_fired"]:
        yield f"Never fired: {', '.join(found['never_fired'])}."
    if found["not_in_a_log"]:
        yield f"Not evaluated, since a log does not tell how the processor fared: {', '.join(found['not_in_a_log'])}."
    if found["rejected"]:
        yield f"[yellow]{found['rejected']:,} records were rejected; `ticket-kpis replay --rejected FILE` lists them.[/]"


def _local(time: str, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(parse_time(time) / MS, zone):%a %d %b %H:%M}"
