"""What the report tells by more than the configured segments do, counted from the facts while a log is replayed.

How satisfied customers are by how long they waited for the first response, by whether a clock of the ticket breached and by the channel of
the ticket when the survey was sent; first contact resolution by language; repeat contacts by topic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from processor.core.contact import Contact
from processor.core.contact_ends import OPEN
from processor.core.engine import Engine
from processor.core.events import CONTACT
from processor.core.facts import CONTENT_FIELDS, Fact
from processor.core.settings import DIMENSIONS
from processor.core.sleep import look_at
from processor.report.crosses import (
    BREACHED,
    CROSSES,
    CSAT_BY_CHANNEL,
    CSAT_BY_CLOCKS,
    CSAT_BY_FIRST_RESPONSE,
    FCR_BY_LANGUAGE,
    KEPT,
    REPEAT_BY_TOPIC,
    Cross,
    Queue,
)

VALUES_MAX = 200  # of one cross that are told apart: topics and languages come from input; all further ones are one
OTHERS = "(others)"
CSAT = "csat"

_CHANNEL, _TOPIC, _QUEUE, _LANGUAGE = (DIMENSIONS.index(name) for name in ("channel", "topic", "queue", "language"))
_SURVEY, _RESULT, _BAND, _BREACHED = (
    CONTENT_FIELDS["survey.answered"].index(name) for name in ("survey", "result", "response_band", "breached")
)
Share = tuple[Cross, str, int, int]  # what is told apart, its value, by how much the part grows, and the whole


def _answered(fact: Fact) -> Iterator[Share]:
    content = fact.content
    if content[_SURVEY] != CSAT:
        return
    satisfied = int(content[_RESULT] == "satisfied")
    if content[_BAND] is not None:
        yield CSAT_BY_FIRST_RESPONSE, content[_BAND], satisfied, 1
    if content[_BREACHED] is not None:
        yield CSAT_BY_CLOCKS, BREACHED if content[_BREACHED] else KEPT, satisfied, 1
    yield CSAT_BY_CHANNEL, fact.dims[_CHANNEL], satisfied, 1


def _settled(fact: Fact) -> Iterator[Share]:
    resolved, topic_eligible = fact.content
    if topic_eligible:
        yield FCR_BY_LANGUAGE, fact.dims[_LANGUAGE], int(resolved), 1


def _solved(fact: Fact) -> Iterator[Share]:
    yield REPEAT_BY_TOPIC, fact.dims[_TOPIC], 0, 1


def _repeated(fact: Fact) -> Iterator[Share]:
    yield REPEAT_BY_TOPIC, fact.dims[_TOPIC], 1, 0


# The facts from which the KPIs of these names follow.
_SAID: dict[str, Callable[[Fact], Iterator[Share]]] = {
    "survey.answered": _answered,
    "ticket.fcr_settled": _settled,
    "ticket.solved": _solved,
    "ticket.repeat_contacted": _repeated,
}


class Crossing:
    """Part and whole of each value of each cross, net."""

    kinds = frozenset(_SAID)  # of facts to be heard

    def __init__(self) -> None:
        self.counts: dict[Cross, dict[str, list[int]]] = {cross: {} for cross in CROSSES}

    def hear(self, fact: Fact, sign: int) -> None:
        """Take in a fact of one of these kinds, or take it back."""
        for cross, value, part, whole in _SAID[fact.kind](fact):
            counts = self.counts[cross]
            count = counts.get(value)
            if count is None:  # values are never forgotten, so what is taken back is found where it was counted
                count = counts.setdefault(value if len(counts) < VALUES_MAX else OTHERS, [0, 0])
            count[0] += sign * part
            count[1] += sign * whole


def waiting_contacts(engines: Iterable[Engine], now: int) -> dict[Queue, list[int]]:
    """For how many milliseconds those have waited who are in a queue now, and whom nobody has answered before."""
    found: dict[Queue, list[int]] = {}
    for engine in engines:
        for timeline in engine.entities[CONTACT].values():
            contact = look_at(engine, timeline)
            if isinstance(contact, Contact) and contact.leg is not None and contact.fate == OPEN:
                queue = contact.dims[_CHANNEL], contact.dims[_QUEUE]
                since = contact.leg.started_at if contact.offered_at is None else contact.offered_at
                found.setdefault(queue, []).append(max(now - since, 0))
    return found
