"""`ticket-kpis capture`: a topic into a file of JSON lines, from which `replay` and `send` read the same log again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO

import click
from aiokafka.errors import KafkaError
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from processor.cli.options import bootstrap_option, config_option, load_config, refusing, stderr, tell_retry, wait_option
from processor.config import Config
from processor.stream.capture import Capture, CaptureError
from processor.stream.connection import BrokerUnreachableError


@click.command("capture")
@click.option("--output", "-o", "file", type=click.File("wb", lazy=False), default="-", help="File to write; without it standard output.")
@config_option
@bootstrap_option
@wait_option
@click.option("--topic", help="Topic to read; without it the configured events topic.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until interrupted; without it stop at what was the end at the start.")
def command(
    file: BinaryIO, config_path: Path | None, bootstrap: str | None, wait_seconds: float, topic: str | None, follow: bool
) -> None:
    """Write every committed record of a topic as one JSON line: partition, offset, timestamp, key, headers and exact bytes."""
    config = load_config(config_path, bootstrap)
    try:
        with refusing(BrokerUnreachableError, CaptureError, KafkaError):
            written = asyncio.run(_capture(config, topic or config.topics.events, file, wait_seconds, follow=follow))
    except KeyboardInterrupt:  # how --follow ends
        return
    stderr.print(f"captured {written:,} records")


async def _capture(config: Config, topic: str, file: BinaryIO, wait_seconds: float, *, follow: bool) -> int:
    async with Capture(config.kafka, topic, wait_seconds=wait_seconds, notify=tell_retry) as capture:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} offsets"), TimeRemainingColumn())
        with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
            task = bar.add_task(f"capturing {topic}", total=None if follow else capture.total)
            await capture.write(file, follow=follow, progress=lambda offsets: bar.advance(task, offsets))
        return capture.written
