"""A real Prometheus, as `backtest` uses it, with recorded samples in it, or with what it scrapes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from processor.backtest import prometheus
from tests.deploy.conftest import path_of

Labels = tuple[str, ...]


class Prometheus(prometheus.Prometheus):
    """A server over the samples of `text`, its files in `directory`. A context manager; skips where the programs are missing."""

    def __init__(self, text: Path, directory: Path) -> None:
        super().__init__(directory, Path(path_of("prometheus")).parent)
        self.load(text)

    def range(self, query: str, names: Labels, first: int, last: int, step: int = 60) -> dict[Labels, dict[int, float]]:
        """The values of a query by those labels and by time, from `first` to `last` (seconds since 1970)."""
        found: dict[Labels, dict[int, float]] = {}
        for metric, values in self.series(query, first, last, step):
            of_one = found.setdefault(tuple(metric.get(name, "") for name in names), {})
            assert not of_one.keys() & {at for at, _ in values}, f"{names} do not tell the series of {query} apart"
            of_one.update((at, float(value)) for at, value in values)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """One series of an instant query."""

    labels: dict[str, str]
    value: float


class Scraping(prometheus.Prometheus):
    """A server with that configuration, which may name files of rules in `directory`."""

    def __init__(self, directory: Path, configuration: dict[str, Any]) -> None:
        super().__init__(directory, Path(path_of("prometheus")).parent, yaml.safe_dump(configuration))

    def instant(self, query: str, at: float | None = None) -> list[Answer]:
        """The series of a query, now or at that instant (seconds since 1970)."""
        found = self._ask("query", query, {} if at is None else {"time": f"{at:.3f}"})
        return [Answer(each["metric"], float(each["value"][1])) for each in found]
