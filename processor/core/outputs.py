"""What the engine gives back: conclusions, changed records, numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from processor.core.events import Event
from processor.core.facts import Fact
from processor.core.levels import Key
from processor.core.rows import CellKey, Row

RecordKey = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two events with one id, and the new one stays: `event` is the earlier one, which is rejected in its place."""

    event: Event


@dataclass(slots=True)
class Stated:
    """One fact as it leaves the engine: stated (sign 1) or retracted (-1), about whom, with its id and the event that caused it."""

    sign: int
    entity: str
    key: str
    number: int
    fact: Fact
    cause: str


@dataclass(frozen=True, slots=True)
class View:
    """The numbers of one partition at one instant. Durations and instants in milliseconds; rows and cells as in `rows`."""

    partition: int
    stream_time: int
    timer_time: int
    digest: int
    ledger_count: int
    cells: dict[CellKey, Row]
    levels: dict[Key, int]
    windows: dict[str, dict[tuple[int, tuple[str, ...]], Row]]
    window_end: int
    counts: dict[str, int]
    open_tickets: int
    entities: int


@dataclass(slots=True)
class Step:
    """What one step leaves behind: facts to state, and state records to write (None = delete)."""

    facts: list[Stated] = field(default_factory=list)
    records: dict[RecordKey, Any] = field(default_factory=dict)
