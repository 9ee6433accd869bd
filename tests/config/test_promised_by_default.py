"""What is promised where nobody has configured anything: the numbers that support guides give, each by its name."""

from __future__ import annotations

import pytest

from processor.compile import compile_settings
from processor.config import Config
from processor.config.values import Duration
from processor.core.settings import DAY_MS, FIRST_RESPONSE, HOUR_MS, MINUTE_MS, MS, NO_DIMENSIONS, QUEUE_WAIT

SETTINGS = compile_settings(Config())


def target_of(channel: str, clock: str) -> int | None:
    """Of the first policy that matches: milliseconds in calendar time."""
    dims = {"channel": channel}
    policy = next(each for each in SETTINGS.policies if all(dims.get(name) in values for name, values in each.match.items()))
    target = policy.targets.get(clock)
    assert target is None or target.calendar is None
    return None if target is None else target.ms


@pytest.mark.parametrize(
    ("channel", "clock", "expected"),
    [
        ("phone", QUEUE_WAIT, 20 * MS),
        ("phone", FIRST_RESPONSE, 20 * MS),
        ("chat", QUEUE_WAIT, 2 * MINUTE_MS),
        ("chat", FIRST_RESPONSE, 2 * MINUTE_MS),
        ("messaging", FIRST_RESPONSE, 2 * MINUTE_MS),
        ("email", FIRST_RESPONSE, DAY_MS),
        ("web", FIRST_RESPONSE, DAY_MS),
    ],
)
def test_how_long_a_customer_waits_by_channel(channel: str, clock: str, expected: int) -> None:
    assert target_of(channel, clock) == expected


@pytest.mark.parametrize(
    ("kpi", "target", "direction"),
    [
        ("first_response", 30 * 60, "at_most"),  # seconds
        ("csat", 0.9, "at_least"),
        ("nps", 50, "at_least"),
        ("service_level", 0.8, "at_least"),  # of calls within 20 s, of chats within 2 min
    ],
)
def test_what_a_kpi_ought_to_be(kpi: str, target: float, direction: str) -> None:
    found = [each for each in Config().kpis.targets if each.kpi == kpi]
    assert [(each.number, each.direction, each.dimensions) for each in found] == [(target, direction, {})]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("allowed_lateness", DAY_MS),
        ("survey_lateness", 7 * DAY_MS),
        ("clock_skew", 5 * MS),
        ("final_after", 72 * HOUR_MS),
        ("reopen_horizon", 90 * DAY_MS),
        ("benign_reopen_window", 24 * HOUR_MS),
        ("repeat_window", 7 * DAY_MS),
        ("nps_window", 90 * DAY_MS),
        ("fcr_counts_unanswered", False),
        ("auto_close_at_last_reply", False),
        ("service_level_counts_short", False),
        ("service_level_counts_flow_outs", False),
        ("ces_low_is_easy", False),
    ],
)
def test_rules(setting: str, expected: int | bool) -> None:
    assert getattr(SETTINGS, setting) == expected


def test_short_abandonments() -> None:
    limits = SETTINGS.short_abandon
    assert (limits["phone"], limits["chat"], limits["default"]) == (5 * MS, 10 * MS, 0)


def test_who_is_satisfied() -> None:
    assert SETTINGS.satisfied_from == {("csat", 1, 5): 4, ("csat", 1, 10): 8}


def test_when_clocks_stand_still() -> None:
    pauses = SETTINGS.policies[0].pauses
    assert {clock: sorted(statuses) for clock, statuses in pauses.items() if statuses} == {
        "update": ["pending"],
        "pausable_update": ["pending"],
        "resolution": ["pending"],
        "requester_wait": ["pending"],
        "agent_work": ["on_hold", "pending"],
        "group_ownership": ["pending"],
    }


def test_few_observations_are_marked_and_agents_are_not_told_apart() -> None:
    kpis = Config().kpis
    assert kpis.min_n == 30
    assert not kpis.per_agent
    assert not Config().facts.agents
    assert all(len(group_by) < len(NO_DIMENSIONS) and "agent" not in group_by for group_by in SETTINGS.group_bys)


def test_a_target_of_a_duration_is_written_with_its_unit() -> None:
    first = next(each for each in Config().kpis.targets if each.kpi == "first_response")
    assert isinstance(first.target, Duration)
    assert str(first.target) == "30m"
