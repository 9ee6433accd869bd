"""Every scenario holds, on an engine that lives through it and on one that is killed and restored after every line."""

from __future__ import annotations

import pytest

from tests.scenarios.running import SCENARIOS, Run, Scenario


def test_there_are_scenarios_and_their_names_differ() -> None:
    assert len(SCENARIOS) > 50
    assert len({(scenario.file, scenario.name) for scenario in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize("restarting", [False, True], ids=["running", "restarting"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario: Scenario, restarting: bool) -> None:
    Run(scenario, restarting).play()
