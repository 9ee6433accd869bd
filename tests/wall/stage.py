"""The wall on a stage: the real page and the real stream, of states that the test sets, in a real browser."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import orjson
from aiohttp import web
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from processor.boards.tables import BOARDS
from processor.wall.feed import Feed
from processor.wall.history import History
from processor.wall.numbers import Numbers
from processor.wall.serving import add_wall
from processor.wall.state import Frame, state
from tests.wall.made import NOW, config

SIZES = {"tv": (1920, 1080), "phone": (390, 844)}
OTHER_SIZES = {"turned": (844, 390), "small": (320, 568), "tablet": (1024, 768), "laptop": (1366, 768), "large": (3840, 2160)}
PATIENCE_MS = 60_000.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SHOTS = os.environ.get("WALL_SCREENSHOTS", "")  # a folder, for those who want to look


class Shown:
    """In the place of a feed: shows what it is told to."""

    def __init__(self) -> None:
        self.latest = b""
        self.viewers = 0
        self.ending = False
        self._news = asyncio.Event()

    def asked(self) -> None:
        """Nothing to begin."""

    async def changed(self) -> None:
        """Until there is another state."""
        await self._news.wait()

    def tell(self, latest: bytes) -> None:
        """To be called on the loop."""
        self.latest = latest
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def own(self) -> bytes:
        """Nothing."""
        return b"{}"

    async def close(self) -> None:
        """Let the streams end."""
        self.ending = True
        self.tell(self.latest)


class Stage:
    """Serves the wall from a thread. `show` sets what it shows; `fall` and `rise` take the server away and bring it back."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._shown = Shown()
        self._runner: web.AppRunner | None = None
        self._port = 0
        self.rise()

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://127.0.0.1:{self._port}/wall"

    def show(self, numbers: Numbers, *, now: int = NOW, history: History | None = None, frame: Frame | None = None) -> None:
        """The page of these numbers."""
        told = state(BOARDS, numbers, history or History(), frame or Frame.of(config()), now)
        self._loop.call_soon_threadsafe(self._shown.tell, orjson.dumps(told))

    def rise(self) -> None:
        """Serve; what was shown before is shown again."""
        self._do(self._rise())

    def fall(self) -> None:
        """Away, as after a crash."""
        assert self._runner is not None
        self._do(self._runner.cleanup())

    def end(self) -> None:
        """For good."""
        self.fall()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _rise(self) -> None:
        before, self._shown = self._shown.latest, Shown()
        self._shown.latest = before
        app = web.Application()
        add_wall(app, cast("Feed", self._shown))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_MS / 1000)


class Visit:
    """A page in a browser window of its own, and what it asked for and complained about."""

    def __init__(self, context: BrowserContext, stage: Stage) -> None:
        self._stage = stage
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.set_default_timeout(PATIENCE_MS)

    def go(self, query: str = "") -> Page:
        """Open it, and wait until it shows something."""
        self.page.goto(self._stage.url + query)
        self.page.wait_for_selector("html:not([data-freshness=waiting])")
        return self.page


@contextmanager
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, "there is no Chromium: `source deploy/setup.sh && setup browser` installs it"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
        try:
            yield chromium
        finally:
            chromium.close()
