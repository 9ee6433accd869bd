"""One clock: what is stored of it is enough to go on with."""

from __future__ import annotations

from datetime import UTC, datetime

from processor.compile import compile_settings
from processor.config import loads
from processor.core.clocks import Clock
from processor.core.policies import Policies

CONFIG = b"""
calendars:
  office: {zone: UTC, hours: {mon: "09:00-17:00", tue: "09:00-17:00", wed: "09:00-17:00", thu: "09:00-17:00", fri: "09:00-17:00"}}
policies:
  - {id: long, calendar: office, match: {priority: [low]}, targets: {resolution: 9 working days}}
  - {id: week, calendar: office, targets: {resolution: {target: 4 working days, end_of_working_day: true}}}
"""


def at(day: int, hour: int) -> int:
    """A day of March 2026, which has its first Monday on the second."""
    return round(datetime(2026, 3, day, hour, tzinfo=UTC).timestamp() * 1000)


def test_a_clock_that_another_policy_made_due_while_all_was_closed_is_due_when_that_came_also_after_a_restart() -> None:
    settings = compile_settings(loads(CONFIG, "clocks"))
    policies = Policies(settings)
    long, week = settings.policies
    clock = Clock("resolution", 1, at(2, 10), long)
    clock.arm(policies)
    saturday = at(7, 12)
    assert not clock.change_policy(saturday, week, policies)
    assert clock.due == saturday
    assert Clock.thaw(clock.freeze(), policies).due == saturday
