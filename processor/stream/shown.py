"""What a partition shows to the outside as of its last commit."""

from __future__ import annotations

from dataclasses import dataclass

from processor.core.outputs import View


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The numbers of a partition after a commit, and how much re-keyed is known to be unread."""

    view: View
    applied: int
    epoch: int
    replaying: bool
    rekeyed_unread: int = 0
    rekeyed_applied: int = -1
