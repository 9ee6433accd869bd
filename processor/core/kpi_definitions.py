"""What a KPI is: its kind, its definition in one sentence, what it is made of, and where it can be told apart."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from processor.core import kpi_readings as read
from processor.core.dimensions import ENTITY_DIMENSIONS, PER_AGENT
from processor.core.events import PERSON
from processor.core.kpi_counts import COUNTED
from processor.core.kpi_readings import Reading

NO_DIMENSION: frozenset[str] = frozenset()


class Kind(StrEnum):
    """What a value is, which decides what stands beside it."""

    COUNT = "count"  # observations in the window
    NET = "net"  # a difference of counts; may be below 0
    RATIO = "ratio"  # numerator / denominator, both counts, with a confidence interval
    RATE = "rate"  # numerator / denominator, one of them hours, money or the like
    BALANCE = "balance"  # 100 x (those for it - those against it) / all: from -100 to 100
    DURATION = "duration"  # the mean in seconds, with quantiles and the histogram
    NUMBER = "number"  # the mean of whole numbers, with quantiles and how often each occurred
    LEVEL = "level"  # how many there are at the end of the window


PLAIN = frozenset({Kind.COUNT, Kind.NET, Kind.LEVEL})  # numbers that mean something however few were observed


@dataclass(frozen=True, slots=True)
class Definition:
    """One KPI. `entity` is what it is about. It exists where a segment's dimensions are among `dimensions`.

    `keys` are the families of a row that it is read from, and `facts` what adds to them. `gauged`: whether it has a gauge, too.
    """

    name: str
    kind: Kind
    unit: str
    entity: str
    text: str
    clock: str = ""
    group: str = ""
    facts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    dimensions: frozenset[str] = NO_DIMENSION
    gauged: bool = True

    def applies_to(self, names: Collection[str]) -> bool:
        """Whether a segment by these dimensions can have it."""
        return self.dimensions.issuperset(names)

    @property
    def rule(self) -> str:
        """The id of this definition, for those who cite it."""
        return f"KPI-{self.name.upper().replace('_', '-')}"


Row = tuple[Definition, Reading]
_DIMENSIONS = {**ENTITY_DIMENSIONS, PERSON: NO_DIMENSION}
# Facts of these kinds carry their agent, so what follows from them alone can be told apart by agent.
_AGENTS_FACTS = frozenset(
    {"ticket.completed", "ticket.replied", "ticket.first_responded", "contact.answered", "contact.handled", "contact.agent_offered",
     "contact.agent_missed", "agent.time", "survey.answered"}
)  # fmt: skip


def facts_of(keys: Collection[str]) -> tuple[str, ...]:
    """What adds to these families of counts."""
    return tuple(dict.fromkeys(COUNTED[key].fact for key in keys if key in COUNTED))


def row_of(
    name: str, kind: Kind, unit: str, group: str, entity: str, text: str, keys: tuple[str, ...], reading: Reading, *,
    facts: tuple[str, ...] = (), clock: str = "", dimensions: frozenset[str] | None = None, gauged: bool = True,
) -> Row:  # fmt: skip
    """A KPI and how it is read. Its facts are those of the families of counts, and `facts`."""
    facts = (*facts_of(keys), *facts)
    allowed = _DIMENSIONS[entity] if dimensions is None else dimensions
    if facts and dimensions is None and _AGENTS_FACTS.issuperset(facts):
        allowed |= {PER_AGENT}
    return Definition(name, kind, unit, entity, text, clock, group, facts, keys, allowed, gauged), reading


def ratio_of(
    name: str, group: str, text: str, part: str, whole: str, *more: str, over: read.Division | None = None, gauged: bool = True
) -> Row:
    """A share of two families, or of what `over` says. `more` are other families that it is read from."""
    reading = read.ratio(over) if over is not None else read.share(part, whole)
    return row_of(name, Kind.RATIO, "ratio", group, COUNTED[whole].entity, text, (part, whole, *more), reading, gauged=gauged)


def duration_of(name: str, group: str, entity: str, fact: str, text: str) -> Row:
    """The durations of the histogram of that name."""
    return row_of(name, Kind.DURATION, "seconds", group, entity, text, (name,), read.duration(name), facts=(fact,))


def key_over(key: str, whole: str) -> read.Division:
    """One value of a family / another family."""
    return lambda window: (window.row.get(key, 0), window[whole])
