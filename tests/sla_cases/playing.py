"""The engine as a user has it: events in, time goes on, facts out. One ticket, one policy, one clock that is looked at.

A case's log is told to the engine as the clock in question sees it (`logs.py`); what became of the clock is read from the facts alone. When
a clock would be due is a fact, too: the breach that the engine states if nothing more happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from processor.calendar_tables import TABLE_END
from processor.core.business_hours import Calendar
from processor.core.engine import Engine
from processor.core.events import DATA_FIELDS, Event, rank_of
from processor.core.facts import CONTENT_FIELDS, Fact
from processor.core.settings import Options, Policy, Settings, Target

TICKET = "T-1"
STANDING_STILL = "pending"
OPEN = "open"

# What a happening is to the engine: kind and data. `{}` is the value that comes with it.
VERBS: dict[str, tuple[str, dict[str, Any]]] = {
    "create": ("ticket.created", {"channel": "email", "status": "{}", "priority": "normal", "direction": "inbound"}),
    "status": ("ticket.status_changed", {"status": "{}"}),
    "solve": ("ticket.status_changed", {"status": "solved"}),
    "customer": ("message.added", {"author_type": "customer", "visibility": "public", "automated": False}),
    "agent": ("message.added", {"author_type": "agent", "visibility": "public", "automated": False, "author_id": "agent-1"}),
    "note": ("message.added", {"author_type": "agent", "visibility": "internal", "automated": False, "author_id": "agent-1"}),
    "bot": ("ticket.bot_started", {}),
    "handoff": ("ticket.bot_handed_off", {}),
    "bot_resolve": ("ticket.bot_resolved", {}),
}


@dataclass(frozen=True, slots=True)
class Act:
    """Something that happens to the ticket, in whole seconds; `value` is a status."""

    at: int
    verb: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What is promised about one clock of the engine, and in which hours. Pauses stop it, unless told otherwise."""

    clock: str
    target: Target
    calendar: Calendar
    pauses: bool = True
    options: Options = field(default_factory=Options)


@dataclass(slots=True)
class Instance:
    """What the facts say about one run of a clock. Seconds; `index` is the act that began it, `stopped_by` the one that ended it."""

    number: int
    started_at: int
    begun_by: int
    ended_at: int | None = None
    stopped_by: int | None = None
    fulfilled: bool = False
    active: int | None = None  # open time without pauses
    breached_at: int | None = None
    pauses: int = 0
    resumes: int = 0
    segments: tuple[tuple[int, int], ...] = field(default=())

    @property
    def paused(self) -> bool:
        """Whether it stood still when it was last heard of."""
        return self.pauses > self.resumes


def engine_for(agreement: Agreement) -> Engine:
    """An engine whose only policy promises this."""
    target = agreement.target
    policy = Policy(
        id="case",
        version=1,
        effective_from=0,
        match={},
        targets={agreement.clock: target},
        pauses={agreement.clock: frozenset({STANDING_STILL})} if agreement.pauses else {},
        calendar=target.calendar,
        options=agreement.options,
    )
    calendars = {target.calendar: agreement.calendar} if target.calendar else {}
    return Engine(Settings(calendars=calendars, policies=(policy,), facts_detail_all=True, group_bys=((),)))


def event_of(act: Act, number: int) -> Event:
    """The engine's event; its sequence keeps the order of the acts of one second."""
    kind, given = VERBS[act.verb]
    values = {name: act.value if value == "{}" else value for name, value in given.items()}
    values.setdefault("message_id", f"m{number}")
    sequence = f"{number:06}"
    data = tuple(values.get(name) for name in DATA_FIELDS[kind])
    return Event(act.at * 1000, rank_of(kind, sequence), sequence, "case", f"e{number}", kind, TICKET, data)


def facts_of(engine: Engine) -> list[tuple[int, Fact]]:
    """What was stated since the last time, as (sign, fact), of the ticket."""
    return [(stated.sign, stated.fact) for stated in engine.drain().facts if stated.key == TICKET]


def tell(engine: Engine, acts: Sequence[Act]) -> Iterator[int]:
    """Let them happen, one by one: the number of each when it has happened."""
    for number, act in enumerate(acts):
        rejected = engine.apply(event_of(act, number))
        assert rejected is None, rejected
        yield number


def net_facts(engine: Engine, acts: Sequence[Act], until: int) -> list[Fact]:
    """All that stands after the acts, at the instant `until` (seconds); a deadline at that instant has not passed yet."""
    net: Counter[Fact] = Counter()
    for _ in tell(engine, acts):
        pass
    engine.advance(until * 1000 - 1)
    for sign, fact in facts_of(engine):
        net[fact] += sign
    return [fact for fact, count in net.items() if count > 0]


def play(agreement: Agreement, acts: Sequence[Act], until: int) -> list[Instance]:
    """The runs of the clock, as far as they are known at the instant `until` (seconds)."""
    engine = engine_for(agreement)
    found: dict[int, Instance] = {}
    for number in tell(engine, acts):
        _take(found, agreement.clock, facts_of(engine), number)
    engine.advance(until * 1000 - 1)
    _take(found, agreement.clock, facts_of(engine), len(acts))
    return [found[number] for number in sorted(found)]


def due_of(agreement: Agreement, acts: Sequence[Act], number: int) -> int | None:
    """When that run of the clock would be late if nothing happened after the acts."""
    later = play(agreement, acts, TABLE_END // 1000)
    return next((each.breached_at for each in later if each.number == number), None)


def _take(found: dict[int, Instance], clock: str, stated: list[tuple[int, Fact]], by: int) -> None:
    """Note what the facts say. A clock is started before anything else is said about it."""
    for sign, fact in stated:
        if not fact.kind.startswith("clock.") or fact.content[0] != clock:
            continue
        assert sign > 0, "nothing in these logs comes late"
        content = dict(zip(CONTENT_FIELDS[fact.kind], fact.content, strict=True))
        if fact.kind == "clock.started":
            found[fact.instance] = Instance(fact.instance, fact.at // 1000, by)
            continue
        instance = found[fact.instance]
        if fact.kind == "clock.breached":
            instance.breached_at = fact.at // 1000
        elif fact.kind == "clock.paused":
            instance.pauses += 1
        elif fact.kind == "clock.resumed":
            instance.resumes += 1
        else:
            instance.ended_at, instance.stopped_by = fact.at // 1000, by
            instance.fulfilled = fact.kind == "clock.fulfilled"
            instance.segments = content["segments"]
            instance.active = content["active"] // 1000 if instance.fulfilled else None
