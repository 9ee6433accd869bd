"""`ticket-kpis convert csv` as people use it: exit codes, summary, and what it says about order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from processor.cli.convert import command
from tests.convert.test_converter import TICKETS

ROWS = "id,at,state\nA,2026-01-05T10:00:00Z,Open\nB,2026-01-01T10:00:00Z,Open\nC,soon,Open\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "log.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(TICKETS), encoding="utf-8")
    return tmp_path


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(command, ["csv", str(folder / "log.csv"), "--mapping", str(folder / "mapping.yaml"), *options])


def test_events_go_to_standard_output_and_everything_else_to_standard_error(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 0
    assert [json.loads(line)["subject"] for line in result.stdout.splitlines()] == ["B", "A"]
    assert "bad_time" in result.stderr
    assert "line 4" in result.stderr
    assert "replay would call no event late" in result.stderr


def test_strict_exits_with_1_when_a_row_was_dropped(folder: Path) -> None:
    assert run(folder, "--strict").exit_code == 1


def test_keep_order_says_how_many_events_replay_would_call_late(folder: Path) -> None:
    result = run(folder, "--keep-order", "--output", str(folder / "out.jsonl"), "--source", "/elsewhere")
    events = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event["subject"] for event in events] == ["A", "B"]
    assert {event["source"] for event in events} == {"/elsewhere"}
    assert "LATE: replay would reject up to 1 events as too_late" in result.stderr


def test_all_dropped_rows_can_be_listed(folder: Path) -> None:
    assert run(folder, "--dropped", str(folder / "dropped.tsv")).exit_code == 0
    assert (folder / "dropped.tsv").read_text(encoding="utf-8").startswith("4\tbad_time\t")


def test_a_bad_mapping_is_refused_with_2_and_all_its_faults(folder: Path) -> None:
    (folder / "mapping.yaml").write_text(yaml.safe_dump({**TICKETS, "version": 9, "colour": "blue"}), encoding="utf-8")
    result = run(folder)
    assert result.exit_code == 2
    assert "mapping.yaml: version" in result.stderr
    assert "mapping.yaml: colour" in result.stderr


def test_missing_columns_are_refused_with_2(folder: Path) -> None:
    (folder / "log.csv").write_text("id,time\n", encoding="utf-8")
    result = run(folder)
    assert result.exit_code == 2
    assert "there is no column 'state'" in result.stderr
