"""`ticket-kpis send FILE`: JSON lines into the events topic."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import BinaryIO

import click
from aiokafka.errors import KafkaError
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from processor.cli.options import (
    PROBLEMS,
    bootstrap_option,
    config_option,
    instant,
    load_config,
    refusing,
    stderr,
    tell_retry,
    wait_option,
)
from processor.codec.times import format_time
from processor.config import Config
from processor.stream.connection import BrokerUnreachableError
from processor.stream.send import Sender, SendError, SendReport, send_lines


@click.command("send")
@click.argument("file", type=click.File("rb"), required=False)
@config_option
@bootstrap_option
@wait_option
@click.option("--topic", help="Topic to send to; without it the configured events topic.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="EVENTS", help="At most so many events a second.")
@click.option("--strict", is_flag=True, help="Stop at a line that is no event; without it such lines are sent as they are.")
@click.option("--advance-clock", "advance_to_ms", callback=instant, metavar="TIME", help="At the end, let timers run up to TIME.")
def command(
    file: BinaryIO | None, config_path: Path | None, bootstrap: str | None, wait_seconds: float, topic: str | None, rate: float | None,
    strict: bool, advance_to_ms: int | None
) -> None:
    """Send FILE (- for standard input) to Kafka: one event a line, or a capture, whose bytes, keys and partitions are kept.

    Without FILE --advance-clock alone is sent, to every partition.
    """
    if file is None and advance_to_ms is None:
        raise click.UsageError("give a FILE to send, or --advance-clock TIME")
    config = load_config(config_path, bootstrap)
    with refusing(BrokerUnreachableError, SendError, KafkaError):
        sending = _send(config, topic or config.topics.events, file, wait_seconds, rate, strict=strict, advance_to_ms=advance_to_ms)
        report = asyncio.run(sending)
    per_second = report.sent / report.seconds if report.seconds else 0
    stderr.print(f"sent {report.sent:,} records in {report.seconds:.1f} s ({per_second:,.0f}/s), {report.keyless:,} of them without a key")
    for flaw in report.flaws:
        stderr.print(f"  {flaw}", markup=False)
    if further := report.flawed - len(report.flaws):
        stderr.print(f"  and {further:,} more")
    if report.refused:
        raise SystemExit(PROBLEMS)


async def _send(
    config: Config, topic: str, file: BinaryIO | None, wait_seconds: float, rate: float | None, *, strict: bool, advance_to_ms: int | None
) -> SendReport:
    async with Sender(config.kafka, topic, wait_seconds=wait_seconds, notify=tell_retry) as sender:
        if file is not None:
            await _send_file(sender, topic, file, rate, strict=strict)
        if advance_to_ms is not None:
            await sender.advance_clock(format_time(advance_to_ms), advance_to_ms)
        return sender.report


async def _send_file(sender: Sender, topic: str, file: BinaryIO, rate: float | None, *, strict: bool) -> None:
    with _progress(file) as bar:
        task = bar.add_task(f"sending to {topic}", total=_size(file), records=0)
        records = 0

        def advance(count: int, size_bytes: int) -> None:
            nonlocal records
            records += count
            bar.update(task, advance=size_bytes, records=records)

        await send_lines(sender, file, strict=strict, rate=rate, progress=advance)


def _progress(file: BinaryIO) -> Progress:
    """A bar over the bytes of a file; for a pipe, whose end nobody knows, a count."""
    count = TextColumn("{task.fields[records]:,} records")
    columns = (BarColumn(), TimeRemainingColumn()) if _size(file) else (SpinnerColumn(),)
    return Progress(TextColumn("{task.description}"), *columns, count, console=stderr, transient=True, disable=not stderr.is_terminal)


def _size(file: BinaryIO) -> int | None:
    size = os.fstat(file.fileno()).st_size
    return size or None
