"""What the KPI stage hands to those who show it: values of one instant, of all partitions of events together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from processor.codec.partials import Place
from processor.core.rows import Row


class Ignored(StrEnum):
    """Why something that came to the KPI stage was left out."""

    OLD_EPOCH = "old_epoch"  # sent by an owner that has been replaced
    FUTURE = "future"  # its minute is ahead of the clock
    LATE = "late"  # its minute is before the one given out last
    FOREIGN = "foreign"  # of another number of partitions
    REPEATED = "repeated"  # there already, or older than what is there
    SUPERSEDED = "superseded"  # a minute that not all have reported, and now there is a later one
    SEGMENTS = "segments"  # a segment more than there may be
    UNDECODABLE = "undecodable"  # no partial at all


@dataclass(frozen=True, slots=True)
class Merged:
    """One segment over all partitions: net rows by window (absent = nothing), and the backlog at the end."""

    windows: dict[str, Row]
    backlog: int


@dataclass(frozen=True, slots=True)
class KpiView:
    """One partition of the KPI stage: the minute that it gave out last, and the levels as of now. Nothing in it changes once it is made."""

    kpi_partition: int
    end: int
    complete: bool
    segments: Mapping[Place, Merged]
    levels: Mapping[Place, Mapping[str, int]]
