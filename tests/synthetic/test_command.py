"""`ticket-kpis generate` as people use it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from processor.cli.generate import command
from processor.codec.times import parse_time


def run(*options: str) -> Result:
    return CliRunner(env={"TICKET_KPIS_CONFIG": None}).invoke(command, ["--events", "500", *options])


def test_events_and_truth_are_written_and_people_get_a_summary(tmp_path: Path) -> None:
    plain, packed, truth = tmp_path / "log.jsonl", tmp_path / "log.jsonl.gz", tmp_path / "truth.json"
    result = run("--start", "2026-03-02T00:00:00Z", "--output", str(plain), "--truth", str(truth))
    assert result.exit_code == 0, result.output
    lines = plain.read_bytes().splitlines()
    assert json.loads(truth.read_text())["records"] == len(lines) >= 500
    assert "backlog at the end" in result.stderr
    assert result.stdout == ""
    run("--start", "2026-03-02T00:00:00Z", "--output", str(packed))
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


def test_without_a_start_nothing_lies_in_the_future(tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    assert run("--truth", str(truth)).exit_code == 0
    now = datetime.now(UTC).timestamp() * 1000
    assert now - 30 * 3_600_000 < parse_time(json.loads(truth.read_text())["clock_advanced_at"]) < now


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--duration", "3x"], "--duration 3x: not a duration"),
        (["--duration", "5m"], "between 1h and 400d"),
        (["--start", "tomorrow"], "'--start': not an RFC 3339 time"),
        (["--rate", "5"], "--events or --rate"),
        (["--out-of-order", "0.01", "--long-delayed", "0.02"], "--long-delayed is a part of --out-of-order"),
        (["--output", "/nowhere/at/all"], "No such file or directory"),
    ],
)
def test_wrong_usage_is_refused_with_2_and_words(options: list[str], words: str) -> None:
    result = run(*options)
    assert result.exit_code == 2
    assert words in result.stderr
