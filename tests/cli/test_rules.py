"""`ticket-kpis rules` and `metrics`: what is written, how everything becomes shorter, and what thresholds cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from processor.alerting import alerts, rule_files
from processor.alerting.durations import scaled_expression
from processor.cli import check, metrics, rules
from processor.config import Config, ConfigError, loads
from processor.export.metrics_page import metrics_page


def test_files_are_written_or_printed(tmp_path: Path) -> None:
    done = CliRunner().invoke(rules.command, ["--output", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert {path.name: path.read_text() for path in (tmp_path / "new").iterdir()} == rule_files(Config())
    printed = CliRunner().invoke(rules.command, [])
    assert len(list(yaml.safe_load_all(printed.stdout))) == 2


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(rules.command, ["--output", str(tmp_path / "file" / "inner")])
    assert done.exit_code == 2
    assert done.stderr.startswith("ticket-kpis: ")


def test_the_page_of_series_can_be_printed() -> None:
    assert CliRunner().invoke(metrics.command, []).stdout == metrics_page()


@pytest.mark.parametrize(
    ("expression", "scaled"),
    [
        ("sum(increase(x[30m]))", "sum(increase(x[30s]))"),
        ("x offset 1w", "x offset 168m"),
        ("max_over_time(x[1d:5m])", "max_over_time(x[24m:5s])"),
        ("rate(x[1s])", "rate(x[17ms])"),
        ('x{window="24h"} > 300 and time() - y > 3600', 'x{window="24h"} > 300 and time() - y > 3600'),  # no ranges: these stay
    ],
)
def test_ranges_and_offsets_become_shorter_and_nothing_else(expression: str, scaled: str) -> None:
    assert scaled_expression(expression, 60) == scaled
    assert scaled_expression(expression, 1) == expression


def test_everything_that_waits_becomes_shorter() -> None:
    real, quick = (yaml.safe_load(rule_files(Config(), time_scale=scale)["alerts.yml"]) for scale in (1, 60))
    groups = zip(real["groups"], quick["groups"], strict=True)
    pairs = [pair for one, other in groups for pair in zip(one["rules"], other["rules"], strict=True)]
    seconds = {"s": 1, "m": 60, "h": 3600}
    for slow, fast in pairs:
        for key in ("for", "keep_firing_for"):
            one, other = (float(each[key][:-1]) * seconds[each[key][-1]] if key in each else 0 for each in (slow, fast))
            assert other == pytest.approx(one / 60)
        assert not re.search(r"\[\d+[hd]\]", fast["expr"])
    assert {group["interval"] for group in quick["groups"]} == {"1s"}


def test_thresholds_that_cannot_be_are_refused_all_at_once(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(
        "alerts:\n  calendar: nowhere\n  runbook_url: 'no url'\n  backlog: {growth_tickets: 0, growth_share: 1.5, drain_max: 1d}\n"
        "  sla: {objective: 1.0, objectives: {nothing: 0.9}}\n  contacts: {abandoned_share: 0.5}\n  waiting: {contact: 1h}\n"
        "  processor: {stale_after: 0s}\n"
    )
    result = CliRunner().invoke(check.command, ["--config", str(file)])
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    paths = {line.split(": ")[1] for line in lines[:-1]}
    assert paths >= {
        "alerts.runbook_url", "alerts.backlog.growth_tickets", "alerts.backlog.growth_share", "alerts.sla.objective",
        "alerts.processor.stale_after",
    }  # fmt: skip
    assert any(path.startswith("alerts.sla.objectives") for path in paths)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b"alerts: {calendar: nowhere}", "alerts.calendar"),
        (b"alerts: {contacts: {abandoned_share: 0.5}}", "alerts.contacts.abandoned_share"),
        (b"alerts: {waiting: {contact: 1h}}", "alerts.waiting.contact"),
        (b"alerts: {backlog: {drain_max: 1d}}", "alerts.backlog.work_off_max"),
        (b"alerts: {backlog: {growth_tickets: 50}}", "alerts.backlog.growth_tickets"),
    ],
)
def test_what_pages_must_be_worse_than_what_warns_and_calendars_exist(text: bytes, path: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(path)):
        loads(text, "rules")


def test_the_chosen_calendar_and_the_thresholds_stand_in_the_rules() -> None:
    config = loads(
        b"calendars: {office: {zone: UTC, hours: {mon: 08:00-12:00}}}\n"
        b"alerts: {calendar: office, job: desk, waiting: {oldest_ticket: 1h}, sla: {objectives: {queue_wait: 0.95}}}",
        "rules",
    )
    assert 'max by (job) (support_calendar_open{calendar="office"})' in rule_files(config)["series.yml"]
    expressions = {alert.name: alert.expr for alert in alerts(config)}
    assert "> 3600" in expressions["SupportOldestWaitingTooLong"]
    assert 'job="desk"' in expressions["SupportProcessorDown"]
    assert 'clock="queue_wait"} > 0.0875' in expressions["SupportSlaBudgetBurnSlow"]
