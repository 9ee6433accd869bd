"""Repetitions of the client libraries are counted, not written."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest

from processor.stream.logs import MESSAGES_MAX, REPEAT_SECONDS, Seldom, speak_seldom


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def record(message: str, *arguments: object, name: str = "library") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, "", 0, message, arguments, None)


def test_a_message_passes_once_in_a_while_and_tells_how_often_it_was_left_out() -> None:
    time = Time()
    seldom = Seldom(time)
    passed = []
    for _ in range(7):
        said = record("no node %d", 1)
        if seldom.filter(said):
            passed.append((time.seconds, said.getMessage()))
        time.seconds += REPEAT_SECONDS / 3
    assert [message for _, message in passed] == ["no node 1", *["no node 1 (2 more of these in between)"] * 2]
    assert all(later - earlier >= REPEAT_SECONDS for (earlier, _), (later, _) in pairwise(passed))


def test_other_messages_and_other_loggers_are_not_held_back() -> None:
    seldom = Seldom(Time())
    assert seldom.filter(record("one"))
    assert seldom.filter(record("two"))
    assert seldom.filter(record("one", name="another"))
    assert not seldom.filter(record("one"))


def test_memory_is_bounded() -> None:
    seldom = Seldom(Time())
    for number in range(3 * MESSAGES_MAX):
        assert seldom.filter(record(f"message {number}"))
    assert len(seldom._seen) <= MESSAGES_MAX


def test_it_reaches_the_children_of_a_package_and_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    child, stranger = logging.getLogger("chatty.child"), logging.getLogger("chattyother")
    speak_seldom("chatty")
    for _ in range(3):
        child.error("again")
        stranger.error("again")
    assert [said.name for said in caplog.records] == ["chatty.child", *["chattyother"] * 3]
