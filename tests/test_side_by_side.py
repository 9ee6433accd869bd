"""Processes side by side: small ones that tell what becomes of them in files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from processor import side_by_side
from tests.kafka.deployment import until

CHILD = """
import os, pathlib, signal, sys, time
from processor.side_by_side import end_with_parent
end_with_parent()
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def ended(*_):
    (folder / f"{name}.ended").write_text("")
    sys.exit(0)
signal.signal(signal.SIGTERM, ended)
(folder / f"{name}.{os.getpid()}").write_text("")
while not (folder / f"{name}.code").exists():
    time.sleep(0.01)
sys.exit(int((folder / f"{name}.code").read_text()))
"""
PARENT = """
import sys
from processor.side_by_side import run
child, folder = sys.argv[1:]
sys.exit(run([[sys.executable, "-c", child, folder, name] for name in ("a", "b")], lambda told: print(told, flush=True)))
"""


@contextmanager
def parent(folder: Path) -> Iterator[subprocess.Popen[str]]:
    call = [sys.executable, "-c", PARENT, CHILD, str(folder)]
    with subprocess.Popen(call, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        try:
            until("both run", lambda: pids(folder, "a") and pids(folder, "b"))
            yield process
        finally:
            process.kill()


def pids(folder: Path, name: str) -> set[int]:
    """Of all that have run under this name."""
    return {int(path.suffix[1:]) for path in folder.glob(f"{name}.*") if path.suffix[1:].isdigit()}


def ended(folder: Path) -> Callable[[], bool]:
    return lambda: all((folder / f"{name}.ended").exists() for name in ("a", "b"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    with parent(tmp_path) as process:
        process.send_signal(number)
        assert process.wait(20) == 0
        assert ended(tmp_path)()


def test_one_that_dies_is_started_again_and_the_other_goes_on(tmp_path: Path) -> None:
    with parent(tmp_path) as process:
        (killed,) = pids(tmp_path, "a")
        other = pids(tmp_path, "b")
        os.kill(killed, signal.SIGKILL)
        until("it runs again", lambda: len(pids(tmp_path, "a")) == 2)
        assert pids(tmp_path, "b") == other
        process.terminate()
        told, _ = process.communicate(timeout=20)
        assert f"process {killed} has ended with -9; starting it again in 1 s" in told


def test_one_that_refuses_to_run_ends_all_with_its_code(tmp_path: Path) -> None:
    with parent(tmp_path) as process:
        (tmp_path / "a.code").write_text("2", encoding="utf-8")
        assert process.wait(20) == 2
        assert (tmp_path / "b.ended").exists()


def test_pauses_grow_and_a_signal_ends_them(tmp_path: Path) -> None:
    with parent(tmp_path) as process:
        (tmp_path / "a.code").write_text("1", encoding="utf-8")
        assert process.stdout is not None
        pauses = [process.stdout.readline().rpartition(" in ")[2] for _ in range(3)]
        assert pauses == ["1 s\n", "2 s\n", "4 s\n"]
        process.terminate()
        assert process.wait(20) == 0
        assert len(pids(tmp_path, "a")) == 3


def test_no_child_outlives_its_parent(tmp_path: Path) -> None:
    with parent(tmp_path) as process:
        process.kill()
        until("both have ended", ended(tmp_path))


def test_a_process_without_a_parent_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(side_by_side.PIPE, raising=False)
    side_by_side.end_with_parent()
