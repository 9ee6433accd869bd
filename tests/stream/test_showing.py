"""What is rendered for /metrics, how often, and that no KPI is served of which it is not certain that it is ours."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from processor.config import Config
from processor.export.collector import Exporter, empty_view
from processor.export.kpi_view import KpiView
from processor.export.progress import Progress
from processor.export.telemetry import Telemetry
from processor.stream.showing import Showing
from processor.stream.shown import Shown


class FakeRuntime:
    """A runtime that has committed something since it was asked last."""

    def __init__(self) -> None:
        self.numbers = [0]
        self.partitions: dict[Any, Any] = {}

    def shown(self) -> list[Shown]:
        return [Shown(replace(empty_view(), partition=number), 0, 1, replaying=False) for number in self.numbers]

    def progress(self) -> list[Progress]:
        return [Progress(number, 1.0, 1000 * number, number / 4) for number in self.numbers]

    def ready(self) -> tuple[bool, list[str]]:
        return True, []


def view(number: int) -> KpiView:
    return KpiView(number, 60_000, True, {}, {})


@dataclass
class FakeKpis:
    """A KPI stage whose partitions can be taken away, also while the text is rendered."""

    epochs: dict[int, int] = field(default_factory=dict)
    views: dict[int, KpiView] = field(default_factory=dict)

    def shown(self) -> tuple[list[KpiView], frozenset[tuple[int, int]]]:
        return [self.views.setdefault(number, view(number)) for number in self.epochs], self.owned()

    def owned(self) -> frozenset[tuple[int, int]]:
        return frozenset(self.epochs.items())

    def trouble(self) -> list[str]:
        return []


def showing_of(kpis: FakeKpis, snapshot_ms: int, runtime: Any = None) -> Showing:
    config = Config()
    worker = config.worker.model_copy(update={"snapshot_ms": snapshot_ms})
    runtime = runtime or FakeRuntime()
    stage: Any = kpis
    return Showing(config.model_copy(update={"worker": worker}), runtime, stage, Telemetry())


async def rendered(snapshot_ms: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often ten requests that come at once have it rendered."""
    times = Counter[str]()

    def render(*_: object) -> bytes:
        times["rendered"] += 1
        return b""

    monkeypatch.setattr(Exporter, "render", render)
    showing = showing_of(FakeKpis(), snapshot_ms)
    for _ in range(10):
        await showing.exposition()
    return times["rendered"]


async def test_however_many_ask_it_is_rendered_once_in_a_snapshot_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rendered(60_000, monkeypatch) == 1


async def test_what_was_committed_is_shown_after_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rendered(0, monkeypatch) == 10


def owners(text: bytes) -> dict[str, str]:
    """kpi_partition -> epoch, as served; the W of a partition is there if and only if its epoch is."""
    lines = [line.rsplit(" ", 1) for line in text.decode().splitlines() if not line.startswith("#")]
    epochs = {name: value for name, value in lines if name.startswith("support_processor_kpi_epoch{")}
    assert {name.partition("{")[2] for name in epochs} == {
        name.partition("{")[2] for name, _ in lines if name.startswith("support_kpi_end_timestamp_seconds{")
    }
    return {name.split('"')[1]: value for name, value in epochs.items()}


async def test_kpis_are_gone_from_the_next_answer_on_however_young_the_text_is() -> None:
    kpis = FakeKpis({0: 4, 1: 7})
    showing = showing_of(kpis, 60_000)
    assert owners(await showing.exposition()) == {"0": "4", "1": "7"}
    del kpis.epochs[0]
    assert owners(await showing.exposition()) == {"1": "7"}
    kpis.epochs[1] = 9  # lost and taken again: what was rendered for the former ownership is not served either
    assert owners(await showing.exposition()) == {"1": "9"}


@pytest.mark.parametrize("losses", [1, 2, 3, 4])
async def test_what_is_lost_while_it_is_rendered_is_not_served(losses: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kpis = FakeKpis(dict.fromkeys(range(5), 1))
    render = Exporter.render

    def lose_one(self: Exporter, views: Iterable[Any], telemetry: Telemetry, shown: list[KpiView]) -> bytes:
        text = render(self, views, telemetry, shown)
        if len(kpis.epochs) > 5 - losses:
            kpis.epochs.popitem()
        return text

    monkeypatch.setattr(Exporter, "render", lose_one)
    served = owners(await showing_of(kpis, 60_000).exposition())
    assert served == ({str(number): "1" for number in kpis.epochs} if losses < 4 else {})


def partitions(text: bytes) -> set[str]:
    """The partitions of which anything is served."""
    return set(re.findall(r'[{,]partition="(\d+)"', text.decode()))


async def test_series_of_a_lost_partition_are_gone_from_the_next_answer_on_however_young_the_text_is() -> None:
    runtime = FakeRuntime()
    showing = showing_of(FakeKpis(), 60_000, runtime)
    runtime.numbers = [0, 3]
    text = await showing.exposition()
    assert partitions(text) == {"0", "3"}
    assert b'support_processor_lag_records{partition="3"} 3000' in text
    assert b'support_processor_lag_seconds{partition="3"} 0.75' in text
    assert b'support_processor_recovered_ratio{partition="3"} 1' in text
    runtime.numbers = [0]
    assert partitions(await showing.exposition()) == {"0"}


async def test_trouble_of_the_kpi_stage_is_told_and_leaves_the_worker_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeKpis, "trouble", lambda _: ["kpis-3: failing"])
    showing = showing_of(FakeKpis(), 60_000)
    assert showing.ready() == (True, ["kpis-3: failing"])
