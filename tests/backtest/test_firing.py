"""The states of alerts between evaluations, held against those of Prometheus: the same presences in `promtool test rules`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random
from typing import Any

import yaml

from processor.backtest.firing import STEP_SECONDS, Episode, LabelPairs, episodes
from processor.backtest.rules import Alerting, Rules, read_rules
from tests.deploy.conftest import path_of

MINUTES = 90
CASES = 6
DURATIONS = (("0s", "0s"), ("3m", "0s"), ("0s", "4m"), ("2m", "5m"), ("90s", "1m"), ("5m", "30s"))


def presences(seed: int) -> list[bool]:
    """Stretches of some minutes in which a series is there or is not."""
    random, found = Random(seed), list[bool]()
    while len(found) < MINUTES + 1:
        found += [bool(len(found) % 2 or random.random() < 0.5)] * random.choice((1, 1, 2, 3, 5, 8))
    return found[: MINUTES + 1]


def rule_text() -> str:
    rules = [
        {"alert": f"A{number}", "expr": "x == 1", "for": hold, "keep_firing_for": keep, "labels": {"severity": "warning"}}
        for number, (hold, keep) in enumerate(DURATIONS)
    ]
    return yaml.safe_dump({"groups": [{"name": "g", "interval": "1m", "rules": rules}]})


def read() -> Rules:
    return read_rules({"rules.yml": rule_text()})


def held() -> dict[LabelPairs, list[int]]:
    return {
        (("__name__", "x"), ("case", str(case))): [minute * STEP_SECONDS for minute, there in enumerate(presences(case)) if there]
        for case in range(CASES)
    }


def firing_at(found: list[Episode], at: int) -> list[dict[str, Any]]:
    shown = [episode for episode in found if episode.fired <= at and (episode.ended is None or at < episode.ended)]
    return [{"exp_labels": {name: value for name, value in episode.labels if name != "alertname"}} for episode in shown]


def test_an_alert_fires_exactly_when_prometheus_says_so(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rule_text())
    expected = {alert.name: episodes(alert, held(), MINUTES * STEP_SECONDS) for alert in read().alerts}
    assert all(expected.values())
    series = [
        {"series": f'x{{case="{case}"}}', "values": " ".join("1" if there else "0" for there in presences(case))} for case in range(CASES)
    ]
    tests = [
        {"eval_time": f"{minute}m", "alertname": name, "exp_alerts": firing_at(found, minute * STEP_SECONDS)}
        for minute in range(MINUTES + 1)
        for name, found in expected.items()
    ]
    document = {
        "rule_files": ["rules.yml"], "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": tests}],
    }  # fmt: skip
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document))
    checked = subprocess.run((path_of("promtool"), "test", "rules", tmp_path / "test.yml"), capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_series_that_the_labels_of_a_rule_make_one_are_one_alert() -> None:
    alert = Alerting("A", "x", 0, 0, {"case": "all"})
    (episode,) = episodes(alert, {(("case", "1"),): [0, 60], (("case", "2"),): [120]}, 180)
    assert (episode.fired, episode.ended, dict(episode.labels)) == (0, 180, {"alertname": "A", "case": "all"})


def test_what_still_fires_at_the_end_of_the_log_has_no_end() -> None:
    (episode,) = episodes(Alerting("A", "x", 60, 0, {}), {(): [0, 60, 120]}, 120)
    assert (episode.active, episode.fired, episode.ended, episode.until(120)) == (0, 60, None, 120)
