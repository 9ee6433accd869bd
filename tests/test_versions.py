"""Which changes of the configuration stored state can go on with, and which it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from processor.core.business_hours import Calendar
from processor.core.settings import DAY_MS, HOUR_MS, Policy, Settings, Target
from processor.versions import objections, stamp

NOW = 20_000 * DAY_MS + 5 * HOUR_MS  # where the stored clocks stand
DAYS = range(19_990, 20_010)
HOURS = Calendar("office", [day * DAY_MS + 8 * HOUR_MS for day in DAYS], [day * DAY_MS + 17 * HOUR_MS for day in DAYS])
GOLD = Policy("gold", 1, 0, {"tier": frozenset({"gold"})}, {"resolution": Target(4 * HOUR_MS, "office")}, {}, "office")
ALL = Policy("all", 1, 0, {}, {"first_response": Target(HOUR_MS)}, {"resolution": frozenset({"pending"})})
SETTINGS = Settings(calendars={"office": HOURS}, policies=(GOLD, ALL))


def told(changed: Settings, until: int = NOW) -> list[str]:
    """The objections to `changed` against a stamp that went through JSON, as the marker does."""
    stored: dict[str, Any] = orjson.loads(orjson.dumps(stamp(SETTINGS, NOW)))
    return objections(stored, changed, until)


def closed_on(day: int) -> Settings:
    """A holiday."""
    open_days = [opens // DAY_MS for opens in HOURS.opens if opens // DAY_MS != day]
    hours = Calendar("office", [each * DAY_MS + 8 * HOUR_MS for each in open_days], [each * DAY_MS + 17 * HOUR_MS for each in open_days])
    return replace(SETTINGS, calendars={"office": hours})


def test_the_same_settings_go_on() -> None:
    assert told(SETTINGS) == []


def test_what_only_concerns_the_future_may_change() -> None:
    later = replace(GOLD, version=2, effective_from=NOW + 1, targets={"resolution": Target(2 * HOUR_MS, "office")})
    assert told(replace(SETTINGS, policies=(GOLD, later, ALL))) == []
    silver = replace(GOLD, id="silver", effective_from=NOW + 1)
    assert told(replace(SETTINGS, policies=(silver, GOLD, ALL))) == []
    assert told(closed_on(20_001)) == []
    assert told(replace(SETTINGS, timer_delay=1, tail_max=9, group_bys=((),), facts_detail_all=True)) == []
    assert told(replace(SETTINGS, calendars={**SETTINGS.calendars, "new": HOURS})) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (replace(SETTINGS, final_after=1), "final_after was 259200000 and is 1"),
        (replace(SETTINGS, short_abandon={"default": 1}), "short_abandon was"),
        (replace(SETTINGS, policies=(GOLD,)), "policy all version 1 is gone"),
        (replace(SETTINGS, policies=(replace(GOLD, targets={}), ALL)), "policy gold version 1 was changed"),
        (replace(SETTINGS, policies=(replace(GOLD, match={}), ALL)), "policy gold version 1 was changed"),
        (replace(SETTINGS, policies=(GOLD, replace(ALL, pauses={}))), "policy all version 1 was changed"),
        (replace(SETTINGS, policies=(ALL, GOLD)), "the order of the policies was changed"),
        (replace(SETTINGS, policies=(GOLD, replace(GOLD, version=2, effective_from=NOW), ALL)), "takes effect at 2024-10-04T05:00"),
        (replace(SETTINGS, policies=(GOLD, replace(ALL, id="other"), ALL)), "policy other version 1 takes effect from the beginning"),
        (closed_on(19_995), "calendar office was changed in the past"),
    ],
)
def test_what_decided_stored_numbers_may_not(changed: Settings, words: str) -> None:
    objected = told(changed)
    assert len(objected) == 1
    assert words in objected[0]


def test_all_objections_are_told_at_once() -> None:
    assert len(told(replace(closed_on(19_995), final_after=1, policies=(ALL,)))) == 3


def test_a_new_version_may_not_begin_before_clocks_that_went_on() -> None:
    """The stamp is of the day's beginning; what counts are the clocks."""
    later = replace(GOLD, version=2, effective_from=NOW + HOUR_MS)
    assert told(replace(SETTINGS, policies=(GOLD, later, ALL)), NOW) == []
    assert told(replace(SETTINGS, policies=(GOLD, later, ALL)), NOW + 2 * HOUR_MS) != []
