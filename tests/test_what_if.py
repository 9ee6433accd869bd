"""What other versions would have meant for the past: as if written so by hand, and without a trace in anything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from processor.cli.replay import command
from processor.compile import compile_newest, compile_settings
from processor.config import loads
from processor.replay import Replay
from tests.replay.logs import generated, told

HOURS = "hours: {mon: 08:00-18:00, tue: 08:00-18:00}"
VERSIONS = f"""
calendars:
  office:
    zone: UTC
    {HOURS}
    changes: [{{effective_from: 2027-01-01, hours: {{mon: 07:00-20:00, tue: 07:00-20:00}}, holidays: [2027-03-01]}}]
policies:
  - {{id: calls, match: {{channel: phone}}, targets: {{queue_wait: 20s}}}}
  - {{id: standard, calendar: office, targets: {{first_response: 1h, resolution: 8h}}}}
  - {{id: standard, effective_from: 2027-01-01, calendar: office, targets: {{first_response: 30m, resolution: 8h}}}}
  - {{id: standard, effective_from: 2025-01-01, calendar: office, targets: {{first_response: 50m, resolution: 8h}}}}
"""
BY_HAND = """
calendars: {office: {zone: UTC, hours: {mon: 07:00-20:00, tue: 07:00-20:00}, holidays: [2027-03-01]}}
policies:
  - {id: calls, match: {channel: phone}, targets: {queue_wait: 20s}}
  - {id: standard, calendar: office, targets: {first_response: 30m, resolution: 8h}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "versions.yaml"
    path.write_text(VERSIONS, encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A day and a half with corrections and late events; the calendar is open on both days."""
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(generated().lines) + b"\n")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def report(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(orjson.loads(result.stdout))


def without_speed(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("seconds", "records_per_second", "what_if")}


def test_the_newest_versions_are_in_force_from_the_beginning_and_keep_their_numbers() -> None:
    newest = compile_newest(loads(VERSIONS.encode(), "versions"))
    assert [(policy.id, policy.version, policy.effective_from) for policy in newest.policies] == [("calls", 1, 0), ("standard", 3, 0)]
    by_hand = compile_settings(loads(BY_HAND.encode(), "by hand"))
    office, expected = newest.calendars["office"], by_hand.calendars["office"]
    assert (office.opens, office.closes, office.changes) == (expected.opens, expected.closes, ())
    assert newest.fingerprint not in (by_hand.fingerprint, compile_settings(loads(VERSIONS.encode(), "versions")).fingerprint)


def test_it_is_the_replay_of_a_configuration_written_so_by_hand(config: Path, log: Path, tmp_path: Path) -> None:
    by_hand = tmp_path / "by-hand.yaml"
    by_hand.write_text(BY_HAND, encoding="utf-8")
    supposed = report(log, "--config", config, "--what-if", config)["what_if"]["report"]
    expected = report(log, "--config", by_hand)
    assert supposed["totals"] == expected["totals"]
    assert supposed["kpis"] == expected["kpis"]
    assert expected["totals"] != report(log, "--config", config)["totals"]  # the versions do differ on this log


def test_what_is_asked_leaves_no_trace_in_anything_else(config: Path, log: Path, tmp_path: Path) -> None:
    """Report, exposition, facts, snapshot and rejected records are those of a replay without the question, byte by byte."""
    files = ("exposition", "facts", "rejected", "write-snapshot")
    reports = []
    for folder, question in (("plain", ()), ("asked", ("--what-if", config))):
        (tmp_path / folder).mkdir()
        outputs = [part for name in files for part in (f"--{name}", tmp_path / folder / name)]
        reports.append(report(log, "--config", config, *outputs, *question))
    assert without_speed(reports[0]) == without_speed(reports[1])
    assert ("what_if" in reports[0], "what_if" in reports[1]) == (False, True)
    for name in files:
        assert (tmp_path / "plain" / name).read_bytes() == (tmp_path / "asked" / name).read_bytes()
        assert (tmp_path / "plain" / name).stat().st_size
    assert reports[1]["what_if"]["report"]["digest"] != reports[1]["digest"]


def test_the_comparison_says_what_would_have_been(config: Path, tmp_path: Path) -> None:
    """Two replies, after 12 and after 49 minutes: both kept the 50 minutes of the version in force, one the 30 minutes of the newest."""
    path = tmp_path / "told.jsonl"
    path.write_bytes(b"\n".join(told()) + b"\n")
    made = report(path, "--config", config, "--what-if", config)["what_if"]
    lines = {line["kpi"]: (line["as_it_was"], line["what_if"], line["difference"]) for line in made["comparison"]}
    assert lines["first_response breached"] == (0, 1, 1)
    assert lines["first_response compliance"][0] == 1.0
    assert lines["first_response compliance"][1] < 1.0
    assert lines["first response, mean"] == (1830.0, 1830.0, 0)  # durations in calendar time do not depend on targets
    (standard,) = [row for row in made["policies"] if (row["clock"], row["policy"]) == ("first_response", "standard")]
    assert standard["breached"] == [0, 1]
    shown = run(path, "--config", config, "--what-if", config).stdout
    for words in ("What if the newest versions", "first_response breached", "standard version 3", "calendar office"):
        assert words in shown


def test_both_sides_show_what_was_applied(config: Path, log: Path) -> None:
    settings = report(log, "--config", config, "--what-if", config)["what_if"]["settings"]
    was, supposed = settings["as_it_was"], settings["what_if"]
    assert set(was["policies"]) == {"calls version 1", "standard version 1", "standard version 2", "standard version 3"}
    assert set(supposed["policies"]) == {"calls version 1", "standard version 3"}
    assert was["policies"]["calls version 1"] == supposed["policies"]["calls version 1"]
    assert was["calendars"]["office"] != supposed["calendars"]["office"]
    assert was["fingerprint"] == compile_settings(loads(VERSIONS.encode(), "versions")).fingerprint != supposed["fingerprint"]


def test_where_nothing_has_versions_nothing_differs(log: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.yaml"
    plain.write_text(BY_HAND, encoding="utf-8")
    made = report(log, "--config", plain, "--what-if", plain)
    assert made["what_if"]["report"]["digest"] == made["digest"]
    assert all(line["difference"] in (0, None) for line in made["what_if"]["comparison"])
    assert "44 of 44 numbers are the same" in run(log, "--config", plain, "--what-if", plain).stdout


def test_another_configuration_can_be_asked_about(config: Path, log: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("policies: [{id: strict, targets: {first_response: 1m, resolution: 1h, queue_wait: 1s}}]", encoding="utf-8")
    made = report(log, "--config", config, "--what-if", other, "--partitions", 3)
    assert {row["policy"] for row in made["what_if"]["report"]["kpis"]["sla"]} == {"strict"}
    assert made["what_if"]["report"]["partitions"] == made["partitions"] == 3
    alone = Replay(loads(other.read_bytes(), "other"))
    alone.feed_lines(generated().lines)
    alone.finish()
    assert made["what_if"]["report"]["digest"] == alone.snapshot()["digest"]


def test_what_cannot_be_asked_together_is_refused(config: Path, log: Path, tmp_path: Path) -> None:
    assert "leave --snapshot out" in run(log, "--what-if", config, "--snapshot", config).stderr
    assert run(log, "--what-if", config, "--exposition", "-").exit_code == 2
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("time: {timer_delay: 5}\n", encoding="utf-8")
    result = run(log, "--what-if", wrong)
    assert (result.exit_code, "wrong.yaml: time.timer_delay" in result.stderr) == (2, True)
