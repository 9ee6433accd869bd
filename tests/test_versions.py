"""Which changes of the configuration stored state can go on with, and which it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from processor.codec.times import format_time
from processor.compile import compile_settings
from processor.config import loads
from processor.core.business_hours import Calendar
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, Options, Policy, Settings, Target
from processor.versions import fingerprints, objections, stamp

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


def test_rules_that_an_older_state_did_not_know_have_decided_nothing_in_it() -> None:
    stored = orjson.loads(orjson.dumps(stamp(SETTINGS, NOW)))
    del stored["rules"]["repeat_window"]
    assert objections(stored, replace(SETTINGS, repeat_window=1), NOW) == []


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
        (replace(SETTINGS, survey_lateness=1), "survey_lateness was 604800000 and is 1"),
        (replace(SETTINGS, satisfied_from={("csat", 1, 5): 5}), "satisfied_from was"),
        (replace(SETTINGS, fcr_excluded_topics=frozenset({"hardware"})), "fcr_excluded_topics was"),
        (replace(SETTINGS, policies=(GOLD,)), "policy all version 1 is gone"),
        (replace(SETTINGS, policies=(replace(GOLD, targets={}), ALL)), "policy gold version 1 was changed"),
        (replace(SETTINGS, policies=(replace(GOLD, match={}), ALL)), "policy gold version 1 was changed"),
        (replace(SETTINGS, policies=(GOLD, replace(ALL, pauses={}))), "policy all version 1 was changed"),
        (replace(SETTINGS, policies=(ALL, GOLD)), "the order of the policies was changed"),
        (replace(SETTINGS, policies=(GOLD, replace(GOLD, version=2, effective_from=NOW), ALL)), "takes effect at 2024-10-04T05:00"),
        (replace(SETTINGS, policies=(GOLD, replace(ALL, id="other"), ALL)), "policy other version 1 takes effect from the beginning"),
        (closed_on(19_995), "calendar office was changed before the stored clocks, which stand at 2024-10-04T05:00:00"),
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


# -- calendars that change on a date ------------------------------------------------------------------------------------------------

NOON = 20_000 * DAY_MS + 12 * HOUR_MS  # the office is open


def office(*changes: str) -> Settings:
    """An office open from 8 to 17 every day, with these changes."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    week = ", ".join(f"{day}: 08:00-17:00" for day in days)
    text = f"calendars: {{office: {{zone: UTC, hours: {{{week}}}, changes: [{', '.join(changes)}]}}}}"
    return compile_settings(loads(text.encode(), "tried.yaml"))


def shorter_from(at: int) -> str:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return f"{{effective_from: '{format_time(at)}', hours: {{{', '.join(f'{day}: 08:00-14:00' for day in days)}}}}}"


def told_of(before: Settings, after: Settings, until: int) -> list[str]:
    return objections(orjson.loads(orjson.dumps(stamp(before, until))), after, until)


@pytest.mark.parametrize("later", [0, MINUTE_MS, 5 * HOUR_MS, DAY_MS, 40 * DAY_MS])
def test_a_calendar_may_change_after_the_stored_clocks(later: int) -> None:
    assert told_of(office(), office(shorter_from(NOON + later)), NOON) == []
    assert told_of(office(shorter_from(NOON + later)), office(), NOON) == []  # nobody has counted by it yet


@pytest.mark.parametrize("earlier", [DAY_MS, 40 * DAY_MS])
def test_a_calendar_may_not_change_before_the_stored_clocks(earlier: int) -> None:
    """The reason names the change and the clocks."""
    (objection,) = told_of(office(), office(shorter_from(NOON - earlier)), NOON)
    assert f"calendar office changes at {format_time(NOON - earlier)}, not after the stored clocks, which stand at" in objection
    (objection,) = told_of(office(shorter_from(NOON - earlier)), office(), NOON)
    assert "calendar office was changed before the stored clocks" in objection


def test_hours_of_the_day_on_which_the_clocks_stand_count_up_to_the_clocks() -> None:
    """At three in the afternoon it cannot become true any more that the office closed at two; at noon it can."""
    ends_at_two = shorter_from(20_000 * DAY_MS)
    assert told_of(office(), office(ends_at_two), NOON) == []  # until noon both say the same
    (objection,) = told_of(office(), office(ends_at_two), NOON + 3 * HOUR_MS)
    assert "calendar office changes at 2024-10-04T00:00:00" in objection
    assert told_of(office(ends_at_two), office(ends_at_two, shorter_from(NOON + 3 * HOUR_MS)), NOON + 2 * HOUR_MS) == []


def test_a_change_that_has_come_into_force_stays_in_the_file() -> None:
    changed = office(shorter_from(NOON - DAY_MS))
    assert told_of(changed, changed, NOON) == []
    assert told_of(changed, office(shorter_from(NOON - DAY_MS), shorter_from(NOON + DAY_MS)), NOON) == []
    assert told_of(changed, office(shorter_from(NOON - 2 * DAY_MS)), NOON) != []


def test_a_stamp_without_the_hours_of_its_day_is_still_understood() -> None:
    """Stored before days were part of it."""
    stored = orjson.loads(orjson.dumps(stamp(office(), NOON)))
    stored["calendars"] = {name: of["past"] for name, of in stored["calendars"].items()}
    assert objections(stored, office(shorter_from(NOON + DAY_MS)), NOON) == []
    assert objections(stored, office(shorter_from(NOON - DAY_MS)), NOON) != []


def test_fingerprints_tell_policies_and_calendars_apart() -> None:
    first, second = fingerprints(office()), fingerprints(office(shorter_from(NOON)))
    assert first["policies"] == second["policies"]
    assert first["calendars"] != second["calendars"]


@pytest.mark.parametrize(
    "gold",
    [
        replace(GOLD, targets={"resolution": Target(0, "office", working_days=2)}),
        replace(GOLD, targets={"resolution": Target(4 * HOUR_MS, "office"), "update": Target(HOUR_MS)}),
        replace(GOLD, pauses={"resolution": frozenset({"on_hold"})}),
        replace(GOLD, options=Options(customer_ends_update=True)),
    ],
)
def test_what_a_policy_promises_decided_what_is_stored(gold: Policy) -> None:
    (objection,) = told(replace(SETTINGS, policies=(gold, ALL)))
    assert "policy gold version 1 was changed" in objection


def test_when_to_warn_what_to_show_and_how_clocks_pause_that_nobody_measures_decided_nothing() -> None:
    warned = Target(4 * HOUR_MS, "office", warning=-HOUR_MS)
    shown = Options(hidden={"resolution": frozenset({"on_hold"})})
    gold = replace(GOLD, targets={"resolution": warned}, options=shown, pauses={"update": frozenset({"pending"})})
    assert told(replace(SETTINGS, policies=(gold, ALL))) == []
