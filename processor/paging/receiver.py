"""The receiver of Alertmanager's webhooks: each alert that begins or is over becomes one record of the topic.

    POST /alerts ──▶ read ──▶ evidence of the workers ──▶ topic, acknowledged by all replicas ──▶ 200
                      │ 400, 413: nobody can use it                        │ 503: Alertmanager sends it again

So everything is written at least once. What Alertmanager repeats (it does every few hours, and two of them tell the same) is known by its
id, and written once as long as this process lives.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator

from aiohttp import web

from processor.paging.asking import Workers
from processor.paging.counting import CONTENT_TYPE, Counts
from processor.paging.payload import News, PayloadError, read, truncated
from processor.paging.record import record_of, segment_of, wants_evidence
from processor.paging.writing import AlertsTopic, NotWrittenError, TooLargeError
from processor.wall_clock import WallClock

BODY_BYTES_MAX = 4 * 1024 * 1024  # some thousand alerts
REMEMBERED_MAX = 10_000  # ids of news that was written

log = logging.getLogger(__name__)


class Receiver:
    """Takes notifications. `create_app` serves it."""

    def __init__(self, topic: AlertsTopic, workers: Workers) -> None:
        self._topic, self._workers = topic, workers
        self._written: OrderedDict[str, None] = OrderedDict()
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._counts = Counts()
        self._clock = WallClock()

    async def take(self, request: web.Request) -> web.Response:
        """POST /alerts."""
        self._counts.add("notifications_total")
        try:
            body = await request.read()
            news = read(body)
        except web.HTTPRequestEntityTooLarge:
            return self._refuse(413, "too_large", f"larger than {BODY_BYTES_MAX:,} bytes: limit max_alerts of the webhook in Alertmanager")
        except PayloadError as error:
            return self._refuse(400, error.reason, str(error))
        self._counts.add("alerts_truncated_total", count=truncated(body))
        outcomes = await asyncio.gather(*(self._once(each) for each in news), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        too_large = next((failure for failure in failures if isinstance(failure, TooLargeError)), None)
        if len(failures) > (too_large is not None):
            problem = next(failure for failure in failures if failure is not too_large)
            self._counts.add("notifications_failed_total")
            log.warning("%d of %d alerts were not written: %s", len(failures), len(news), problem)
            return web.json_response({"error": f"not written, send it again: {problem}"}, status=503)
        if too_large is not None:
            return self._refuse(413, "too_large", str(too_large))
        return web.json_response({"written": len(news)})

    def _refuse(self, status: int, reason: str, message: str) -> web.Response:
        self._counts.add("notifications_refused_total", reason)
        log.warning("a notification was refused: %s", message)
        return web.json_response({"error": message, "reason": reason}, status=status)

    async def _once(self, news: News) -> None:
        """Write it unless it is written; whoever brings the same meanwhile waits for the same."""
        if news.id in self._written:
            self._counts.add("alerts_repeated_total")
            return
        task = self._writing.get(news.id)
        if task is None:
            task = self._writing[news.id] = asyncio.create_task(self._write(news))
            task.add_done_callback(lambda _: self._writing.pop(news.id, None))
        else:
            self._counts.add("alerts_repeated_total")
        await asyncio.shield(task)

    async def _write(self, news: News) -> None:
        if self._topic.problem:
            raise NotWrittenError(self._topic.problem)  # before anybody is asked for evidence in vain
        evidence = await self._workers.evidence(segment_of(news)) if wants_evidence(news) else None
        if evidence is not None and not evidence["complete"]:
            self._counts.add("evidence_incomplete_total")
        await self._topic.write(*record_of(news, evidence))
        self._written[news.id] = None
        if len(self._written) > REMEMBERED_MAX:
            self._written.popitem(last=False)
        self._counts.add("alerts_written_total", news.status)
        self._counts.put("last_written_timestamp_seconds", self._clock.now() // 1000)
        log.info("%s %s %s", news.labels["alertname"], news.status, segment_of(news) or "")

    async def metrics(self, _request: web.Request) -> web.Response:
        """GET /metrics."""
        self._counts.put("kafka_up", int(not (self._topic.problem or self._topic.failure)))
        return web.Response(body=self._counts.render(), headers={"Content-Type": CONTENT_TYPE})

    async def ready(self, _request: web.Request) -> web.Response:
        """GET /readyz."""
        problem = self._topic.problem or self._topic.failure
        return web.Response(status=503 if problem else 200, text=f"{problem or 'ready'}\n")


async def _healthy(_request: web.Request) -> web.Response:
    return web.Response(text="healthy\n")


def create_app(topic: AlertsTopic, workers: Workers) -> web.Application:
    """The application: /alerts for Alertmanager, /metrics, /readyz, /healthz."""
    receiver = Receiver(topic, workers)
    app = web.Application(client_max_size=BODY_BYTES_MAX)

    async def connected(_app: web.Application) -> AsyncIterator[None]:
        async with topic:
            yield

    app.cleanup_ctx.append(connected)
    app.add_routes(
        [
            web.post("/alerts", receiver.take),
            web.get("/metrics", receiver.metrics),
            web.get("/readyz", receiver.ready),
            web.get("/healthz", _healthy),
        ]
    )
    return app


def serve(topic: AlertsTopic, workers: Workers, host: str, port: int) -> None:
    """Serve until a signal ends it. Raises OSError where the address cannot be had."""
    web.run_app(create_app(topic, workers), host=host, port=port, access_log=None, print=lambda *_: None, shutdown_timeout=10.0)
