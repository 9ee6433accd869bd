"""What a replay says of records that do not count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from processor.core.events import Reason, Rejected


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that was not folded, and from where it came. `line` counts from 1; offsets exist in captures only."""

    rejected: Rejected
    value: bytes | None
    line: int
    partition: int
    offset: int | None

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"line {self.line:,}" if self.offset is None else f"partition {self.partition} offset {self.offset}"


def no_events(refused: Counter[Reason]) -> str:
    """Of a log all records of which were refused: that it is something else, by these reasons."""
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in refused.most_common())
    return f"none of the {refused.total():,} records is an event ({reasons}); `ticket-kpis convert csv` reads tables"
