"""Targets of KPIs: what the articles promise by default, and every target that cannot be is refused with its path."""

from __future__ import annotations

import pytest

from processor.config import Config, ConfigError, loads
from processor.config.targets import KpiTarget
from processor.core.kpis import DEFINITIONS


def faults_of(target: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as raised:
        loads(f"kpis: {{targets: [{target}]}}".encode(), "tried.yaml")
    return {fault.path.removeprefix("kpis.targets[0]").lstrip("."): fault.message for fault in raised.value.faults}


def test_the_defaults_are_those_of_the_articles() -> None:
    found = [(each.kpi, each.stat_shown, each.number, each.direction) for each in Config().kpis.targets]
    assert found == [
        ("service_level", "", 0.8, "at_least"),
        ("first_response", "mean", 1800.0, "at_most"),
        ("csat", "", 0.9, "at_least"),
        ("nps", "", 50.0, "at_least"),
    ]


@pytest.mark.parametrize(
    ("target", "path", "says"),
    [
        ("{kpi: servicelevel, target: 0.8, direction: at_least}", "kpi", "did you mean 'service_level'?"),
        ("{kpi: service_level, target: 80, direction: at_least}", "target", "write 0.8 for 80 %"),
        ("{kpi: FRT, target: 30m, direction: at_most}", "kpi", "here it is called 'first_response'"),
        ("{kpi: service_level, target: 20s, direction: at_least}", "target", "a number without a unit"),
        ("{kpi: service_level, target: true, direction: at_least}", "target", "not a target"),
        ("{kpi: service_level, target: .inf, direction: at_least}", "target", "not a duration"),
        ("{kpi: first_response, target: 30, direction: at_most}", "target", "a duration, such as"),
        ("{kpi: first_response, target: half an hour, direction: at_most}", "target", "not a duration"),
        ("{kpi: abandonment, target: 5%, direction: at_most}", "target", "write 0.05 for 5 %"),
        ("{kpi: abandonment, target: -7%, direction: at_most}", "target", "write 0.05 for 5 %"),
        ("{kpi: first_response, stat: p99, target: 30m, direction: at_most}", "stat", "unknown stat 'p99'"),
        ("{kpi: reopen, stat: mean, target: 0.1, direction: at_most}", "stat", "one value only"),
        ("{kpi: reopen, target: 0.1, direction: below}", "direction", ""),
        ("{kpi: reopen, target: 0.1}", "direction", ""),
        ("{kpi: reopen, dimensions: {queue: hotline}, target: 0.1, direction: at_most}", "dimensions", "is about tickets"),
        ("{kpi: reopen, dimensions: {chanel: web}, target: 0.1, direction: at_most}", "dimensions.chanel", "channel"),
        ("{kpi: reopen, dimensions: {tier: gold, topic: vpn}, target: 0.1, direction: at_most}", "dimensions", "no group_by of segments"),
        ("{kpi: reopen, window: 1h, target: 0.1, direction: at_most}", "window", ""),
    ],
)
def test_a_target_that_cannot_be_says_where_and_why(target: str, path: str, says: str) -> None:
    found = faults_of(target)
    assert list(found) == [path]
    assert says in found[path]


def test_two_targets_for_one_thing_are_one_too_many() -> None:
    twice = "{kpi: reopen, target: 0.1, direction: at_most}, {kpi: reopen, target: 0.2, direction: at_most}"
    with pytest.raises(ConfigError) as raised:
        loads(f"kpis: {{targets: [{twice}]}}".encode(), "tried.yaml")
    assert [fault.path for fault in raised.value.faults] == ["kpis.targets[1]"]
    other = twice.replace("0.2, direction: at_most", "0.0, direction: at_least")
    assert len(loads(f"kpis: {{targets: [{other}]}}".encode(), "tried.yaml").kpis.targets) == 2


def test_dimensions_may_be_named_in_any_order_and_every_kpi_can_have_a_target() -> None:
    for name, definition in DEFINITIONS.items():
        value = "1h" if definition.unit == "seconds" else "1"
        dimensions = next(
            written
            for names, written in (({"group", "channel"}, "{group: a, channel: web}"), ({"queue"}, "{queue: hotline}"), (set(), "{}"))
            if definition.applies_to(names)
        )
        config = loads(
            f"kpis: {{targets: [{{kpi: {name}, dimensions: {dimensions}, target: {value}, direction: at_least}}]}}".encode(), "tried.yaml"
        )
        assert isinstance(config.kpis.targets[0], KpiTarget)
