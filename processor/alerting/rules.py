"""The rule files for Prometheus, written from the tables of alerts and recordings.

`time_scale` makes every range, `for`, `keep_firing_for` and group interval so many times shorter: for who wants to see in a minute
what otherwise takes an hour. Thresholds stay: an alert that asks for ten tickets within 30 minutes then asks for ten within half a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from processor.alerting.about_kpis import arrivals, backlog, contacts, waits
from processor.alerting.about_processor import processor
from processor.alerting.about_promises import promises
from processor.alerting.about_quality import quality
from processor.alerting.alert import Alert
from processor.alerting.durations import duration_text, scaled_expression
from processor.alerting.series import Recording, lowest, recordings
from processor.boards import working
from processor.config import Config

SERIES, ALERTS = "series.yml", "alerts.yml"
HEAD = "# Written by `ticket-kpis rules`{options} from the section `alerts` of the configuration; a test fails where it is behind.\n"
_ABOUT = {
    SERIES: "# Series that alerts and dashboards read; never the raw ones, whose owners change.\n",
    ALERTS: "# What each means and what to do: deploy/runbook.md. severity: critical wakes somebody, warning is for the day, info\n"
            "# for other rules. alert_kind: kpi rests while the data are old.\n",
}  # fmt: skip
INTERVAL_SECONDS = 15  # at least one, however short everything else becomes


def alerts(config: Config) -> tuple[Alert, ...]:
    """Every alert, in the order of the runbook."""
    return (*backlog(config), *arrivals(config), *promises(config), *waits(config), *contacts(config), *quality(config), *processor(config))


def rule_files(config: Config, *, time_scale: float = 1.0) -> dict[str, str]:
    """File name -> text."""
    told, above = alerts(config), recordings(config)
    below = lowest([*(alert.expr for alert in told), *(each.expr for each in above), *working.expressions()])
    series = [_group("support-series", _records(below), time_scale), _group("support-net", _records(above), time_scale)]
    of_kpis = [_rule(alert, config, time_scale) for alert in told if alert.kind == "kpi"]
    of_processor = [_rule(alert, config, time_scale) for alert in told if alert.kind != "kpi"]
    shown = [_group("support-kpis", of_kpis, time_scale), _group("support-processor", of_processor, time_scale)]
    return {SERIES: _text(SERIES, series, time_scale), ALERTS: _text(ALERTS, shown, time_scale)}


def _group(name: str, rules: list[dict[str, Any]], time_scale: float) -> dict[str, Any]:
    for rule in rules:
        rule["expr"] = scaled_expression(rule["expr"], time_scale)
    return {"name": name, "interval": _seconds(INTERVAL_SECONDS, min(time_scale, INTERVAL_SECONDS)), "rules": rules}


def _records(found: Iterable[Recording]) -> list[dict[str, Any]]:
    return [{"record": each.record, "expr": each.expr} for each in found]


def _rule(alert: Alert, config: Config, time_scale: float) -> dict[str, Any]:
    rule: dict[str, Any] = {"alert": alert.name, "expr": alert.expr}
    if alert.for_seconds:
        rule["for"] = _seconds(alert.for_seconds, time_scale)
    if alert.keep_firing_seconds:
        rule["keep_firing_for"] = _seconds(alert.keep_firing_seconds, time_scale)
    rule["labels"] = {"severity": alert.severity, "alert_kind": alert.kind, "alert_family": alert.family, **alert.labels}
    rule["annotations"] = annotations_of(alert, config)
    return rule


def annotations_of(alert: Alert, config: Config) -> dict[str, str]:
    """What goes with the alert. Templates see the labels of the expression, not those of the rule."""
    return {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": f"{config.alerts.runbook_url}#{alert.name.lower()}",
        "dashboard_url": f"{config.alerts.dashboard_url}/{alert.board}?var-job={alert.labels.get('job', '{{ $labels.job }}')}",
    }


def _seconds(seconds: int, time_scale: float) -> str:
    return duration_text(max(round(seconds * 1000 / time_scale), 1))


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines as blocks, everything else as it comes."""


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _string)


def _text(name: str, groups: list[dict[str, Any]], time_scale: float) -> str:
    options = "" if time_scale == 1 else f" --time-scale {time_scale:g}"
    return HEAD.format(options=options) + _ABOUT[name] + dump({"groups": groups})


def dump(document: Any) -> str:
    """YAML as people read it."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=140, allow_unicode=True)


def names(config: Config) -> Iterator[str]:
    """The names of all alerts, each once."""
    yield from dict.fromkeys(alert.name for alert in alerts(config))
