"""The committed dashboards as data: their panels, and their expressions as Grafana would send them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deploy.conftest import ROOT

FOLDER = ROOT / "deploy/grafana/dashboards"
PATHS = sorted(FOLDER.rglob("*.json"))
# What Grafana puts in for everything that can be chosen; a rate over a few scrapes.
CHOSEN = {"job": ".+", "group": ".*", "channel": ".*", "priority": ".*", "instance": ".*", "window": "24h"}
RATE_INTERVAL, RANGE = "1m", "24h"


@dataclass(frozen=True, slots=True)
class Asked:
    """One expression of a panel, variables filled in."""

    dashboard: str  # wall/queue-now
    panel: str
    letter: str
    expression: str

    @property
    def id(self) -> str:
        return f"{self.dashboard}-{self.panel}-{self.letter}"


def document(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def panels(path: Path) -> list[dict[str, Any]]:
    """Those with a number or a chart: rows and texts ask for nothing."""
    return [panel for panel in document(path)["panels"] if panel["type"] not in ("row", "text")]


def name_of(path: Path) -> str:
    return str(path.relative_to(FOLDER).with_suffix(""))


def filled(expression: str, *, rate_interval: str = RATE_INTERVAL, window: str = CHOSEN["window"]) -> str:
    """With the values of variables."""
    expression = expression.replace("$__rate_interval", rate_interval).replace("$__range", RANGE)
    for name, value in {**CHOSEN, "window": window}.items():
        expression = expression.replace(f"${name}", value)
    assert "$" not in expression, expression
    return expression


def choices() -> Iterator[tuple[str, str]]:
    """Of every variable that Prometheus fills: the series and the label whose values it offers."""
    for path in PATHS:
        for variable in document(path)["templating"]["list"]:
            if variable["type"] == "query":
                series, _, label = filled(variable["query"]["query"]).removeprefix("label_values(").removesuffix(")").rpartition(", ")
                yield series, label


def asked(**chosen: str) -> Iterator[Asked]:
    """Every expression of every dashboard."""
    for path in PATHS:
        for panel in panels(path):
            for target in panel["targets"]:
                yield Asked(name_of(path), panel["title"], target["refId"], filled(target["expr"], **chosen))
