"""Named places in the exactly-once steps of both stages at which a test can kill, stop or fail the process. Off unless told otherwise.

`TICKET_KPIS_FAILPOINT=step.after_flush:3` kills the process with SIGKILL at the third passage of that place; `step.after_flush:3:STOP`
stops it there with SIGSTOP, so that SIGCONT lets it go on as if no time had passed; `step.after_flush:3:RAISE` raises there what a broker
with a full disk answers.

`TICKET_KPIS_FAILPOINT_FILE=PATH` does the same while the process runs: PATH may hold the same words at any time, counted from when they
are first seen. It is looked at in each passage, and renamed to PATH.hit when the place is reached for the last time: it strikes once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaStorageError

VARIABLE = "TICKET_KPIS_FAILPOINT"
FILE_VARIABLE = "TICKET_KPIS_FAILPOINT_FILE"
HIT_SUFFIX = ".hit"

POINTS = (
    "takeover.after_fence",
    "takeover.while_reading",
    "takeover.after_read",
    "takeover.before_seek",
    "takeover.before_proof",
    "step.after_fold",
    "step.after_begin",
    "step.after_marker",
    "step.after_records",
    "step.after_facts",
    "step.after_rekeyed",
    "step.after_partials",
    "step.after_flush",
    "step.after_offsets",
    "step.after_commit",
    "rebalance.after_revoke",
    "rebalance.after_assign",
    "clock.after_now",
    "clock.after_end",
    "kpis.after_fence",
    "kpis.after_read",
    "kpis.after_begin",
    "kpis.after_sends",
    "kpis.after_flush",
    "kpis.after_commit",
)


def _signal(number: signal.Signals) -> Callable[[str], None]:
    return lambda _point: os.kill(os.getpid(), number)


def _full_disk(point: str) -> None:
    raise KafkaStorageError(f"failpoint {point}")


ACTIONS: dict[str, Callable[[str], Any]] = {
    "": _signal(signal.SIGKILL),
    "KILL": _signal(signal.SIGKILL),
    "STOP": _signal(signal.SIGSTOP),
    "RAISE": _full_disk,
}


class _Armed:
    """One place, and how many passages are left until something happens there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._point, _, rest = text.partition(":")
        count, _, action = rest.partition(":")
        if self._point and (self._point not in POINTS or action not in ACTIONS or not (count or "1").isdecimal()):
            raise ValueError(f"{VARIABLE}: {text!r} is not POINT[:COUNT[:KILL|STOP|RAISE]]; points are {', '.join(POINTS)}")
        self._left = int(count or 1)
        self.act = ACTIONS[action] if self._point else None

    def names(self, point: str) -> bool:
        """Whether it is about this point."""
        return point == self._point

    def strikes(self, point: str) -> bool:
        """Whether this passage of `point` is the one."""
        if point == self._point:
            self._left -= 1
            return self._left == 0
        return False


class Failpoints:
    """Counts passages of the one place that is armed, or of that which the file names now."""

    def __init__(self, spec: str | None = None, file: str | None = None) -> None:
        self._armed = _Armed(os.environ.get(VARIABLE, "") if spec is None else spec)
        self._file = os.environ.get(FILE_VARIABLE, "") if file is None else file
        self._of_file = _Armed("")

    def reach(self, point: str) -> None:
        """Called by the code at `point`."""
        if self._armed.act is not None and self._armed.strikes(point):
            self._armed.act(point)
        if self._file:
            self._look(point)

    def armed(self, point: str) -> bool:
        """Whether something is to happen at `point`: at this passage, or at a later one."""
        if self._file:
            self._read()
        return self._armed.names(point) or self._of_file.names(point)

    def _read(self) -> None:
        try:
            with open(self._file, encoding="ascii") as file:  # noqa: PTH123 - in the middle of a step, though only of a test's
                text = file.read().strip()
        except FileNotFoundError:
            text = ""
        if text != self._of_file.text:
            self._of_file = _Armed(text)

    def _look(self, point: str) -> None:
        self._read()
        if self._of_file.act is not None and self._of_file.strikes(point):
            os.replace(self._file, self._file + HIT_SUFFIX)  # noqa: PTH105 - as above
            self._of_file.act(point)
