"""Keeps the page's state up to date while somebody watches, and does nothing otherwise.

    viewers ──▶ feed ──▶ topics: the newest KPIs and levels of the total (`tails`), on every worker the same
                    └──▶ workers: our own samples, and those of the others (`workers`)

It begins with the first who asks, and ends a minute after the last. Whatever goes wrong is told on the page and tried again; the worker
goes on as if the page did not exist.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol
from uuid import uuid4

import orjson
from aiohttp import ClientSession

from processor.boards.board import Board
from processor.boards.readings import Kpi
from processor.boards.tables import BOARDS
from processor.client.kpis import KpiWindow
from processor.config import Config
from processor.stream.committed import open_reader
from processor.stream.connection import aiokafka_settings, pauses
from processor.wall import state as page
from processor.wall.history import History
from processor.wall.numbers import Numbers, find, found_in
from processor.wall.tails import OnWindow, Tails
from processor.wall.workers import Gathered, Watched, families_of, gather, own, together
from processor.wall_clock import WallClock

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0  # how often the page is told anew
GATHER_SECONDS = 2.0  # how often workers are asked
UNWATCHED_SECONDS = 60.0  # after so long without anybody, nothing is read any more
STOP_SECONDS = 1.0
BEGIN_SECONDS = 60.0  # aiokafka may wait for ever for a broker that went away in between
FETCH_BYTES = 1024 * 1024  # of a topic at once
PEERS_NAMED_MAX = 3

OnBegun = Callable[[], None]


class Together(Protocol):
    """What all partitions have come to together, wherever that is read."""

    @property
    def windows(self) -> Mapping[str, KpiWindow]:
        """Of the total, by name."""

    @property
    def levels(self) -> Mapping[str, int] | None:
        """Of the total."""

    @property
    def levels_from(self) -> frozenset[int]:
        """The partitions that are in them."""


Open = Callable[[OnWindow], tuple[Together, Callable[[OnBegun], Awaitable[None]]]]  # the numbers, and what keeps them up to date


def from_kafka(config: Config) -> Open:
    """The ends of the topics, read as long as somebody watches."""

    def begin(on_window: OnWindow) -> tuple[Together, Callable[[OnBegun], Awaitable[None]]]:
        tails = Tails(config, on_window)

        async def read(begun: OnBegun) -> None:
            connection = aiokafka_settings(config.kafka)
            async with open_reader(connection, max_partition_fetch_bytes=FETCH_BYTES) as reader:
                async with asyncio.timeout(BEGIN_SECONDS):
                    await tails.begin(reader, WallClock().now())
                begun()
                while True:
                    await tails.follow(reader)

        return tails, read

    return begin


class Feed:
    """The state of the page. `latest` is it as JSON; `changed` waits for the next one."""

    def __init__(
        self, config: Config, watched: Watched, open_together: Open, *, peers: Sequence[str] = (), boards: Sequence[Board] = BOARDS
    ) -> None:  # fmt: skip
        self.latest = b""
        self.viewers = 0
        self.ending = False
        self._boards, self._watched, self._open, self._peers = boards, watched, open_together, tuple(peers)
        self._name = uuid4().hex  # for those who know this worker under several addresses
        self._partitions = config.topics.partitions
        self._config = config
        self._families = families_of(boards)
        self._clock = WallClock()
        self._news = asyncio.Event()
        self._asked_at = 0.0
        self._task: asyncio.Task[None] | None = None

    # -- for who serves it -----------------------------------------------------------------------------------------------------------

    def asked(self) -> None:
        """Somebody wants to see it."""
        self._asked_at = asyncio.get_running_loop().time()
        if not self.ending and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name="wall")

    async def changed(self) -> None:
        """Until there is a newer state, or it ends."""
        await self._news.wait()

    async def own(self) -> bytes:
        """What this worker tells the others."""
        return orjson.dumps(await own(self._name, self._watched, self._families))

    async def close(self) -> None:
        """Stop for good, and let go of who waits."""
        self.ending = True
        self._tell()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=STOP_SECONDS)

    # -- life --------------------------------------------------------------------------------------------------------------------------

    def _is_watched(self) -> bool:
        return bool(self.viewers) or asyncio.get_running_loop().time() - self._asked_at < UNWATCHED_SECONDS

    async def _run(self) -> None:
        while self._is_watched():  # somebody may have come while it was ending
            await self._while_watched()

    async def _while_watched(self) -> None:
        """One time of being watched; everything is forgotten at its end."""
        watch = _Watch(self._boards, await asyncio.to_thread(page.Frame.of, self._config))  # calendars are tables of years
        log.info("wall: somebody watches; reading")
        tasks = [asyncio.create_task(self._together(watch)), asyncio.create_task(self._gather(watch))]
        try:
            while self._is_watched():
                self._draw(watch)
                await asyncio.sleep(TICK_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.latest = b""
            log.info("wall: nobody watches any more")

    def _draw(self, watch: _Watch) -> None:
        try:
            now = self._clock.now()
            numbers = watch.numbers(self._partitions)
            watch.note(numbers, now)
            self.latest = orjson.dumps(page.state(self._boards, numbers, watch.history, watch.frame, now))
        except Exception:
            log.exception("wall: the page could not be made")
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _together(self, watch: _Watch) -> None:
        """What all partitions have come to, begun anew after every failure."""
        pause = pauses()
        while True:
            watch.together, read = self._open(watch.note_window)

            def begun() -> None:
                nonlocal pause
                watch.known, watch.problem, pause = True, "", pauses()

            try:
                await read(begun)
            except Exception as error:  # noqa: BLE001 - whatever it is, it may not reach the worker
                watch.problem = f"The topics of KPIs cannot be read: {type(error).__name__}: {error}. Trying again."
                log.warning("wall: %s", watch.problem)
            else:
                return  # there is nothing to wait for
            await asyncio.sleep(next(pause))

    async def _gather(self, watch: _Watch) -> None:
        async with ClientSession() as session:
            while True:
                try:
                    watch.gathered = await gather(await own(self._name, self._watched, self._families), self._peers, session)
                except Exception:
                    log.exception("wall: the workers could not be asked")
                await asyncio.sleep(GATHER_SECONDS)


class _Watch:
    """What was found since somebody began to watch."""

    def __init__(self, boards: Sequence[Board], frame: page.Frame) -> None:
        self._boards = boards
        self.frame = frame
        self.history = History()
        self.together: Together | None = None
        self.gathered: Gathered = together([])
        self.known = False
        self.problem = ""

    def numbers(self, partitions: int) -> Numbers:
        """As of now."""
        found, gathered = self.together, self.gathered
        return Numbers(
            partitions, dict(found.windows) if found else {}, found.levels if found else None,
            found.levels_from if found else frozenset(), gathered.samples, gathered.covered, gathered.workers,
            tuple(self._problems()), self.known,
        )  # fmt: skip

    def _problems(self) -> list[str]:
        told = [self.problem] if self.problem else []
        told += [f"A worker says: {trouble}" for trouble in self.gathered.troubles]
        silent = self.gathered.silent
        if silent:
            more = f" and {len(silent) - PEERS_NAMED_MAX} more" if len(silent) > PEERS_NAMED_MAX else ""
            told.append(f"No answer from the workers at {', '.join(silent[:PEERS_NAMED_MAX])}{more}.")
        return told

    def note_window(self, window: KpiWindow) -> None:
        """A window was read: what of it do tiles show?"""
        for board in self._boards:
            for tile in board.wall:
                if isinstance(tile.reading, Kpi) and tile.reading.window == window.key.window:
                    self.history.note((board.name, tile.name), window.at_ms, found_in(tile.reading, window).value)

    def note(self, numbers: Numbers, now: int) -> None:
        """What tiles show of now; what is old says nothing about where they are going."""
        if page.freshness_of(numbers, now) != "fresh":
            return
        for board in self._boards:
            for tile in board.wall:
                if not isinstance(tile.reading, Kpi):
                    self.history.note((board.name, tile.name), now, find(tile.reading, numbers, now).value)
