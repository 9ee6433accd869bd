"""How far a partition is from the present: while it reads its state, and while it catches up with the log."""

from __future__ import annotations

from dataclasses import dataclass

WORTH_TELLING_SECONDS = 1.0  # a live log is always a step ahead


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an owned partition is on its way to the present.

    `recovered` is the share of its state that it has read, 1 once it runs. From then on so many events are known to be `unread`, and the
    one applied last was appended `behind` seconds ago (0 where nothing is unread).
    """

    partition: int
    recovered: float
    unread: int = 0
    behind: float = 0.0

    def __str__(self) -> str:
        """For people; empty where there is nothing to tell."""
        if self.recovered < 1:
            return f"{self.recovered:.0%} of the state read"
        return f"{self.unread:,} records and {self.behind:,.0f} s behind" if self.behind >= WORTH_TELLING_SECONDS else ""
