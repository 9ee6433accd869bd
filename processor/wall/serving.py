"""/wall: the page and its files, its state as server-sent events, and what this worker tells the others.

Everything comes from here: the page asks no other host for anything, and may not.
"""

from __future__ import annotations

import asyncio
from functools import cache
from importlib.resources import files

from aiohttp import web

from processor.config import Config
from processor.wall.feed import Feed, from_kafka
from processor.wall.workers import Watched

VIEWERS_MAX = 50  # pages at once; a worker has other things to do
AGAIN_MS = 2000  # after so long a page whose connection broke tries again
_TYPES = {"wall.css": "text/css", "wall.js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}  # fmt: skip


def serve_wall(config: Config, app: web.Application, worker: Watched) -> None:
    """The wall of a worker: what all workers have come to together is read from the topics."""
    add_wall(app, Feed(config, worker, from_kafka(config), peers=config.http.peers))


def add_wall(app: web.Application, feed: Feed) -> None:
    """Serve the wall beside the other pages."""
    wall = _Wall(feed)
    app.add_routes(
        [
            web.get("/wall", wall.page),
            web.get("/wall/", wall.to_page),
            web.get("/wall/events", wall.events),
            web.get("/wall/own", wall.own),
            web.get("/wall/{name}", wall.file),
        ]
    )
    app.on_shutdown.append(wall.close)


@cache
def _file(name: str) -> bytes:
    return files("processor.wall").joinpath("static", name).read_bytes()


class _Wall:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._streams: set[asyncio.Task[object]] = set()

    async def page(self, _request: web.Request) -> web.Response:
        """The same for all boards: which one stands behind the `#`."""
        self._feed.asked()  # so that the numbers are there when the page asks
        return web.Response(body=_file("wall.html"), content_type="text/html", charset="utf-8", headers=_HEADERS)

    async def to_page(self, request: web.Request) -> web.Response:
        """Links on the page are relative to /wall, so that it may be served under another path."""
        return web.Response(status=308, headers={"Location": "../wall" + (f"?{request.query_string}" if request.query_string else "")})

    async def file(self, request: web.Request) -> web.Response:
        """Style and script."""
        name = request.match_info["name"]
        if name not in _TYPES:
            raise web.HTTPNotFound(text="no such page; the wall is at /wall\n")
        return web.Response(body=_file(name), content_type=_TYPES[name], charset="utf-8", headers=_HEADERS)

    async def own(self, _request: web.Request) -> web.Response:
        """What this worker tells the walls of the others."""
        return web.Response(body=await self._feed.own(), content_type="application/json")

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The state, again with every change, until the page is closed."""
        feed = self._feed
        if feed.viewers >= VIEWERS_MAX:
            return web.Response(status=503, text=f"{VIEWERS_MAX} pages are open already; close some\n")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        feed.viewers += 1
        stream = asyncio.current_task()
        assert stream is not None, "requests are handled in tasks"
        self._streams.add(stream)
        try:
            feed.asked()
            await response.prepare(request)
            await response.write(b"retry: %d\n\n" % AGAIN_MS)
            while not feed.ending:
                if feed.latest:
                    await response.write(b"event: state\ndata: %b\n\n" % feed.latest)
                await feed.changed()
                feed.asked()  # a feed that has ended begins again
        except ConnectionError:
            pass  # the page was closed
        finally:
            feed.viewers -= 1
            self._streams.discard(stream)
        return response

    async def close(self, _app: web.Application) -> None:
        """End the open streams, or the worker would wait for them."""
        await self._feed.close()
        for stream in self._streams:
            stream.cancel()
