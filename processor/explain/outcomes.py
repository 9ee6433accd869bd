"""What was concluded of the ticket beside its clocks: each fact with the event behind it, and with the one that took it back."""

from __future__ import annotations

from typing import Any

from processor.codec.facts import content_of
from processor.core.events import Event
from processor.core.facts import HANDED_KINDS, Fact
from processor.core.settings import DIMENSIONS
from processor.core.watching import Step
from processor.explain.telling import time_of, told

# Handed over to others, and worth telling: what they say, as (name, place in the content).
_HANDED = {
    "ticket.wait_handed": (("to", 0),),
    "ticket.wait_withdrawn": (("to", 0),),
    "ticket.contacted_again": (("to", 0),),
    "person.answered": (("score", 4),),
}


class Outcome:
    """A fact, whether it stands, and why."""

    __slots__ = ("because", "fact", "stands", "taken_back_by")

    def __init__(self, fact: Fact, because: dict[str, Any] | None) -> None:
        self.fact = fact
        self.because = because
        self.stands = True
        self.taken_back_by: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """For the explanation."""
        fact = self.fact
        made = {"kind": fact.kind, "instance": fact.instance, "at": time_of(fact.at), "says": _says(fact), "stands": self.stands}
        made["because"] = self.because
        if not self.stands:
            made["taken_back_by"] = self.taken_back_by
        return made


def outcomes_of(steps: list[Step], standing: list[Fact]) -> list[Outcome]:
    """All that were stated, in order. `standing`: those that are known from the state, before the kept events."""
    outcomes: dict[Fact, Outcome] = {}
    for fact in standing:
        outcomes[fact] = Outcome(fact, {"type": "stored"})
    for step in steps:
        for sign, fact in step.facts:
            if sign > 0:
                known = outcomes.get(fact)
                if known is None:
                    outcomes[fact] = Outcome(fact, told(step.event))
                else:
                    known.stands, known.taken_back_by = True, None
            elif fact in outcomes:
                outcomes[fact].stands, outcomes[fact].taken_back_by = False, told(step.event)
    return list(outcomes.values())


def shown(outcome: Outcome) -> bool:
    """Whether the explanation lists it: clocks have their own part, and that a requester hears of the ticket is no outcome of it."""
    kind = outcome.fact.kind
    return not kind.startswith("clock.") and (kind not in HANDED_KINDS or kind in _HANDED)


def _says(fact: Fact) -> dict[str, Any]:
    if fact.kind in _HANDED:
        said = {name: fact.content[place] for name, place in _HANDED[fact.kind]}
        if said.get("score") is not None:
            said["score"] /= 1000
        return said
    said = content_of(fact, agents=False)
    if fact.kind in ("ticket.transferred", "ticket.first_assigned"):
        said["group"] = fact.dims[DIMENSIONS.index("group")]
    return said


def corrections(history: list[tuple[int, Fact, str]], steps: list[Step], events: dict[str, Event]) -> list[dict[str, Any]]:
    """What had been stated at some time, and was taken back because of an event that came late: (sign, fact, id of the event behind it).

    What the ticket's own course takes back, such as a solve by a reopen, is no correction, nor is what was said again for another segment.
    """
    course = {_apart_from_segment(fact) for step in steps for _, fact in step.facts}
    stated: dict[Fact, str] = {}
    found: dict[Fact, dict[str, Any]] = {}
    for sign, fact, cause in history:
        what = _apart_from_segment(fact)
        if what in course or fact.kind in HANDED_KINDS or fact.kind == "ticket.moved":
            continue
        if sign > 0:
            stated[what] = cause
        else:
            because = {"stated_because": told(events.get(stated.get(what, ""))), "taken_back_by": told(events.get(cause))}
            found[what] = {"kind": fact.kind, "instance": fact.instance, "at": time_of(fact.at), "says": _says(fact), **because}
    return list(found.values())


def _apart_from_segment(fact: Fact) -> Fact:
    return Fact(fact.kind, fact.instance, fact.at, (), fact.content)
