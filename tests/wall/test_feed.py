"""The wall's feed: works while somebody watches, rests otherwise, and tells on the page what goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from processor.client.kpis import KpiWindow
from processor.core.outputs import View
from processor.export.telemetry import Telemetry
from processor.wall import feed as feed_module
from processor.wall import serving, workers
from processor.wall import state as page
from processor.wall.feed import Feed, OnBegun, Together, from_kafka
from processor.wall.serving import add_wall
from processor.wall.tails import OnWindow
from tests.wall.made import all_windows, config

PATIENCE_SECONDS = 60.0
RUNNING = "processor-health", "running"


class Worker:
    """Owns some partitions, and has trouble or not."""

    def __init__(self, *partitions: int, troubles: tuple[str, ...] = (), timer_ms: int = 1_000) -> None:
        self._partitions, self._troubles, self._timer = partitions, troubles, timer_ms

    def health(self) -> tuple[list[View], Telemetry]:
        telemetry = Telemetry()
        for number in self._partitions:
            telemetry.running(number, True)
        at = self._timer
        return [View(number, at, at, 0, 0, {}, {}, {}, 0, {"accepted": 10}, 0, 0) for number in self._partitions], telemetry

    def ready(self) -> tuple[bool, list[str]]:
        return not self._troubles, list(self._troubles)


class Read:
    """What all have come to together; may fail some times at first."""

    windows: Mapping[str, KpiWindow] = all_windows()
    levels: Mapping[str, int] | None = {"backlog": 5}
    levels_from = frozenset({0, 1})

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.reading = 0  # how many read now
        self.begun = 0

    def open(self, on_window: OnWindow) -> tuple[Together, Callable[[OnBegun], Awaitable[None]]]:
        async def read(begun: OnBegun) -> None:
            if self.failures:
                self.failures -= 1
                raise OSError("the broker is away")
            self.begun += 1
            self.reading += 1
            try:
                begun()
                for window in self.windows.values():
                    on_window(window)
                await asyncio.Event().wait()
            finally:
                self.reading -= 1

        return self, read


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything sooner."""
    monkeypatch.setattr(feed_module, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(feed_module, "GATHER_SECONDS", 0.02)
    monkeypatch.setattr(workers, "ASK_SECONDS", 0.5)


@asynccontextmanager
async def served(feed: Feed) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A worker's pages."""
    app = web.Application()
    add_wall(app, feed)
    async with TestClient(TestServer(app)) as client:
        yield client


async def states(client: TestClient[Any, Any]) -> AsyncIterator[dict[str, Any]]:
    """The page's states, as they come."""
    async with asyncio.timeout(PATIENCE_SECONDS), client.get("/wall/events") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        async for line in response.content:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


async def first(client: TestClient[Any, Any], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first state that is as wanted."""
    async for state in states(client):
        if wanted(state):
            return state
    raise AssertionError("the stream has ended")


def value(state: dict[str, Any], board: str, tile: str) -> str:
    """What a tile shows."""
    tiles = next(each["tiles"] for each in state["boards"] if each["name"] == board)
    return str(next(each["value"] for each in tiles if each["name"] == tile))


def notices(state: dict[str, Any]) -> str:
    """All of them."""
    return " ".join(each["text"] for each in state["notices"])


async def test_nothing_is_read_until_somebody_watches_nor_after_the_last_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "UNWATCHED_SECONDS", 0.05)
    read = Read()
    async with served(Feed(config(), Worker(0, 1), read.open)) as client:
        async with client.get("/wall/own") as response:
            assert response.status == 200
        assert read.begun == 0
        for visits in (1, 2):
            await first(client, lambda state: value(state, "backlog-flow", "backlog") == "5" and value(state, *RUNNING) == "yes")
            assert (read.begun, read.reading) == (visits, 1)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while read.reading:  # noqa: ASYNC110 - it ends by itself
                    await asyncio.sleep(0.01)


async def test_many_pages_are_fed_by_one_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "VIEWERS_MAX", 3)
    read = Read()
    async with served(Feed(config(), Worker(0, 1), read.open)) as client:
        streams = [states(client) for _ in range(3)]
        for stream in streams:
            await anext(stream)
        assert read.begun == 1
        async with client.get("/wall/events") as fourth:
            assert (fourth.status, await fourth.text()) == (503, "3 pages are open already; close some\n")


async def test_what_fails_is_told_and_tried_again() -> None:
    read = Read(failures=2)
    async with served(Feed(config(), Worker(0, 1), read.open)) as client:
        broken = await first(client, lambda state: bool(state["notices"]))
        assert "The topics of KPIs cannot be read: OSError: the broker is away. Trying again." in notices(broken)
        whole = await first(client, lambda state: "cannot be read" not in notices(state))
        assert read.begun == 1
        assert whole["freshness"] != "empty"


async def test_without_a_broker_the_page_says_so() -> None:
    away = config("kafka: {bootstrap_servers: ['127.0.0.1:9']}\n")
    async with served(Feed(away, Worker(0, 1), from_kafka(away))) as client:
        state = await first(client, lambda state: "cannot be read" in notices(state))
        assert "The topics of KPIs cannot be read: KafkaConnectionError: " in notices(state)


async def test_the_walls_of_two_workers_show_the_partitions_of_both() -> None:
    read = Read()
    async with served(Feed(config(), Worker(1, troubles=("partition 1 waits",)), Read().open)) as other:
        peers = [f"127.0.0.1:{other.port}", f"localhost:{other.port}"]  # one under two addresses
        async with served(Feed(config(), Worker(0), read.open, peers=peers)) as client:
            state = await first(client, lambda state: "waits" in notices(state))
            assert "A worker says: partition 1 waits" in notices(state)
            tile = next(each for each in state["boards"][5]["tiles"] if each["name"] == "running")
            assert (tile["value"], tile["note"]) == ("yes", "")


async def test_who_does_not_answer_is_named_and_what_is_missing_is_said() -> None:
    nobody = "127.0.0.1:9"
    async with served(Feed(config(), Worker(0), Read().open, peers=[nobody])) as client:
        state = await first(client, lambda state: "No answer" in notices(state))
        assert f"No answer from the workers at {nobody}." in notices(state)
        tile = next(each for each in state["boards"][5]["tiles"] if each["name"] == "running")
        assert tile["note"] == "1 of 2 partitions"


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"partitions": []}', b'{"worker": 1, "partitions": ["x"], "samples": {}, "troubles": []}',
                                    b'{"worker": "a", "partitions": [0], "samples": {"f": [[{}, "much"]]}, "troubles": []}'])  # fmt: skip
async def test_an_answer_that_is_none_is_no_answer(answer: bytes) -> None:
    async def own(_request: web.Request) -> web.Response:
        return web.Response(body=answer)

    app = web.Application()
    app.add_routes([web.get("/wall/own", own)])
    async with TestServer(app) as other, served(Feed(config(), Worker(0), Read().open, peers=[f"127.0.0.1:{other.port}"])) as client:
        assert "No answer" in notices(await first(client, lambda state: "No answer" in notices(state)))


def test_of_two_who_tell_of_a_partition_the_one_that_is_further_counts() -> None:
    timer = "support_processor_timer_timestamp_seconds"

    def answer(worker: str, seconds: str) -> dict[str, Any]:
        samples = {timer: [[{"partition": "0"}, seconds]], "plain": [[{}, "1.0"]]}
        return {"worker": worker, "partitions": [0], "samples": samples, "troubles": []}

    found = workers.together([answer("a", "20.0"), answer("b", "30.0"), answer("b", "30.0")])
    assert [sample.value for sample in found.samples[timer]] == [30.0]
    assert (found.workers, found.covered, len(found.samples["plain"])) == (2, frozenset({0}), 2)


async def test_a_worker_that_stops_ends_the_streams_at_once() -> None:
    feed = Feed(config(), Worker(0, 1), Read().open)
    async with served(feed) as client:
        stream = states(client)
        await anext(stream)
        assert feed.viewers == 1
        async with asyncio.timeout(10):
            await client.server.close()
        assert feed.viewers == 0


async def test_the_page_and_its_files_are_served_and_nothing_else() -> None:
    async with served(Feed(config(), Worker(0, 1), Read().open)) as client:
        for path, content_type in [("/wall", "text/html"), ("/wall/wall.css", "text/css"), ("/wall/wall.js", "text/javascript")]:
            async with client.get(path) as response:
                assert (response.status, response.content_type) == (200, content_type)
                assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        for path in ("/wall/wall.html", "/wall/..%2Ffeed.py", "/wall/nothing"):
            async with client.get(path) as response:
                assert response.status == 404
        async with client.get("/wall/?kiosk", allow_redirects=False) as response:
            assert response.headers["Location"] == "../wall?kiosk"


async def test_a_page_that_cannot_be_made_does_not_end_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = page.state
    calls = 0

    def sometimes(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise RuntimeError("a fault of ours")
        return whole(*arguments)

    monkeypatch.setattr(page, "state", sometimes)
    async with served(Feed(config(), Worker(0, 1), Read().open)) as client:
        assert value(await first(client, lambda state: value(state, "backlog-flow", "backlog") == "5"), "backlog-flow", "backlog") == "5"
