"""The wall clock never jumps: it is advanced by the monotonic clock, and says when the system's clock has parted from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor import wall_clock
from processor.wall_clock import BELIEVED_AFTER_MS, OFFSET_VARIABLE, PARTED_MS, WallClock


class Machine:
    """A machine whose two clocks can be set, in milliseconds."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_700_000_000_000, 5_000

    def passes(self, milliseconds: int) -> None:
        self.wall += milliseconds
        self.steady += milliseconds


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(wall_clock, "_wall_ms", lambda: made.wall)
    monkeypatch.setattr(wall_clock, "_monotonic_ms", lambda: made.steady)
    return made


def test_it_goes_as_time_goes(machine: Machine) -> None:
    clock = WallClock()
    began = clock.now()
    machine.passes(12_345)
    assert clock.now() == began + 12_345
    assert not clock.parted()


@pytest.mark.parametrize("step", [-3_600_000, -PARTED_MS - 1, PARTED_MS + 1, 3_600_000])
def test_a_step_of_the_systems_clock_moves_nothing_and_is_believed_once_it_has_lasted(machine: Machine, step: int) -> None:
    clock = WallClock()
    before = clock.now()
    machine.wall += step
    assert clock.now() == before
    assert clock.parted()
    machine.passes(BELIEVED_AFTER_MS - 1)
    assert clock.parted()
    machine.passes(1)
    assert not clock.parted()
    assert clock.now() == machine.wall


def test_a_step_that_is_taken_back_leaves_no_trace(machine: Machine) -> None:
    clock = WallClock()
    machine.wall += 5_000
    assert clock.parted()
    machine.wall -= 5_000
    assert not clock.parted()
    machine.passes(BELIEVED_AFTER_MS)
    assert clock.now() == machine.wall


def test_a_clock_that_keeps_wandering_is_never_believed(machine: Machine) -> None:
    clock = WallClock()
    for _ in range(20):
        machine.wall += 2_000
        machine.passes(BELIEVED_AFTER_MS // 4)
        assert clock.parted()


def test_small_differences_are_no_matter(machine: Machine) -> None:
    clock = WallClock()
    machine.wall += PARTED_MS
    assert not clock.parted()


def test_a_file_sets_the_systems_clock_for_tests(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    monkeypatch.setenv(OFFSET_VARIABLE, str(offset))
    clock = WallClock()
    assert clock.now() == machine.wall
    offset.write_text("-7200000")
    assert clock.parted()
    assert WallClock().now() == machine.wall - 7_200_000
    offset.unlink()
    assert not clock.parted()
