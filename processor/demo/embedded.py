"""The demonstration without Kafka: the same engine and the same pages, on a log inside this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from processor.config import Config
from processor.core.outputs import View
from processor.demo.live import PIECE, TICK_SECONDS, Live
from processor.explain import Kept, answer
from processor.explain.evidence import QueryError, Search, known_values, read_query, together
from processor.export.collector import Exporter
from processor.export.http import create_http_app
from processor.export.progress import Progress
from processor.export.telemetry import Telemetry
from processor.replay import Replay
from processor.wall.feed import Feed
from processor.wall.replayed import Replayed
from processor.wall.serving import add_wall


class Embedded:
    """The source behind the pages: a replay that goes on and on."""

    def __init__(self, config: Config) -> None:
        self.together = Replayed(config)
        many, seldom = config.topics.partitions, config.kpis.backfill_minutes  # as a worker does while it catches up
        self.replay = Replay(config, partitions=many, report_every_minutes=seldom, on_report=self.together.report)
        self._exporter = Exporter(config)
        self._known = known_values(config)
        self._telemetry = Telemetry()
        self._caught_up = False

    def feed(self, lines: list[bytes]) -> None:
        """Fold what has come, and let timers follow."""
        self.replay.feed_lines(lines)
        self.together.look(self.replay)

    def caught_up(self) -> None:
        """The history is folded."""
        self._caught_up = True
        for engine in self.replay.engines.values():
            engine.report_every(1, hold=True)
            engine.reports_again()

    def health(self) -> tuple[list[View], Telemetry]:
        """The partitions, which run and are behind nothing: here the log is what was fed."""
        numbers = list(self.replay.engines)
        self._telemetry.progress([Progress(number, recovered=1) for number in numbers])
        for number in numbers:
            self._telemetry.running(number, True)
        return self.replay.views(), self._telemetry

    async def exposition(self) -> bytes:
        """The metrics of this instant."""
        return self._exporter.render(self.replay.views(), None)

    async def snapshot(self) -> dict[str, Any]:
        """The numbers of this instant."""
        return self.replay.snapshot()

    async def explain(self, ticket: str, at: int | None) -> tuple[int, dict[str, Any]]:
        """Why the numbers of a ticket are what they are, as far as its events are kept."""
        if not ticket:
            return 400, {"error": "say which ticket: /explain?ticket=ID", "reason": "no_ticket"}
        for engine in self.replay.engines.values():
            kept = Kept.by(engine, ticket)
            if kept is not None:
                return answer(kept, engine.policies, engine.partition, at)
        return 404, {"error": f"{ticket} is no ticket of the demonstration", "reason": "unknown"}

    async def evidence(self, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """What stands behind an alert about a segment."""
        try:
            segment, limit = read_query(query)
        except QueryError as error:
            return 400, {"error": str(error), "reason": "query"}
        searches = [Search(engine, segment, self._known, limit) for engine in self.replay.engines.values()]
        for search in searches:
            search.awake()
            search.asleep(lambda: True)
        found = together((search.document() for search in searches), limit)
        return 200, {"segment": segment, "of_partitions": len(searches), **found}

    def ready(self) -> tuple[bool, list[str]]:
        """Whether the history is folded."""
        return self._caught_up, [] if self._caught_up else ["the history is being folded"]

    def healthy(self) -> bool:
        """It answers, so it is."""
        return True


async def serve_embedded(config: Config, live: Live, caught_up: Callable[[int], None]) -> None:
    """Serve and feed until cancelled."""
    embedded = Embedded(config)
    pages = create_http_app(embedded)
    add_wall(pages, Feed(config, embedded, embedded.together.open))
    runner = web.AppRunner(pages, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.http.host, config.http.port).start()
        history = live.due()
        for start in range(0, len(history), PIECE):
            embedded.feed(history[start : start + PIECE])
            await asyncio.sleep(0)
        embedded.caught_up()
        caught_up(len(history))
        while True:
            embedded.feed(live.due())
            await asyncio.sleep(TICK_SECONDS)
    finally:
        await runner.cleanup()
