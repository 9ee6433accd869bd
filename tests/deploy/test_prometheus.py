"""Rules and dashboards say only what the catalogue knows, Prometheus's and Alertmanager's own tools agree, every alert has a way out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.alerting import alerts, rule_files
from processor.alerting.about_promises import BURNS, burn_rate
from processor.config import Config
from processor.export.catalogue import BY_NAME
from tests.deploy.conftest import ROOT, Run, rules
from tests.deploy.dashboards import asked
from tests.deploy.stories import FOLDER, GROUPS, files

TARGET_LABELS = {"job", "instance", "pod"}  # what Prometheus adds
NAME = re.compile(r"\b(?:support_[a-z0-9_]+|[a-z_]*:[a-z0-9_]+:[a-z0-9_]+)\b|\bsupport:[a-z0-9_:]+")
MATCHER = re.compile(r"\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


def expressions() -> Iterator[Any]:
    for rule in [*rules("record"), *rules("alert")]:
        yield pytest.param(rule["expr"], id=rule.get("record") or f"{rule['alert']}-{rule['labels']['severity']}")
    for each in asked():
        yield pytest.param(each.expression, id=each.id)


@cache
def labels_of(name: str) -> set[str]:
    """The labels that a raw or recorded series can have; fails where nobody makes such a series."""
    recorded = {rule["record"]: rule["expr"] for rule in rules("record")}
    if name in recorded:
        return set().union(*(labels_of(inner) for inner in NAME.findall(recorded[name])))
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    family = BY_NAME.get(name) or BY_NAME.get(base)
    assert family is not None, f"{name} is neither in the catalogue nor recorded"
    assert name in BY_NAME or family.kind == "histogram", f"{name}: {base} is no histogram"
    return set(family.label_names) | ({"le"} if name.endswith("_bucket") else set())


@pytest.mark.parametrize("expression", expressions())
def test_expressions_name_only_series_and_labels_that_exist(expression: str) -> None:
    known = set(TARGET_LABELS)
    for name in NAME.findall(expression):
        known |= labels_of(name)
    used = [part.partition("=")[0].rstrip("!~ ") for found in MATCHER.findall(expression) for part in re.split(r",\s*", found)]
    used += [part.strip() for found in GROUPING.findall(expression) for part in found.split(",")]
    assert set(used) - {""} <= known


def test_everything_recorded_is_used() -> None:
    used = " ".join(str(expression.values[0]) for expression in expressions())
    for rule in rules("record"):
        assert len(re.findall(rf"(?<![a-z_:]){re.escape(rule['record'])}(?![a-z_:])", used)) >= 1, rule["record"]


def test_rates_are_taken_over_recorded_series_only() -> None:
    """A partition that moves begins a new series in its new worker; a rate over the raw ones would lose its first value.

    What a process tells of itself starts at 0 with it, and goes with it.
    """
    for rule in [*rules("record"), *rules("alert")]:
        for name in re.findall(r"\b(?:rate|increase|delta|deriv|irate)\(\s*(support_\w+)", rule["expr"]):
            assert BY_NAME[re.sub(r"_bucket$", "", name)].source == "process", name


def test_alerts_tell_what_to_do() -> None:
    runbook = (ROOT / "deploy/runbook.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^## (\w+)$", runbook, re.MULTILINE))
    assert headings == {rule["alert"] for rule in rules("alert")}
    for rule in rules("alert"):
        assert re.fullmatch(r"Support([A-Z][a-z]+)+", rule["alert"])
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["labels"]["alert_kind"] in {"kpi", "processor", "watchdog"}
        assert rule["annotations"]["runbook_url"] == f"deploy/runbook.md#{rule['alert'].lower()}"
        assert "{{" not in rule["annotations"]["summary"]


def test_the_rule_files_are_those_of_the_tables() -> None:
    for name, text in rule_files(Config()).items():
        behind = "run: ticket-kpis rules --output deploy/prometheus/rules"
        assert (ROOT / "deploy/prometheus/rules" / name).read_text(encoding="utf-8") == text, behind


def test_the_stories_are_those_of_the_tables_and_every_alert_has_three_cases() -> None:
    cases: Counter[str] = Counter()
    fired: set[tuple[str, str]] = set()
    for name, text in files(Config()):
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run: python -m tests.deploy.stories"
        for case in (case for test in yaml.safe_load(text)["tests"] for case in test["alert_rule_test"]):
            cases[case["alertname"]] += 1
            fired |= {(case["alertname"], each["exp_labels"]["alert_family"]) for each in case.get("exp_alerts", ())}
    assert {rule["alert"] for rule in rules("alert")} == cases.keys()
    assert min(cases.values()) >= 3
    assert {(rule["alert"], rule["labels"]["alert_family"]) for rule in rules("alert")} == fired


def test_alerts_about_kpis_rest_and_others_do_not() -> None:
    for alert in alerts(Config()):
        assert alert.gated == (alert.kind == "kpi" or alert.name == "SupportSourceSilent"), alert.name
        assert alert.gated == ("job:support_calendar_open:max == 0" in alert.expr)


def test_promtool_accepts_configuration_and_rules(run: Run) -> None:
    run("promtool", "check", "config", "--lint=all", "--lint-fatal", "deploy/prometheus/prometheus.yml")


@pytest.mark.parametrize("name", ["kpis", "quality", "processor", "weeks"])
def test_alerts_fire_when_they_should_and_are_silent_before_after_and_while_they_rest(run: Run, name: str) -> None:
    run("promtool", "test", "rules", f"deploy/prometheus/tests/{name}_test.yml")


@pytest.mark.parametrize("objective", [0.8, 0.9, 0.95])
def test_burn_rates_can_fire_at_every_objective(run: Run, tmp_path: Path, objective: float) -> None:
    """Just below what a burn rate asks for nobody is told, above it somebody is. At 80 % the usual 14.4 would ask for 288 % of breaches."""
    config = Config.model_validate({"alerts": {"sla": {"objective": objective, "objectives": {}}}})
    for name, text in rule_files(config).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    cases = []
    for name, _, window, _, rate in BURNS:
        share = burn_rate(rate, objective) * (1 - objective)
        for broken, firing in ((share * 0.97, False), (share * 1.03, True), (1.0, True)):
            cases.append(burning(name, window, broken, firing=firing))
    document = {"rule_files": ["series.yml", "alerts.yml"], "evaluation_interval": "1m", "group_eval_order": list(GROUPS), "tests": cases}
    (tmp_path / "burns.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    run("promtool", "test", "rules", tmp_path / "burns.yml")


def burning(name: str, window: str, broken: float, *, firing: bool) -> dict[str, Any]:
    """So great a share of a hundred clocks a minute breaks."""
    labels = 'job="j",clock="first_response",policy="p",priority="high",partition="0"'
    told = f'max(ALERTS{{alertname="{name}",window="{window}",alertstate="firing"}})'
    return {
        "interval": "1m",
        "input_series": [
            {"series": f"support_sla_clocks_measured_total{{{labels}}}", "values": "0+100x20"},
            {"series": f"support_sla_clocks_breached_total{{{labels}}}", "values": f"0+{100 * broken:.4f}x20"},
        ],
        "promql_expr_test": [{"expr": told, "eval_time": "15m", "exp_samples": [{"labels": "{}", "value": 1}] if firing else []}],
    }
