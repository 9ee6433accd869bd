"""What a worker shows over HTTP: the numbers of its partitions as of their last commits.

The text for Prometheus is rendered at most once per snapshot interval, in a thread, however many ask for it; a scrape copies bytes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from processor.config import Config
from processor.export.collector import Exporter
from processor.export.snapshot import snapshot
from processor.export.telemetry import Telemetry
from processor.stream.partition import Shown
from processor.stream.runtime import Runtime


class Showing:
    """The source behind /metrics, /snapshot and /readyz of one worker."""

    def __init__(self, config: Config, runtime: Runtime, telemetry: Telemetry) -> None:
        self._runtime = runtime
        self._telemetry = telemetry
        self._exporter = Exporter(config)
        self._group_bys = tuple(tuple(names) for names in config.segments.group_bys)
        self._rendering = asyncio.Lock()
        self._rendered_for: list[Shown] | None = None
        self._rendered_at = 0.0
        self._interval_seconds = config.worker.snapshot_ms / 1000
        self._text = b""

    async def exposition(self) -> bytes:
        """The metrics of this instant: at most a snapshot interval old, and a second where nothing was committed since."""
        async with self._rendering:
            shown = self._runtime.shown()
            now = asyncio.get_running_loop().time()
            pause = self._interval_seconds if shown != self._rendered_for else max(self._interval_seconds, 1.0)
            if self._rendered_for is None or now - self._rendered_at >= pause:
                views = [item.view for item in shown]
                self._text = await asyncio.to_thread(self._exporter.render, views, self._telemetry)
                self._rendered_for, self._rendered_at = shown, now
                self._telemetry.exposition_rendered(asyncio.get_running_loop().time() - now)
            return self._text

    async def snapshot(self) -> dict[str, Any]:
        """The numbers for programs: per partition what was applied, and every family."""
        shown = self._runtime.shown()
        applied = {item.view.partition: item.applied for item in shown}
        return await asyncio.to_thread(snapshot, [item.view for item in shown], applied, self._group_bys)

    def ready(self) -> tuple[bool, list[str]]:
        """See Runtime.ready."""
        return self._runtime.ready()

    def healthy(self) -> bool:
        """The process answers; what is wrong with single partitions is a matter of readiness."""
        return True
