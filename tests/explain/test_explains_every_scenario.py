"""Whatever happens to a ticket is explained, by the clocks' own account: all scenarios are explained, and the two must agree."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.codec.envelope import format_time
from processor.core.clocks import Clock
from processor.core.engine import Engine
from processor.core.events import TICKET
from processor.core.timeline import Timeline, fold
from processor.explain import Kept, explain
from processor.explain.words import clock_lines, lines
from processor.schemas_path import schemas_path
from tests.scenarios.running import SCENARIOS, Run, Scenario

VALIDATOR = Draft202012Validator(json.loads((schemas_path() / "support.explanation.v1.schema.json").read_text()))
ENDS = ("clock.fulfilled", "clock.cancelled", "clock.breached")


def clocks_of(ticket: Any) -> dict[tuple[str, int, str], Clock]:
    """By name, number and start: a ticket that begins a new life numbers them anew."""
    more = ticket.more.clocks if ticket.more is not None else ()
    clocks = [clock for clock in (ticket.first_response, ticket.resolution, *more) if clock is not None and clock.target]
    return {(clock.name, clock.instance, format_time(clock.started_at)): clock for clock in clocks}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_the_explanation_says_what_the_engine_says(scenario: Scenario) -> None:
    run = Run(scenario, restarting=False)
    run.play()
    assert run.engine is not None
    for entity in run.engine.entities[TICKET].values():
        check(entity, run.engine)


def check(entity: Timeline, engine: Engine) -> None:
    """What is told of a ticket, by its base and tail, is what its clocks say."""
    kept = Kept.by(engine, entity.key)
    assert kept is not None
    told = explain(kept, engine.policies)
    assert [fault.message for fault in VALIDATOR.iter_errors(json.loads(json.dumps(told)))] == []
    assert "".join((*lines(told, str), *clock_lines(told, str)))
    ticket, out = fold(TICKET, kept.base, list(kept.tail), engine.timer_time, engine.policies)
    clocks = clocks_of(ticket)
    for each in told["clocks"]:
        for one, other in zip(each["segments"], each["segments"][1:], strict=False):
            assert one["to"] == other["from"], json.dumps(each)
        clock = clocks.get((each["clock"], each["instance"], each["started_at"]))
        if clock is not None and not clock.open:
            assert each["active_seconds"] == clock.elapsed / 1000
        parts = [part["counted_seconds"] for part in each["segments"]]
        assert None in parts or round(sum(parts) * 1000) == round(each["active_seconds"] * 1000), each
        if clock is not None and clock.open:
            assert each["ended"] is None
            assert (each["breached"] is None) == (clock.breached_at is None)
    if entity.base is None:
        net = Counter[Any]()
        for sign, fact in out:
            if fact.kind in ENDS:
                net[fact.kind, fact.content[0], fact.instance] += sign
        ended = {key for key, count in net.items() if count}
        said = {(each["clock"], each["instance"]) for each in told["clocks"] if each["counted"] or each["suspended"]}
        assert {(clock, instance) for _, clock, instance in ended} <= said
