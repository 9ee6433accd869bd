"""The Faust application: the frame that gives the worker its service tree, signals and shutdown.

Faust hosts the ticket stage as a service of its own and touches none of its data. Everything is built by `create_app`; importing this
module does nothing.
"""

from __future__ import annotations

from typing import Any

import faust
from aiohttp import web

from processor.compile import compile_settings
from processor.config import Config
from processor.export.http import create_http_app
from processor.export.telemetry import Telemetry
from processor.stream.connection import faust_credentials
from processor.stream.runtime import Runtime
from processor.stream.showing import Showing


def create_app(config: Config, *, from_log_start: bool = False) -> faust.App:
    """The application of one worker: the ticket stage, and /metrics beside it."""
    app = faust.App(
        f"{config.application_id}-frame",  # a consumer group of its own: the ticket stage has the plain name
        broker=[f"kafka://{server}" for server in config.kafka.bootstrap_servers],
        broker_client_id=config.kafka.client_id,
        broker_credentials=faust_credentials(config.kafka),
        broker_session_timeout=float(config.worker.session_timeout_seconds),
        broker_heartbeat_interval=config.worker.session_timeout_seconds / 10,  # Faust's own 3 s would outlast a short session
        store="memory://",
        topic_replication_factor=config.topics.replication,
        table_standby_replicas=0,
        web_enabled=False,
        autodiscover=False,
    )

    app.producer_only = True  # no agents, so no consumer group of the frame's own to wait for

    @app.service
    class TicketStage(faust.Service):
        """Starts and stops the runtime and what it shows."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            settings = compile_settings(config)
            self.recorder = Telemetry(configuration=settings.fingerprint)
            self.runtime = Runtime(config, settings, self.recorder, from_log_start=from_log_start)
            self.showing = Showing(config, self.runtime, self.recorder)
            self.runner = web.AppRunner(create_http_app(self.showing), access_log=None)

        async def on_start(self) -> None:
            await self.runner.setup()
            await web.TCPSite(self.runner, config.http.host, config.http.port).start()
            await self.runtime.start()

        async def on_stop(self) -> None:
            await self.runtime.stop()
            await self.runner.cleanup()

    return app
