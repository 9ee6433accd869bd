"""What the client libraries may say: while a broker is away they repeat themselves a hundred times a second, which would fill a disk.

Each of their messages passes once in a while, with the number of those that were left out in between.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

REPEAT_SECONDS = 30.0
MESSAGES_MAX = 1000  # different ones that are remembered


class Seldom(logging.Filter):
    """Lets a message of one logger and level through at most every `REPEAT_SECONDS`, whatever its arguments."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}  # message -> (when it passed, how many since)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes; one that does tells how many did not."""
        message, now = (record.name, record.levelno, str(record.msg)), self._clock()
        passed_at, dropped = self._seen.get(message, (None, 0))
        if passed_at is not None and now - passed_at < REPEAT_SECONDS:
            self._seen[message] = passed_at, dropped + 1
            return False
        if len(self._seen) >= MESSAGES_MAX:
            self._seen.clear()
        self._seen[message] = now, 0
        if dropped:
            record.msg = f"{record.msg} ({dropped} more of these in between)"
        return True


def speak_seldom(*packages: str) -> None:
    """Put the filter on every logger of these packages. A filter on a parent would not see what its children say."""
    seldom = Seldom()
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in packages:
            logging.getLogger(name).addFilter(seldom)
