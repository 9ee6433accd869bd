"""What happens, minute by minute, and which alerts it must raise: written for promtool, which runs them with Prometheus's own engine.

A story has series, and says when an alert is silent, when it fires (with all instances that do), and when it is over. Of alerts that rest,
each story happens three times at once: at work, while the calendar is closed, and while history is read. Only the first may be heard.
`python -m tests.deploy.stories` writes the files of deploy/prometheus/tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processor.alerting import Alert, alerts
from processor.alerting.about_kpis import PLACE
from processor.alerting.rules import annotations_of, dump
from processor.config import Config

JOB, CLOSED, READING = "ticket-kpis", "closed", "reading-history"
FOLDER = Path(__file__).parents[2] / "deploy/prometheus/tests"
SAMPLES = 800  # more than any story has
GROUPS = ("support-series", "support-net", "support-kpis", "support-processor")
_VALUE = re.compile(r"\{\{ \$value[^}]*\}\}")
_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fires:
    """One instance: its labels beyond those of the rule, and the value as the description writes it."""

    value: str = ""
    severity: str = ""  # or another static label, where several rules have the name
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """One alert, from before to after. Series without `job`: they get the one in which all is well otherwise."""

    alert: str
    name: str
    series: Mapping[str, str]
    silent: tuple[str, ...]
    fires: Mapping[str, tuple[Fires, ...]] = field(default_factory=dict)
    resolved: str = ""


def document(stories: Iterable[Story], interval: str, evaluated: str, config: Config) -> dict[str, Any]:
    """A test file of promtool: a sample each `interval`, the rules evaluated each `evaluated`."""
    return {
        "rule_files": ["../rules/series.yml", "../rules/alerts.yml"],
        "evaluation_interval": evaluated,
        "group_eval_order": list(GROUPS),
        "tests": [_test(story, interval, config) for story in stories],
    }


def _test(story: Story, interval: str, config: Config) -> dict[str, Any]:
    gated = any(alert.gated for alert in alerts(config) if alert.name == story.alert)
    jobs = (JOB, CLOSED, READING) if gated else (JOB,)
    inputs = [_series(name, values, job) for job in jobs for name, values in story.series.items()]
    if gated:
        inputs += [_series("support_calendar_open{}", f"{int(job != CLOSED)}x{SAMPLES}", job) for job in jobs]
        inputs += [_series("support_processor_replaying{}", f"{int(job == READING)}x{SAMPLES}", job) for job in jobs]
    silent = [*story.silent, *([story.resolved] if story.resolved else [])]
    cases: list[dict[str, Any]] = [{"eval_time": at, "alertname": story.alert} for at in silent]
    for at, instances in story.fires.items():
        expected = [_expected(story.alert, each, config) for each in instances]
        cases.append({"eval_time": at, "alertname": story.alert, "exp_alerts": expected})
    return {"name": f"{story.alert}: {story.name}", "interval": interval, "input_series": inputs, "alert_rule_test": cases}


def _quiet(name: str, series: Mapping[str, str], config: Config) -> dict[str, Any]:
    """What must not raise any alert about KPIs."""
    names = dict.fromkeys(alert.name for alert in alerts(config) if alert.gated)
    return {
        "name": name,
        "interval": "1m",
        "input_series": [_series(each, values, JOB) for each, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": each} for each in names for at in ("1m", "40m")],
    }


def _series(name: str, values: str, job: str) -> dict[str, str]:
    """With its job, and what a worker's series have beside."""
    family, _, labels = name.removesuffix("}").partition("{")
    given = [f'job="{job}"', *(['instance="a"'] if "instance" not in labels else []), *([labels] if labels else [])]
    return {"series": f"{family}{{{','.join(given)}}}", "values": values}


def _expected(name: str, fires: Fires, config: Config) -> dict[str, Any]:
    alert = _rule(name, fires, config)
    static = {"severity": alert.severity, "alert_kind": alert.kind, "alert_family": alert.family}
    labels = {"job": JOB, **static, **alert.labels, **fires.labels}
    told = annotations_of(alert, config)
    return {"exp_labels": labels, "exp_annotations": {key: _filled(text, labels, fires.value) for key, text in told.items()}}


def _rule(name: str, fires: Fires, config: Config) -> Alert:
    """The one rule of the name that this instance can come from."""
    found = [alert for alert in alerts(config) if alert.name == name and fires.severity in ("", alert.severity)]
    found = [alert for alert in found if all(fires.labels.get(key, value) == value for key, value in alert.labels.items())] or found
    if len(found) > 1:  # told apart by what their families end with: arrivals_group, arrivals_topic
        found = [alert for alert in found if alert.family.rpartition("_")[2] in fires.labels]
    (alert,) = found
    return alert


def _filled(text: str, labels: Labels, value: str) -> str:
    """An annotation as Prometheus fills it in."""
    text = text.replace(PLACE, f'group "{labels["group"]}"' if labels.get("group") else "all groups")
    return _LABEL.sub(lambda found: labels.get(found[1], ""), _VALUE.sub(lambda _: value, text))


def files(config: Config) -> Iterator[tuple[str, str]]:
    """Name and text of each file of tests."""
    from tests.deploy.stories_of_kpis import QUIET
    from tests.deploy.stories_of_kpis import STORIES as OF_KPIS
    from tests.deploy.stories_of_processor import STORIES as OF_PROCESSOR
    from tests.deploy.stories_of_quality import STORIES as OF_QUALITY
    from tests.deploy.stories_of_weeks import STORIES as OF_WEEKS

    head = "# Written by `python -m tests.deploy.stories`; promtool test rules runs it. The stories are in tests/deploy/stories_of_*.py.\n"
    for name, stories, interval, evaluated in (
        ("kpis_test.yml", OF_KPIS, "1m", "1m"), ("quality_test.yml", OF_QUALITY, "5m", "5m"),
        ("processor_test.yml", OF_PROCESSOR, "1m", "1m"), ("weeks_test.yml", OF_WEEKS, "15m", "30m"),
    ):  # fmt: skip
        made = document(stories, interval, evaluated, config)
        made["tests"] += [_quiet(title, series, config) for title, series in QUIET.items()] if stories is OF_KPIS else []
        yield name, head + dump(made)


if __name__ == "__main__":
    for file_name, content in files(Config()):
        (FOLDER / file_name).write_text(content, encoding="utf-8")
