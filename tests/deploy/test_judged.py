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
    return {
        "interval": "1m",
        "name": f"{case[:-1]} is {state.name}",
        "input_series": list(series(case)),
        "promql_expr_test": [{"expr": expression, "eval_time": f"{NOW_SECONDS}s", "exp_samples": [wanted]}],
    }


def test_promql_judges_as_the_worker_does(run: Run, tmp_path: Path) -> None:
    cases = [case for case in CASES if case[0] is not None and case[1] and not math.isnan(case[0])]  # what is not there is not judged
    assert len(cases) >= 14
    tests = tmp_path / "tests.yml"
    tests.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [case_of(case) for case in cases]}), encoding="utf-8")
    run("promtool", "test", "rules", tests)


@pytest.mark.parametrize(
    ("values", "arrow"),
    [("0.5+0x60", 0), ("0.5+0.01x60", 1), ("0.9-0.01x60", -1), ("0.5+0.0001x60", 0), ("0+0x60", 0), ("+Inf " * 50 + "0.5x10", 0)],
)
def test_an_arrow_says_where_a_number_goes(run: Run, tmp_path: Path, values: str, arrow: int) -> None:
    """A fiftieth within a quarter of an hour counts; what is infinite has no trend, and spoils none."""
    assert arrow in ARROWS
    wanted = {"labels": '{job="a"}', "value": arrow}
    test = {
        "interval": "1m",
        "input_series": [{"series": f'support_window_service_level_ratio{{{TOTAL}, window="today"}}', "values": values}],
        "promql_expr_test": [{"expr": promql.trend(TILE, job='job="a"'), "eval_time": f"{NOW_SECONDS}s", "exp_samples": [wanted]}],
    }
    tests = tmp_path / "tests.yml"
    tests.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}), encoding="utf-8")
    run("promtool", "test", "rules", tests)
