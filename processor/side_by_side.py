"""Processes side by side, one for a core: started, watched and ended together.

    parent ──▶ child 0, child 1, ...       one that dies is started again after a pause; one that refuses to run ends them all
       └── a pipe that each child holds:   when the parent is gone, however that came, the pipe ends and the child ends itself

The parent does nothing else, so nothing of the work can take it down.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from select import select
from threading import Thread

PIPE = "TICKET_KPIS_PARENT_PIPE"  # in a child's environment: the descriptor that ends with its parent
FINAL_CODES = (0, 2)  # of a child that has nothing more to do, or would refuse again
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
WELL_SECONDS = 60.0  # one that ran for so long had begun well

Command = Sequence[str]


def run(commands: Sequence[Command], tell: Callable[[str], None], *, pause_seconds: float = FIRST_PAUSE_SECONDS) -> int:
    """Run all commands until a signal ends them, or one of them ends for good; returns the exit code, the greatest of theirs.

    SIGTERM and SIGINT are handed on as SIGTERM. `tell` hears of each process that had to be started again; that is after `pause_seconds`,
    and twice as many each time that it comes to nothing.
    """
    return _Parent(commands, tell, pause_seconds).run()


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]  # kept until it has ended: it would complain otherwise
    command: Command
    started_at: float


class _Parent:
    def __init__(self, commands: Sequence[Command], tell: Callable[[str], None], pause_seconds: float) -> None:
        self._tell = tell
        self._first_pause = self._pause = pause_seconds
        self._read, self._write = os.pipe()  # what children watch
        self._woken, self._wake = os.pipe()  # what a signal writes to
        self._waiting = list(commands)  # to be started
        self._children: dict[int, _Child] = {}  # by process id
        self._ending = False
        self._code = 0

    def run(self) -> int:
        before = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            while self._children or not self._ending:
                while self._waiting and not self._ending:
                    self._start(self._waiting.pop(0))
                self._take_leave()
            return self._code
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            for pipe in (self._read, self._write, self._woken, self._wake):
                os.close(pipe)

    def _start(self, command: Command) -> None:
        environment = {**os.environ, PIPE: str(self._read)}
        # A session of its own: Ctrl-C is for the parent.
        process = subprocess.Popen(command, env=environment, pass_fds=[self._read], start_new_session=True)  # noqa: S603 - our own command
        self._children[process.pid] = _Child(process, command, time.monotonic())
        if self._ending:  # by a signal that came just now
            os.kill(process.pid, signal.SIGTERM)

    def _take_leave(self) -> None:
        """Wait until a child has ended, and see what follows from that."""
        pid, status = os.waitpid(-1, 0)
        child = self._children.pop(pid)
        code = child.process.returncode = os.waitstatus_to_exitcode(status)
        if self._ending or code in FINAL_CODES:
            self._code = max(self._code, 0 if code == -signal.SIGTERM else abs(code))
            self._end()
            return
        if time.monotonic() - child.started_at > WELL_SECONDS:
            self._pause = self._first_pause
        self._tell(f"process {pid} has ended with {code}; starting it again in {self._pause:.0f} s")
        select([self._woken], [], [], self._pause)
        self._pause = min(self._pause * 2, max(LONGEST_PAUSE_SECONDS, self._first_pause))
        self._waiting.append(child.command)

    def _end(self, *_: object) -> None:
        if self._ending:
            return  # a second signal would cut short what the first one began
        self._ending = True
        os.write(self._wake, b"!")
        for pid in self._children:  # none of them is another's by now: only `_take_leave` lets go of them
            os.kill(pid, signal.SIGTERM)


def end_with_parent() -> None:
    """To be called in a child: it gets SIGTERM when its parent is gone. Does nothing in a process that has none."""
    pipe = os.environ.pop(PIPE, "")
    if pipe:
        os.set_inheritable(int(pipe), False)
        Thread(target=_watch, args=(int(pipe),), daemon=True, name="parent").start()


def _watch(pipe: int) -> None:
    os.read(pipe, 1)  # nobody writes: it returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)
