"""What the KPI stage shows: gauges of all partitions together, each served by the one owner of its segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from processor.core.rows import Row

Place = tuple[tuple[str, ...], tuple[str, ...]]  # names and values of a segment's dimensions


@dataclass(frozen=True, slots=True)
class KpiView:
    """One partition of the KPI stage as of the last minute W that it gave out. Never changed once made.

    `windows` are the merged net rows of its segments by window; `levels` what every partition said last, added up.
    """

    kpi_partition: int
    end: int
    complete: bool
    windows: Mapping[Place, Mapping[str, Row]]
    backlog: Mapping[Place, int]
    levels: Mapping[Place, Mapping[str, int]]
