"""What the engine gives back: conclusions, changed records, numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from processor.core.events import CONTACT, HANDED_RANKS, Event
from processor.core.facts import Fact
from processor.core.levels import Key
from processor.core.rows import CellKey, Row, Segment

RecordKey = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two events with one id, and the new one stays: `event` is the earlier one, which is rejected in its place."""

    event: Event


@dataclass(slots=True, init=False)
class Stated:
    """One fact as it leaves the engine: stated (sign 1) or retracted (-1), about whom, with its id and the event that caused it."""

    sign: int
    entity: str
    key: str
    number: int
    fact: Fact
    cause: str

    # Written out, since compiled code can then call it directly: there are two for each event.
    def __init__(self, sign: int, entity: str, key: str, number: int, fact: Fact, cause: str) -> None:
        self.sign = sign
        self.entity = entity
        self.key = key
        self.number = number
        self.fact = fact
        self.cause = cause


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
    postponed: int = 0  # entities with deadlines before timer time that wait for the rest of the log


@dataclass(slots=True, init=False, unsafe_hash=True)
class Rekeyed:
    """What one entity hands to another, which may live on another partition: an event of the timeline of `target`. A value: never changed.

    The head of the kind names the entity that the target is. `sign` -1 takes it back. `number` is its id, a hash of what it says and of who
    says it; `at` its instant in milliseconds. `known` is how far the log had come where that was said first: later than `at` where the
    event behind it came late, or took something back. Reports of before do not have it.
    """

    sign: int
    kind: str
    target: str
    number: int
    at: int
    data: tuple[Any, ...]
    known: int = field(default=0, compare=False)

    def __init__(self, sign: int, kind: str, target: str, number: int, at: int, data: tuple[Any, ...], known: int = 0) -> None:
        self.sign = sign
        self.kind = kind
        self.target = target
        self.number = number
        self.at = at
        self.data = data
        self.known = known

    @classmethod
    def of(cls, entity: str, key: str, number: int, fact: Fact, sign: int, known: int = 0) -> Rekeyed:
        """What an entity concludes for another one."""
        source = f"{CONTACT}:{key}" if entity == CONTACT and fact.kind == "person.contacted" else key  # a person knows tickets, too
        return cls(sign, fact.kind, fact.content[0], number, fact.at, (source, *fact.content[1:]), known or fact.at)

    def event(self) -> Event:
        """The event of the target's timeline. Among those of one instant and kind the ids of who hands it over decide."""
        return Event(self.at, HANDED_RANKS[self.kind], "", "", f"{self.data[0]}/{self.number:032x}", self.kind, self.target, self.data)


@dataclass(frozen=True, slots=True)
class Report:
    """What a partition reports of the windows that end at the full minute `end` (milliseconds).

    `windows` holds the net sums of each segment by the name of the window; what has nothing is left out. `backlog` is how many tickets of
    the segment were unsolved at `end`. Before `since` the partition had nothing at all: what ends there and was never reported is empty.
    """

    end: int
    windows: dict[Segment, dict[str, Row]]
    backlog: dict[Segment, int]
    since: int = 0


@dataclass(slots=True)
class Step:
    """What one step leaves behind.

    Facts to state, state records to write (None = delete), what goes to other entities, the reports that may be sent, and how far this
    partition has come, for every other one to hear (None = no news).
    """

    facts: list[Stated] = field(default_factory=list)
    records: dict[RecordKey, Any] = field(default_factory=dict)
    rekeyed: list[Rekeyed] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    heartbeat: tuple[int, ...] | None = None
