"""Workers as processes that are there at once: forked from one that has imported everything already.

What is forked runs the command `ticket-kpis worker` as a user would, but for one thing: it does not compare the topics with their
specifications at the start, since some faults change what a topic is.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

from processor.cli import worker
from processor.stream import app

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
_PR_SET_PDEATHSIG = 1
PRELOADED = (app,)  # imported by the command when it runs, so that `--help` is quick


class Forked:
    """A worker process, with what is used of `subprocess.Popen`."""

    def __init__(self, config: Path, log: Path, environment: Mapping[str, str], options: Sequence[str]) -> None:
        self._process = _FORKS.Process(target=_live, args=(["--config", str(config), *options], str(log), dict(environment)), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; negative is the signal that ended it; None while it lives."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """As `returncode`."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """As kill(1); nothing where it has ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended just now, and we have not heard of it
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self._process.exitcode


def _live(arguments: list[str], log: str, environment: dict[str, str]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # not to outlive the harness, however that ends
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(written, 1)
    os.dup2(written, 2)
    sys.stdout = os.fdopen(1, "w", buffering=1)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    logging.shutdown()
    signal.signal(signal.SIGUSR1, _tell_what_it_waits_for)
    os.environ.update(environment)
    vars(worker)["verify_topics"] = lambda _admin, _wanted: []
    worker.command.main(arguments, prog_name="worker")


def _tell_what_it_waits_for(*_: object) -> None:
    """Into its log: where each task stands."""
    for task in list(vars(asyncio.tasks)["_all_tasks"]):
        task.print_stack(limit=6)
