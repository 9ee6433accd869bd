"""In random worlds, too, the explanation agrees with the engine; and one from the whole log with all that the engine ever stated."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from processor.core.events import TICKET
from processor.core.exchange import Exchange
from processor.core.facts import Fact
from processor.core.told import recording
from processor.core.watching import watch
from processor.explain import Kept, explain
from processor.explain.words import lines
from processor.replay.recording import Record
from tests.explain.test_explains_every_scenario import check
from tests.laws.worlds import HANDING_TICKETS, LONG_STEPS, SETTINGS, SHORT_STEPS, arrivals_for, handing_world

WORLDS = 60
EVENTS = 60
STATED = ("clock.fulfilled", "clock.cancelled", "clock.breached", "ticket.solved", "ticket.fcr_assessed", "ticket.fcr_settled")


@pytest.mark.parametrize("seed", range(WORLDS))
def test_the_whole_log_and_what_is_kept_of_it_are_explained(seed: int) -> None:
    steps = LONG_STEPS if seed % 2 else SHORT_STEPS
    record = Record(HANDING_TICKETS[seed % len(HANDING_TICKETS)])
    engine = recording(record)(SETTINGS, 0, 0)
    exchange = Exchange({0: engine}, lambda _key: 0)
    ledger: Counter[Fact] = Counter()

    def settle() -> None:
        while True:
            step = engine.drain()
            for stated in step.facts:
                if stated.entity == TICKET and stated.key == record.key and stated.fact.kind in STATED:
                    ledger[stated.fact] += stated.sign
            if not exchange.deliver(0, step):
                return

    for _, event in arrivals_for(handing_world(seed, steps, EVENTS), seed):
        engine.apply(event)
        engine.advance_by_log()
        engine.sweep()
        settle()
    engine.advance(engine.stream_time)
    settle()
    for entity in engine.entities[TICKET].values():
        check(entity, engine)
    if not record.events:
        return
    kept = Kept(record.key, None, 0, tuple(sorted(record.events)), engine.timer_time)
    told = explain(kept, engine.policies, history=record.history)
    assert "\n".join(lines(told, str))
    assert +net(kept, engine.policies) == +ledger
    assert_alike(told, +ledger)


def net(kept: Kept, policies: Any) -> Counter[Fact]:
    found: Counter[Fact] = Counter()
    for step in watch(None, 0, list(kept.tail), kept.timer_time, policies).steps:
        for sign, fact in step.facts:
            if fact.kind in STATED:
                found[fact] += sign
    return found


def assert_alike(told: dict[str, Any], ledger: Counter[Fact]) -> None:
    """No clock is said to have kept or broken its target where the facts say otherwise."""
    breached = {(fact.content[0], fact.instance) for fact in ledger if fact.kind == "clock.breached"}
    counted = [each for each in told["clocks"] if each["counted"]]
    assert breached <= {(each["clock"], each["instance"]) for each in counted if each["breached"]}
