"""Rule files as Prometheus reads them: what they record, which alerts they have, and what has to be there for some of them.

PromQL is not understood here, only looked through for names: a name that is none costs nothing, and none is missed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from processor.alerting.durations import milliseconds
from processor.core.settings import MS
from processor.core.windows import WINDOWS
from processor.export.family import PREFIX

# What tells how the processor itself fares; a log of events does not say that.
NOT_IN_A_LOG = frozenset({"processor", "watchdog"})

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_RANGED = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{[^}]*\})?\s*\[")
_OF_WINDOW = re.compile(rf"\b{PREFIX}(?:window_|kpi_goal_)\w+(\{{[^}}]*\}})?")
_WINDOW = re.compile(r'\bwindow="(\w+)"')
# One worker serves each series once, and a counter's twin beside it: then this is another name of the same series.
_SAME_SERIES = re.compile(r"max without \(instance, pod\) \((\w+)\)(?:\s+or 0 \* max without \(instance, pod\) \(\w+\))?")


class RulesError(Exception):
    """The rule files cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording rule."""

    name: str
    expr: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def renamed(self) -> str:
        """The family of which this is another name where one worker serves it; "" where it is computed."""
        match = _SAME_SERIES.fullmatch(self.expr)
        return match[1] if match and not self.labels else ""


@dataclass(frozen=True, slots=True)
class Alerting:
    """An alerting rule. Durations in seconds."""

    name: str
    expr: str
    hold: float
    keep: float
    labels: Mapping[str, str]
    summary: str = ""

    @property
    def severity(self) -> str:
        """What it asks for: critical pages, warning is for the day, info for other rules."""
        return self.labels.get("severity", "none")


@dataclass(frozen=True, slots=True)
class Rules:
    """The alerts that a log can tell about, the names of those left out, and what is recorded, level by level.

    A level needs nothing but levels before it and series of workers. Only what the alerts need is there, directly or not.
    """

    alerts: tuple[Alerting, ...]
    left_out: tuple[str, ...]
    renamed: Mapping[str, str]  # recorded name -> family
    levels: tuple[tuple[Recording, ...], ...]
    names: frozenset[str]  # what alerts and levels refer to, among much else
    ranged: frozenset[str]  # those of whose samples within a range they read, not only the newest
    windows: frozenset[str]  # of the KPIs that they refer to


def read_rules(files: Mapping[str, str]) -> Rules:
    """The rules of these files; RulesError names what cannot be read."""
    recorded: dict[str, list[Recording]] = {}
    alerts: list[Alerting] = []
    for name, text in sorted(files.items()):
        for rule in _rules_of(name, text):
            if "record" in rule:
                recorded.setdefault(rule["record"], []).append(Recording(rule["record"], _expr(rule), _labels(rule)))
            else:
                alerts.append(_alert(rule))
    asked = [alert for alert in alerts if alert.labels.get("alert_kind") not in NOT_IN_A_LOG]
    left_out = dict.fromkeys(alert.name for alert in alerts if alert not in asked)
    if not asked:
        raise RulesError("the rules have no alert that a log could tell about: all are about the processor itself, or there are none")
    needed = _needed(asked, recorded)
    renamed = {name: rules[0].renamed for name, rules in needed.items() if len(rules) == 1 and rules[0].renamed}
    levels = tuple(_levels({name: rules for name, rules in needed.items() if name not in renamed}))
    exprs = [*(alert.expr for alert in asked), *(rule.expr for level in levels for rule in level)]
    names = frozenset(name for expr in exprs for name in names_in(expr))
    ranged = frozenset(name for expr in exprs for name in _RANGED.findall(expr))
    windows = frozenset(window for expr in exprs for window in _windows(expr))
    return Rules(tuple(asked), tuple(left_out), renamed, levels, names, ranged, windows)


def names_in(expr: str) -> set[str]:
    """Everything in an expression that may be the name of a series."""
    return set(_NAME.findall(expr))


def _windows(expr: str) -> Iterable[str]:
    """Of which windows the KPIs are that an expression names; where it does not say so, of all."""
    for matchers in _OF_WINDOW.findall(expr):
        chosen = _WINDOW.findall(matchers)
        yield from chosen or WINDOWS


def seconds_of(duration: str | float) -> float:
    """A duration as Prometheus writes it, such as 1h30m."""
    text = str(duration)
    try:
        return 0.0 if text == "0" else milliseconds(text) / MS
    except ValueError as error:
        raise RulesError(str(error)) from None


def _rules_of(name: str, text: str) -> Iterable[Mapping[str, Any]]:
    rules: list[Mapping[str, Any]] = []
    try:
        document = yaml.safe_load(text)
        rules = [rule for group in document["groups"] for rule in group["rules"]]
        complete = all("expr" in rule and ("record" in rule or "alert" in rule) for rule in rules)
    except (yaml.YAMLError, KeyError, TypeError):
        complete = False
    if not complete:
        raise RulesError(f"{name} is no file of rules; `promtool check rules {name}` says why")
    return rules


def _alert(rule: Mapping[str, Any]) -> Alerting:
    annotations = rule.get("annotations") or {}
    hold, keep = (seconds_of(rule.get(name, 0)) for name in ("for", "keep_firing_for"))
    return Alerting(rule["alert"], _expr(rule), hold, keep, _labels(rule), annotations.get("summary", ""))


def _expr(rule: Mapping[str, Any]) -> str:
    return str(rule["expr"]).strip()


def _labels(rule: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in (rule.get("labels") or {}).items()}


def _needed(alerts: Iterable[Alerting], recorded: Mapping[str, list[Recording]]) -> dict[str, list[Recording]]:
    """The recording rules that the alerts need, directly or not."""
    names: set[str] = set()
    remaining = [name for alert in alerts for name in names_in(alert.expr)]
    while remaining:
        name = remaining.pop()
        if name not in names:
            names.add(name)
            remaining += [inner for rule in recorded.get(name, ()) for inner in names_in(rule.expr)]
    return {name: rules for name, rules in recorded.items() if name in names}


def _levels(recorded: Mapping[str, list[Recording]]) -> Iterable[tuple[Recording, ...]]:
    """In an order in which nothing is needed before it is there; a rule that needs itself is in the last level with the others."""
    left = dict(recorded)
    while left:
        ready = [name for name, rules in left.items() if not _refers(rules, left.keys() - {name})]
        ready = ready or list(left)
        yield tuple(rule for name in ready for rule in left[name])
        for name in ready:
            del left[name]


def _refers(rules: Iterable[Recording], names: Collection[str]) -> bool:
    return any(not names_in(rule.expr).isdisjoint(names) for rule in rules)
