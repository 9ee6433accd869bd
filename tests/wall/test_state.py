"""The wall's page as data: what it says of fresh, old, few, missing, endless and broken numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from processor.boards.board import Board, Tile
from processor.boards.judging import STALE_SECONDS
from processor.boards.readings import Kpi
from processor.boards.tables import BOARDS
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS
from processor.wall.history import History
from processor.wall.numbers import CONSUMED, IDENTITY, REPLAYING, TIMER, Numbers
from processor.wall.state import Frame, state
from tests.wall.made import END, NOW, all_windows, config, kpi, numbers, samples, spread, window

FRAME = Frame.of(config())


def page(found: Numbers, *, now: int = NOW, history: History | None = None, frame: Frame = FRAME) -> dict[str, Any]:
    """As the browser gets it."""
    told: dict[str, Any] = json.loads(json.dumps(state(BOARDS, found, history or History(), frame, now), allow_nan=False))
    return told


def tile(told: dict[str, Any], board: str, name: str) -> dict[str, Any]:
    """One tile of it."""
    tiles = next(each["tiles"] for each in told["boards"] if each["name"] == board)
    return next(each for each in tiles if each["name"] == name)


def texts(told: dict[str, Any], part: str) -> list[str]:
    """What stands in a part of the page."""
    return [each["text"] for each in told[part]]


# -- the whole page ----------------------------------------------------------------------------------------------------------------


def test_what_is_fresh_says_how_old_it_is_and_nothing_else() -> None:
    told = page(numbers())
    assert (told["freshness"], told["notices"], told["empty"]) == ("fresh", [], None)
    assert texts(told, "facts") == ["event time 12:04:31, 6 s behind", "office open", "12:04"]
    assert [board["name"] for board in told["boards"]] == [board.name for board in BOARDS]
    assert all(len(board["tiles"]) <= 6 for board in told["boards"])


@pytest.mark.parametrize("late", ["windows", "event time"])
def test_what_is_older_than_boards_allow_has_no_colour(late: str) -> None:
    old = NOW - STALE_SECONDS * 1000 - 1000
    found = numbers(windows=all_windows(old)) if late == "windows" else numbers(samples=samples(**{TIMER: old / 1000}))
    told = page(found)
    assert told["freshness"] == "stale"
    assert told["notices"][0]["kind"] == "error"
    assert "Old data" in told["notices"][0]["text"]
    if late == "windows":
        assert {each["verdict"] for board in told["boards"][:4] for each in board["tiles"]} == {"none"}
    just = page(numbers(windows=all_windows(NOW - STALE_SECONDS * 1000)))
    assert just["freshness"] == "fresh"


def test_while_old_events_are_caught_up_the_page_says_of_when_its_numbers_are() -> None:
    then = NOW - 400 * DAY_MS
    told = page(numbers(windows=all_windows(then), samples=samples(**{TIMER: then / 1000, REPLAYING: 1})))
    assert told["freshness"] == "replaying"
    assert texts(told, "notices") == ["Old events are being caught up: these are numbers of 14 Oct 2025 13:04, not of now."]
    assert texts(told, "facts")[0] == "event time 14 Oct 2025 13:04:37, 400 days behind"


def test_an_empty_page_says_what_to_do() -> None:
    told = page(numbers(windows={}, levels=None, levels_from=frozenset(), samples={}))
    assert told["freshness"] == "empty"
    assert told["empty"]["title"] == "No data yet"
    assert "ticket-kpis send FILE" in " ".join(told["empty"]["lines"])
    waiting = page(numbers(windows={}, samples={CONSUMED: samples()[CONSUMED]}))
    assert waiting["empty"]["lines"][0] == "10,000 events have come."
    looking = page(numbers(windows={}, samples={}, known=False))
    assert looking["empty"]["title"] == "One moment"


def test_outside_opening_hours_the_page_says_so_and_until_when() -> None:
    evening = NOW + 8 * HOUR_MS
    found = numbers(windows=all_windows(evening - 37_000), samples=samples(**{TIMER: evening / 1000 - 6}))
    told = page(found, now=evening)
    assert told["facts"][1] == {"text": "office closed until Thu 08:00", "kind": "warning"}
    assert texts(told, "notices") == ["Outside opening hours: nobody is expected to answer now."]
    two = config('  late: {zone: Europe/Berlin, hours: {thu: "07:00-22:00"}}\n')
    assert texts(page(found, now=evening, frame=Frame.of(two)), "facts")[1:] == ["closed until Thu 07:00", "20:04"]
    never = config('  late: {zone: Europe/Berlin, hours: {wed: "07:00-22:00"}}\n')
    assert texts(page(found, now=evening, frame=Frame.of(never)), "facts")[1:3] == ["office closed until Thu 08:00", "late open"]


def test_a_team_without_calendars_is_never_closed() -> None:
    told = page(numbers(), frame=Frame({}, 30, [], FRAME.zone, "events"))
    assert told["notices"] == []
    assert texts(told, "facts") == ["event time 12:04:31, 6 s behind", "12:04"]


def test_books_that_do_not_balance_come_before_anything_else() -> None:
    told = page(numbers(samples=samples(**{IDENTITY: -2.0}), problems=("something else",)))
    assert told["notices"][0]["kind"] == "error"
    assert told["notices"][0]["text"].startswith("The books do not balance: the backlog is off by 4. This is a fault of the processor")
    assert tile(told, "processor-health", "identity")["verdict"] == "bad"


def test_who_has_not_reported_and_who_does_not_answer_is_told() -> None:
    told = page(numbers(windows=all_windows(missing=(1,)), covered=frozenset({0}), levels_from=frozenset({0})))
    assert texts(told, "notices") == ["Without partition 1: not reported at 12:04."]
    assert tile(told, "processor-health", "complete")["value"] == "no"
    assert tile(told, "sla-risk", "due_soon")["note"] == "1 of 2 partitions"
    assert tile(told, "queue-now", "contacts_waiting")["note"] == "1 of 2 partitions"
    assert tile(told, "queue-now", "service_level")["note"] == ""  # of all that have reported, as the notice says


def test_no_flood_of_notices_hides_the_numbers() -> None:
    assert len(page(numbers(problems=tuple(f"problem {number}" for number in range(50))))["notices"]) <= 4


# -- single tiles --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "verdict", "words"),
    [(0.8, "good", "on target"), (0.79, "near", "just off target"), (0.721, "near", "just off target"), (0.71, "bad", "off target")],
)
def test_a_number_stands_against_its_target_in_colour_icon_and_words(value: float, verdict: str, words: str) -> None:
    told = tile(page(numbers(windows=all_windows(service_level=kpi(value)))), "queue-now", "service_level")
    assert (told["verdict"], told["verdict_text"], told["target"]) == (verdict, words, "target at least 80 %")


def test_a_target_of_time_is_told_as_time() -> None:
    told = tile(page(numbers(windows=all_windows(first_response=spread(1500)))), "goals", "first_response")
    assert (told["value"], told["unit"], told["target"], told["verdict"]) == ("25", "min", "target at most 30 min", "good")


def test_without_a_target_there_is_no_verdict() -> None:
    told = tile(page(numbers()), "queue-now", "contacts_waiting")
    assert (told["value"], told["counted"], told["verdict"], told["verdict_text"], told["target"]) == ("4", "contacts", "none", "", "")


def test_what_rests_on_few_is_marked_and_not_judged() -> None:
    told = tile(page(numbers(windows=all_windows(csat=kpi(0.2, 29)))), "goals", "csat")
    assert (told["verdict"], told["verdict_text"], told["n"], told["low_n"]) == ("few", "too few to say", "n = 29, few", True)
    enough = tile(page(numbers(windows=all_windows(csat=kpi(0.2, 30)))), "goals", "csat")
    assert (enough["verdict"], enough["n"], enough["low_n"]) == ("bad", "n = 30", False)


def test_one_ticket_only() -> None:
    nothing = {name: kpi(None, 0) for name in ("service_level", "abandonment", "csat", "nps", "reopen", "escalation")}
    found = numbers(
        windows=all_windows(changed=nothing | {"tickets_created": kpi(1, 1), "first_response": spread(40.2, 1)}),
        levels={"backlog": 1, "awaiting": 1},
    )  # fmt: skip
    told = page(found)
    created = tile(told, "backlog-flow", "created")
    assert (created["value"], created["counted"], created["n"]) == ("1", "ticket", "")
    assert tile(told, "backlog-flow", "backlog")["value"] == "1"
    assert tile(told, "queue-now", "contacts_waiting")["value"] == "0"
    level = tile(told, "queue-now", "service_level")
    assert (level["value"], level["words"], level["verdict"], level["n"]) == ("none yet", True, "none", "")
    first = tile(told, "goals", "first_response")
    assert (first["value"], first["unit"], first["n"], first["verdict"]) == ("40", "s", "n = 1, few", "few")


@pytest.mark.parametrize(("value", "words"), [(math.inf, "endless"), (math.nan, "unknown")])
def test_what_is_no_number_is_told_in_words(value: float, words: str) -> None:
    told = tile(page(numbers(windows=all_windows(backlog_work_off=kpi(value)))), "backlog-flow", "work_off")
    assert (told["value"], told["unit"], told["words"], told["verdict"]) == (words, "", True, "none")


def test_an_endless_drain_time_is_a_backlog_that_grows() -> None:
    drain = Tile("drain", "Empty in", "?", "", "seconds", Kpi("backlog_drain", "24h"), "down")
    board = Board("one", "One", "agents", "?", (drain,))
    found = numbers(windows={"24h": window("24h", {"backlog_drain": kpi(math.inf)})})
    assert state([board], found, History(), FRAME, NOW)["boards"][0]["tiles"][0]["value"] == "growing"


def test_what_is_endless_misses_any_target() -> None:
    frame = Frame.of(config("kpis: {targets: [{kpi: backlog_work_off, target: 2d, direction: at_most}]}\n"))
    told = tile(page(numbers(windows=all_windows(backlog_work_off=kpi(math.inf))), frame=frame), "backlog-flow", "work_off")
    assert (told["value"], told["verdict"], told["target"]) == ("endless", "bad", "target at most 2 days")


def test_where_nothing_waits_and_nothing_is_due_there_is_none() -> None:
    families = ("support_sla_next_due_timestamp_seconds", "support_contacts_waiting_oldest_timestamp_seconds")
    told = page(numbers(samples=samples(**dict.fromkeys(families, math.inf))))
    assert tile(told, "sla-risk", "next_due")["value"] == "none"
    assert tile(told, "queue-now", "longest_wait")["value"] == "none"


def test_what_no_worker_tells_is_not_known() -> None:
    told = tile(page(numbers(samples={}, covered=frozenset())), "sla-risk", "due_soon")
    assert (told["value"], told["words"]) == ("not known", True)


def test_partitions_and_labels_are_taken_together_as_the_boards_say() -> None:
    told = page(numbers())
    assert tile(told, "sla-risk", "due_soon")["value"] == "2"  # 1 on each partition, of one horizon
    assert tile(told, "processor-health", "running")["value"] == "yes"
    assert tile(told, "queue-now", "longest_wait")["value"] == "2:30"


# -- where it is going -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "trend", "words"),
    [(1200, "up", "from 1,200"), (1700, "down", "from 1,700"), (1641, "flat", "steady"), (1642, "flat", "steady")],
)
def test_an_arrow_says_where_it_is_going_and_from_where(was: float, trend: str, words: str) -> None:
    history = History()
    history.note(("backlog-flow", "backlog"), NOW - 10 * MINUTE_MS, was)
    told = tile(page(numbers(), history=history), "backlog-flow", "backlog")
    assert (told["trend"], told["trend_text"], told["trend_since"]) == (trend, words, "since 11:54")


def test_what_is_too_young_or_too_old_says_nothing_about_where_it_is_going() -> None:
    history, key = History(), ("backlog-flow", "backlog")
    history.note(key, NOW - HOUR_MS, 1)
    history.note(key, NOW - MINUTE_MS // 2, 2)
    assert tile(page(numbers(), history=history), *key)["trend"] == ""


def test_history_keeps_one_value_a_minute_and_no_more_than_a_quarter_of_an_hour() -> None:
    history, key = History(), ("board", "tile")
    for second in range(0, 7200, 2):
        at = NOW + second * 1000
        history.note(key, at, second)
        history.note(key, at, math.inf)
        history.before(key, at)
    assert len(history._values[key]) <= 18
    before = history.before(key, NOW + 7_200_000)
    assert before is not None
    assert 14 * MINUTE_MS <= NOW + 7_200_000 - before[0] <= 17 * MINUTE_MS


def test_one_window_of_several_may_be_there_before_the_others() -> None:
    told = page(numbers(windows={"today": window("today", {"service_level": kpi(0.9)}, end=END)}))
    assert tile(told, "queue-now", "service_level")["value"] == "90"
    assert tile(told, "goals", "service_level")["value"] == "none yet"
