"""Reading a recorded log: a file, a folder of files, standard input, compressed or not, with a bar that tells how far it is."""

from __future__ import annotations

import gc
import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from processor.replay import Replay, ReplayError
from processor.what_if import WhatIf

LINES_AT_ONCE = 2000
FILES_NAMED = 5  # of a folder without records


def read_log(replay: Replay | WhatIf, log: Path) -> float:
    """Feed everything, with a bar over the bytes on standard error; returns the seconds."""
    console = Console(stderr=True)
    files = files_of(log)
    size = sum(file.stat().st_size for file in files if file) or None
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TextColumn("{task.fields[speed]}"), TimeRemainingColumn())
    gc.disable()  # the engine makes no cycles, and looking for them takes a third of the time
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("replaying", total=size, speed="")
            started = perf_counter()
            done = 0
            for file in files:
                for lines, position in _batches(file):
                    replay.feed_lines(lines)
                    speed = f"{replay.records / (perf_counter() - started):,.0f} records/s"
                    progress.update(task, completed=done + position, speed=speed)
                done += file.stat().st_size if file else 0
            return perf_counter() - started
    finally:
        gc.enable()


def files_of(log: Path) -> Sequence[Path | None]:
    """The files of a log in order; None stands for standard input."""
    if str(log) == "-":
        return [None]
    if not log.is_dir():
        return [log]
    files = sorted(file for file in log.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise ReplayError(f"{log} has no files")
    return files


def no_records(log: Path) -> str:
    """What to say of a log without records, which may be right for a quiet hour and is more often the wrong path."""
    names = [file.name for file in files_of(log) if file]
    of_folder = f" in its files, {', '.join(names[:FILES_NAMED])}{', ...' if len(names) > FILES_NAMED else ''}" if log.is_dir() else ""
    return f"{'standard input' if str(log) == '-' else log} has no records{of_folder}: is it the right one?"


def _batches(file: Path | None) -> Iterator[tuple[list[bytes], int]]:
    """Some thousand lines at a time, and how many bytes of the file were read for them."""
    with ExitStack() as stack:
        raw: BinaryIO = stack.enter_context(file.open("rb")) if file else sys.stdin.buffer
        stream: Iterable[bytes] = stack.enter_context(gzip.GzipFile(fileobj=raw)) if file and file.suffix == ".gz" else raw
        remaining, seekable = iter(stream), file is not None and raw.seekable()  # a pipe may have a name, too
        while lines := _some_lines(remaining):
            yield lines, raw.tell() if seekable else 0


def _some_lines(stream: Iterator[bytes]) -> list[bytes]:
    try:
        return list(islice(stream, LINES_AT_ONCE))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReplayError(f"the compressed file is damaged or cut off: {error}") from None
