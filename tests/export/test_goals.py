"""How far a goal is reached: by kind and direction, and nothing said where little was observed."""

from __future__ import annotations

import pytest

from processor.config import Config, loads
from processor.core.kpis import Measure
from processor.export.catalogue import estimate_samples
from processor.export.collector import Exporter
from processor.export.goals import goals
from processor.export.kpi_view import KpiView, Merged

ENOUGH = 30


def progress(target: str, value: float | None, n: int = 100) -> float | None:
    (goal,) = goals(loads(f"kpis: {{targets: [{target}]}}".encode(), "goals"))
    return goal.progress(Measure(value, n), ENOUGH)


@pytest.mark.parametrize(
    ("target", "value", "reached"),
    [
        ("{kpi: csat, target: 0.9, direction: at_least}", 0.9, 1.0),
        ("{kpi: csat, target: 0.9, direction: at_least}", 0.45, 0.5),
        ("{kpi: csat, target: 0.1, direction: at_least}", 1.0, 2.0),  # no further than twice
        ("{kpi: abandonment, target: 0.05, direction: at_most}", 0.1, 0.5),
        ("{kpi: abandonment, target: 0.05, direction: at_most}", 0.0, 1.0),  # nothing to divide by
        ("{kpi: abandonment, target: 0.0, direction: at_most}", 0.1, 0.0),
        ("{kpi: nps, target: 50, direction: at_least}", -20.0, 0.0),
        ("{kpi: nps, target: -20, direction: at_least}", -60.0, 0.5),  # 40 of 80 above the worst
        ("{kpi: backlog_drain, target: 8h, direction: at_most}", float("inf"), 0.0),
    ],
)
def test_progress_is_1_where_the_goal_is_kept_and_a_share_of_it_below(target: str, value: float, reached: float) -> None:
    assert progress(target, value) == pytest.approx(reached)


def test_nothing_is_said_of_few_observations_or_none() -> None:
    target = "{kpi: csat, target: 0.9, direction: at_least}"
    assert progress(target, 0.5, n=ENOUGH - 1) is None
    assert progress(target, None) is None
    (goal,) = goals(loads(f"kpis: {{targets: [{target}]}}".encode(), "goals"))
    assert goal.progress(None, ENOUGH) is None


def test_the_owner_of_the_segment_serves_it_by_window() -> None:
    config = loads(b"kpis: {targets: [{kpi: csat, target: 0.8, direction: at_least}]}", "goals")
    row = {"csat_responses": 50, "csat_satisfied": 20}
    (goal,) = goals(config)
    views = [KpiView(goal.owner, 1_795_252_440_000, True, {goal.place: Merged({"24h": row, "7d": row}, 0)}, {})]
    exporter = Exporter(config)
    lines = [line for line in exporter.render([], None, views).decode().splitlines() if line.startswith("support_kpi_goal_progress_ratio{")]
    told = 'support_kpi_goal_progress_ratio{{goal="csat_at_least",kpi="csat",window="{}",by="total"}} 0.5'
    assert lines == [told.format("24h"), told.format("7d")]
    assert exporter.render([], None, views).decode().count("support_kpi_goal_progress_ratio{") == 2  # as remembered
    assert estimate_samples(config) > estimate_samples(Config(kpis=config.kpis.model_copy(update={"targets": []})))
