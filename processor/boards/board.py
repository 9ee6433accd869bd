"""What a board is: a few numbers for one audience, each with what it ought to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from processor.boards.readings import Kpi, Reading

WALL_TILES_MAX = 6  # more cannot be taken in from five metres

Better = Literal["up", "down", ""]
Audience = Literal["agents", "supervisors", "executives", "operators"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One number. `title` is for the wall, `question` for those who work with it.

    What it ought to be: `target` names the KPI whose target in `kpis.targets` applies; `limit` is a fixed number, where any team would
    agree. `better` says which direction is good, so on which side of the target it should be. Without both it has no colour.
    """

    name: str
    title: str
    question: str
    description: str
    unit: str  # seconds, ratio, tickets, contacts, agents, clocks, points, records, events, flag
    reading: Reading
    better: Better = ""
    target: str = ""
    limit: float | None = None
    wall: bool = True

    @property
    def window(self) -> str:
        """Over which window it is; empty for what is now."""
        return self.reading.window if isinstance(self.reading, Kpi) else ""


@dataclass(frozen=True, slots=True)
class Board:
    """Some tiles that answer one question.

    `playlist`: whether it is among those that walls show in turn. `dated`: whether its numbers say nothing any more when they are old.
    """

    name: str
    title: str
    audience: Audience
    question: str
    tiles: tuple[Tile, ...]
    playlist: bool = True
    dated: bool = True

    @property
    def wall(self) -> tuple[Tile, ...]:
        """What the wall shows, in order."""
        return tuple(tile for tile in self.tiles if tile.wall)
