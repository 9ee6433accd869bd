"""What a worker shows over HTTP: the numbers of its partitions as of their last commits, and the KPIs of the segments that it owns now.

The text for Prometheus is rendered at most once per snapshot interval, however many ask for it; else a scrape copies bytes. But no
text is served with KPIs of which this worker cannot prove, at the instant of serving, that they are still its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from processor.config import Config
from processor.core.outputs import View
from processor.cycles import none_made
from processor.export.collector import Exporter
from processor.export.kpi_view import KpiView
from processor.export.snapshot import snapshot
from processor.export.telemetry import Telemetry
from processor.stream.evidence import Evidence
from processor.stream.explaining import explain_ticket
from processor.stream.kpi_stage import KpiStage, Owned
from processor.stream.runtime import Runtime
from processor.stream.shown import Shown

RENDERINGS_MAX = 4  # for one answer; the last one is without KPIs


class Showing:
    """The source behind /metrics, /snapshot, /explain, /evidence and /readyz of one worker."""

    def __init__(self, config: Config, runtime: Runtime, kpis: KpiStage, telemetry: Telemetry) -> None:
        self._config = config
        self._runtime = runtime
        self._kpis = kpis
        self._telemetry = telemetry
        self._exporter = Exporter(config)
        self._evidence = Evidence(config, runtime.partitions)
        self._one_snapshot, self._one_explanation = asyncio.Lock(), asyncio.Lock()  # of the threads that the partitions need, too
        self._group_bys = tuple(tuple(names) for names in config.segments.group_bys)
        self._rendered_for: tuple[list[Shown], list[KpiView]] | None = None
        self._rendered_owned: Owned = frozenset()  # whose KPIs the text has
        self._rendered_partitions: set[int] = set()  # whose numbers it has
        self._rendered_at = 0.0
        self._interval_seconds = config.worker.snapshot_ms / 1000
        self._text = b""

    async def exposition(self) -> bytes:
        """The metrics of this instant: at most a snapshot interval old, and a second where nothing was committed since."""
        self._render_if_due()
        left = RENDERINGS_MAX
        while self._shows_lost():  # nothing may come between this and the answer
            left -= 1
            self._render(*(self._kpis.shown() if left else ([], frozenset())))  # lost faster than can be rendered
        return self._text

    def _shows_lost(self) -> bool:
        """Whether the text has numbers of what is not ours any more."""
        owned = {shown.view.partition for shown in self._runtime.shown()}
        return not (self._rendered_owned <= self._kpis.owned() and self._rendered_partitions <= owned)

    def _render_if_due(self) -> None:
        shown, (views, owned) = self._runtime.shown(), self._kpis.shown()
        same = self._rendered_for is not None and _same(shown, self._rendered_for[0]) and _same(views, self._rendered_for[1])
        pause = max(self._interval_seconds, 1.0) if same else self._interval_seconds
        if self._rendered_for is None or time.monotonic() - self._rendered_at >= pause:
            self._render(views, owned)

    def _render(self, kpis: list[KpiView], owned: Owned) -> None:
        shown, started = self._runtime.shown(), time.monotonic()  # the loop's own clock stands still in here
        self._telemetry.kpi_partitions(owned)
        self._telemetry.progress(self._runtime.progress())
        views = [item.view for item in shown]
        # Not in a thread: that would compete with the fold, and wait for a piece of it again and again. A scrape took twice as long then.
        with none_made():
            self._text = self._exporter.render(views, self._telemetry, kpis)
        self._rendered_for, self._rendered_owned, self._rendered_at = (shown, kpis), owned, started
        self._rendered_partitions = {view.partition for view in views}
        self._telemetry.exposition_rendered(time.monotonic() - started)

    async def snapshot(self) -> dict[str, Any]:
        """The numbers for programs: per partition what was applied, and every family."""
        async with self._one_snapshot:
            return await self._snapshot()

    async def _snapshot(self) -> dict[str, Any]:
        shown = self._runtime.shown()
        applied = {item.view.partition: item.applied for item in shown}
        rekeyed = {item.view.partition: (item.rekeyed_applied, item.rekeyed_unread) for item in shown}
        return await asyncio.to_thread(snapshot, [item.view for item in shown], applied, self._group_bys, rekeyed)

    async def explain(self, ticket: str, at: int | None) -> tuple[int, dict[str, Any]]:
        """See `explaining`."""
        async with self._one_explanation:
            return await explain_ticket(self._config, self._runtime.settings, self._runtime.partitions, ticket, at)

    async def evidence(self, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """See `evidence`."""
        return await self._evidence.answer(query)

    def health(self) -> tuple[list[View], Telemetry]:
        """The partitions as of their last commits, and what the recorder knows at this instant."""
        self._telemetry.kpi_partitions(self._kpis.owned())
        self._telemetry.progress(self._runtime.progress())
        return [item.view for item in self._runtime.shown()], self._telemetry

    def ready(self) -> tuple[bool, list[str]]:
        """See Runtime.ready. Trouble of the KPI stage is told, but is no reason to take the worker out of service."""
        ready, reasons = self._runtime.ready()
        return ready, reasons + self._kpis.trouble()

    def healthy(self) -> bool:
        """The process answers; what is wrong with single partitions is a matter of readiness."""
        return True


def _same(some: Sequence[object], others: Sequence[object]) -> bool:
    """Whether these are the same objects; what is shown never changes once it is made."""
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))
