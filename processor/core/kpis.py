"""The KPIs: which there are, what each means, and how it follows from a net row. The only place where their names are made.

A row is what `postings` adds up: of a segment, over a window, of all partitions. Nothing observed means no value, never a division by 0.
The same names stand in the topic of KPIs, in the gauges, in the targets of the configuration and in the schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from processor.core.events import CONTACT, TICKET
from processor.core.histogram import EDGES_SECONDS
from processor.core.postings import HISTOGRAMS
from processor.core.rows import CONTACT_DIMENSIONS, TICKET_DIMENSIONS, Row
from processor.core.settings import CLOCKS, QUEUE_WAIT

NO_EDGE = float("inf")  # the upper edge of what lies above the ladder
QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95}
STATS = ("mean", *QUANTILES, "max")

ENTERED, LEFT = "backlog_entered", "backlog_left"
COUNTED = {
    "tickets_created": (TICKET, "Tickets created."),
    "tickets_adopted": (TICKET, "Tickets first seen by another event than their creation."),
    "tickets_solved": (TICKET, "Changes from an unsolved into a solved or closed status."),
    "tickets_reopened": (TICKET, "Changes from a solved or closed into an unsolved status within the reopen horizon."),
    "tickets_merged": (TICKET, "Tickets merged into another one."),
    "tickets_discarded": (TICKET, "Tickets marked as spam or deleted."),
    "tickets_restored": (TICKET, "Tickets taken back from spam, deletion or a merge."),
    ENTERED: (TICKET, "Tickets that came into the backlog of the segment, moves included."),
    LEFT: (TICKET, "Tickets that left the backlog of the segment, moves included."),
    "contacts_offered": (CONTACT, "Calls and chats that entered a queue or were accepted directly, once each."),
    "contacts_answered": (CONTACT, "Contacts accepted by an agent, once each."),
    "contacts_answered_in_target": (CONTACT, "Contacts whose wait, through all queues, kept the queue_wait target."),
    "contacts_abandoned": (CONTACT, "Contacts that left while waiting, longer than the short-abandonment threshold."),
    "contacts_short_abandoned": (CONTACT, "Contacts that left while waiting, within the short-abandonment threshold."),
}
# The key of a row -> what became of the clocks, and in words.
CLOCK_COUNTED = {
    "sla_started": ("started", "clocks that started with a target"),
    "sla_measured": ("measured", "clocks that were decided: fulfilled in time or breached, once each"),
    "sla_breached": ("breached", "clocks that passed their target, counted at the deadline"),
    "sla_induced": ("breach_induced", "breaches that a change of priority or policy made"),
    "sla_cancelled": ("cancelled", "clocks that ended without fulfilment"),
}
TIMED = {
    "first_response": (TICKET, "From creation to the first public reply of a human agent."),
    "first_response_business": (TICKET, "From creation to the first public reply of a human agent, in business time."),
    "first_resolution": (TICKET, "From creation to the first solution."),
    "full_resolution": (TICKET, "From creation to the last solution, counted when the ticket became final."),
    "speed_of_answer": (CONTACT, "From the offer to the acceptance of answered contacts."),
    "time_to_abandon": (CONTACT, "From the offer to the leaving of abandoned contacts, short abandonments left out."),
}
BACKLOG = "backlog_tickets"
NET_FLOW = "backlog_net_flow"
COMPLIANCE = "sla_compliance"


class Kind(StrEnum):
    """What a value is, which decides what stands beside it."""

    COUNT = "count"  # observations in the window
    NET = "net"  # a difference of counts; may be below 0
    RATIO = "ratio"  # numerator / denominator, both counts
    DURATION = "duration"  # the mean in seconds, with quantiles and the histogram
    LEVEL = "level"  # how many there are at the end of the window


@dataclass(frozen=True, slots=True)
class Definition:
    """One KPI. `entity` is what it is about: it exists where a segment's dimensions are those of the entity."""

    name: str
    kind: Kind
    unit: str
    entity: str
    text: str
    clock: str = ""

    def applies_to(self, names: Collection[str]) -> bool:
        """Whether a segment by these dimensions can have it."""
        return (TICKET_DIMENSIONS if self.entity == TICKET else CONTACT_DIMENSIONS).issuperset(names)


@dataclass(frozen=True, slots=True)
class Timed:
    """The durations of a row: counts per bucket of the ladder, and their sum."""

    counts: tuple[int, ...]
    sum_seconds: float

    @property
    def quantiles(self) -> dict[str, float]:
        """By their names; only where there is an observation."""
        return {name: quantile(share, self.counts) for name, share in QUANTILES.items()}

    @property
    def max(self) -> float:
        """The upper edge of the highest bucket that is not empty: the longest one took at most so long."""
        highest = max(index for index, count in enumerate(self.counts) if count > 0)
        return EDGES_SECONDS[highest] if highest < len(EDGES_SECONDS) else NO_EDGE


@dataclass(frozen=True, slots=True)
class Measure:
    """A KPI's value and what it rests on. `value` is None where `n` is 0; numerator and denominator are None where there is no division."""

    value: float | None
    n: int
    numerator: float | None = None
    denominator: int | None = None
    timed: Timed | None = None

    def stats(self) -> dict[str, float]:
        """Of durations: what STATS names; empty where there is nothing."""
        if self.timed is None or self.value is None:
            return {}
        return {"mean": self.value, **self.timed.quantiles, "max": self.timed.max}


def quantile(share: float, counts: Sequence[int]) -> float:
    """What Prometheus' histogram_quantile gives for these buckets: linear inside a bucket, and the last edge for what is above it.

    `counts` are per bucket of the ladder, not cumulative, and not all 0.
    """
    cumulative = list(accumulate(counts))
    rank = share * cumulative[-1]
    index = next(index for index, count in enumerate(cumulative) if count >= rank)
    if index == len(EDGES_SECONDS):
        return float(EDGES_SECONDS[-1])
    start = EDGES_SECONDS[index - 1] if index else 0
    below = cumulative[index - 1] if index else 0
    return start + (EDGES_SECONDS[index] - start) * ((rank - below) / counts[index])


# -- how each follows from a row; `sums` are the counts of the row by the key before the colon, clocks with it -----------------------------

Sums = dict[str, int]
Reading = Callable[[Row, Sums, int], Measure]


def _sums(row: Row) -> Sums:
    sums: Sums = {}
    for key, amount in row.items():
        head = key.partition(":")[0]
        if head not in HISTOGRAMS:
            name = key if head in CLOCK_COUNTED else head
            sums[name] = sums.get(name, 0) + amount
    return sums


def _count(key: str) -> Reading:
    def read(_row: Row, sums: Sums, _backlog: int) -> Measure:
        count = sums.get(key, 0)
        return Measure(count, max(count, 0))

    return read


def _ratio(over: Callable[[Sums], tuple[int, int]]) -> Reading:
    def read(_row: Row, sums: Sums, _backlog: int) -> Measure:
        numerator, denominator = over(sums)
        # Both sides are counted at instants of their own, so in a short window the lower one can miss what the upper one has.
        denominator = max(denominator, 0)
        return Measure(numerator / denominator if denominator else None, denominator, numerator, denominator)

    return read


def _duration(name: str) -> Reading:
    keys = HISTOGRAMS[name]

    def read(row: Row, _sums: Sums, _backlog: int) -> Measure:
        counts = tuple(max(count, 0) for count in keys.counts(row))
        n, seconds = sum(counts), row.get(keys.sum, 0) / 1000
        return Measure(seconds / n if n else None, n, seconds, n, Timed(counts, seconds))

    return read


def _net_flow(_row: Row, sums: Sums, _backlog: int) -> Measure:
    entered, left = sums.get(ENTERED, 0), sums.get(LEFT, 0)
    return Measure(entered - left, max(entered + left, 0))


def _level(_row: Row, _sums: Sums, backlog: int) -> Measure:
    return Measure(backlog, max(backlog, 0))


def _compliance(clock: str) -> Callable[[Sums], tuple[int, int]]:
    measured, breached = f"sla_measured:{clock}", f"sla_breached:{clock}"
    return lambda sums: (sums.get(measured, 0) - sums.get(breached, 0), sums.get(measured, 0))


def _abandonment(sums: Sums) -> tuple[int, int]:
    return sums.get("contacts_abandoned", 0), sums.get("contacts_offered", 0) - sums.get("contacts_short_abandoned", 0)


def _service_level(sums: Sums) -> tuple[int, int]:
    return sums.get("contacts_answered_in_target", 0), sums.get("contacts_answered", 0) + sums.get("contacts_abandoned", 0)


def _reopen(sums: Sums) -> tuple[int, int]:
    return sums.get("tickets_reopened", 0), sums.get("tickets_solved", 0)


_RATIOS = {
    "abandonment": (CONTACT, _abandonment, "Abandoned / offered contacts, short abandonments in neither."),
    "service_level": (CONTACT, _service_level, "Contacts answered in target / (answered + abandoned), short abandonments left out."),
    "reopen": (TICKET, _reopen, "Reopened / solved tickets, each counted when it happened."),
}  # fmt: skip


def _definitions() -> Iterator[tuple[Definition, Reading]]:
    for name, (entity, text) in COUNTED.items():
        yield Definition(name, Kind.COUNT, f"{entity}s", entity, text), _count(name)
    for clock in CLOCKS:
        entity = CONTACT if clock == QUEUE_WAIT else TICKET
        for key, (verb, text) in CLOCK_COUNTED.items():
            yield Definition(f"{clock}_clocks_{verb}", Kind.COUNT, "clocks", entity, f"{clock} {text}.", clock), _count(f"{key}:{clock}")
    text = "What entered minus what left the backlog of the segment."
    yield Definition(NET_FLOW, Kind.NET, "tickets", TICKET, text), _net_flow
    yield Definition(BACKLOG, Kind.LEVEL, "tickets", TICKET, "Unsolved tickets at the end of the minute."), _level
    for clock in CLOCKS:
        entity = CONTACT if clock == QUEUE_WAIT else TICKET
        text = f"{clock} clocks that kept their target / those that were decided."
        yield Definition(f"{clock}_{COMPLIANCE}", Kind.RATIO, "ratio", entity, text, clock), _ratio(_compliance(clock))
    for name, (entity, over, text) in _RATIOS.items():
        yield Definition(name, Kind.RATIO, "ratio", entity, text), _ratio(over)
    for name, (entity, text) in TIMED.items():
        yield Definition(name, Kind.DURATION, "seconds", entity, text), _duration(name)


_TABLE = tuple(_definitions())
DEFINITIONS: dict[str, Definition] = {definition.name: definition for definition, _ in _TABLE}


def measures(names: Collection[str], row: Row, backlog: int) -> dict[str, Measure]:
    """Every KPI that a segment by these dimensions can have, from its net row over a window and its backlog at the end of it."""
    sums = _sums(row)
    return {definition.name: read(row, sums, backlog) for definition, read in _TABLE if definition.applies_to(names)}
