"""Days of a call centre as events, minute by minute; and the backtest of such a log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from processor.backtest.prometheus import UNPACKED
from processor.cli.backtest import command
from tests.deploy.conftest import path_of

MONDAY = datetime(2026, 11, 16, 8, tzinfo=UTC)
ANSWER_SECONDS, PATIENCE_SECONDS = 5, 45


def call(number: int, at: datetime, *, abandoned: bool, queue: str = "sales") -> Iterator[dict[str, Any]]:
    """A call that is answered after five seconds, or whose caller gives up after 45."""
    key = f"C-{number}"
    kinds = [("queued", 0), ("abandoned", PATIENCE_SECONDS)] if abandoned else [("queued", 0), ("accepted", ANSWER_SECONDS), ("ended", 40)]
    for step, (kind, seconds) in enumerate(kinds):
        data: dict[str, Any] = {"contact_id": key, "channel": "phone", "queue": queue} if kind == "queued" else {"contact_id": key}
        if kind == "accepted":
            data["agent_id"] = "A-1"
        if kind == "ended":
            data["outcome"] = "handled"
        yield {
            "specversion": "1.0", "id": f"{key}.{step}", "source": "/calls", "type": f"support.contact.{kind}", "subject": key,
            "partitionkey": key, "time": (at + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z"), "data": data,
        }  # fmt: skip


def calls(minutes: int, surges: Iterable[range] = (), *, start: datetime = MONDAY, each_minute: int = 2) -> list[bytes]:
    """So many minutes of calls; in those of the surges everybody gives up."""
    surge = {minute for each in surges for minute in each}
    events = [
        event
        for minute in range(minutes)
        for number in range(each_minute)
        for event in call(minute * each_minute + number, start + timedelta(minutes=minute, seconds=10 * number), abandoned=minute in surge)
    ]
    return [json.dumps(event).encode() + b"\n" for event in sorted(events, key=lambda event: event["time"])]


def written(folder: Path, lines: Iterable[bytes]) -> Path:
    """A log in a file."""
    path = folder / "log.jsonl"
    path.write_bytes(b"".join(lines))
    return path


def run(*arguments: str | Path) -> Result:
    """The command; skips where Prometheus is missing."""
    path_of("prometheus")
    return CliRunner().invoke(command, [*map(str, arguments)], env={"PATH": f"{UNPACKED}:{Path(path_of('promtool')).parent}"})


def found(log: Path, folder: Path, *arguments: str | Path) -> dict[str, Any]:
    """What the backtest of a log says."""
    told = folder / "found.json"
    result = run(log, "--json", told, *arguments)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(told.read_bytes())
    return document
