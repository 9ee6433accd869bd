"""What an event costs, and whether that stays so: with ever more open tickets, and with ever more segments. The engine alone, CPU time.

Tickets are created first, unmeasured; then come the same events about the same 10,000 of them, scattered over all, with a report for
each minute. Nothing falls due meanwhile: that more deadlines pass where more tickets are open is no cost of events.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from itertools import islice
from random import Random
from statistics import median
from typing import Any

import orjson
import yaml

from processor.codec.decode import decode
from processor.codec.envelope import cloud_event
from processor.compile import compile_settings
from processor.config import loads
from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.settings import Settings
from tests.bench.log import CONFIG
from tests.bench.options import Size

START_MS = 1_763_452_800_000  # Tuesday 2025-11-18 08:00 UTC: offices are open
CREATED_IN_MS = 120_000  # all of them, however many
EVERY_MS = 5
OPEN = (10_000, 100_000, 1_000_000)
SEGMENTS = (10, 100, 1_000)
BUSY = 10_000  # of the open ones: events are about these
GROUPS = 8
STEP_EVENTS = 2000
PIECES = 5
PIECE_EVENTS = 20_000
TINY = 100  # by so much less of everything
TOPICS = ("invoice", "refund", "login", "outage")
CHANNELS, PRIORITIES = ("email", "web"), ("low", "normal", "high")
STEPS = ("reply", "question", "pending", "open")


def run(size: Size) -> dict[str, Any]:
    """Microseconds per event for each number of open tickets, then for each number of segments, and how much the greatest cost more."""
    gc.set_threshold(100_000, 1_000_000, 1_000_000)  # as the worker does
    shrink = TINY if size.tiny else 1
    figures: dict[str, Any] = {}
    costs = []
    for count in OPEN:
        desk = Desk(_settings([[], ["channel"], ["group"]]), GROUPS, count // shrink)
        costs.append(desk.cost(PIECE_EVENTS // shrink))
        figures[f"us_per_event_at_{count // shrink}_open"] = round(costs[-1], 2)
        assert desk.engine.view().open_tickets == count // shrink
        del desk
    figures["cost_of_many_open_to_few"] = round(costs[-1] / costs[0], 2)
    costs = []
    for count in SEGMENTS:
        desk = Desk(_settings([[], ["group"]]), max(count - 1, 1), BUSY // shrink)
        costs.append(desk.cost(PIECE_EVENTS // shrink))
        found = len(desk.engine.rows.segments)
        assert size.tiny or abs(found - count) <= 1, (found, count)
        figures[f"us_per_event_with_{count}_segments"] = round(costs[-1], 2)
    figures["cost_of_many_segments_to_few"] = round(costs[-1] / costs[0], 2)
    return figures


def _settings(group_bys: list[list[str]]) -> Settings:
    document = yaml.safe_load(CONFIG.read_text(encoding="utf-8")) | {"segments": {"group_bys": group_bys, "windows": group_bys}}
    return compile_settings(loads(yaml.safe_dump(document).encode(), "benchmark"))


class Desk:
    """An engine with so many open tickets of so many groups."""

    def __init__(self, settings: Settings, groups: int, tickets: int) -> None:
        self.engine = Engine(settings)
        self.engine.report_every(1, hold=True)
        self._random = Random(1)
        self._groups, self._tickets = groups, tickets
        self._busy = min(tickets, BUSY)
        self._number = 0
        source = self._created()
        while piece := list(islice(source, STEP_EVENTS)):
            self._feed(piece)

    def cost(self, events: int) -> float:
        """Microseconds per event, decoding included: the median of some pieces."""
        gc.collect()
        gc.freeze()
        costs = []
        for _ in range(PIECES):
            lines = [self._next() for _ in range(events)]
            began = time.process_time()
            for first in range(0, events, STEP_EVENTS):
                self._feed(lines[first : first + STEP_EVENTS])
            costs.append((time.process_time() - began) / events * 1e6)
        gc.unfreeze()
        assert self.engine.counts["accepted"] == self._number
        return median(costs)

    def _feed(self, lines: list[bytes]) -> None:
        engine = self.engine
        for event in map(decode, lines):
            assert isinstance(event, Event)
            engine.apply(event)
        engine.advance_by_log()
        engine.sweep()
        for handed in engine.drain().rekeyed:
            engine.apply_rekeyed(handed)

    def _created(self) -> Iterator[bytes]:
        for number in range(self._tickets):
            data = {"channel": CHANNELS[number % 2], "priority": PRIORITIES[number % 3], "group": f"group {number % self._groups}",
                    "topic": TOPICS[number % 4], "requester_id": f"U-{number % 50_000}"}  # fmt: skip
            yield self._line("ticket.created", number, START_MS + number * CREATED_IN_MS // self._tickets, data)

    def _next(self) -> bytes:
        step = self._random.choice(STEPS)
        number = self._random.randrange(self._busy) * self._tickets // self._busy
        at = START_MS + CREATED_IN_MS + (self._number - self._tickets) * EVERY_MS
        if step in ("reply", "question"):
            author = {"type": "agent" if step == "reply" else "customer", "id": f"P-{number % 200}"}
            data = {"message_id": f"M-{self._number}", "author": author, "visibility": "public", "automated": False}
            return self._line("message.added", number, at, data)
        return self._line("ticket.status_changed", number, at, {"status": step})

    def _line(self, kind: str, ticket: int, at: int, data: dict[str, Any]) -> bytes:
        self._number += 1
        data = {"ticket_id": f"T-{ticket}", **data}
        return orjson.dumps(cloud_event(kind=kind, id=f"{self._number:09d}", source="/bench", occurred_at_ms=at, data=data))
