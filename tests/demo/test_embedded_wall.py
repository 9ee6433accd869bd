"""The demonstration without Kafka has a wall, too, with numbers on every board."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from processor.compile import compile_settings
from processor.config import load
from processor.core.settings import HOUR_MS
from processor.demo.embedded import Embedded
from processor.demo.run import CONFIG
from processor.synthetic.generate import generate
from processor.wall.feed import Feed
from processor.wall.serving import add_wall
from processor.wall_clock import WallClock

PATIENCE_SECONDS = 60.0


async def shown(client: TestClient[web.Request, web.Application]) -> dict[str, Any]:
    """The first page with numbers of the partitions on it."""
    async with asyncio.timeout(PATIENCE_SECONDS), client.get("/wall/events") as response:
        async for line in response.content:
            state: dict[str, Any] = orjson.loads(line[6:]) if line.startswith(b"data: ") else {}
            if state and state["freshness"] != "empty" and "not known" not in line.decode():
                return state
    raise AssertionError("the stream has ended")


async def test_every_board_of_the_embedded_demonstration_has_numbers() -> None:
    config = load(CONFIG)
    now = WallClock().now()
    made = generate(compile_settings(config), events=3000, seed=7, start=now - 3 * HOUR_MS, duration=3 * HOUR_MS)
    embedded = Embedded(config)
    lines = list(made.lines)
    embedded.feed(lines[:-100])
    embedded.caught_up()
    embedded.feed(lines[-100:])
    app = web.Application()
    add_wall(app, Feed(config, embedded, embedded.together.open))
    async with TestClient(TestServer(app)) as client:
        state = await shown(client)
    assert state["freshness"] == "fresh"
    for board in state["boards"]:
        assert [tile for tile in board["tiles"] if not tile["words"]], board["name"]
