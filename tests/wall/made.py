"""Numbers made up for the wall: every tile has one, and each test changes what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from processor.boards.readings import Kpi as KpiReading
from processor.boards.readings import Series
from processor.boards.tables import BOARDS
from processor.client.kpis import Durations, Kpi, KpiKey, KpiWindow
from processor.client.records import instant
from processor.config import Config, loads
from processor.core.windows import WINDOWS
from processor.export.catalogue import BY_NAME
from processor.wall.numbers import ALWAYS, CONSUMED, FROM_WINDOWS, IDENTITY, REPLAYING, TIMER, Numbers, Sample

NOW = int(datetime(2026, 11, 18, 11, 4, 37, tzinfo=UTC).timestamp() * 1000)  # a Wednesday, 12:04:37 in Berlin
END = NOW - 37_000
PARTITIONS = 2
VALUES = {"ratio": 0.843, "seconds": 1234.0, "points": 41.0, "tickets": 318.0, "clocks": 12.0, "turns": 3.4}  # by unit

NONE: Mapping[str, Kpi] = {}

CONFIG = """
reporting_zone: Europe/Berlin
topics: {partitions: 2}
calendars:
  office: {zone: Europe/Berlin, hours: {mon: "08:00-18:00", wed: "08:00-18:00", thu: "08:00-18:00", fri: "08:00-16:00"}}
"""


def config(more: str = "") -> Config:
    """An office in Berlin, two partitions."""
    return loads((CONFIG + more).encode(), "made.yaml")


def kpi(value: float | None, n: int = 412, **more: Any) -> Kpi:
    """One value, with all its quantiles where it is a time."""
    return Kpi(value, n, None, None, **{"durations": None, **more})


def spread(value: float, n: int = 412) -> Kpi:
    """A time."""
    return kpi(value, n, durations=Durations(value, value, value, value, value, 1, ()))


def window(name: str, kpis: Mapping[str, Kpi], *, end: int = END, missing: tuple[int, ...] = ()) -> KpiWindow:
    """One window of the total."""
    at = instant(end)
    return KpiWindow(KpiKey((), (), name), at, at, end, 1, 0, complete=not missing, missing_partitions=missing, kpis=kpis)


def all_windows(end: int = END, missing: tuple[int, ...] = (), changed: Mapping[str, Kpi] = NONE, **more: Kpi) -> dict[str, KpiWindow]:
    """Every KPI that a tile reads; those of `changed`, and `more` of them, are other ones."""
    kpis: dict[str, Kpi] = {}
    given = {**changed, **more}
    for board in BOARDS:
        for tile in board.tiles:
            if isinstance(tile.reading, KpiReading):
                value = VALUES[tile.unit]
                kpis[tile.reading.name] = given.get(tile.reading.name) or (spread(value) if tile.unit == "seconds" else kpi(value))
    return {name: window(name, kpis, end=end, missing=missing) for name in WINDOWS}


def samples(**changed: float) -> dict[str, tuple[Sample, ...]]:
    """Every family that a tile reads, on each partition; `changed` by the name of the family."""
    read = [tile.reading for board in BOARDS for tile in board.tiles if isinstance(tile.reading, Series)]
    given = {TIMER: NOW / 1000 - 6, REPLAYING: 0.0, IDENTITY: 0.0, CONSUMED: 5000.0} | changed
    found: dict[str, list[Sample]] = {}
    for family, labels in [*((name, ()) for name in ALWAYS), *((each.family, each.labels) for each in read)]:
        if family in FROM_WINDOWS or (family in ALWAYS and family in found):
            continue
        value = given.get(family, (NOW / 1000 - 150 if "timestamp" in family else 1.0))
        found.setdefault(family, []).extend(Sample(dict(labels) | {"partition": str(number)}, value) for number in range(PARTITIONS))
    assert set(found) <= set(BY_NAME)
    return {family: tuple(each) for family, each in found.items()}


def numbers(**different: Any) -> Numbers:
    """All is well and fresh."""
    levels = {"backlog": 1642, "awaiting": 37, "contacts_waiting": 4, "agents_online": 11, "overdue": 3}
    both = frozenset(range(PARTITIONS))
    made = Numbers(PARTITIONS, all_windows(), levels, both, samples(), both, 2)
    return replace(made, **different)
