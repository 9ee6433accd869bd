"""What a round must have come to: the log as it stands in the topic, folded without Kafka; and the KPIs at its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from processor.codec.times import format_time
from processor.compile import compile_settings
from processor.config import Config
from processor.export.collector import Exporter
from processor.export.kpi_gauges import LEVEL, MIN_OBSERVATIONS, OBSERVATIONS
from processor.replay.kpis import ReplayedKpis
from tests.kafka.offline import Expected, expected

GAUGES = ("support_window_", "support_kpi_")
Kpis = dict[tuple[str, str], dict[str, Any]]  # (key, W) -> what is said of them


@dataclass(frozen=True, slots=True)
class Truth:
    """`last` are the KPIs of the last W, `end` which that is."""

    fold: Expected
    last: Kpis
    end: str
    gauges: dict[str, float]
    counted: dict[str, float]


def truth_of(config: Config, records: list[Any], report_minutes: int, end_ms: int) -> Truth:
    """From the records of the events topic."""
    settings = compile_settings(config)
    fold = expected(config, records, report_every_minutes=report_minutes)
    kpis: Kpis = {}

    def put(key: bytes, value: bytes | None) -> None:
        if value is not None:
            kpis.update([said(key, value)])

    stage = ReplayedKpis(config, settings, lambda: config.topics.partitions, put)
    for (number, _), report in sorted(fold.reports.items(), key=lambda item: (item[0][1], item[0][0])):
        stage.report(number, report)
    for engine in fold.engines:
        stage.take_levels(engine.partition, engine)
    text = Exporter(config).render(fold.views, None, stage.views()).decode()
    end = format_time(end_ms)
    last = {name: told for name, told in kpis.items() if name[1] == end}
    return Truth(fold, last, end, gauges_of(text), net_counts(text))


def said(key: bytes, value: bytes) -> tuple[tuple[str, str], dict[str, Any]]:
    """What a record of the topic of KPIs says, without how it came about."""
    document = orjson.loads(value)
    told = {name: each for name, each in document["data"].items() if name not in ("epoch", "sequence")}
    return (key.decode(), document["time"]), told


def samples(text: str) -> dict[str, float]:
    """The samples of an exposition."""
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def gauges_of(text: str) -> dict[str, float]:
    """Those of the KPI stage, without what every worker serves as it is configured, and without segments that have nothing any more."""
    return {
        name: value
        for name, value in samples(text).items()
        if name.startswith(GAUGES)
        and 'partition="' not in name.replace("kpi_partition", "")
        and not name.startswith(MIN_OBSERVATIONS)
        and (value or not name.startswith((LEVEL, OBSERVATIONS)))
    }


def net_counts(text: str) -> dict[str, float]:
    """What the ticket stage serves of tickets and contacts, each less what was retracted of it; zeros are left out."""
    found: dict[str, float] = {}
    for name, value in samples(text).items():
        if 'partition="' not in name.replace("kpi_partition", "") or name.startswith("support_processor_"):
            continue
        family, brace, labels = name.partition("{")
        net = family.replace("_retracted", "")
        found[f"{net}{brace}{labels}"] = found.get(f"{net}{brace}{labels}", 0.0) + (value if net == family else -value)
    return {name: rounded for name, value in found.items() if (rounded := round(value, 3))}
