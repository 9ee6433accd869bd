"""/metrics, /healthz, /readyz, /snapshot, /explain, /evidence and a page that names them. Serves what its source has ready."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Protocol

import orjson
from aiohttp import web

from processor import __version__
from processor.codec.times import parse_time
from processor.export.collector import CONTENT_TYPE


class Source(Protocol):
    """What is served. Called from the event loop; what takes seconds runs in a thread."""

    async def exposition(self) -> bytes:
        """The metrics, in Prometheus text format."""

    async def snapshot(self) -> dict[str, Any] | bytes:
        """The numbers of one instant; bytes are JSON already."""

    async def explain(self, ticket: str, at: int | None) -> tuple[int, dict[str, Any]]:
        """Why a ticket's numbers are what they are (at an instant, in milliseconds), or why that cannot be told; with the status."""

    async def evidence(self, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """What stands behind an alert about a segment, of what is owned; with the status."""

    def ready(self) -> tuple[bool, list[str]]:
        """Whether everything that is owned is being processed, and if not, why; and what else is in trouble without being in the way."""

    def healthy(self) -> bool:
        """False if only a restart can help."""


SOURCE: web.AppKey[Source] = web.AppKey("source", Source)

_PAGES = (
    ("/metrics", "the numbers, for Prometheus"),
    ("/wall", "the boards, live, for people"),
    ("/snapshot", "the numbers of one instant with the ledger digest, for ticket-kpis replay --snapshot"),
    ("/explain?ticket=", "why a ticket's clocks breached or not, for ticket-kpis explain --url"),
    ("/evidence?group=", "what stands behind an alert about a segment: topics, groups, the oldest open tickets"),
    ("/readyz", "whether every owned partition is being processed"),
    ("/healthz", "whether the process is sound"),
)


def create_http_app(source: Source) -> web.Application:
    """The application that serves `source`."""
    app = web.Application()
    app[SOURCE] = source
    app.add_routes(
        [
            web.get("/", _landing),
            web.get("/metrics", _metrics),
            web.get("/snapshot", _snapshot),
            web.get("/explain", _explain),
            web.get("/evidence", _evidence),
            web.get("/readyz", _ready),
            web.get("/healthz", _healthy),
        ]
    )
    return app


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=await request.app[SOURCE].exposition(), headers={"Content-Type": CONTENT_TYPE})


async def _snapshot(request: web.Request) -> web.Response:
    taken = await request.app[SOURCE].snapshot()
    return web.Response(body=taken if isinstance(taken, bytes) else orjson.dumps(taken), content_type="application/json")


async def _explain(request: web.Request) -> web.Response:
    asked = request.query.get("at")
    try:
        at = None if asked is None else parse_time(asked)
    except ValueError as error:
        return web.json_response({"error": f"at: {error}", "reason": "no_time"}, status=400)
    status, told = await request.app[SOURCE].explain(request.query.get("ticket", ""), at)
    return web.Response(status=status, body=orjson.dumps(told), content_type="application/json")


async def _evidence(request: web.Request) -> web.Response:
    status, told = await request.app[SOURCE].evidence(request.query)
    return web.Response(status=status, body=orjson.dumps(told), content_type="application/json")


async def _ready(request: web.Request) -> web.Response:
    ready, reasons = request.app[SOURCE].ready()
    if ready:
        return web.Response(text="".join(f"{line}\n" for line in ("ready", *reasons)))
    return web.Response(status=503, text="".join(f"{reason}\n" for reason in reasons or ["not ready"]))


async def _healthy(request: web.Request) -> web.Response:
    if request.app[SOURCE].healthy():
        return web.Response(text="healthy\n")
    return web.Response(status=503, text="only a restart can help; see the log\n")


async def _landing(request: web.Request) -> web.Response:
    ready, reasons = request.app[SOURCE].ready()
    state = ("ready" if ready else "not ready") + (": " + "; ".join(reasons) if reasons else "")
    links = "".join(f'<li><a href="{path}">{path}</a> {escape(told)}</li>' for path, told in _PAGES)
    return web.Response(
        content_type="text/html",
        text=f'<!doctype html><html lang="en"><meta charset="utf-8"><title>ticket-kpis</title><h1>ticket-kpis {escape(__version__)}</h1>'
        f"<p>{escape(state)}</p><ul>{links}</ul></html>",
    )
