"""Rules and dashboards say only what the catalogue knows, Prometheus's and Alertmanager's own tools agree, every alert has a way out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from processor.alerting import rule_files
from processor.config import Config
from processor.export.catalogue import BY_NAME
from tests.deploy.conftest import ROOT, Run, rules
from tests.deploy.dashboards import asked

TARGET_LABELS = {"job", "instance", "pod"}  # what Prometheus adds
NAME = re.compile(r"\b(?:support_[a-z0-9_]+|[a-z_]*:[a-z0-9_]+:[a-z0-9_]+)\b|\bsupport:[a-z0-9_:]+")
MATCHER = re.compile(r"\{([^}]*)\}")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


def expressions() -> Iterator[Any]:
    for rule in [*rules("record"), *rules("alert")]:
        yield pytest.param(rule["expr"], id=rule.get("record") or f"{rule['alert']}-{rule['labels']['severity']}")
    for each in asked():
        yield pytest.param(each.expression, id=each.id)


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
    """A partition that moves begins a new series in its new worker; a rate over the raw ones would lose its first value."""
    for rule in [*rules("record"), *rules("alert")]:
        assert not re.search(r"\b(?:rate|increase|delta|deriv|irate)\(\s*support_", rule["expr"])


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


def test_every_alert_has_a_test() -> None:
    tests = (ROOT / "deploy/prometheus/tests/alerts_test.yml").read_text(encoding="utf-8")
    for rule in rules("alert"):
        assert rule["alert"] in tests


def test_promtool_accepts_configuration_and_rules(run: Run) -> None:
    run("promtool", "check", "config", "--lint=all", "--lint-fatal", "deploy/prometheus/prometheus.yml")


def test_alerts_fire_above_their_thresholds_and_are_silent_below(run: Run) -> None:
    run("promtool", "test", "rules", "deploy/prometheus/tests/alerts_test.yml")
