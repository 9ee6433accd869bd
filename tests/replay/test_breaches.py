"""Breaches are told with their explanations, also of tickets of which state has forgotten the events."""

from __future__ import annotations

from typing import Any

import pytest

from processor.core.settings import DAY_MS, HOUR_MS
from processor.core.told import recording
from processor.explain.words import when_in
from processor.replay import Replay
from processor.replay import breaches as breaches_of
from processor.replay.alive import alive
from processor.replay.breaches import Breaches
from tests.replay.logs import SMALL_CONFIG, START, event

MINUTES_OF_DAYS = 24 * 60


def told(*lines: bytes, at: int | None = None, partitions: int = 1) -> dict[str, Any]:
    listener = Breaches()
    replay = Replay(SMALL_CONFIG, partitions=partitions, engine=recording(listener))
    replay.feed_lines(list(lines))
    replay.finish(at)
    return listener.document(replay.shown(), alive(replay.shown()), when_in("UTC"))


def created(minute: float, ticket: str) -> bytes:
    return event(minute, "ticket.created", ticket_id=ticket, channel="email", priority="urgent", group="billing")


def solved(minute: float, ticket: str) -> bytes:
    return event(minute, "ticket.status_changed", ticket_id=ticket, status="solved")


def short(found: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(each["id"], each["clock"], each["still_open"], each["late_seconds"]) for each in found["shown"]]


def test_those_still_open_come_first_and_the_longest_overdue_of_them() -> None:
    found = told(created(0, "T-1"), created(5, "T-2"), created(10, "T-3"), solved(50, "T-1"), solved(70, "T-3"), at=START + 2 * HOUR_MS)
    assert short(found) == [
        ("T-2", "first_response", True, 5100.0),  # due after half an hour, and two hours have passed
        ("T-3", "first_response", False, 1800.0), ("T-1", "first_response", False, 1200.0),
    ]  # fmt: skip
    assert (found["total"], found["still_open"], found["left_out"], found["by_clock"]) == (3, 1, 0, {"first_response": 3})
    assert found["shown"][0]["lines"][0] == "first_response 1: BREACHED, and still open"
    assert any("after ticket.created" in line for line in found["shown"][0]["lines"])
    assert found["shown"][1]["lines"][0] == "first_response 1: BREACHED, then cancelled"


def test_a_breach_that_a_late_event_takes_back_is_none() -> None:
    reply = event(20, "message.added", ticket_id="T-1", message_id="M-1", author={"type": "agent", "id": "A-1"}, visibility="public",
                  automated=False)  # fmt: skip
    found = told(created(0, "T-1"), created(60, "T-2"), reply)
    assert (found["total"], found["shown"]) == (0, [])


def test_callers_are_told_by_how_they_left() -> None:
    def call(number: int, minute: float) -> bytes:
        return event(minute, "contact.queued", contact_id=f"C-{number}", channel="phone", queue="hotline")

    found = told(call(1, 0), call(2, 0), call(3, 1), event(1, "contact.accepted", contact_id="C-1"),
                 event(2, "contact.abandoned", contact_id="C-2"), created(3, "T-1"), at=START + 3 * 60_000)  # fmt: skip
    lines = {each["id"]: each["lines"] for each in found["shown"]}
    assert short(found) == [("C-3", "queue_wait", True, 100.0), ("C-1", "queue_wait", False, 40.0), ("C-2", "queue_wait", False, 100.0)]
    assert lines["C-1"] == [
        "queue_wait: answered late in queue hotline", "policy calls, version 1; target 20 s",
        "breached Mon 2026-03-02 08:00:20: until then nobody had answered", "answered late after 1 min",
    ]  # fmt: skip
    assert lines["C-2"][0] == "queue_wait: the customer gave up in queue hotline"
    assert lines["C-3"][0] == "queue_wait: not answered so far in queue hotline"


def weeks_later() -> list[bytes]:
    """A breach, and weeks in which others come and go: state forgets the events of the first."""
    lines = [created(0, "T-old"), event(40, "ticket.status_changed", ticket_id="T-old", status="pending")]
    for day in range(1, 21):
        lines += [created(day * MINUTES_OF_DAYS, f"T-{day}"), solved(day * MINUTES_OF_DAYS + 1, f"T-{day}")]
    return lines


def test_what_state_has_forgotten_is_explained_event_by_event() -> None:
    found = told(*weeks_later(), at=START + 21 * DAY_MS)
    old = next(each for each in found["shown"] if each["id"] == "T-old" and each["clock"] == "first_response")
    assert old["still_open"]
    assert any("after ticket.created" in line for line in old["lines"])


def test_what_does_not_fit_is_explained_as_far_as_state_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaches_of, "EVENTS_MAX", 5)
    monkeypatch.setattr(breaches_of, "_SPARED", 0)
    found = told(*weeks_later(), at=START + 21 * DAY_MS)
    old = next(each for each in found["shown"] if each["id"] == "T-old" and each["clock"] == "first_response")
    assert old["lines"][0] == "first_response 1: BREACHED, and still open"
    assert not any("after ticket.created" in line for line in old["lines"])


def test_of_many_breaches_the_newest_are_remembered_and_all_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaches_of, "CANDIDATES_MAX", 3)
    monkeypatch.setattr(breaches_of, "SHOWN", 2)
    lines = [line for number in range(20) for line in (created(number * 20, f"T-{number:02}"), solved(number * 20 + 39, f"T-{number:02}"))]
    found = told(*sorted(lines, key=lambda line: line.partition(b'"time":"')[2]))
    assert (found["total"], found["left_out"]) == (20, 18)
    assert [each["id"] for each in found["shown"]] == ["T-19", "T-18"]


@pytest.mark.parametrize("partitions", [2, 5])
def test_partitions_make_no_difference(partitions: int) -> None:
    assert told(*weeks_later(), at=START + 21 * DAY_MS, partitions=partitions) == told(*weeks_later(), at=START + 21 * DAY_MS)
