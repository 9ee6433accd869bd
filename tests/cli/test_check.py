"""`ticket-kpis check`: what people see of a good and of a bad configuration, and the exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from processor.cli import check
from processor.config import Config, ConfigError, loads
from processor.config.example import render_example
from processor.export.documentation import kpi_page

DEMO = Path(__file__).parents[2] / "deploy" / "config.demo.yaml"


def test_a_good_configuration_is_shown_as_it_was_understood() -> None:
    result = CliRunner().invoke(check.command, ["--config", str(DEMO)])
    assert result.exit_code == 0, result.output
    shown = (
        *("valid", "office", "Europe/Berlin", "mon-thu 08:00-12:00 13:00-18:00", "holidays of DE-BE"),
        "those about KPIs rest while extended is closed",
        *("standard v2", "2026-01-01 00:00", "8h open hours", "priority: low,", "everything", "24h"),
    )
    assert [text for text in shown if text not in result.stdout] == []


def test_warnings_surveys_and_what_names_agents_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "warned.yaml"
    file.write_text(
        "calendars: {office: {zone: UTC, hours: {mon: 08:00-12:00}}}\n"
        "policies:\n"
        "  - {id: a, calendar: office, match: {tier: gold}, targets: {first_response: {target: 1h30m, warn: 10m before},\n"
        "     resolution: {target: 2 working days, warn: 1 working day before}, update: {target: 1h, warn: 2h before}}}\n"
        "  - {id: b, targets: {next_response: {target: 4h, warn: 30m after}}}\n"
        "surveys: {ces_low_is_easy: true, nps_window: 30d}\nkpis: {per_agent: true}\n",
        encoding="utf-8",
    )
    result = CliRunner().invoke(check.command, ["--config", str(file)])
    assert result.exit_code == 0, result.output
    shown = (
        *("1h 30m open hours (office); warns 10m before", "2 working days (office); warns 1 working day before", "4h; warns 30m after"),
        *("effort 1 = very little effort", "a respondent in 30d", "agents: KPIs of each yes, named in facts no"),
        "note policy a v1, update: warns from the start on",
    )
    assert [text for text in shown if text not in result.stdout] == []
    assert result.stdout.count("warns from the start on") == 1


def test_the_page_of_kpis_can_be_printed() -> None:
    result = CliRunner().invoke(check.command, ["--kpis"])
    assert (result.exit_code, result.stdout) == (0, kpi_page())


def test_a_bad_configuration_lists_all_faults_and_exits_2(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("worker: {clock: dead}\nreporting_zone: Nowhere\npolicies: [{id: a, calendar: x, targets: {}}]\n", encoding="utf-8")
    result = CliRunner().invoke(check.command, ["--config", str(file)])
    assert result.exit_code == 2
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines[:-1]] == ["worker.clock", "reporting_zone", "policies[0].calendar"]
    assert lines[-1] == "3 faults"


def test_the_configuration_can_come_from_the_environment(tmp_path: Path) -> None:
    result = CliRunner().invoke(check.command, env={"TICKET_KPIS_CONFIG": str(tmp_path / "missing.yaml")})
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr


def test_the_example_can_be_printed() -> None:
    assert CliRunner().invoke(check.command, ["--example"]).stdout.strip() == render_example().strip()


def test_too_many_samples_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "estimate_samples", lambda config: config.limits.samples_max + 1)
    with pytest.raises(ConfigError, match=r"limits\.samples_max: .* every partition would serve 100,001 samples"):
        check._samples(Config(), "built-in")


def test_a_policy_that_can_never_apply_and_an_unused_calendar_are_noted() -> None:
    config = loads(
        b"""
calendars: {spare: {zone: UTC, hours: {mon: 08:00-12:00}}}
policies:
  - {id: wide, match: {priority: [high, urgent]}, targets: {first_response: 1h}}
  - {id: narrow, match: {priority: urgent, tier: gold}, targets: {first_response: 1h}}
  - {id: other, match: {tier: gold}, targets: {first_response: 1h}}
""",
        "notes.yaml",
    )
    assert [note.path for note in check._notes(config)] == ["calendars.spare", "policies[1]"]


VERSIONS = """
reporting_zone: UTC
calendars:
  office:
    zone: Europe/Berlin
    hours: {mon: 08:00-17:00}
    changes:
      - {effective_from: 2020-01-01, hours: {tue: 09:00-12:00}}
      - {effective_from: 2049-06-01, zone: Europe/Lisbon, holidays_every_year: [12-24]}
policies:
  - {id: gold, calendar: office, targets: {first_response: 1h}}
  - {id: gold, effective_from: 2021-03-01, calendar: office, targets: {first_response: 2h}}
  - {id: gold, effective_from: 2049-01-01, calendar: office, targets: {first_response: 3h}}
"""


def test_it_is_told_which_version_is_in_force_and_what_comes_later(tmp_path: Path) -> None:
    file = tmp_path / "versions.yaml"
    file.write_text(VERSIONS, encoding="utf-8")
    result = CliRunner().invoke(check.command, ["--config", str(file)])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()

    def row(*begins: str) -> str:
        (found,) = [line for line in lines if [cell.strip() for cell in line.split("│")[1 : len(begins) + 1]] == list(begins)]
        return found

    assert "no more" in row("office", "the beginning")
    assert "3 h" in row("office", "2020-01-01 00:00", "now", "Europe/Berlin", "tue 09:00-12:00")
    assert " days" in row("office", "2049-06-01 00:00")
    assert "no more" in row("gold v1", "the beginning")
    assert "now" in row("gold v2", "2021-03-01 00:00")
    assert " days" in row("gold v3", "2049-01-01 00:00")
    assert [line for line in lines if line.startswith("later")] == [
        "later 2049-01-01 00:00 (UTC) policy gold version 3 takes effect",
        "later 2049-05-31 23:00 (UTC) calendar office: other zone, holidays every year",
    ]
