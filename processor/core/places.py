"""Where facts are counted: the segments of the group-bys, and the cells of the totals."""

from __future__ import annotations

from typing import Final

from processor.core.dimensions import AGENT_GROUP_BY, CELL_DIMENSIONS, ENTITY_DIMENSIONS, PEOPLE_GROUP_BYS, PRIORITY
from processor.core.events import PERSON
from processor.core.facts import Dims, dims_text
from processor.core.settings import DIMENSIONS, NO_DIMENSIONS, Settings

PLACES_MAX: Final = 100_000  # dimensions come from input: remember only so many

Segment = tuple[int, tuple[str, ...]]  # (index of the group-by, values of its dimensions)
CellKey = tuple[str, ...]
Row = dict[str, int]


class Cell:
    """One total: its amounts since the beginning, and whether they have changed since they were taken for the state, and for a view."""

    __slots__ = ("key", "row", "unseen", "unwritten")

    def __init__(self, key: CellKey) -> None:
        self.key = key
        self.row: Row = {}
        self.unwritten = False
        self.unseen = False


ClockCells = dict[str, dict[str, Cell]]  # by clock and policy, of one priority


class Place:
    """Where a dims tuple is counted: its segments and its cell. One per dims, shared; equal only to itself."""

    __slots__ = ("cell", "clocks", "dims_text", "people", "priority", "segments")

    def __init__(self, segments: tuple[int, ...], cell: Cell | None, text: str = "", priority: str = "") -> None:
        self.segments = segments
        self.cell = cell
        self.dims_text = text
        self.priority = priority
        self.people: Place | None = None  # those of the segments in which different people are counted
        self.clocks: ClockCells = {}  # those of its priority, shared with all places that have it


class Places:
    """All segments, cells and places of one partition."""

    def __init__(self, settings: Settings) -> None:
        self.group_bys = settings.group_bys
        self.total: Segment = (self.group_bys.index(()), ())  # that of everything
        self.segments: list[Segment] = []
        self._cells: dict[CellKey, Cell] = {}
        self._clock_cells: dict[str, ClockCells] = {}  # by priority
        self._unwritten: list[Cell] = []
        self._unseen: list[Cell] = []
        self._seen: dict[CellKey, Row] = {}
        self._segment_ids: dict[Segment, int] = {}
        self._places: dict[str, dict[Dims, Place]] = {kind: {} for kind in ENTITY_DIMENSIONS}
        self._group_bys_of = {
            entity: [index for index, names in enumerate(self.group_bys) if dimensions.issuperset(names)]
            for entity, dimensions in ENTITY_DIMENSIONS.items()
        }
        self._agent_group_by = self.group_bys.index(AGENT_GROUP_BY) if AGENT_GROUP_BY in self.group_bys else -1

    def place(self, kind: str, dims: Dims) -> Place:
        """The place of a dims tuple, made on first sight."""
        place = self._places[kind].get(dims)
        return self._new_place(kind, dims) if place is None else place

    def _new_place(self, kind: str, dims: Dims) -> Place:
        places = self._places[kind]
        if len(places) > PLACES_MAX:
            places.clear()
        values = dict(zip(DIMENSIONS, dims, strict=True))
        segments = tuple(
            [
                self.segment_id((index, tuple([values[name] for name in self.group_bys[index]])))
                for index in self._group_bys_of[kind]
                if kind != PERSON or dims != NO_DIMENSIONS or not self.group_bys[index]
            ]
        )
        place = places[dims] = Place(segments, self.cell(self.cell_key(kind, dims)), dims_text(dims), dims[PRIORITY])
        place.clocks = self._clock_cells.setdefault(dims[PRIORITY], {})
        people = tuple([number for number in segments if self.group_bys[self.segments[number][0]] in PEOPLE_GROUP_BYS])
        place.people = Place(people, None)
        return place

    def clock_cell(self, place: Place, clock: str, policy: str) -> Cell:
        """The cell in which facts about a clock are counted."""
        by_policy = place.clocks.get(clock)
        if by_policy is None:
            by_policy = place.clocks[clock] = {}
        found = by_policy.get(policy)
        if found is None:
            found = by_policy[policy] = self.cell(("sla", clock, policy, place.priority))
        return found

    def segment_id(self, segment: Segment) -> int:
        """A small number for a segment; numbers live as long as this object and are never stored."""
        number = self._segment_ids.get(segment)
        if number is None:
            number = self._segment_ids[segment] = len(self.segments)
            self.segments.append(segment)
        return number

    # -- cells --------------------------------------------------------------------------------------------------------------------

    def cell(self, key: CellKey) -> Cell:
        """The cell of that key, made on first sight."""
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Cell(key)
        return cell

    def changed(self, cell: Cell) -> None:
        """The cell is not any more as it was written and seen last."""
        if not cell.unwritten:
            cell.unwritten = True
            self._unwritten.append(cell)
        if not cell.unseen:
            cell.unseen = True
            self._unseen.append(cell)

    def cell_key(self, kind: str, dims: Dims) -> CellKey:
        """The key of the cell in which facts with these dims are counted."""
        return kind, *[dims[DIMENSIONS.index(name)] for name in CELL_DIMENSIONS[kind]]

    def restore_cell(self, key: CellKey, row: Row) -> None:
        """Put back what was stored."""
        cell = self.cell(key)
        cell.row.update(row)
        if not cell.unseen:
            cell.unseen = True
            self._unseen.append(cell)

    def take_unwritten_cells(self) -> list[tuple[CellKey, Row]]:
        """Those that have changed since the last call; copies."""
        taken = [(cell.key, cell.row.copy()) for cell in self._unwritten]
        for cell in self._unwritten:
            cell.unwritten = False
        self._unwritten.clear()
        return taken

    def seen_cells(self) -> dict[CellKey, Row]:
        """Those in which something was counted, for readers: what they get stays as it is, and only what changes is copied."""
        seen = self._seen
        for cell in self._unseen:
            cell.unseen = False
            seen[cell.key] = cell.row.copy()
        self._unseen.clear()
        return seen.copy()
