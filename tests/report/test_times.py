"""When things happen, by hand: hours of the week in the reporting zone, days of creation, the longest tickets, long windows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from rich.console import Console

from processor.codec.envelope import cloud_event, encode, parse_time
from processor.compile import compile_rules
from processor.config import loads
from processor.core.outputs import View
from processor.core.postings import HISTOGRAMS
from processor.core.rows import Row
from processor.core.settings import DAY_MS
from processor.replay import Replay
from processor.replay.following import Following
from processor.report import rendering
from processor.report.periods import periods
from tests.report.story import report_of

CONFIG = loads(b"reporting_zone: Europe/Berlin\nkpis: {min_n: 1}\n", "times")


def event(number: int, kind: str, time: str, key: str, **data: Any) -> bytes:
    named = {"contact": "contact_id"}.get(kind.partition(".")[0], "ticket_id")
    return encode(cloud_event(kind=kind, id=f"e{number}", source="/test", occurred_at_ms=parse_time(time), data={named: key, **data}))


def said(*lines: str) -> list[bytes]:
    """`2026-03-27T22:30Z T-1 created`, in order."""
    found = []
    for number, line in enumerate(lines):
        time, key, what, *rest = line.split()
        time = f"{time[:-1]}:00Z"
        if what == "reply":
            message = {"message_id": f"M{number}", "author": {"type": "agent", "id": "A-1"}, "visibility": "public", "automated": False}
            found.append(event(number, "message.added", time, key, **message))
        elif what == "created":
            found.append(event(number, "ticket.created", time, key, channel=rest[0] if rest else "email"))
        elif what == "spam":
            found.append(event(number, "ticket.marked_as_spam", time, key))
        elif what in ("queued", "accepted", "abandoned"):
            found.append(
                event(number, f"contact.{what}", time, key, **({"channel": "phone", "queue": "sales"} if what == "queued" else {}))
            )
        else:
            found.append(event(number, "ticket.status_changed", time, key, status=what))
    return found


def told(*lines: str, partitions: int = 1) -> dict[str, Any]:
    following = Following(CONFIG.reporting_zone)
    replay = Replay(CONFIG, partitions=partitions, following=following)
    replay.feed_lines(said(*lines))
    replay.finish()
    more = following.document(replay.shown(), replay.views(), replay.days(), compile_rules(CONFIG))
    made = report_of(replay, CONFIG, more=more)
    rendering.render(made, Console(width=200, record=True, quiet=True))
    assert orjson.dumps(made)
    return made


STORY = (
    "2026-03-27T22:30Z T-1 created chat",  # Friday, 23:30 in Berlin
    "2026-03-27T23:10Z T-1 reply",  # Saturday, 00:10
    "2026-03-28T00:00Z T-2 created",
    "2026-03-28T12:00Z T-1 solved",
    "2026-03-30T22:10Z T-3 created",  # Tuesday, 00:10: summer time has begun
    "2026-03-30T22:40Z T-3 reply",
    "2026-03-30T22:50Z T-3 solved",
    "2026-04-20T07:00Z C-1 queued",  # Monday, 9:00, three weeks later: rows tell no hours of March any more
    "2026-04-20T07:00Z C-2 queued",
    "2026-04-20T07:01Z C-1 accepted",
    "2026-04-20T07:03Z C-2 abandoned",
    "2026-04-20T08:00Z T-4 created",
)


@pytest.mark.parametrize("partitions", [1, 3])
def test_hours_are_those_of_the_zone_over_the_whole_log(partitions: int) -> None:
    found = told(*STORY, partitions=partitions)["hours_of_week"]
    assert found["zone"] == "Europe/Berlin"
    hours = {(each["weekday"], each["hour"]): each for each in found["hours"]}
    created = {place: each["tickets_created"] for place, each in hours.items() if each["tickets_created"]}
    assert created == {("fri", 23): 1, ("sat", 1): 1, ("tue", 0): 1, ("mon", 10): 1}
    assert hours["sat", 0]["first_response"] == {"n": 1, "mean_seconds": 2400.0, "median_seconds": pytest.approx(2400, rel=0.5)}
    assert hours["tue", 0]["first_response"]["n"] == 1
    assert (hours["mon", 9]["contacts_offered"], hours["mon", 9]["service_level"]) == (2, {"n": 2, "value": 0.0})  # a minute is too long
    assert {channel: [(each["weekday"], each["hour"]) for each in entries] for channel, entries in found["channels"].items()} == {
        "chat": [("fri", 23), ("sat", 0)], "email": [("mon", 10), ("tue", 0), ("sat", 1)], "phone": [("mon", 9)],
    }  # fmt: skip


def test_by_creation_a_reply_counts_for_the_day_on_which_the_customer_wrote() -> None:
    found = told(*STORY)["by_creation"]
    assert found["zone"] == "Europe/Berlin"
    assert [(each["created_in"], each["created"], each["answered"], each["solved"]) for each in found["days"]] == [
        ("2026-03-27", 1, 1, 1), ("2026-03-28", 1, 0, 0), ("2026-03-31", 1, 1, 1), ("2026-04-20", 1, 0, 0),
    ]  # fmt: skip
    first = found["days"][0]
    assert (first["cohort_first_response_mean_seconds"], first["cohort_first_resolution_mean_seconds"]) == (2400.0, 48_600.0)


def test_weeks_and_months_of_creation_say_what_share_is_answered_and_solved() -> None:
    found = told(*STORY)["by_creation"]
    weeks = [(each["created_in"], each["from"], each["created"], each["answered_share"], each["solved_share"]) for each in found["weeks"]]
    assert weeks == [("2026-W13", "2026-03-23", 2, 0.5, 0.5), ("2026-W14", "2026-03-30", 1, 1.0, 1.0), ("2026-W17", "2026-04-20", 1, 0, 0)]
    march, april = found["months"]
    assert (march["created_in"], march["to"], march["created"], march["answered_share"]) == ("2026-03", "2026-03-31", 3, 0.6667)
    assert march["cohort_first_response_mean_seconds"] == (2400 + 1800) / 2
    assert march["cohort_first_response_median_seconds"] == 1800  # one of two lies at most at this edge
    assert (april["answered"], april["cohort_first_response_mean_seconds"]) == (0, None)


def test_what_is_taken_back_is_no_longer_there() -> None:
    found = told(
        "2026-03-02T09:00Z T-1 created", "2026-03-02T09:10Z T-1 reply", "2026-03-02T09:20Z T-1 solved", "2026-03-02T10:00Z T-1 spam"
    )
    assert [(each["created"], each["answered"], each["solved"]) for each in found["by_creation"]["days"]] == [(1, 0, 0)]
    assert found["longest"] == {"open": [], "solved": []}
    assert [each["first_response"]["n"] for each in found["hours_of_week"]["hours"]] == [0]


def test_the_longest_tickets_are_named() -> None:
    found = told(*STORY, "2026-04-20T09:00Z T-3 open")["longest"]
    assert [(each["ticket"], each["status"], each["seconds"]) for each in found["open"]] == [
        ("T-2", "new", 2_019_600.0), ("T-3", "open", 1_767_000.0), ("T-4", "new", 3600.0),
    ]  # fmt: skip
    assert found["solved"] == [{"ticket": "T-1", "seconds": 48_600.0, "group": "none", "priority": "normal"}]  # T-3 is open again


def test_of_many_solved_tickets_the_slowest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processor.replay.following.SLOWEST_KEPT", 10)
    lines = [
        line for number in range(60) for line in (f"2026-03-02T09:{number:02}Z T-{number} created", f"2026-03-02T10:00Z T-{number} solved")
    ]
    found = told(*sorted(lines))["longest"]["solved"]
    assert [each["ticket"] for each in found] == [f"T-{number}" for number in range(10)]


# -- long windows ---------------------------------------------------------------------------------------------------------------------

TODAY = 20_454  # 2026-01-01
SOLVED_IN_AN_HOUR: Row = {HISTOGRAMS["full_resolution"].bucket(3_600_000): 1, HISTOGRAMS["full_resolution"].sum: 3_600_000}
DAYS: dict[int, Row] = {
    TODAY - 100: {"csat_responses": 10, "csat_satisfied": 1, "customers_acquired": 100},  # 2025-09-23
    TODAY - 60: {"csat_responses": 10, "csat_satisfied": 5, "customers_churned": 10, "backlog_entered:created": 8},  # 2025-11-02
    TODAY - 20: {"csat_responses": 10, "csat_satisfied": 9, "customers_acquired": 5, "backlog_left:solved": 6},  # 2025-12-12
    TODAY: {"csat_responses": 1, "csat_satisfied": 1, "customers_churned": 19, "backlog_entered:created": 2, **SOLVED_IN_AN_HOUR},
}


def view_of() -> View:
    replay = Replay(CONFIG, partitions=1)
    replay.feed_lines(said(*STORY))
    now = TODAY * DAY_MS + DAY_MS // 2
    return replace(replay.views()[0], levels={("customers", 1): 76, ("backlog", "new", ()): 4}, timer_time=now)


def test_long_windows_are_sums_of_days() -> None:
    found = {each["period"]: each for each in periods([view_of()], DAYS)}
    names = "30d 90d 2025-09 2025-10 2025-11 2025-12 2026-01 2025-Q3 2025-Q4 2026-Q1"
    assert list(found) == names.split()
    values = {name: {kpi["kpi"]: (kpi["value"], kpi["n"]) for kpi in each["kpis"]} for name, each in found.items()}
    assert (values["30d"]["csat"], values["90d"]["csat"]) == ((0.9091, 11), (0.7143, 21))
    assert (values["2025-11"]["csat"], values["2025-12"]["csat"], values["2025-Q4"]["csat"]) == ((0.5, 10), (0.9, 10), (0.7, 20))
    assert "csat" not in values["2025-10"]
    assert values["2026-01"]["full_resolution"] == (3600.0, 1)


def test_customers_and_backlog_are_those_of_the_end_of_the_period() -> None:
    found = {each["period"]: {kpi["kpi"]: kpi["value"] for kpi in each["kpis"]} for each in periods([view_of()], DAYS)}
    assert [found[name]["customers"] for name in ("2025-09", "2025-11", "2025-12", "2026-01")] == [100, 90, 95, 76]
    assert [found[name].get("retention") for name in ("2025-09", "2025-11", "2025-12", "2026-01")] == [None, 0.9, 1.0, 0.8]
    assert [found[name].get("churn") for name in ("2025-11", "2025-12", "2026-01")] == [0.1, 0.0, 0.2]
    assert (found["2025-Q4"]["retention"], found["2026-Q1"]["retention"]) == (0.9, 0.8)
    assert [found[name]["backlog_tickets"] for name in ("2025-11", "2025-12", "2026-01")] == [8, 2, 4]


def test_a_period_says_whether_the_log_has_all_of_it() -> None:
    found = {each["period"]: (each["from"], each["to"], each["complete"]) for each in periods([view_of()], DAYS)}
    assert found["30d"] == ("2025-12-03", "2026-01-01", True)
    assert found["2025-09"] == ("2025-09-01", "2025-09-30", False)  # it begins on the 23rd
    assert found["2025-Q4"] == ("2025-10-01", "2025-12-31", True)
    assert found["2026-01"] == ("2026-01-01", "2026-01-31", False)


def test_of_nothing_there_are_no_periods() -> None:
    assert periods([], {}) == []


# -- segments -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partitions", [1, 3])
def test_long_windows_of_a_segment_are_the_sums_of_its_days(partitions: int) -> None:
    found = told(*STORY, partitions=partitions)["segments"]
    assert found["left_out"] == 0
    segments = {tuple(each["by"].items()): each["periods"] for each in found["segments"]}
    periods_of = {by: {each["period"]: {kpi["kpi"]: kpi for kpi in each["kpis"]} for each in told} for by, told in segments.items()}
    email, chat = periods_of[("channel", "email"),], periods_of[("channel", "chat"),]
    assert list(email) == ["30d", "90d", "2026-03", "2026-04", "2026-Q1", "2026-Q2"]
    assert [email[name]["tickets_created"]["value"] for name in ("2026-03", "2026-04", "90d")] == [2, 1, 3]
    # T-2 was never solved: unsolved at the end of March, and with T-4 at the end of April. T-3 was solved within March.
    assert [email[name]["backlog_tickets"]["value"] for name in ("2026-03", "2026-04")] == [1, 2]
    first, edges = chat["2026-03"]["first_response"], {"p50_at_most_seconds": 3600, "p90_at_most_seconds": 3600}
    assert first == {"kpi": "first_response", "value": 2400.0, "n": 1, "low_n": False, "p50": 2700.0, "p90": 3420.0, **edges}
    assert "first_response" not in chat["2026-04"]
    assert periods_of[("queue", "sales"),]["30d"]["abandonment"]["value"] == 0.5
    assert "tickets_created" not in periods_of[("queue", "sales"),]["30d"]


def test_the_busiest_segments_are_kept_and_the_others_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processor.report.segments.SEGMENTS_MAX", 1)
    found = told("2026-03-02T09:00Z T-1 created chat", "2026-03-02T09:01Z T-2 created", "2026-03-02T09:02Z T-3 created")["segments"]
    assert len(found["segments"]) == 1
    assert found["segments"][0]["periods"][0]["kpis"][0] == {"kpi": "tickets_created", "value": 3, "n": 3}  # all have one priority
    assert found["left_out"] > 3


def test_a_pace_of_a_long_window_is_not_that_of_the_last_day() -> None:
    found = {each["period"]: {kpi["kpi"]: kpi for kpi in each["kpis"]} for each in periods([view_of()], DAYS)}
    growth = found["2026-01"]["backlog_growth"]
    assert (growth["value"], growth["n"], "window" in growth) == (1.0, 2, False)  # from 2 to 4


# -- who waits in a queue -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partitions", [1, 3])
def test_patience_by_queue_has_those_who_wait_now(partitions: int) -> None:
    made = told(*STORY, "2026-04-20T08:00Z C-3 queued", "2026-04-20T08:20Z T-4 solved", partitions=partitions)
    whole, sales = made["patience"]
    assert (whole["queue"], sales["channel"], sales["queue"]) == (None, "phone", "sales")
    # C-2 gave up after three minutes, C-1 was answered after one, C-3 has waited for twenty.
    assert (sales["n"], sales["censored"], sales["median_at_most_seconds"]) == (1, 2, 300)
    assert (sales["longer_than"]["120"], sales["longer_than"]["300"]) == (1.0, 0.5)
    assert {**whole, "queue": "sales"} == sales
