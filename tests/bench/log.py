"""The log of the benchmarks: a generated working day, with the totals that it must lead to. Written once, kept under ~/.cache/ticket-kpis.

1 % of its events arrive out of order, a tenth of these later than `timer_delay`, 0.5 % twice; it has tickets, calls, chats, surveys, shifts
and visits. It is the same for the same number of events as long as neither the generator nor the configuration changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from processor.compile import compile_settings
from processor.config import load
from processor.core.settings import Settings
from tests.bench.options import ROOT

CONFIG = Path(__file__).with_name("config.yaml")
START = "2026-11-17T00:00:00Z"  # a Tuesday
OUT_OF_ORDER, LONG_DELAYED = "0.01", "0.001"
KEPT = 8  # logs in the cache; those that were not used for longest go
TICKETS = (b'"type":"support.ticket.', b'"type":"support.message.')


@dataclass(frozen=True, slots=False)
class Log:
    """A file of events, one JSON object a line, and its truth."""

    path: Path
    truth: dict[str, Any]

    def lines(self) -> Iterator[bytes]:
        """The events in the order of arrival, without line ends."""
        with self.path.open("rb") as lines:
            for line in lines:
                yield line.rstrip(b"\n")

    def ticket_lines(self) -> Iterator[bytes]:
        """Those events that the reduced job of the peers is about: of tickets and their messages."""
        return (line for line in self.lines() if any(kind in line for kind in TICKETS))

    @property
    def events(self) -> int:
        """How many there are, with repeated ones and late ones."""
        return int(self.truth["records"])

    @cached_property
    def ticket_events(self) -> int:
        """How many of them the peers read."""
        return sum(1 for _ in self.ticket_lines())

    @property
    def open_tickets(self) -> int:
        """How many are unsolved when it ends."""
        return int(self.truth["families"]["support_backlog_tickets"])

    def counts(self, family: str) -> int:
        """Of the truth."""
        return int(self.truth["families"][family])


@lru_cache(maxsize=1)
def settings() -> Settings:
    """What the benchmarks' configuration means."""
    return compile_settings(load(CONFIG))


@lru_cache(maxsize=2)
def log_of(events: int, seed: int = 1) -> Log:
    """A log of at least so many events, a few more at most; generated where the cache does not have it (40,000 events a second)."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticket-kpis" / "bench"
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"log-{events}-{seed}-{_recipe()}.jsonl"
    truth = path.with_suffix(".json")
    if not truth.exists():
        _generate(events, seed, path, truth)
        for old in sorted(cache.glob("log-*.jsonl"), key=lambda each: each.stat().st_mtime)[:-KEPT]:
            old.with_suffix(".json").unlink(missing_ok=True)
            old.unlink()
    path.touch()
    return Log(path, json.loads(truth.read_text()))


def _generate(events: int, seed: int, path: Path, truth: Path) -> None:
    partial = [each.with_name(f"{each.name}.{os.getpid()}") for each in (path, truth)]
    call = [sys.executable, "-m", "processor.cli.main", "generate", "--config", str(CONFIG), "--events", str(events), "--seed", str(seed),
            "--start", START, "--out-of-order", OUT_OF_ORDER, "--long-delayed", LONG_DELAYED,
            "--output", str(partial[0]), "--truth", str(partial[1])]  # fmt: skip
    subprocess.run(call, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    partial[0].rename(path)
    partial[1].rename(truth)  # last: where it is, the log is whole


def _recipe() -> str:
    """A hash of everything that decides what is generated from a number and a seed."""
    sources = [CONFIG, *sorted((ROOT / "processor" / "synthetic").glob("*.py"))]
    text = b"".join(source.read_bytes() for source in sources) + f"{START}{OUT_OF_ORDER}{LONG_DELAYED}".encode()
    return blake2b(text, digest_size=6).hexdigest()
