"""The engine alone under the simplest configuration: one policy, no business hours, tickets and their messages only."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from processor.codec.decode import decode
from processor.compile import compile_settings
from processor.config import loads
from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.settings import Settings
from tests.bench.events import events
from tests.bench.options import Size

STEP_EVENTS = 2000
ROUNDS = 3

# Agreements on every ticket, so that every clock runs.
CONFIG = """
policies:
  - id: standard
    targets: {first_response: 4h, resolution: 48h}
"""


def settings() -> Settings:
    """The settings of all benchmarks."""
    return compile_settings(loads(CONFIG.encode(), "benchmark"))


def fold(decoded: Sequence[Event]) -> tuple[Engine, int, float]:
    """An engine fed with all events in steps, the number of facts it stated, and the seconds it took."""
    engine = Engine(settings())
    facts = 0
    started = time.process_time()
    for begin in range(0, len(decoded), STEP_EVENTS):
        for event in decoded[begin : begin + STEP_EVENTS]:
            engine.apply(event)
        engine.advance_by_log()
        engine.sweep()
        facts += len(engine.drain().facts)
    return engine, facts, time.process_time() - started


def run(size: Size) -> dict[str, Any]:
    """Events a second for decode and fold, each the median of several rounds."""
    count = size.events
    gc.set_threshold(100_000, 50, 100)
    lines = list(events(count))
    decode_seconds, fold_seconds = [], []
    engine = Engine(settings())
    for _ in range(ROUNDS):
        started = time.process_time()
        decoded = [event for event in map(decode, lines) if isinstance(event, Event)]
        decode_seconds.append(time.process_time() - started)
        del engine
        gc.collect()
        engine, _, seconds = fold(decoded)
        fold_seconds.append(seconds)
        check(engine, decoded, count)
    return {
        "events": count,
        "simple_decode_events_per_second": round(count / median(decode_seconds)),
        "simple_engine_events_per_second": round(count / median(fold_seconds)),
    }


def check(engine: Engine, decoded: Sequence[Event], count: int) -> None:
    """The benchmark's own answer: everything was taken, and the backlog is what was created and not solved."""
    view = engine.view()
    created = sum(1 for event in decoded if event.kind == "ticket.created")
    counted = sum(cell.get("tickets_created", 0) for cell in view.cells.values())
    entered = sum(amount for cell in view.cells.values() for key, amount in cell.items() if key.startswith("backlog_entered:"))
    left = sum(amount for cell in view.cells.values() for key, amount in cell.items() if key.startswith("backlog_left:"))
    assert view.counts["accepted"] == count == len(decoded), (view.counts, count)
    assert counted == created, (counted, created)
    assert entered - left == view.open_tickets, (entered, left, view.open_tickets)
