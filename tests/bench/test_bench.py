"""Tiny runs of the benchmarks, so that they keep working and their answers stay checked. No speed is asserted here."""

from __future__ import annotations

import pytest

from tests.bench import engine, kpis, latency, memory, race, recovery, scaling, scrape, simple, soak
from tests.bench.limits import LIMITS, show
from tests.bench.options import Size

TINY = Size(events=3000, rounds=1, minutes=0.1, peer=None)


def test_the_engine_benchmark_checks_its_answers() -> None:
    """It raises where the engine's counts are not those of the generator, or anything of what must happen did not."""
    figures = engine.run(TINY)
    assert figures["engine_events_per_second"] > 0
    assert figures["timers_fired"] > 0


def test_the_simple_engine_benchmark_checks_its_answers() -> None:
    """It raises where the engine's counts are not those of the stream."""
    assert simple.run(TINY)["simple_engine_events_per_second"] > 0


@pytest.mark.kafka
def test_the_race_checks_its_answers() -> None:
    """It raises where the worker's numbers are not those of the generator. Kafka Streams is not asked: its source lies elsewhere."""
    figures = race.run(TINY)
    assert figures["worker_to_usual_faust"] > 0
    assert figures["bytes_written_per_input_byte"] > 0
    assert figures["digest"] == engine.run(TINY)["digest"]


@pytest.mark.kafka
def test_the_kpi_benchmark_checks_its_answers() -> None:
    """It raises where what is shown is not the sum over partitions."""
    figures = kpis.run(TINY)
    assert figures["kpi_cpu_seconds_per_minute"] > 0
    assert figures["kpi_scrape_lines"] > 0


@pytest.mark.kafka
def test_the_latency_benchmark_sees_each_watched_ticket() -> None:
    """It raises where a breach is stated too early, and waits for all."""
    figures = latency.run(TINY)
    assert figures["watched_tickets"] > 100
    assert 0 <= figures["breach_p50_seconds"] <= figures["breach_p99_seconds"]
    assert 0 < figures["metric_p50_seconds"] <= figures["metric_p99_seconds"]


@pytest.mark.kafka
def test_the_scrape_benchmark_has_as_many_samples_as_it_speaks_of() -> None:
    """It raises where the answers are smaller."""
    assert scrape.run(TINY)["scrape_p50_seconds"] > 0


@pytest.mark.kafka
def test_the_soak_checks_what_two_workers_counted() -> None:
    """It raises where a ticket is missing. Nobody looks at the slope of six seconds."""
    assert soak.run(TINY)["paced_events_per_second"] > 0


@pytest.mark.kafka
def test_the_recovery_benchmark_finds_all_open_tickets() -> None:
    """It raises where the worker that was restarted has fewer than were left. Its session of 6 s outlives the takeover."""
    found = recovery.run(TINY)
    assert found["recovery_seconds_of_a_few"] > 0
    assert found["recovery_rebalances"] == 1


def test_the_memory_benchmark_has_as_many_open_tickets_as_it_divides_by() -> None:
    """It raises where there are fewer, or too few of them with a tail."""
    assert memory.run(TINY)["bytes_per_open_ticket"] > 0


def test_the_scaling_benchmark_has_the_open_tickets_and_segments_of_which_it_speaks() -> None:
    """It raises where the engine has taken fewer events than it was fed."""
    figures = scaling.run(TINY)
    assert figures["cost_of_many_open_to_few"] > 0
    assert figures["cost_of_many_segments_to_few"] > 0


@pytest.mark.parametrize("name", LIMITS)
def test_a_missed_limit_is_named(name: str) -> None:
    """The table tells which figures are too low, or too high."""
    limit = LIMITS[name]
    assert show({"part": {name: limit.floor + (1 if limit.most else -1)}}) == [name]
    assert show({"part": {name: limit.floor}}) == []
