"""Named places in the exactly-once step at which a test can kill the process. Off unless TICKET_KPIS_FAILPOINT names one.

`TICKET_KPIS_FAILPOINT=step.before_commit:3` kills the process with SIGKILL at the third passage of that place.
"""

from __future__ import annotations

import os
import signal

VARIABLE = "TICKET_KPIS_FAILPOINT"

POINTS = (
    "takeover.after_fence",
    "takeover.after_read",
    "takeover.before_seek",
    "step.after_fold",
    "step.after_begin",
    "step.after_marker",
    "step.after_records",
    "step.after_facts",
    "step.after_flush",
    "step.after_offsets",
    "step.after_commit",
)


class Failpoints:
    """Counts passages of the one place that is armed."""

    def __init__(self, spec: str | None = None) -> None:
        text = os.environ.get(VARIABLE, "") if spec is None else spec
        self._point, _, count = text.partition(":")
        self._left = int(count or 1)
        if self._point and self._point not in POINTS:
            raise ValueError(f"{VARIABLE}: no failpoint {self._point!r}; there are {', '.join(POINTS)}")

    def reach(self, point: str) -> None:
        """Called by the code at `point`."""
        if point == self._point:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
