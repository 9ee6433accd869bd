"""What a replay says of records that do not count."""

from __future__ import annotations

from dataclasses import dataclass

from processor.core.events import Rejected


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
