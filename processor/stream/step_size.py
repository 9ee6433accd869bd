"""How many records a step may have: fewer when one of them makes steps fail, until that one stands alone; then more again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class StepSize:
    """The size of the next step of one partition, at most `most` records."""

    def __init__(self, most: int) -> None:
        self.now = most
        self._most = most
        self._doubtful: dict[str, int] = {}  # topic -> the last offset in the step that failed last

    def failed(self, records: Sequence[Any]) -> None:
        """A step that was to fold these failed, and it is not known because of which one."""
        self.now = max(len(records) // 2, 1)
        self._doubtful = {record.topic: record.offset for record in records}

    def done(self, applied: Mapping[str, int]) -> None:
        """A step was committed, up to these offsets. Steps grow again when the doubtful records are passed, of both topics."""
        if all(applied[topic] >= offset for topic, offset in self._doubtful.items()):
            self._doubtful = {}
            self.now = min(self.now * 2, self._most)
