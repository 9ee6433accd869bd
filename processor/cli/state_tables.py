"""The tables that the state commands print: what was exported, moved, rebuilt or erased."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from processor.codec.times import format_time
from processor.state_tools.erasing import Forgotten, Place
from processor.state_tools.moving import Moved
from processor.state_tools.rebuilding import Rebuilt

PIPED_WIDTH = 140  # columns where there is no terminal to ask


def show(table: Table) -> None:
    """To standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(table)


def exported_table(header: dict[str, Any]) -> Table:
    """Each partition: as of which offsets, and how much it was."""
    table = _table("partition", "applied", "stream time", "timer time", "records>", "not read>", "")
    for number, of in sorted(header["of"].items(), key=lambda each: int(each[0])):
        applied = ", ".join(f"{topic} {offset if offset >= 0 else 'nothing'}" for topic, offset in of["applied"].items())
        table.add_row(number, applied, _time(of["stream_time"]), _time(of["timer_time"]), f"{of['records']:,}", f"{of['pending']:,}", "")
    records = sum(of["records"] for of in header["of"].values())
    table.add_row("all", f"{header['ledger_count']:,} facts, digest {header['digest']}", "", "", f"{records:,}", "", "")
    return table


def imported_table(header: dict[str, Any], moved: Moved) -> Table:
    """Each new partition, and that it adds up to what was exported."""
    table = _table("partition", "entities>", "records>", "facts>", "stated now>", "")
    for each in moved.partitions:
        sizes = (each.view.entities, len(each.records), each.view.ledger_count, len(each.facts))
        table.add_row(str(each.number), *(f"{size:,}" for size in sizes), "")
    facts = sum(each.view.ledger_count for each in moved.partitions)
    until = f"clocks stand at {_time(moved.stream_time)} and {_time(moved.timer_time)}"
    table.add_row("all", "", "", f"{facts:,}", f"{moved.facts:,}", f"{header['ledger_count']:,} facts were exported; {until}")
    return table


def rebuilt_table(found: list[Rebuilt]) -> Table:
    """Each partition in both states."""
    table = _table("partition", "records>", "facts>", "present digest", "digest of the log", "numbers>", "differ>")
    for each in found:
        differ = str(len(each.differences)) if each.differences else "[green]0[/]"
        numbers = sum(len(values) for values in each.old["metrics"].values())
        digests = each.old["digest"], each.new["digest"]
        table.add_row(str(each.number), f"{each.records:,}", f"{each.new['ledger_count']:,}", *digests, f"{numbers:,}", differ)
    return table


def erased_tables(done: Forgotten, elsewhere: list[Place]) -> list[Table]:
    """What was erased and kept, and where else the id may lie."""
    table = _table("in the state", "how often>", "what was done")
    for what, count in sorted(done.findings.erased.items()):
        table.add_row(what, str(count), "erased")
    for what, count in sorted(done.findings.kept.items()):
        table.add_row(what, str(count), "kept: numbers depend on it")
    for kind, when in sorted(done.leave.items()):
        table.add_row(f"it is the id of a {kind}", "", f"no person: kept, and leaves the state {when}")
    if not table.row_count:
        table.add_row("nothing was found", "0", "nothing to erase")
    others = _table("elsewhere", "what may have it", "gone")
    for place in elsewhere:
        others.add_row(place.where, place.what, place.until)
    others.columns[-1].overflow = "fold"
    return [table, others]


def _table(*names: str) -> Table:
    """A plain table; a name that ends in > is of numbers."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name.removesuffix(">"), justify="right" if name.endswith(">") else "left")
    return table


def _time(ms: int) -> str:
    return format_time(ms) if ms else "never"
