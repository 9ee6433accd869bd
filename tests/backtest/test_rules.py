"""Which of the rules a backtest needs, and in which order."""

from __future__ import annotations

import pytest

from processor.alerting import alerts, rule_files
from processor.backtest.rules import RulesError, read_rules, seconds_of
from processor.config import Config, load
from processor.core.windows import WINDOWS
from tests.deploy.conftest import ROOT

RULES = """
groups:
  - name: some
    rules:
      - {record: "support:a:max", expr: "max without (instance, pod) (support_a)"}
      - {record: "support:b:max", expr: "max without (instance, pod) (support_b)\\nor 0 * max without (instance, pod) (support_a)"}
      - {record: "job:third:sum", expr: "job:second:sum / 2"}
      - {record: "job:second:sum", expr: "sum by (job) (increase(support:a:max[1h]) - support:b:max)"}
      - {record: "job:unused:sum", expr: "sum(support_c)"}
      - {alert: Third, expr: "job:third:sum > 1", for: 1h30m, labels: {severity: critical, alert_kind: kpi}}
      - {alert: Down, expr: "absent(support_d)", labels: {alert_kind: processor}}
"""


def test_only_what_the_alerts_need_is_recorded_in_an_order_that_works() -> None:
    rules = read_rules({"some.yml": RULES})
    assert [alert.name for alert in rules.alerts] == ["Third"]
    assert rules.alerts[0].hold == 5400
    assert rules.left_out == ("Down",)
    assert rules.renamed == {"support:a:max": "support_a", "support:b:max": "support_b"}
    assert [[rule.name for rule in level] for level in rules.levels] == [["job:second:sum"], ["job:third:sum"]]
    assert not rules.names & {"support_a", "support_b", "support_c", "support_d"}  # the raw ones have other names here


def test_the_shipped_example_of_a_call_centre_has_rules() -> None:
    rules = read_rules(rule_files(load(ROOT / "deploy/examples/call-centre.yaml")))
    (page,) = [alert for alert in rules.alerts if (alert.name, alert.severity) == ("SupportAbandonmentHigh", "critical")]
    assert "> 0.4" in page.expr


def test_only_the_windows_that_are_named_are_needed() -> None:
    expr = 'support_window_csat_ratio{by="total",window="24h"} < support_window_csat_ratio{window="7d"}'
    text = "groups: [{{name: g, rules: [{{alert: A, expr: '{}'}}]}}]"
    assert read_rules({"some.yml": text.format(expr)}).windows == {"24h", "7d"}
    assert read_rules({"some.yml": text.format(f"{expr} + support_window_csat_ratio")}).windows == set(WINDOWS)
    assert read_rules({"some.yml": text.format("support_contacts_waiting > 3")}).windows == set()


def test_the_generated_rules_are_read_and_all_alerts_about_kpis_are_there() -> None:
    config = Config()
    rules = read_rules(rule_files(config))
    assert sorted({alert.name for alert in rules.alerts}) == sorted({alert.name for alert in alerts(config) if alert.kind == "kpi"})
    assert len(rules.alerts) == sum(alert.kind == "kpi" for alert in alerts(config))
    assert set(rules.left_out) == {alert.name for alert in alerts(config) if alert.kind != "kpi"}
    for written, told in zip(rules.alerts, (alert for alert in alerts(config) if alert.kind == "kpi"), strict=True):
        assert (written.name, written.severity, written.hold, written.keep) == (
            told.name, told.severity, told.for_seconds, told.keep_firing_seconds,
        )  # fmt: skip
    assert all(name.startswith("support:") for name in rules.renamed)
    assert rules.renamed, "the lowest level is written under its recorded names, not computed"


@pytest.mark.parametrize("text", ["", "groups: 3", "groups: [{name: g}]", "groups: [{name: g, rules: [{alert: A}]}]", "a: [b"])
def test_what_is_no_file_of_rules_is_said(text: str) -> None:
    with pytest.raises(RulesError, match=r"rules\.yml is no file of rules"):
        read_rules({"rules.yml": text})


def test_rules_without_an_alert_for_logs_are_refused() -> None:
    with pytest.raises(RulesError, match="no alert"):
        read_rules({"rules.yml": "groups: [{name: g, rules: [{alert: A, expr: vector(1), labels: {alert_kind: watchdog}}]}]"})


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("30s", 30), ("1h30m", 5400), ("1d", 86_400), ("500ms", 0.5), ("2w", 1_209_600)])
def test_durations_are_those_of_prometheus(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["5 m", "5", "m", "5x"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(RulesError, match="no duration"):
        seconds_of(text)
