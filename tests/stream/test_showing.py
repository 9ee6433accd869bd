"""What is rendered for /metrics, and how often."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from processor.config import Config
from processor.export.collector import Exporter, empty_view
from processor.export.telemetry import Telemetry
from processor.stream.partition import Shown
from processor.stream.showing import Showing


class FakeRuntime:
    """A runtime that has committed something since it was asked last."""

    def shown(self) -> list[Shown]:
        return [Shown(empty_view(), 0, 1, replaying=False)]


async def rendered(snapshot_ms: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often ten requests that come at once have it rendered."""
    config, times = Config(), Counter[str]()

    def render(*_: object) -> bytes:
        times["rendered"] += 1
        return b""

    worker = config.worker.model_copy(update={"snapshot_ms": snapshot_ms})
    monkeypatch.setattr(Exporter, "render", render)
    runtime: Any = FakeRuntime()
    showing = Showing(config.model_copy(update={"worker": worker}), runtime, Telemetry())
    for _ in range(10):
        await showing.exposition()
    return times["rendered"]


async def test_however_many_ask_it_is_rendered_once_in_a_snapshot_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rendered(60_000, monkeypatch) == 1


async def test_what_was_committed_is_shown_after_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rendered(0, monkeypatch) == 10
