"""Tiny runs of the benchmarks, so that they keep working and their answers stay checked. No speed is asserted here."""

from __future__ import annotations

import pytest

from tests.bench import engine, kpis, worker
from tests.bench.__main__ import CEILINGS, FLOORS, show


def test_the_engine_benchmark_checks_its_answers() -> None:
    """It raises where the engine's counts are not those of the stream."""
    figures = engine.run(4000)
    assert figures["engine_events_per_second"] > 0
    assert figures["bytes_per_open_ticket"] > 0


@pytest.mark.kafka
def test_the_worker_benchmark_checks_its_answers() -> None:
    """It raises where the worker's counts are not those of the stream, or a restart changes the digest."""
    figures = worker.run(4000)
    assert figures["recovery_seconds"] >= 0
    assert figures["state_bytes_per_input_byte"] > 0


@pytest.mark.kafka
def test_the_kpi_benchmark_checks_its_answers() -> None:
    """It raises where what is shown is not the sum over partitions."""
    figures = kpis.run(4000)
    assert figures["kpi_cpu_seconds_per_minute"] > 0
    assert figures["kpi_scrape_lines"] > 0


def test_a_missed_floor_is_named() -> None:
    """The table tells which figures are too low."""
    name, floor = next(iter(FLOORS.items()))
    assert show({"part": {name: floor - 1}}) == [name]
    assert show({"part": {name: floor}}) == []


def test_a_missed_ceiling_is_named() -> None:
    """The table tells which figures are too high."""
    name, ceiling = next(iter(CEILINGS.items()))
    assert show({"part": {name: ceiling + 1}}) == [name]
    assert show({"part": {name: ceiling}}) == []
