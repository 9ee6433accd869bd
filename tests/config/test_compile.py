"""What the engine gets from a configuration: the same numbers as its own defaults, versions in order, a fingerprint of all of it."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.compile import compile_settings
from processor.config import Config, Duration, load, loads
from processor.config.policies import HideDue, Pauses, Targets
from processor.config.values import UNIT_MS, parse_duration
from processor.core.events import CHANNELS
from processor.core.settings import CLOCKS, DAY_MS, HOUR_MS, MINUTE_MS, TICKET_CLOCKS, Options, Settings, Target

OFFICE = "calendars: {office: {zone: Europe/Berlin, hours: {mon: 08:00-12:00}}}\n"


def settings_of(text: str) -> Settings:
    return compile_settings(loads(text.encode(), "tried.yaml"))


def test_the_defaults_of_file_and_engine_agree() -> None:
    compiled = compile_settings(load(None))
    assert replace(compiled, policies=(), midnights=(), fingerprint="") == Settings()


def test_the_default_policy_is_what_support_guides_say() -> None:
    """Phone 20 s, chat and messaging 2 min, e-mail and the rest 24 h; queues of the rest 2 min; no limit for the resolution."""
    policies = compile_settings(load(None)).policies
    seen = {}
    for channel in CHANNELS:
        policy = next(policy for policy in policies if channel in policy.match.get("channel", {channel}))
        assert "resolution" not in policy.targets
        assert all(target.calendar is None for target in policy.targets.values())
        seen[channel] = policy.targets["first_response"].ms // 1000, policy.targets["queue_wait"].ms // 1000
    others = dict.fromkeys(("email", "web", "social", "api"), (86_400, 120))
    assert seen == {"phone": (20, 20), "chat": (120, 120), "messaging": (120, 120), **others}


def test_versions_count_by_start_and_the_newest_stands_first() -> None:
    policies = settings_of("""
reporting_zone: Europe/Berlin
policies:
  - {id: gold, effective_from: 2026-07-01, targets: {first_response: 1h}}
  - {id: rest, targets: {first_response: 9h}}
  - {id: gold, effective_from: "2026-07-01T00:00:00Z", targets: {first_response: 3h}}
  - {id: gold, targets: {first_response: 2h}}
""").policies
    assert [(policy.id, policy.version, policy.targets["first_response"].ms // HOUR_MS) for policy in policies] == [
        ("gold", 3, 3), ("gold", 2, 1), ("gold", 1, 2), ("rest", 1, 9),
    ]  # fmt: skip
    berlin_midnight = datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert policies[1].effective_from == berlin_midnight.timestamp() * 1000
    assert policies[2].effective_from == 0


def test_a_target_counts_open_hours_where_the_policy_has_a_calendar() -> None:
    policy = settings_of(
        OFFICE + "policies: [{id: a, calendar: office, targets: {first_response: 1h, resolution: {target: 3d, hours: calendar}}}]"
    ).policies[0]
    assert policy.targets == {"first_response": Target(HOUR_MS, "office"), "resolution": Target(3 * DAY_MS, None)}
    waiting, working = frozenset({"pending"}), frozenset({"pending", "on_hold"})
    assert {clock: statuses for clock, statuses in policy.pauses.items() if statuses} == {
        **dict.fromkeys(("update", "pausable_update", "resolution", "requester_wait", "group_ownership"), waiting),
        "agent_work": working,
    }
    assert policy.options == Options()


def test_a_policy_may_follow_the_rules_of_another_product() -> None:
    policy = settings_of(
        "policies: [{id: a, targets: {update: 1h}, options: {update_starts: every_contact, customer_ends_update: true, "
        "first_response_starts: last_handoff_or_reopen, hide_due: {next_response: [pending]}}}]"
    ).policies[0]
    assert policy.options == Options(
        update_at_every_contact=True,
        customer_ends_update=True,
        first_response_restarts=True,
        hidden={"next_response": frozenset({"pending"})},
    )


@pytest.mark.parametrize("option", ["hide_due: {update: [pending]}", "update_starts: every_contact", "customer_ends_update: true"])
def test_an_option_decides_numbers(option: str) -> None:
    text = "policies: [{id: a, targets: {update: 1h}, options: {%s}}]"
    assert settings_of(text % option).fingerprint != settings_of(text % "").fingerprint


def test_every_clock_can_have_a_target_and_every_one_of_a_ticket_pauses() -> None:
    assert set(Targets.model_fields) == set(CLOCKS)
    assert set(Pauses.model_fields) == set(TICKET_CLOCKS)
    assert set(HideDue.model_fields) == set(TICKET_CLOCKS) - {"survey_followup"}


@pytest.mark.parametrize("dimension", ["language", "product", "complexity"])
def test_a_policy_matches_what_came_later_too(dimension: str) -> None:
    policy = settings_of("policies: [{id: a, match: {%s: hard}, targets: {resolution: 1h}}]" % dimension).policies[0]  # noqa: UP031
    assert policy.match == {dimension: frozenset({"hard"})}


def test_a_target_in_working_days_and_its_warning() -> None:
    targets = "{first_response: {target: 1 working day, warn: 1h before}, resolution: {target: 2 working days, end_of_working_day: true, "
    policy = settings_of(
        OFFICE + f"policies: [{{id: a, calendar: office, targets: {targets}warn: 3 working days after}}, update: {{target: 8h}}}}}}]"
    ).policies[0]
    assert policy.targets == {
        "first_response": Target(0, "office", working_days=1, warning=-HOUR_MS),
        "resolution": Target(0, "office", working_days=2, end_of_working_day=True, warning_days=3),
        "update": Target(8 * HOUR_MS, "office"),
    }


def test_holidays_are_closed_by_date_by_year_and_by_country() -> None:
    calendars = settings_of("""
calendars:
  a: {zone: Europe/Berlin, hours: {thu: 08:00-12:00, fri: 08:00-12:00}, holidays: [2026-12-24], holidays_every_year: [01-01]}
  b: {zone: Europe/Berlin, hours: {thu: 08:00-12:00, fri: 08:00-12:00}, country: DE, subdivision: BY}
""").calendars

    def open_days(name: str) -> list[str]:
        days = ("2026-12-24", "2026-12-25", "2027-01-01", "2026-06-04")  # the last is Corpus Christi, a Bavarian holiday
        return [day for day in days if calendars[name].is_open(int(datetime.fromisoformat(f"{day}T09:00Z").timestamp() * 1000))]

    assert open_days("a") == ["2026-12-25", "2026-06-04"]
    assert open_days("b") == ["2026-12-24"]


CHANGING = """
calendars:
  desk:
    zone: Europe/Berlin
    hours: {mon: "09:00-17:00", tue: "09:00-17:00"}
    holidays: [2027-01-04, 2027-01-12]
    country: DE
    changes:
      - {effective_from: 2027-01-05, hours: {mon: "09:00-17:00", tue: "12:00-20:00"}, holidays: []}
      - {effective_from: 2027-01-11, zone: America/New_York, country: null}
      - {effective_from: "2027-01-12T15:30:00-05:00", hours: {tue: "09:00-17:00"}}
"""


def utc(text: str) -> int:
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def test_a_calendar_that_changes_is_one_table() -> None:
    """Mondays and Tuesdays: a holiday by date, new hours from a Tuesday on, another zone from a Monday on, an early close in the middle."""
    desk = settings_of(CHANGING).calendars["desk"]
    first = bisect_left(desk.opens, utc("2026-12-28T00:00"))
    last = bisect_left(desk.opens, utc("2027-01-27T00:00"))
    assert list(zip(desk.opens[first:last], desk.closes[first:last], strict=True)) == [
        (utc("2026-12-28T08:00"), utc("2026-12-28T16:00")),
        (utc("2026-12-29T08:00"), utc("2026-12-29T16:00")),  # Monday 2027-01-04 is a holiday
        (utc("2027-01-05T11:00"), utc("2027-01-05T19:00")),
        (utc("2027-01-11T14:00"), utc("2027-01-11T22:00")),
        (utc("2027-01-12T17:00"), utc("2027-01-12T22:00")),  # no holiday any more; it began as the old hours and ends as the new ones
        (utc("2027-01-19T14:00"), utc("2027-01-19T22:00")),
        (utc("2027-01-26T14:00"), utc("2027-01-26T22:00")),
    ]
    assert desk.changes == (utc("2027-01-04T23:00"), utc("2027-01-11T05:00"), utc("2027-01-12T20:30"))


def test_before_between_and_after_its_changes_a_calendar_is_the_one_in_force() -> None:
    """Against calendars without changes, minute by minute."""
    parts = [
        "zone: Europe/Berlin, hours: {mon: 09:00-17:00, tue: 09:00-17:00}, holidays: [2027-01-04, 2027-01-12], country: DE",
        "zone: Europe/Berlin, hours: {mon: 09:00-17:00, tue: 12:00-20:00}, country: DE",
        "zone: America/New_York, hours: {mon: 09:00-17:00, tue: 12:00-20:00}",
        "zone: America/New_York, hours: {tue: 09:00-17:00}",
    ]
    alone = settings_of("calendars:\n" + "".join(f"  v{number}: {{{part}}}\n" for number, part in enumerate(parts))).calendars
    desk = settings_of(CHANGING).calendars["desk"]
    seen = set()
    for minute in range(utc("2026-12-25T00:00"), utc("2027-02-01T00:00"), MINUTE_MS):
        version = bisect_right(desk.changes, minute)
        seen.add((version, desk.is_open(minute)))
        assert desk.is_open(minute) == alone[f"v{version}"].is_open(minute), (version, minute)
    assert len(seen) == 2 * len(parts)
    since = utc("2026-01-01T00:00")
    bounds = [since, *desk.changes, utc("2030-01-01T00:00")]
    summed = sum(alone[f"v{number}"].between(*pair) for number, pair in enumerate(pairwise(bounds)))
    assert desk.between(since, bounds[-1]) == summed


def test_what_a_change_does_not_name_stays_and_another_country_begins_without_subdivision() -> None:
    text = """
calendars:
  a:
    zone: Europe/Berlin
    hours: {mon: 08:00-12:00}
    holidays_every_year: [12-24]
    country: DE
    subdivision: BY
    changes:
      - {effective_from: 2027-01-01, holidays: [2027-03-01]}
      - {effective_from: 2028-01-01, country: AT}
      - {effective_from: 2029-01-01, subdivision: "9"}
      - {effective_from: 2030-01-01, country: null}
"""
    versions = [version.calendar for version in loads(text.encode(), "tried.yaml").calendars["a"].versions()]
    assert [(version.country, version.subdivision) for version in versions] == [
        ("DE", "BY"), ("DE", "BY"), ("AT", None), ("AT", "9"), (None, None),
    ]  # fmt: skip
    assert {tuple(version.holidays_every_year) for version in versions} == {("12-24",)}
    assert [len(version.holidays) for version in versions] == [0, 1, 1, 1, 1]
    assert all(version.changes == [] for version in versions)


def test_a_change_to_the_same_hours_changes_nothing() -> None:
    """Also around the clock, where old and new hours touch."""
    week = "hours: {mon: 00:00-24:00, tue: 00:00-24:00, wed: 00:00-24:00, thu: 00:00-24:00}"
    plain = f"calendars: {{a: {{zone: Europe/Berlin, {week}}}}}"
    changed = plain.removesuffix("}}") + f", changes: [{{effective_from: 2027-01-05, {week}}}]}}}}"
    assert settings_of(plain).fingerprint == settings_of(changed).fingerprint
    assert settings_of(plain).fingerprint != settings_of(changed.replace("mon: 00:00-24:00, tue: 00:00-24:00, wed", "wed")).fingerprint


def test_the_fingerprint_changes_with_everything_that_decides_a_number() -> None:
    texts = [
        "{}",
        "time: {timer_delay: 6s}",
        "time: {allowed_lateness: 25h}",
        "time: {clock_skew: 6s}",
        "time: {final_after: 73h}",
        "time: {reopen_horizon: 91d}",
        "time: {contact_expires_after: 8d}",
        "limits: {tail_max: 511}",
        "limits: {max_stubs: 1}",
        "segments: {group_bys: [[], [channel]], windows: [[]]}",
        "reporting_zone: Europe/Berlin",
        "abandonment: {short: {phone: 6s}}",
        "facts: {detail: all}",
        "worker: {partitioner: any}",
        "worker: {max_event_bytes: 1000}",
        "worker: {event_type_prefix: com.example.}",
        "worker: {unknown_types: skip}",
        "policies: []",
        "policies: [{id: a, targets: {resolution: 8h}}]",
        "policies: [{id: b, targets: {resolution: 8h}}]",
        "policies: [{id: a, targets: {resolution: 9h}}]",
        "policies: [{id: a, targets: {resolution: 8h}, match: {tier: gold}}]",
        "policies: [{id: a, targets: {resolution: 8h}, pauses: {resolution: []}}]",
        "policies: [{id: a, targets: {resolution: 8h}, effective_from: 2026-01-01}]",
        OFFICE,
        OFFICE.replace("12:00", "12:01"),
        OFFICE.replace("Berlin", "London"),
        OFFICE.replace("office", "other"),
        OFFICE.replace("}}}", "}, holidays: [2026-11-23]}}"),
    ]
    assert len({settings_of(text).fingerprint for text in texts}) == len(texts)


@pytest.mark.parametrize(
    "text",
    [
        "http: {port: 1}",
        "worker: {clock: log}",
        "segments: {known: {group: [a]}}",
        "kafka: {client_id: x}",
        "time: {timer_delay: 5000ms}",
        "limits: {quiet_max: 1}",
    ],
)
def test_the_fingerprint_does_not_change_with_what_decides_none(text: str) -> None:
    assert settings_of(text).fingerprint == settings_of("{}").fingerprint


def test_every_setting_is_compiled() -> None:
    """A setting that this compiler does not know would keep the engine's default whatever the file says."""
    text = """
time: {timer_delay: 6s, allowed_lateness: 25h, clock_skew: 7s, final_after: 73h, reopen_horizon: 91d, contact_expires_after: 8d}
limits: {tail_max: 511, max_stubs: 1, quiet_max: 2}
segments: {group_bys: [[], [channel]], windows: [[]]}
abandonment: {short: {phone: 6s}, silent_channels: [chat]}
service_level: {counts_short_abandonments: true, counts_flow_outs: true}
solving: {benign_reopen_window: 1h, auto_close_reasons: [stale], auto_close_at_last_reply: true}
first_contact: {repeat_window: 8d, excluded_topics: [outage], counts_unanswered: true}
surveys:
  {lateness: 6d, edit_window: 1d, nps_window: 30d, satisfied_from: [{scale: [1, 5], score: 5}], ces_low_is_easy: true}
facts: {detail: all}
"""
    compiled, engine = settings_of(OFFICE + text), Settings()
    same = {field.name for field in fields(Settings) if getattr(compiled, field.name) == getattr(engine, field.name)}
    assert not same


def test_the_default_is_quick_and_three_calendars_take_under_a_second_and_a_half() -> None:
    config = loads(
        b"calendars:\n"
        + b"".join(
            f"  {name}: {{zone: {zone}, country: {name}, hours: {{mon: [08:00-12:00, 13:00-17:00], tue: [08:00-12:00, 13:00-17:00], "
            f"wed: [08:00-12:00, 13:00-17:00], thu: 08:00-17:00, fri: 08:00-17:00, sat: 08:00-10:00, sun: 22:00-24:00}}}}\n".encode()
            for name, zone in (("DE", "Europe/Vienna"), ("US", "America/Chicago"), ("JP", "Asia/Tokyo"))
        ),
        "three.yaml",
    )
    for tried, limit in ((Config(), 0.1), (config, 1.5)):
        begun = time.process_time()
        compile_settings(tried)
        assert time.process_time() - begun < limit


@given(st.tuples(*[st.integers(0, 99) for _ in UNIT_MS]))
def test_a_duration_is_the_sum_of_its_parts(counts: tuple[int, ...]) -> None:
    text = "".join(f"{count}{unit}" for count, unit in zip(counts, UNIT_MS, strict=True))
    assert parse_duration(text) == Duration(sum(count * size for count, size in zip(counts, UNIT_MS.values(), strict=True)), text)


@given(st.text(max_size=12))
def test_no_text_breaks_the_reader_of_durations(text: str) -> None:
    with suppress(ValueError):
        assert isinstance(parse_duration(text), Duration)
