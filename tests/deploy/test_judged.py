"""PromQL judges a number as the worker's own page does: promtool computes each case, with two workers that serve the same segment."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.boards import promql
from processor.boards.judging import ARROWS
from processor.boards.readings import Kpi, Level, Reading, Series
from processor.boards.tables import QUEUE_NOW
from tests.boards.cases import CASES, MIN_N, Case
from tests.deploy.conftest import Run

NOW_SECONDS = 3600  # promtool's time begins in 1970
MINUTES = NOW_SECONDS // 60 + 1
TILE = next(tile for tile in QUEUE_NOW.tiles if tile.name == "service_level")
TOTAL = 'job="a", by="total"'


def number(value: float) -> str:
    """As promtool reads it."""
    return "+Inf" if value == math.inf else f"{value:g}"


def series(case: Case) -> Iterator[dict[str, str]]:
    """What Prometheus has of the case, every minute the same."""
    value, better, target, n, age, _ = case
    wanted = {
        f'support_window_service_level_ratio{{{TOTAL}, window="today"}}': value,
        f'support_kpi_target{{{TOTAL}, kpi="service_level", stat="", direction="{promql.DIRECTIONS[better]}"}}': target,
        f'support_window_kpi_observations{{{TOTAL}, kpi="service_level", window="today"}}': n,
        'support_kpi_min_observations{job="a"}': MIN_N,
        'support_kpi_end_timestamp_seconds{job="a", kpi_partition="0"}': NOW_SECONDS - age,
        'support_kpi_end_timestamp_seconds{job="a", kpi_partition="1"}': NOW_SECONDS - age / 2,
    }
    for name, each in wanted.items():
        if each is not None:
            for instance in ("one", "two"):
                yield {"series": name.replace("{", f'{{instance="{instance}", ', 1), "values": " ".join([number(each)] * MINUTES)}


def case_of(case: Case) -> dict[str, Any]:
    """A test of promtool."""
    value, better, *_, state = case
    assert value is not None
    expression = promql.judged(replace(TILE, better=better), QUEUE_NOW, job='job="a"')
    wanted = {"labels": f'{{job="a", {promql.STATE}="{state.value.label}"}}', "value": value}
    return expected_of(expression, wanted, list(series(case)), f"{case[:-1]} is {state.name}")


def computed(run: Run, directory: Path, *tests: dict[str, Any]) -> None:
    """Let promtool compute them."""
    path = directory / "tests.yml"
    path.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": list(tests)}), encoding="utf-8")
    run("promtool", "test", "rules", path)


def expected_of(expression: str, samples: dict[str, Any], given: list[dict[str, str]], name: str = "") -> dict[str, Any]:
    """A test of promtool: that series, and what an expression says of it in the end."""
    asked = {"expr": expression, "eval_time": f"{NOW_SECONDS}s", "exp_samples": [samples]}
    return {"interval": "1m", "name": name, "input_series": given, "promql_expr_test": [asked]}


def test_promql_judges_as_the_worker_does(run: Run, tmp_path: Path) -> None:
    cases = [case for case in CASES if case[0] is not None and case[1] and not math.isnan(case[0])]  # what is not there is not judged
    assert len(cases) >= 14
    computed(run, tmp_path, *map(case_of, cases))


@pytest.mark.parametrize(
    ("values", "arrow"),
    [("0.5+0x60", 0), ("0.5+0.01x60", 1), ("0.9-0.01x60", -1), ("0.5+0.0001x60", 0), ("0+0x60", 0), ("+Inf " * 50 + "0.5x10", 0)],
)
def test_an_arrow_says_where_a_number_goes(run: Run, tmp_path: Path, values: str, arrow: int) -> None:
    """A fiftieth within a quarter of an hour counts; what is infinite has no trend, and spoils none."""
    assert arrow in ARROWS
    given = [{"series": f'support_window_service_level_ratio{{{TOTAL}, window="today"}}', "values": values}]
    computed(run, tmp_path, expected_of(promql.trend(TILE, job='job="a"'), {"labels": '{job="a"}', "value": arrow}, given))


@pytest.mark.parametrize(
    ("reading", "name", "values", "wanted"),
    [
        (Series("support_sla_clocks_due", (("horizon", "15m"),)), 'support_sla_clocks_due{horizon="15m", ', (3, 4), 7),
        (Series("support_contacts_waiting_oldest_timestamp_seconds", form="since"),
         "support_contacts_waiting_oldest_timestamp_seconds{", (math.inf, 3000), 600),
        (Series("support_contacts_waiting_oldest_timestamp_seconds", form="since"),
         "support_contacts_waiting_oldest_timestamp_seconds{", (math.inf, math.inf), 0),
        (Series("support_backlog_identity_error_tickets", merge="max", form="size"), "support_backlog_identity_error_tickets{", (-2, 0), 2),
        (Kpi("tickets_created", "24h"), 'support_window_observations{kpi="tickets_created", by="total", window="24h", ', (5, 6), 11),
        (Level("backlog"), 'support_kpi_level{level="backlog", by="total", ', (9, 9), 9),
    ],
    ids=["sum", "since", "nobody waits", "size", "count", "level"],
)  # fmt: skip
def test_what_two_workers_serve_while_a_partition_moves_counts_once(
    run: Run, tmp_path: Path, reading: Reading, name: str, values: tuple[float, float], wanted: float
) -> None:
    """The second worker has taken over partition 1; of the first one the last scrape is still there."""
    owners = (("one", 0), ("one", 1), ("two", 1))
    given = [
        {"series": f'{name}job="a", instance="{owner}", partition="{each}"}}', "values": " ".join([number(values[each])] * MINUTES)}
        for owner, each in owners
    ]
    computed(run, tmp_path, expected_of(promql.promql(reading, job='job="a"'), {"labels": '{job="a"}', "value": wanted}, given))
