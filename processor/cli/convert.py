"""`ticket-kpis convert csv FILE --mapping FILE`: a recorded log of another system to canonical events, in the order of time."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as RichTable

from processor.codec.envelope import format_time
from processor.convert.converter import Converter, Made, Result
from processor.convert.mapping import MappingError, load_mapping
from processor.convert.order import Order, examine
from processor.convert.table import Table
from processor.core.settings import DAY_MS, MS, Settings

EXAMPLES_MAX = 5  # lines listed for each reason; --dropped lists all


@click.group("convert")
def command() -> None:
    """Turn recorded logs of other systems into canonical events."""


@command.command("csv")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", "mapping_path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="What the columns mean (YAML); see deploy/mappings for examples.")
@click.option("--output", "-o", default="-", help="Where the events go, one JSON object a line; - is standard output.")
@click.option("--source", default=None, help="Source of the events, in place of the mapping's.")
@click.option("--keep-order", is_flag=True, help="Write the events in the order of the rows, not of their times.")
@click.option("--allowed-lateness", type=click.IntRange(min=0), default=Settings().allowed_lateness // MS, show_default=True,
              help="Seconds by which the reader accepts late events; for the report only.")
@click.option("--dropped", "dropped_path", type=click.Path(dir_okay=False, writable=True, path_type=Path),
              help="List every dropped row here: line, reason, detail (tab separated).")
@click.option("--strict", is_flag=True, help="Exit with 1 if any row was dropped.")
def convert_csv(file: Path, mapping_path: Path, output: str, source: str | None, keep_order: bool, allowed_lateness: int,
                dropped_path: Path | None, strict: bool) -> None:
    """Convert a delimited file (plain or gzip): a log of status changes, of calls, or the like.

    A bad row never stops the conversion: it is counted, listed by its line, and left out. Everything but the events goes to standard error.
    """
    console = Console(stderr=True)
    try:
        mapping = load_mapping(mapping_path)
        result = _run(console, file, Converter(mapping, source), Table(file, mapping.input, mapping.columns()), keep_order)
    except MappingError as error:
        _refuse(console, [f"{mapping_path.name}: {fault}" for fault in error.faults])
    except OSError as error:
        _refuse(console, [f"{file}: {error.strerror}"])
    try:
        _write(output, result.events)
        if dropped_path is not None:
            lines = (f"{drop.line}\t{drop.reason.value}\t{drop.detail}\n" for drop in result.dropped)
            dropped_path.write_text("".join(lines), encoding="utf-8")
    except OSError as error:
        _refuse(console, [f"{error.filename or output}: {error.strerror}"])
    order = examine(result.events, allowed_lateness_ms=allowed_lateness * MS, clock_skew_ms=Settings().clock_skew)
    _report(console, result, order, allowed_lateness)
    if strict and result.dropped:
        sys.exit(1)


def _run(console: Console, file: Path, converter: Converter, table: Table, keep_order: bool) -> Result:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        reading = progress.add_task("reading bytes", total=file.stat().st_size or 1)
        making = progress.add_task("converting rows", total=None)

        def advance(done: int) -> None:
            progress.update(making, completed=done, total=converter.result.rows)

        rows = table.rows(lambda position: progress.update(reading, completed=position))
        return converter.convert(rows, keep_order=keep_order, advance=advance)


def _write(output: str, events: Iterable[Made]) -> None:
    def write(stream: BinaryIO) -> None:
        stream.writelines(event.value + b"\n" for event in events)

    if output == "-":
        write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    with Path(output).open("wb") as stream:
        write(stream)


def _refuse(console: Console, faults: list[str]) -> NoReturn:
    for fault in faults:
        console.print(fault, style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(2)


def _report(console: Console, result: Result, order: Order, lateness_s: int) -> None:
    table = RichTable(title="Converted", title_justify="left", show_header=False)
    table.add_column(justify="left")
    table.add_column(justify="right")
    table.add_row("rows", f"{result.rows:,}")
    table.add_row("  left out by the mapping's `keep`", f"{result.left_out:,}")
    table.add_row("  that changed nothing", f"{result.without_events:,}")
    table.add_row("  dropped", f"{len(result.dropped):,}", style="yellow" if result.dropped else None)
    for reason, count in result.by_reason.most_common():
        table.add_row(f"    {reason}", f"{count:,}")
    table.add_row("tickets and contacts", f"{result.entities:,}")
    table.add_row("events", f"{len(result.events):,}", style="bold")
    for kind, count in result.by_type.most_common():
        table.add_row(f"  {kind}", f"{count:,}")
    if result.events:
        table.add_row("first event", format_time(min(event.occurred_at for event in result.events)))
        table.add_row("last event", format_time(max(event.occurred_at for event in result.events)))
    console.print(table)
    for line in (*_dropped_lines(result), *_time_lines(result), *_order_lines(order, lateness_s)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _dropped_lines(result: Result) -> Iterable[str]:
    for reason, count in result.by_reason.most_common():
        examples = [drop for drop in result.dropped if drop.reason.value == reason][:EXAMPLES_MAX]
        yield f"{reason}:"
        yield from (f"  line {drop.line}: {drop.detail}" for drop in examples)
        if count > len(examples):
            yield f"  and {count - len(examples):,} more; --dropped FILE lists all"


def _time_lines(result: Result) -> Iterable[str]:
    if result.ambiguous:
        yield f"{result.ambiguous:,} local times occur twice (end of summer time); read as the mapping's times.ambiguous says."
    if result.nonexistent:
        yield f"{result.nonexistent:,} local times never occurred (beginning of summer time); moved forward by the gap."


def _order_lines(order: Order, lateness_s: int) -> Iterable[str]:
    if order.late:
        yield (f"LATE: replay would reject up to {order.late:,} events as too_late: they are more than {lateness_s:,} s behind an earlier "
               f"one, the farthest by {order.latest_by_ms / DAY_MS:.1f} days. Leave out --keep-order, or raise allowed_lateness.")
    elif order.out_of_order:
        farthest = order.latest_by_ms // MS
        yield f"{order.out_of_order:,} events are out of order, the farthest by {farthest:,} s; replay would accept them all."
    else:
        yield "In the order of time: replay would call no event late."
    if order.before_creation:
        yield f"{order.before_creation:,} events come before their ticket's creation by more than the clock skew; such tickets are adopted."
    if order.never_created:
        yield f"{order.never_created:,} tickets have no creation; they count as adopted."
