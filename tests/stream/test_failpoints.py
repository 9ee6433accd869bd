"""Failpoints do nothing unless armed, and refuse to be armed wrongly."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError

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


def test_what_a_full_disk_answers_is_raised(signals: list[int]) -> None:
    failpoints = Failpoints("step.after_marker:2:RAISE")
    failpoints.reach("step.after_marker")
    with pytest.raises(KafkaError):
        failpoints.reach("step.after_marker")
    assert signals == []


def test_a_file_arms_it_while_the_process_runs_and_tells_when_it_has_struck(signals: list[int], tmp_path: Path) -> None:
    file, hit = tmp_path / "armed", tmp_path / "armed.hit"
    failpoints = Failpoints("", str(file))
    failpoints.reach("step.after_flush")
    for number in (signal.SIGSTOP, signal.SIGKILL):
        file.write_text(f"step.after_flush:2:{number.name.removeprefix('SIG')}\n")
        failpoints.reach("step.after_flush")
        assert signals == []
        assert not hit.exists()
        failpoints.reach("step.after_flush")
        assert (signals.pop(), file.exists(), hit.exists()) == (number, False, True)
        hit.unlink()
        failpoints.reach("step.after_flush")
    assert signals == []


def test_a_file_that_is_taken_away_in_time_does_nothing(signals: list[int], tmp_path: Path) -> None:
    file = tmp_path / "armed"
    failpoints = Failpoints("", str(file))
    file.write_text("step.after_flush:2:KILL")
    failpoints.reach("step.after_flush")
    file.unlink()
    failpoints.reach("step.after_flush")
    assert signals == []


def test_what_is_armed_is_known_before_it_strikes(tmp_path: Path) -> None:
    file = tmp_path / "point"
    failpoints = Failpoints("step.after_facts:2:RAISE", str(file))
    assert failpoints.armed("step.after_facts")
    assert not failpoints.armed("step.after_flush")
    file.write_text("step.after_flush:1:RAISE", encoding="ascii")
    assert failpoints.armed("step.after_flush")
