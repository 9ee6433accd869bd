"""KPIs over time and goals, from rows that can be counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from processor.config import loads
from processor.core.kpi_readings import Rules
from processor.core.postings import HISTOGRAMS
from processor.core.rows import Row
from processor.core.settings import DAY_MS, HOUR_MS
from processor.report.goals import goals, recent, recent_of
from processor.report.history import DAY_MINUTES, HOUR_MINUTES, TOTAL, History, minutes_of
from processor.report.over_time import over_time

FIRST = 20_517  # 2026-03-05, a Thursday: so that weeks have to look for theirs
FEW = Rules(min_n=10)


def history(rows: dict[int, Row], *, backlog: int = 0, minutes: int = DAY_MINUTES, end: int | None = None, **more: Any) -> History:
    width = minutes * 60_000
    return History(minutes, (max(rows, default=-1) + 1) * width if end is None else end, {TOTAL: rows, **more.get("others", {})},
                   {TOTAL: backlog, **more.get("backlogs", {})}, more.get("stock", {}), FEW)  # fmt: skip


def series(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["kpi"]: each for each in found["kpis"]}


def day(created: int = 1, **more: int) -> Row:
    return {"tickets_created": created, "backlog_entered:created": created, **more}


def test_days_without_anything_are_there_and_the_backlog_is_what_was_left_then() -> None:
    rows = {FIRST: day(5), FIRST + 1: day(1, **{"backlog_left:solved": 4, "tickets_solved": 4}), FIRST + 3: day(2)}
    found = over_time(history(rows, backlog=7), ["tickets_created", "tickets_solved", "backlog_tickets", "csat"])
    assert (found["step"], len(found["starts"]), found["quiet_steps_left_out"]) == ("day", 4, None)
    told = series(found)
    assert told["tickets_created"]["values"] == [5, 1, 0, 2]
    assert told["tickets_solved"]["values"] == [0, 4, 0, 0]
    assert told["backlog_tickets"]["values"] == [8, 5, 5, 7]
    assert "csat" not in told  # nobody was asked


def test_shares_have_what_they_rest_on_and_durations_their_quantiles() -> None:
    keys = HISTOGRAMS["first_response"]
    rows: dict[int, Row] = {
        FIRST: {"csat_responses": 4, "csat_satisfied": 3, keys.bucket(60_000): 1, keys.sum: 60_000}, FIRST + 1: {}, FIRST + 2: day(),
    }  # fmt: skip
    told = series(over_time(history(rows), ["csat", "first_response"]))
    assert (told["csat"]["values"], told["csat"]["n"]) == ([0.75, None, None], [4, 0, 0])
    assert (told["csat"]["low"][0], told["csat"]["low"][1]) == (pytest.approx(0.3006), None)
    assert told["first_response"]["values"] == [60.0, None, None]
    assert told["first_response"]["p90"][0] == pytest.approx(60, rel=0.5)


def test_long_logs_are_told_by_weeks_that_begin_on_mondays() -> None:
    found = over_time(history({FIRST + number: day() for number in range(200)}), ["tickets_created"])
    assert found["step"] == "week"
    assert found["starts"][1] == "2026-03-09T00:00:00.000Z"
    assert sum(series(found)["tickets_created"]["values"]) == 200
    assert series(found)["tickets_created"]["values"][1] == 7


def test_the_step_that_is_not_over_is_marked() -> None:
    rows = {FIRST: day(), FIRST + 1: day()}
    found = over_time(history(rows, end=(FIRST + 1) * DAY_MS + 5 * HOUR_MS), ["tickets_created"])
    assert found["complete"] == [True, False]


def test_a_quiet_beginning_leaves_the_room_to_the_rest() -> None:
    rows = {FIRST: day(1), **{FIRST + 300 + number: day(50) for number in range(30)}}
    found = over_time(history(rows), ["tickets_created"])
    assert (found["step"], len(found["starts"])) == ("day", 30)
    assert found["quiet_steps_left_out"]["to"] == found["starts"][0]
    even = over_time(history({FIRST + number: day(10) for number in range(60)}), ["tickets_created"])
    assert (len(even["starts"]), even["quiet_steps_left_out"]) == (60, None)


def test_nothing_at_all_is_no_step() -> None:
    found = over_time(history({}), ["tickets_created"])
    assert (found["starts"], found["kpis"]) == ([], [])
    assert recent(history({}), ["tickets_created"])["name"] == "the whole log"


@pytest.mark.parametrize(("hours", "minutes"), [(0, HOUR_MINUTES), (72, HOUR_MINUTES), (73, DAY_MINUTES)])
def test_a_short_log_is_told_by_hours(hours: int, minutes: int) -> None:
    assert minutes_of(1_000, 1_000 + hours * HOUR_MS) == minutes


@pytest.mark.parametrize(("days", "name", "length"), [(1, "the whole log", 1), (2, "the last 24 hours", 1), (14, "the last 7 days", 7),
                                                      (59, "the last 7 days", 7), (60, "the last 30 days", 30)])  # fmt: skip
def test_the_newest_part_has_one_as_long_before_it(days: int, name: str, length: int) -> None:
    part = recent_of(history({FIRST + number: day() for number in range(days)}))
    assert (part.name, part.until - part.first) == (name, length)
    assert (part.before is None) == (days == 1)


# -- goals ----------------------------------------------------------------------------------------------------------------------------


def verdicts(yaml: str, rows: dict[int, Row], **more: Any) -> list[tuple[Any, ...]]:
    config = loads(f"kpis: {{targets: [{yaml}]}}".encode(), "goals")
    return [(each["value"], each["verdict"], each["trend"]) for each in goals(history(rows, **more), config.kpis.targets)]


def csat(satisfied: int, responses: int) -> Row:
    return {"csat_satisfied": satisfied, "csat_responses": responses}


CSAT = "{kpi: csat, target: 0.9, direction: at_least}"


@pytest.mark.parametrize(("before", "now", "expected"), [
    (csat(90, 100), csat(98, 100), (0.98, "met", "better")),
    (csat(90, 100), csat(95, 100), (0.95, "met", "same")),  # chance may have done it
    (csat(95, 100), csat(85, 100), (0.85, "near", "worse")),
    (csat(90, 100), csat(60, 100), (0.6, "missed", "worse")),
    (csat(90, 100), csat(2, 9), (0.2222, "few", "worse")),
    (csat(90, 100), {}, (None, "unknown", "unknown")),
    ({}, csat(90, 100), (0.9, "met", "unknown")),
])  # fmt: skip
def test_a_goal_is_judged_as_on_the_boards(before: Row, now: Row, expected: tuple[Any, ...]) -> None:
    assert verdicts(CSAT, {FIRST: {**day(), **before}, FIRST + 1: {**day(), **now}}) == [expected]


def test_less_may_be_better_and_a_tenth_is_near() -> None:
    keys = HISTOGRAMS["first_response"]

    def responses(seconds: int) -> Row:
        return {**day(), keys.bucket(seconds * 1000): 20, keys.sum: 20 * seconds * 1000}

    yaml = "{kpi: first_response, target: 30m, direction: at_most}"
    assert verdicts(yaml, {FIRST: responses(3600), FIRST + 1: responses(1900)}) == [(1900.0, "near", "better")]
    assert verdicts(yaml, {FIRST: responses(1000), FIRST + 1: responses(2000)}) == [(2000.0, "missed", "worse")]
    assert verdicts(yaml.replace("30m", "30m, stat: p90"), {FIRST: responses(60), FIRST + 1: responses(60)})[0][1:] == ("met", "same")


def test_a_goal_of_a_segment_is_read_from_its_rows() -> None:
    by = (("channel", "email"),)
    rows = {FIRST: {**day(), **csat(1, 100)}, FIRST + 1: {**day(), **csat(1, 100)}}
    mine = {FIRST: csat(100, 100), FIRST + 1: csat(99, 100)}
    found = verdicts("{kpi: csat, dimensions: {channel: email}, target: 0.9, direction: at_least}", rows, others={by: mine})
    assert found == [(0.99, "met", "same")]


def test_goals_of_levels_and_of_what_has_no_end() -> None:
    yaml = ("{kpi: backlog_tickets, target: 5, direction: at_most}, {kpi: backlog_drain, target: 8h, direction: at_most},"
            "{kpi: customers, target: 3, direction: at_least}")  # fmt: skip
    rows = {FIRST: day(2), FIRST + 1: {**day(2), "customers_acquired": 1}}
    found = verdicts(yaml, rows, backlog=4, stock={"customers": 4})
    assert found == [(4, "met", "worse"), ("+Inf", "few", "same"), (4, "met", "better")]
