"""A live stream for the demonstration: six hours of history at once, then each event at its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson

from processor.codec.times import parse_time
from processor.compile import compile_settings
from processor.config import Config
from processor.core.settings import HOUR_MS
from processor.stream.lines import read_line
from processor.stream.send import Sender
from processor.synthetic.generate import generate
from processor.wall_clock import WallClock

HISTORY_MS = 6 * HOUR_MS
FUTURE_MS = 24 * HOUR_MS
EVENTS_PER_HOUR = 6_000
PIECE = 2_000
TICK_SECONDS = 0.25


class Live:
    """Generated events around now, handed out when their time has come."""

    def __init__(self, config: Config) -> None:
        self.clock = WallClock()
        now = self.clock.now()
        events = EVENTS_PER_HOUR * (HISTORY_MS + FUTURE_MS) // HOUR_MS
        made = generate(compile_settings(config), events=events, seed=now, start=now - HISTORY_MS, duration=HISTORY_MS + FUTURE_MS)
        self._lines = [(parse_time(orjson.loads(line)["time"]), line) for line in made.lines]
        self._next = 0

    def due(self) -> list[bytes]:
        """The lines whose time has come since the last call, in the order of the log."""
        now = self.clock.now()
        begin = self._next
        while self._next < len(self._lines) and self._lines[self._next][0] <= now:
            self._next += 1
        return [line for _, line in self._lines[begin : self._next]]


async def feed(config: Config, live: Live, *, ended: Callable[[], bool], caught_up: Callable[[int], None]) -> None:
    """Send what is due until `ended`; `caught_up` is told how many events the history had."""
    async with Sender(config.kafka, config.topics.events) as sender:
        history = live.due()
        for start in range(0, len(history), PIECE):
            await sender.send([read_line(line) for line in history[start : start + PIECE]])
        caught_up(len(history))
        while not ended():
            await sender.send([read_line(line) for line in live.due()])
            await asyncio.sleep(TICK_SECONDS)
