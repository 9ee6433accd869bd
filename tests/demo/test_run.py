"""The demonstration's proof, without Kafka: exit code 0 says that the numbers agree, and nothing else does."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from processor.demo import run
from processor.export.snapshot import Difference


@pytest.fixture(autouse=True)
def arguments(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A short proof, interrupted as from a terminal: what runs in the background of a shell ignores SIGINT. Afterwards as before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setattr(sys, "argv", ["demo", "--check", "--embedded", "--events", "2000"])
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_proof_compares_numbers_and_finds_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main() == 0
    said = capsys.readouterr().err
    assert said.count("none") == 3
    assert "The numbers agree." in said


def test_one_difference_is_enough(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(run, "compare", lambda *_, **__: [Difference("support_tickets_created_total", "", 1, 2)])
    assert run.main() == 1
    assert "support_tickets_created_total: 1 and 2" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_the_proof_has_none(number: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.Demo, "check", lambda _: signal.raise_signal(number))
    code: object
    try:
        code = run.main()
    except SystemExit as left:
        code = left.code
    assert code == 128 + number


def test_the_live_demonstration_is_meant_to_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["demo"])
    monkeypatch.setattr(run.Demo, "stay", lambda _: signal.raise_signal(signal.SIGINT))
    assert run.main() == 0


@pytest.mark.parametrize(("option", "code"), [("--chek", 2), ("--check", 0)])
def test_a_wrong_option_is_told_before_anything_is_started(option: str, code: int) -> None:
    """`deploy/demo` asks so before it starts a broker."""
    asked = [sys.executable, "-m", "processor.demo", "--arguments-only", option]
    assert subprocess.run(asked, check=False, capture_output=True, timeout=60).returncode == code
