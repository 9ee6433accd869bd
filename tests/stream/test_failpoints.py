"""Failpoints do nothing unless armed, and refuse to be armed wrongly."""

from __future__ import annotations

import os
import signal

import pytest

from processor.stream.failpoints import POINTS, Failpoints


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: sent.append(number))
    return sent


def test_off_unless_named(signals: list[int]) -> None:
    failpoints = Failpoints("")
    for point in POINTS:
        failpoints.reach(point)
    assert signals == []


@pytest.mark.parametrize(
    ("spec", "passages", "number"),
    [
        ("step.after_flush", 1, signal.SIGKILL),
        ("step.after_flush:3", 3, signal.SIGKILL),
        ("step.after_flush:2:KILL", 2, signal.SIGKILL),
        ("step.after_flush:2:STOP", 2, signal.SIGSTOP),
    ],
)
def test_strikes_once_at_the_named_passage(signals: list[int], spec: str, passages: int, number: int) -> None:
    failpoints = Failpoints(spec)
    for _ in range(passages - 1):
        failpoints.reach("step.after_flush")
    failpoints.reach("step.after_begin")
    assert signals == []
    failpoints.reach("step.after_flush")
    failpoints.reach("step.after_flush")
    assert signals == [number]


@pytest.mark.parametrize("spec", ["nowhere", "step.after_flush:x", "step.after_flush:1:MAIM", "step.after_flush:-1"])
def test_a_wrong_name_is_refused_with_all_there_are(spec: str) -> None:
    with pytest.raises(ValueError, match=r"step\.after_commit"):
        Failpoints(spec)
