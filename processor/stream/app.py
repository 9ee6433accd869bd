"""The frame of the worker: the Faust application that gives it its service tree, signals and shutdown.

    frame (faust.App, no consumer) ──▶ Stages: 1. HTTP  2. KPI stage, in the background  3. ticket stage
                                                           └ a faust.App of its own: consumer group, agent (see kpi_app)

HTTP is up first, so that /readyz can say what the rest waits for. The KPI stage begins in the background and may fail and begin again
without anybody waiting for it: after a kill its group waits for the session of a dead member, and the ticket stage runs long before. Were
its agent part of the frame, every service here would begin after its recovery, and a failure in it would end the process. Faust touches
none of the ticket stage's data. Everything is built by `create_app`; importing this module does nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import faust
from aiohttp import web
from faust.app.base import BootStrategy

from processor.compile import compile_settings
from processor.config import Config
from processor.export.http import create_http_app
from processor.export.telemetry import Telemetry
from processor.stream.connection import faust_credentials
from processor.stream.kpi_stage import KpiStage
from processor.stream.runtime import Runtime
from processor.stream.showing import Showing


class _Boot(BootStrategy):
    enable_kafka = False  # the stages have clients of their own


class _Frame(faust.App):
    BootStrategy = _Boot

    async def on_first_start(self) -> None:
        """Faust would make directories for tables in the working directory."""


MorePages = Callable[[web.Application, Showing], None]


def create_app(
    config: Config, *, from_log_start: bool = False, instance: str | None = None, more_pages: MorePages | None = None
) -> faust.App:  # fmt: skip
    """The application of one worker: both stages, and /metrics beside them. `instance` is the name that it keeps over restarts.

    `more_pages` may add pages about what is shown.
    """
    app = _Frame(
        f"{config.application_id}-frame",
        broker=[f"kafka://{server}" for server in config.kafka.bootstrap_servers],
        broker_client_id=config.kafka.client_id,
        broker_credentials=faust_credentials(config.kafka),
        store="memory://",
        topic_allow_declare=False,
        web_enabled=False,
        autodiscover=False,
    )

    app.producer_only = True  # no agents here, so no consumer group to wait for

    @app.service
    class Stages(faust.Service):
        """Starts and stops both stages and what they show."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            settings = compile_settings(config)
            self.recorder = Telemetry(configuration=settings.fingerprint)
            self.runtime = Runtime(config, settings, self.recorder, from_log_start=from_log_start, instance=instance)
            self.kpis = KpiStage(config, settings, self.recorder)
            self.showing = Showing(config, self.runtime, self.kpis, self.recorder)
            pages = create_http_app(self.showing)
            if more_pages is not None:
                more_pages(pages, self.showing)
            self.runner = web.AppRunner(pages, access_log=None)

        async def on_start(self) -> None:
            await self.runner.setup()
            await web.TCPSite(self.runner, config.http.host, config.http.port).start()
            await self.kpis.start()
            await self.runtime.start()

        async def on_stop(self) -> None:
            await asyncio.gather(self.kpis.stop(), self.runtime.stop())  # each within its bounds
            await self.runner.cleanup()

    return app
