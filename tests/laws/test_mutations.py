"""Faults that are put into the engine on purpose: each must be caught by a law, else the law would hold whatever the engine did.

Each fault replaces one function. A law that catches it is one of the checks of the other modules, over a few stories of its theme.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from processor.core import clocks, conversation, first_contact, refolding, respondent, ticket, ticket_clocks
from processor.core.events import Event
from processor.core.facts import Dims, Fact
from processor.core.settings import MINUTE_MS
from tests.flavours import pure_only
from tests.laws.driving import Manner, drive
from tests.laws.meeting import Met
from tests.laws.test_agrees_with_oracle import PATIENT, compare
from tests.laws.test_order_of_arrival import check as check_order
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, arrivals_for, lines_for, story

Law = Callable[[list[Event], int, Any], None]


def agreement(events: list[Event], seed: int, met: Any) -> None:
    """With the oracle."""
    compare([event for _, event in arrivals_for(events, seed % 9)], 30 * MINUTE_MS, seed, met, PATIENT)


def order(events: list[Event], seed: int, met: Any) -> None:
    """Law 1."""
    check_order(lines_for(events, seed), events, 30 * MINUTE_MS, seed % 9 + 1, seed, 1 + seed % 3, met)


def pace(events: list[Event], seed: int, met: Any) -> None:
    """When timers run changes nothing."""
    until = events[-1].occurred_at + 30 * MINUTE_MS
    met["compared"] += 1
    assert drive(SETTINGS, events, until, Manner(seed)).facts == drive(SETTINGS, events, until, Manner()).facts


def _moved(fact: Fact, at: int, dims: Dims) -> Fact:
    return Fact(fact.kind, fact.instance, at, dims, fact.content)


# -- faults -----------------------------------------------------------------------------------------------------------------------------


def _never_pauses(*_arguments: Any) -> None:
    """Clocks run on while the ticket is pending."""


def _at_discovery(original: Any) -> Any:
    def fire(self: Any, limit: int, out: Any) -> None:
        stated = len(out)
        original(self, limit, out)
        out[stated:] = [(sign, _moved(fact, limit, fact.dims) if fact.kind == "clock.breached" else fact) for sign, fact in out[stated:]]

    return fire


def _without_retractions(original: Any) -> Any:
    return lambda before, after: [(sign, fact) for sign, fact in original(before, after) if sign > 0]


def _dims_before(original: Any) -> Any:
    """What a reply states counts for what the ticket was at its creation."""

    def outcome(self: Any, fact: Any, out: Any) -> None:
        first = next((known for known in self.standing if known.kind == fact.kind), None)
        original(self, fact if first is None else _moved(fact, fact.at, first.dims), out)

    return outcome


def _each_counts(self: Any) -> list[Any]:
    return [score.fact() for score in self.scores.values() if score.score is not None]


def _each_message_a_turn(original: Any) -> Any:
    def wrote(who: Any, at: int, human: bool, agent: Any, out: Any) -> None:
        if who.conversation is not None:
            who.conversation.spoke = False
        original(who, at, human, agent, out)

    return wrote


def _another_instance(original: Any) -> Any:
    """A reopen begins the resolution anew."""

    def reopened(who: Any, at: int, out: Any) -> None:
        original(who, at, out)
        if who.resolution is not None and who.resolution.open:
            who.resolution.elapsed, who.resolution.breached_at = 0, None
            who.resolution.arm(who.policies)

    return reopened


def _latch_lost(original: Any) -> Any:
    def resume(self: Any, at: int, policies: Any) -> None:
        self.breached_at = None
        original(self, at, policies)

    return resume


def _answers_of_spam(*_arguments: Any) -> None:
    """What respondents answered about a ticket that is spam goes on counting."""


def _any_topic(original: Any) -> Any:
    def contacted_again(who: Any, event: Any, at: int, out: Any) -> None:
        if who.solved:
            original(who, event, at, out)

    return contacted_again


class Fault(NamedTuple):
    """Where it is put, what it makes of the original, and the law and theme that catch it."""

    where: Any
    name: str
    made: Callable[[Any], Any]
    theme: str
    law: Law


FAULTS = {
    "pauses are ignored": Fault(clocks.Clock, "pause", lambda _: _never_pauses, "clocks", agreement),
    "a breach is dated to its discovery": Fault(ticket.Ticket, "fire", _at_discovery, "clocks", pace),
    "retractions are lost": Fault(refolding, "difference", _without_retractions, "replies", order),
    "dimensions are those of another instant": Fault(ticket.Ticket, "_outcome", _dims_before, "replies", agreement),
    "every score of a respondent counts": Fault(respondent.Respondent, "_counting", lambda _: _each_counts, "surveys", agreement),
    "every message is a turn": Fault(conversation, "wrote", _each_message_a_turn, "replies", agreement),
    "a reopen begins the resolution anew": Fault(ticket_clocks, "reopened", _another_instance, "clocks", agreement),
    "a reopen forgets the breach": Fault(clocks.Clock, "resume", _latch_lost, "clocks", agreement),
    "scores of discarded tickets go on counting": Fault(ticket, "withdrawn", lambda _: _answers_of_spam, "surveys", agreement),
    "a repeat while open is overlooked": Fault(first_contact, "contacted_again", _any_topic, "first contact", agreement),
}


@pure_only
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    worlds: list[list[Event]] = [story(seed, fault.theme, (SHORT_STEPS, LONG_STEPS)[seed % 2], 40) for seed in range(20)]
    for seed, events in enumerate(worlds[:3]):
        fault.law(events, seed, Met())
    original = getattr(fault.where, fault.name)
    faulty = fault.made(original)
    monkeypatch.setattr(fault.where, fault.name, faulty)
    if fault.where is first_contact:
        monkeypatch.setitem(ticket._HANDLERS, "ticket.contacted_again", faulty)
    assert any(fails(fault.law, events, seed) for seed, events in enumerate(worlds))


def fails(law: Law, events: list[Event], seed: int) -> bool:
    """Whether the law does not hold."""
    try:
        law(events, seed, Met())
    except AssertionError:
        return True
    return False
