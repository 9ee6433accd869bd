"""The process of a worker: Faust's worker, except that it ends in bounded time, and at once when everything of ours has stopped.

Whatever a broker that does not answer keeps waiting, the process is gone STOP_SECONDS after SIGTERM: nothing is lost by that, since what is
not committed is taken over anew. Faust's own way out waits for its tasks without a bound and sleeps for a second or two, and Python would
then take apart millions of objects, one by one, while the partitions wait for their next owner.
"""

from __future__ import annotations

import logging
import os
import sys
from threading import Timer
from typing import NoReturn

import faust

STOP_SECONDS = 8.0  # less than the 10 s that `docker stop` waits, and than the 30 s of Kubernetes

log = logging.getLogger(__name__)


class Host(faust.Worker):
    """Runs the application until a signal or a failure."""

    _ending = False
    _failed = False

    async def start(self) -> None:
        """Run; returns at the end."""
        try:
            await super().start()
        except Exception:
            self._failed = True
            raise

    async def stop(self) -> None:
        """Stop everything, then leave. After a failure Faust goes on to tell of it."""
        if self._ending:
            return
        self._ending = True
        watch = Timer(STOP_SECONDS, self._give_up)
        watch.daemon = True
        watch.start()
        await super().stop()
        if not self._exit_code():
            _leave(0)

    def _exit_code(self) -> int:
        return int(self._failed or self.crash_reason is not None)

    def _give_up(self) -> None:
        log.warning("not everything has ended within %.0f s; the process ends anyway: the next owner fences what is open", STOP_SECONDS)
        _leave(self._exit_code())


def _leave(code: int) -> NoReturn:
    """End the process as it is, in good order."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
