"""The state commands without a broker: what they refuse, and what their tables say. With one, see tests/kafka/test_state_tools.py."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from processor.cli.main import main
from processor.cli.state_tables import erased_tables, exported_table, imported_table, rebuilt_table, show
from processor.core.events import Event
from processor.export.snapshot import Difference
from processor.state_tools.erasing import Forgotten, Place, _expiry
from processor.state_tools.forgetting import Findings
from processor.state_tools.moving import move, shown
from processor.state_tools.rebuilding import Rebuilt
from tests.laws.worlds import SETTINGS, START
from tests.state_tools.joined import CREATED, Partitions

NOBODY = ["--bootstrap", "127.0.0.1:1", "--wait", "0"]


def invoke(*call: str) -> Result:
    return CliRunner().invoke(main, list(call))


def lived() -> Partitions:
    partitions = Partitions(SETTINGS, 2)
    for number in range(10):
        partitions.apply(Event(START + number, 0, "", "a", f"c{number}", "ticket.created", f"T-{number}", CREATED))
    for number in partitions.engines:
        partitions.step(number)
    return partitions


@pytest.mark.parametrize("call", [["export", "x.jsonl"], ["rebuild", "--into", "other"], ["forget", "anna"]], ids=lambda call: call[0])
def test_without_a_broker_it_says_so(call: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("state", *call, *NOBODY)
    assert done.exit_code == 2
    assert "no Kafka broker (127.0.0.1:1: connection refused)" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_import_needs_a_file_that_is_there() -> None:
    done = invoke("state", "import", "nothing.jsonl")
    assert done.exit_code == 2
    assert "does not exist" in done.stderr


def test_a_rebuild_needs_the_name_of_a_topic() -> None:
    assert "--into" in invoke("state", "rebuild", *NOBODY).stderr


@pytest.mark.parametrize("call", [["forget"], ["state", "forget"]], ids=" ".join)
def test_nobody_cannot_be_forgotten(call: list[str]) -> None:
    done = invoke(*call, "", *NOBODY)
    assert done.exit_code == 2
    assert "an empty ID" in done.stderr


def test_forget_is_one_command_at_two_places() -> None:
    assert invoke("forget", "--help").output.splitlines()[2:] == invoke("state", "forget", "--help").output.splitlines()[2:]


def test_an_export_is_told_by_partition(capsys: pytest.CaptureFixture[str]) -> None:
    of = {"applied": {"events": 41, "rekeyed": 7}, "stream_time": START, "timer_time": 0, "records": 1234, "pending": 3}
    show(exported_table({"of": {"0": of, "1": of}, "ledger_count": 56, "digest": "ab"}))
    told = capsys.readouterr().out
    for words in ("events 41, rekeyed 7", "2026-03-29", "never", "1,234", "2,468", "56 facts, digest ab"):
        assert words in told


def test_an_import_is_told_by_partition(capsys: pytest.CaptureFixture[str]) -> None:
    partitions = lived()
    moved = move(SETTINGS, partitions.stored(), 3)
    exported = sum(engine.ledger_count for engine in partitions.engines.values())
    show(imported_table({"ledger_count": exported}, moved))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["partition", "0", "1", "2", "all"]
    assert sum(int(line.split()[1]) for line in lines[1:4]) == 10
    assert f"{exported} facts were exported" in lines[-1]


def test_a_rebuild_is_told_by_partition(capsys: pytest.CaptureFixture[str]) -> None:
    snapshot = shown(list(lived().engines.values()))
    same = Rebuilt(0, 12, snapshot, snapshot, [])
    other = Rebuilt(1, 12, snapshot, snapshot | {"digest": "feed"}, [Difference("digest", "", snapshot["digest"], "feed")])
    show(rebuilt_table([same, other]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[-1] == "0"
    assert lines[2].split()[-1] == "1"
    assert "feed" in lines[2]


def test_what_was_erased_and_what_was_kept_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    erased, kept = Counter({"contact.accepted: agent_id": 3}), Counter({"label of counted amounts": 2})
    findings = Findings(erased=erased, kept=kept, entities={"ticket"})
    done = Forgotten(findings, leave={"ticket": "never while it is open"})
    for table in erased_tables(done, [Place("support.events.v1", "the events", "never")]):
        show(table)
    told = capsys.readouterr().out
    for words in ("contact.accepted: agent_id", "erased", "kept: numbers depend on it", "no person: kept, and leaves", "support.events.v1"):
        assert words in told


def test_nothing_found_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for table in erased_tables(Forgotten(), []):
        show(table)
    assert "nothing was found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "no such topic"),
        ({"cleanup.policy": "delete", "retention.ms": "-1", "segment.ms": "604800000"}, "never: retention.ms is -1"),
        ({"cleanup.policy": "delete", "retention.ms": "7776000000", "segment.ms": "604800000"}, "90 d after the end of its segment"),
        ({"cleanup.policy": "compact", "max.compaction.lag.ms": "9223372036854775807"}, "set max.compaction.lag.ms"),
        ({"cleanup.policy": "compact", "max.compaction.lag.ms": "3600000"}, "compacted, within 1 h"),
        ({"cleanup.policy": "compact,delete", "retention.ms": "86400000", "segment.ms": "3600000"}, "at most 1 h long and when"),
    ],
)
def test_when_what_lies_in_a_topic_is_gone(settings: dict[str, str], words: str) -> None:
    assert words in _expiry(settings)
