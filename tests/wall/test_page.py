"""The wall in a real browser: every board in both themes on a screen and on a phone, its keys, its rotation, its stream, its states."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from processor.boards.judging import STALE_SECONDS
from processor.boards.tables import BOARDS
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS
from processor.wall.history import History
from processor.wall.numbers import IDENTITY, REPLAYING, TIMER, Numbers
from processor.wall.words import span
from tests.wall.made import NOW, all_windows, kpi, numbers, samples, spread
from tests.wall.stage import OTHER_SIZES, PATIENCE_MS, SHOTS, SIZES, Stage, Visit

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
EVENING = NOW + 8 * HOUR_MS
Visits = Callable[..., Visit]


@pytest.fixture
def stage(one_stage: Stage) -> Stage:
    """All is well, unless the test says otherwise."""
    one_stage.show(numbers())
    return one_stage


def history() -> History:
    """Every tile has been going somewhere."""
    found = History()
    for board in BOARDS:
        for tile in board.wall:
            found.note((board.name, tile.name), NOW - 10 * MINUTE_MS, 1.5)
    return found


def crowded() -> Numbers:
    """Long numbers, few observations, missing partitions and everything wrong at once: what needs most room."""
    long = {
        "tickets_created": kpi(88_888), "tickets_solved": kpi(98_765), "backlog_net_flow": kpi(-88_888), "nps": kpi(-88.8, 7),
        "first_response": spread(172_000, 12), "backlog_work_off": kpi(math.inf), "csat": kpi(0.888, 2), "abandonment": kpi(None, 0),
    }  # fmt: skip
    levels = {"backlog": 98_888_888, "awaiting": 88_888, "contacts_waiting": 8_888, "agents_online": 888, "overdue": 88_888}
    families = {
        "support_backlog_oldest_created_timestamp_seconds": NOW / 1000 - 8_888_888, "support_sla_clocks_due": 44_444.0,
        "support_processor_lag_records": 44_444_444.0, "support_sla_next_due_timestamp_seconds": math.inf, IDENTITY: 4.0,
    }  # fmt: skip
    silent = "No answer from the workers at 10.0.0.17:9108, 10.0.0.18:9108."
    return numbers(
        windows=all_windows(missing=(1,), changed=long), levels=levels, levels_from=frozenset({0}), covered=frozenset({0}),
        samples=samples(**families), problems=("A worker says: support.events.v1-3: 45 % of the state read", silent),
    )  # fmt: skip


def boards(page: Page) -> Iterator[str]:
    """Each board, as one goes through them with the keys."""
    for number, board in enumerate(BOARDS, 1):
        page.keyboard.press(str(number))
        expect(page.get_by_role("heading", level=1)).to_have_text(board.title)
        yield board.name


# And how many notices it has.
STATES = {
    "fresh": (numbers(), 0),
    "crowded": (crowded(), 4),
    "stale": (numbers(windows=all_windows(NOW - STALE_SECONDS * 1000 - MINUTE_MS)), 1),
}
NOTICES = "count => document.querySelectorAll('.notice').length == count"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_board_has_text_that_is_cut_off_covered_or_pale(stage: Stage, visit: Visits, size: str, theme: str) -> None:
    visited = visit(size, theme)
    page, wrong = visited.go(), []
    for name, (found, notices) in STATES.items():
        stage.show(found, history=history())
        page.wait_for_function(NOTICES, arg=notices)
        for board in boards(page):
            assert page.locator(".tile").count() == 6
            wrong += [f"{name}, {board}: {each}" for each in page.evaluate(MEASURE)]
            if SHOTS:
                page.screenshot(path=f"{SHOTS}/{name}-{board}-{theme}-{size}.png", full_page=size == "phone")
    assert not wrong
    assert page.locator("html").get_attribute("data-theme") == theme
    assert not visited.complaints
    own = page.url.partition("/wall")[0] + "/wall"
    assert {request for request in visited.requests if not request.startswith((own, "data:,"))} == set()


@pytest.mark.parametrize("size", OTHER_SIZES)
def test_other_screens_have_room_too(stage: Stage, visit: Visits, size: str) -> None:
    page = visit(size).go()
    stage.show(crowded(), history=history())
    page.wait_for_function(NOTICES, arg=4)
    assert [f"{board}: {each}" for board in boards(page) for each in page.evaluate(MEASURE)] == []
    smallest = "Math.min(...[...document.querySelectorAll('.tile p, .tile h2')].map(each => parseFloat(getComputedStyle(each).fontSize)))"
    assert page.evaluate(smallest) >= 11
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/crowded-{size}.png", full_page=True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("document.querySelector('.value').style.fontSize = '900px'", "sticks out of its box"),
        ("document.querySelector('.top').style.transform = 'translateY(120px)'", "lie on each other"),
        ("document.querySelector('h2').style.cssText = 'overflow: hidden; text-wrap: nowrap; width: 9px'", "is cut off at the side"),
        ("document.querySelector('h2').style.cssText = 'width: 40px'", "is broken"),
        ("document.querySelector('.target').style.color = '#8fae9f'", "has a contrast of"),
        ("document.querySelector('#title').style.marginRight = '3000px'", "px wide, the window 1920"),
    ],
)
def test_what_would_be_wrong_is_noticed(stage: Stage, visit: Visits, change: str, complaint: str) -> None:
    page = visit().go()
    assert page.evaluate(MEASURE) == []
    page.evaluate(change)
    assert complaint in " ".join(page.evaluate(MEASURE))


def test_a_kiosk_has_more_room_and_no_text_that_is_cut_off(stage: Stage, visit: Visits) -> None:
    page = visit().go("?kiosk&theme=dark")
    assert not page.get_by_role("navigation").is_visible()
    stage.show(crowded(), history=history())
    page.wait_for_function(NOTICES, arg=4)
    assert [f"{board}: {each}" for board in boards(page) for each in page.evaluate(MEASURE)] == []


# -- states --------------------------------------------------------------------------------------------------------------------------


def told(page: Page, tile: str) -> str:
    """All text of a tile."""
    return " ".join(page.locator(f".tile[data-name={tile}]").inner_text().split())


def test_a_fresh_board_shows_value_target_verdict_trend_and_age(stage: Stage, visit: Visits) -> None:
    page = visit().go("#queue-now")
    stage.show(numbers(), history=history())
    expect(page.locator(".tile[data-name=contacts_waiting] .trend")).to_have_text("up, from 1.5")
    said = "Service level today down, from 150 % 84.3 % on target target at least 80 % n = 412"
    assert told(page, "service_level") == said
    assert page.locator(".tile[data-name=service_level] .verdict use").get_attribute("href") == "#icon-good"
    assert page.get_by_text("event time 12:04:31, 6 s behind").is_visible()
    assert page.locator("html").get_attribute("data-freshness") == "fresh"


@pytest.mark.parametrize(
    ("found", "now", "freshness", "said"),
    [
        (numbers(windows=all_windows(NOW - HOUR_MS)), NOW, "stale", "Old data: everything was added up last at 11:04."),
        (numbers(windows=all_windows(NOW - DAY_MS), samples=samples(**{REPLAYING: 1.0})), NOW, "replaying", "Old events are being caught"),
        (numbers(windows={}, samples={}), NOW, "empty", "No data yet"),
        (numbers(windows=all_windows(EVENING), samples=samples(**{TIMER: EVENING / 1000})), EVENING, "fresh", "closed until Thu 08:00"),
        (numbers(samples=samples(**{IDENTITY: 1.0})), NOW, "fresh", "The books do not balance: the backlog is off by 2."),
        (numbers(windows=all_windows(csat=kpi(0.1, 3))), NOW, "fresh", "n = 3, few"),
        (numbers(windows=all_windows(nps=kpi(math.nan))), NOW, "fresh", "unknown"),
    ],
    ids=["stale", "replaying", "empty", "closed", "broken", "few", "nan"],
)  # fmt: skip
def test_every_state_is_told_in_words(stage: Stage, visit: Visits, found: Numbers, now: int, freshness: str, said: str) -> None:
    page = visit().go("#goals")
    stage.show(found, now=now)
    expect(page.locator("body")).to_contain_text(said)
    assert page.locator("html").get_attribute("data-freshness") == freshness
    striped = page.evaluate("[...document.querySelectorAll('.tile')].map(each => getComputedStyle(each).backgroundImage != 'none')")
    assert set(striped) == ({freshness != "fresh"} if freshness != "empty" else set())
    assert page.evaluate(MEASURE) == []


# -- keys, rotation ---------------------------------------------------------------------------------------------------------------------


def test_the_keys_go_from_board_to_board(stage: Stage, visit: Visits) -> None:
    page = visit().go()
    title = page.get_by_role("heading", level=1)
    expect(title).to_have_text("Queue now")
    for key, board in [("ArrowRight", "SLA risk"), ("ArrowLeft", "Queue now"), ("ArrowLeft", "Processor health"), ("5", "Goals")]:
        page.keyboard.press(key)
        expect(title).to_have_text(board)
    assert page.url.endswith("#goals")
    assert page.locator("[aria-current=page]").inner_text().split() == ["5", "Goals"]
    page.get_by_role("link", name="Quality").click()
    expect(title).to_have_text("Quality")
    page.reload()
    expect(title).to_have_text("Quality")


def test_t_turns_the_colours_and_they_stay(stage: Stage, visit: Visits) -> None:
    page = visit().go()
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_question_mark_opens_the_help_and_escape_closes_it(stage: Stage, visit: Visits) -> None:
    page = visit().go()
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("3")  # not meant for the board behind it
    expect(page.get_by_role("heading", level=1, include_hidden=True)).to_have_text("Queue now")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_be_hidden()


def test_a_kiosk_goes_from_board_to_board_until_somebody_presses_space(stage: Stage, visit: Visits) -> None:
    visited = visit()
    visited.page.clock.install()
    page = visited.go("?kiosk&seconds=20")
    title = page.get_by_role("heading", level=1)
    seen = [title.inner_text()]
    turns = [board.title for board in BOARDS if board.playlist]
    for _ in turns:
        page.clock.run_for(20_250)
        seen.append(title.inner_text())
    assert seen == [*turns, turns[0]]
    page.keyboard.press("Space")
    page.clock.run_for(60_000)
    assert title.inner_text() == turns[0]
    page.keyboard.press("Space")
    page.clock.run_for(20_250)
    assert title.inner_text() == turns[1]


def test_a_kiosk_shows_the_boards_that_it_is_asked_for(stage: Stage, visit: Visits) -> None:
    visited = visit()
    visited.page.clock.install()
    page = visited.go("?kiosk&seconds=5&boards=goals,processor-health")
    seen: list[Any] = []
    for _ in range(3):
        page.clock.run_for(5_250)
        seen.append(page.get_by_role("heading", level=1).inner_text())
    assert seen == ["Goals", "Processor health", "Goals"]
    expect(page.get_by_role("status")).not_to_contain_text("no board")


@pytest.mark.parametrize("size", SIZES)
def test_a_kiosk_that_is_asked_for_a_board_that_is_not_there_says_so(stage: Stage, visit: Visits, size: str) -> None:
    page = visit(size).go("?kiosk&boards=queue-now,qualty,<b>goal</b>")
    there = ", ".join(board.name for board in BOARDS)
    expect(page.get_by_role("status")).to_have_text(f"?boards: no board qualty, no board <b>goal</b>. There are {there}.")
    assert page.evaluate(MEASURE) == []


# -- the stream -----------------------------------------------------------------------------------------------------------------------


def test_numbers_change_as_they_come(stage: Stage, visit: Visits) -> None:
    page = visit().go()
    for waiting in (5, 6, 1234):
        stage.show(numbers(levels={"contacts_waiting": waiting}))
        expect(page.locator(".tile[data-name=contacts_waiting] .value")).to_have_text(f"{waiting:,}")


def test_without_a_worker_the_page_says_so_and_comes_back_by_itself(stage: Stage, visit: Visits) -> None:
    page = visit().go()
    expect(page.locator("html")).to_have_attribute("data-connection", "live")
    stage.fall()
    try:
        expect(page.get_by_role("status")).to_contain_text("Disconnected from the processor since 12:04:37", timeout=PATIENCE_MS)
        expect(page.locator("html")).to_have_attribute("data-connection", "lost")
        expect(page.get_by_text("event time 12:04:31, 6 s behind")).to_have_count(0)  # it grows
        expect(page.get_by_text("office open")).to_have_count(0)  # nobody says so
        assert "repeating-linear-gradient" in page.locator(".tile").first.evaluate("each => getComputedStyle(each).backgroundImage")
        assert page.evaluate(MEASURE) == []
    finally:
        stage.rise()
    stage.show(numbers(levels={"contacts_waiting": 77}))
    expect(page.locator("html")).to_have_attribute("data-connection", "live", timeout=PATIENCE_MS)
    expect(page.locator(".tile[data-name=contacts_waiting] .value")).to_have_text("77")
    expect(page.get_by_role("status")).to_be_empty()
    expect(page.locator("#facts li")).to_have_text(["event time 12:04:31, 6 s behind", "office open", "12:04"])


def test_before_the_first_state_the_page_says_that_it_connects(stage: Stage, visit: Visits) -> None:
    page = visit().page
    held: list[Route] = []
    page.route("**/wall/events", lambda route: held.extend([route]))  # no answer yet
    page.goto(stage.url)
    expect(page.get_by_role("main")).to_contain_text("Connecting…")
    assert page.evaluate(MEASURE) == []
    held[0].abort()
    expect(page.get_by_role("status")).to_have_text("No answer from the processor; trying again.")
    page.unroute("**/wall/events")
    expect(page.get_by_role("heading", level=1)).to_have_text("Queue now", timeout=PATIENCE_MS)
    expect(page.get_by_role("main")).not_to_contain_text("Connecting")
    expect(page.get_by_role("status")).to_be_empty()


def test_without_javascript_the_page_says_where_the_numbers_are(stage: Stage, visit: Visits) -> None:
    page = visit(scripts=False).page
    page.goto(stage.url)
    said = page.locator("main noscript .notice")
    expect(said).to_be_in_viewport()
    assert "The same numbers stand at /metrics and /snapshot." in said.inner_text()


def test_a_worker_that_falls_silent_is_noticed_without_an_error(stage: Stage, visit: Visits) -> None:
    visited = visit()
    visited.page.clock.install()
    page = visited.go()
    page.clock.run_for(10_000)
    expect(page.get_by_role("status")).to_contain_text("Disconnected")
    later = re.compile("^12:1[45]$")
    page.clock.fast_forward(600_000)
    expect(page.locator("#facts li")).to_have_text(["event time 12:04:31, 10 min behind", later])
    page.clock.fast_forward(DAY_MS)
    expect(page.locator("#facts li")).to_have_text(["event time 12:04:31, 24 h behind", later])
    assert page.evaluate(MEASURE) == []


def test_the_page_says_how_long_as_the_worker_does(stage: Stage, visit: Visits) -> None:
    page = visit().go()
    seconds = [-3, 0, 59, 119, 120, 3599, 7199, 7200, 172_799, 172_800, 9e7, 8.7e9]
    assert page.evaluate("seconds => seconds.map(span)", seconds) == [span(each) for each in seconds]


def test_the_page_has_the_parts_that_readers_of_screens_look_for(stage: Stage, visit: Visits) -> None:
    page = visit().go()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("main", name="Queue now").get_by_role("listitem").count() == 6
    assert page.get_by_role("navigation", name="Boards").get_by_role("link").count() == 6
    assert page.get_by_role("heading", level=2).count() == 6
    assert page.locator("svg:not([aria-hidden])").count() == 0
    assert page.locator("[aria-live]").count() == 1  # what is wrong, not every number
