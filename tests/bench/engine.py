"""The engine alone, on one core: decode, fold, drain; and what an open ticket costs in memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from processor.codec.decode import decode
from processor.compile import compile_settings
from processor.config import loads
from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.settings import Settings
from tests.bench.events import events

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
    started = time.perf_counter()
    for begin in range(0, len(decoded), STEP_EVENTS):
        for event in decoded[begin : begin + STEP_EVENTS]:
            engine.apply(event)
        engine.advance_by_log()
        engine.sweep()
        facts += len(engine.drain().facts)
    return engine, facts, time.perf_counter() - started


def run(count: int) -> dict[str, Any]:
    """Events a second for decode and fold (median of several rounds), bytes of memory per open ticket."""
    gc.set_threshold(100_000, 50, 100)
    lines = list(events(count))
    decode_seconds, fold_seconds = [], []
    engine = Engine(settings())
    for _ in range(ROUNDS):
        started = time.perf_counter()
        decoded = [event for event in map(decode, lines) if isinstance(event, Event)]
        decode_seconds.append(time.perf_counter() - started)
        del engine
        gc.collect()
        engine, _, seconds = fold(decoded)
        fold_seconds.append(seconds)
        check(engine, decoded, count)
    return {
        "events": count,
        "decode_events_per_second": round(count / median(decode_seconds)),
        "engine_events_per_second": round(count / median(fold_seconds)),
        "decode_and_engine_events_per_second": round(count / (median(fold_seconds) + median(decode_seconds))),
        **memory(count),
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


def memory(count: int) -> dict[str, Any]:
    """Resident memory per open ticket: tickets created and answered once, their events still in the tail."""
    tickets = max(count // 4, 100)
    gc.collect()
    before = _resident()
    engine = Engine(settings())
    for line in _open_tickets(tickets):
        event = decode(line)
        assert isinstance(event, Event)
        engine.apply(event)
        if len(engine.step.records) > STEP_EVENTS:
            engine.drain()
    engine.drain()
    with_tail = _resident() - before
    assert engine.view().open_tickets == tickets
    return {"open_tickets": tickets, "bytes_per_open_ticket": round(with_tail / tickets)}


def _open_tickets(tickets: int) -> Any:
    """Every ticket created, then assigned."""
    created = (line for line in events(tickets * 10) if b"ticket.created" in line)
    for _, line in zip(range(tickets), created, strict=False):
        yield line
        yield line.replace(b"ticket.created", b"ticket.assignee_changed").replace(b'"requester_id"', b'"assignee_id"').replace(
            b'"id":"', b'"id":"a', 1
        )


def _resident() -> int:
    """Bytes of resident memory of this process (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/self/status has no VmRSS")
