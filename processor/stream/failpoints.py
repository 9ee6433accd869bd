"""Named places in the exactly-once step at which a test can kill or stop the process. Off unless TICKET_KPIS_FAILPOINT names one.

`TICKET_KPIS_FAILPOINT=step.after_flush:3` kills the process with SIGKILL at the third passage of that place; `step.after_flush:3:STOP`
stops it there with SIGSTOP, so that SIGCONT lets it go on as if no time had passed.
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
    "step.after_rekeyed",
    "step.after_partials",
    "step.after_flush",
    "step.after_offsets",
    "step.after_commit",
    "clock.after_now",
    "clock.after_end",
)
ACTIONS = {"": signal.SIGKILL, "KILL": signal.SIGKILL, "STOP": signal.SIGSTOP}


class Failpoints:
    """Counts passages of the one place that is armed."""

    def __init__(self, spec: str | None = None) -> None:
        text = os.environ.get(VARIABLE, "") if spec is None else spec
        self._point, _, rest = text.partition(":")
        count, _, action = rest.partition(":")
        if self._point and (self._point not in POINTS or action not in ACTIONS or not (count or "1").isdecimal()):
            raise ValueError(f"{VARIABLE}: {text!r} is not POINT[:COUNT[:KILL|STOP]]; points are {', '.join(POINTS)}")
        self._left = int(count or 1)
        self._signal = ACTIONS[action]

    def reach(self, point: str) -> None:
        """Called by the code at `point`."""
        if point == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._signal)
