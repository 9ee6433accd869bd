"""Random cases of the format: the engine says what a naive reading of the format says, for every clock, view and rule."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sla_cases.cases import Case
from tests.sla_cases.lives import Life
from tests.sla_cases.logs import CASE_CLOCKS, Log
from tests.sla_cases.reference import Reading

CASES_PER_SEED = 40
WEEKS: tuple[dict[str, list[list[str]]], ...] = (
    {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    {
        "mon": [["08:00", "12:00"], ["13:30", "18:00"]],
        "wed": [["00:00", "24:00"]],
        "thu": [["00:00", "09:30"]],
        "sat": [["10:00", "11:00"]],
    },
    {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
)
STARTS = ("2026-03-27T09:00:00", "2026-10-23T13:00:00", "2026-07-01T05:00:00", "2026-01-02T16:45:00")
STATUSES = ("open", "waiting", "parked", "other")
KINDS = (
    "status",
    "customer_message",
    "agent_message",
    "agent_note",
    "evaluated",
    "resolved",
    "closed",
    "closed_at",
    "reopened",
    "bot_handoff",
)
WEIGHTS = (8, 6, 5, 1, 1, 1, 1, 1, 1, 1)


def random_case(luck: random.Random) -> Case:
    at = round(datetime.fromisoformat(luck.choice(STARTS)).replace(tzinfo=UTC).timestamp())
    created: dict[str, Any] = {"at": text_of(at), "kind": "created", "status": luck.choice(STATUSES)}
    if luck.random() < 0.1:
        created |= luck.choice(({"by": "agent"}, {"owner": "requester"}, {"bot": True}))
    events = [created]
    for kind in luck.choices(KINDS, WEIGHTS, k=luck.randrange(10)):
        at += luck.choice((0, 1, 60, 1800, 3600, 7200, 7230, 30_000, 86_400, 200_000))
        event = {"at": text_of(at), "kind": kind}
        events.append(event | {"status": luck.choice(STATUSES)} if kind == "status" else event)
    if luck.random() < 0.2:
        events.append({"at": text_of(at), "kind": "first_response"})
    targets: dict[str, Any] = {}
    for clock in CASE_CLOCKS:
        if luck.random() < 0.2:
            targets[f"{clock}_working_days"] = luck.randrange(1, 4)
        else:
            targets[f"{clock}_min"] = luck.choice((1, 15, 30, 60, 120, 241, 480, 1500))
    targets["end_of_working_day"] = luck.random() < 0.5
    rules = {
        "due_view": luck.choice(("running", "stored")),
        "update_timer": luck.choice(("oldest_unanswered", "every_contact")),
        "first_response_start": luck.choice(("created", "last_handoff_or_reopen")),
        "hidden_on": luck.choice(({}, {"response": ["parked"]}, {"keep_in_loop": ["parked", "waiting"]})),
    }
    given = {
        "name": "random",
        "type": "lifecycle",
        "calendar": {
            "tz": luck.choice(("UTC", "Europe/Berlin", "America/New_York")),
            "hours": luck.choice(WEEKS),
            "holidays": ["2026-03-31"],
        },
        "targets": targets,
        "events": events,
        "rules": rules,
        "pause_statuses": luck.choice(([], ["waiting"], ["waiting", "other"])),
        "first_response_ignores_pauses": luck.random() < 0.5,
    }
    return Case("random", given, rules=rules)


def text_of(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def ambiguous(reading: Reading) -> bool:
    """A pause at the very second of a date, or an end within a pause: the format does not say."""
    instants = {start for start, _ in reading.pauses}
    dates = {reading.due(clock, run) for clock in CASE_CLOCKS for run in reading.runs(clock)}
    return bool(instants & dates)


@pytest.mark.parametrize("seed", range(12))
def test_the_engine_agrees_with_a_naive_reading(seed: int) -> None:
    luck = random.Random(seed)
    compared = 0
    for _ in range(CASES_PER_SEED):
        case = random_case(luck)
        reading = Reading(case)
        if ambiguous(reading):
            continue
        life = Life(Log.of(case))
        for clock in CASE_CLOCKS:
            expected = {
                f"{clock}_due": reading.shown(clock, stored=case.rules["due_view"] == "stored"),
                f"{clock}_breached": reading.breached(clock),
                f"{clock}_in_min": reading.minutes(clock),
            }
            if clock == "update" and case.rules["update_timer"] == "every_contact":
                expected["update_in_min"] = None
            assert {key: life.value(key) for key in expected} == expected, case.given
            compared += 1
    assert compared > CASES_PER_SEED * 3
