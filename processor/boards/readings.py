"""Where the number of a tile comes from. Nothing here says how it is asked for: the dashboards ask Prometheus, the wall asks the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# A time of the past as seconds since then, one of the future as seconds until then, a difference without its sign; else as it is.
Form = Literal["", "since", "until", "size"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI of `schemas/kpis.md`, of the total, over a window. `stat` of durations and numbers: mean, p50, p75, p90, p95, max."""

    name: str
    window: str
    stat: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """How many there are now, of the total: a value of the label `level` of `support_kpi_level`, and a level in the topic of KPIs."""

    name: str


@dataclass(frozen=True, slots=True)
class Series:
    """A gauge of the catalogue, its partitions and labels taken together as its family says (`sum`, `min`, `max`), or as `merge` says.

    `labels` choose among its series.
    """

    family: str
    labels: tuple[tuple[str, str], ...] = ()
    merge: Literal["", "sum", "min", "max"] = ""
    form: Form = ""


Reading = Kpi | Level | Series
