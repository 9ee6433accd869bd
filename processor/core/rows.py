"""Additive integers by segment and time, and totals by label: what every number on a wall is a sum of.

Rows hold the *net* of what happened in a minute (25 h back), a quarter of an hour (8 d) or a day (400 d), for each segment of the
configured group-bys. Every amount lives in exactly one tier; old minutes are added into quarters, old quarters into days.

Cells hold totals since the beginning, per label set, *gross*: a retraction is added under the same key with a "-" behind it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from processor.core.dimensions import AGENT_GROUP_BY, CELL_DIMENSIONS, ENTITY_DIMENSIONS, PEOPLE_GROUP_BYS, PRIORITY
from processor.core.distinct import EXACT_MAX, compact
from processor.core.events import PERSON, TICKET
from processor.core.facts import Dims, Fact, dims_text
from processor.core.postings import AGENT_OF, PEOPLE, POSTINGS, Entries
from processor.core.settings import DIMENSIONS, MINUTE_MS, NO_DIMENSIONS, Settings

MINUTE = "m"
QUARTER = "q"
DAY = "d"
TIER_MINUTES = {MINUTE: 1, QUARTER: 15, DAY: 1440}
MINUTES_KEPT = 25 * 60
QUARTERS_KEPT = 8 * 24 * 4
DAYS_KEPT = 400

CLOCK_KINDS = frozenset(kind for kind in POSTINGS if kind.startswith("clock."))

Segment = tuple[int, tuple[str, ...]]  # (index of the group-by, values of its dimensions)
CellKey = tuple[str, ...]
Row = dict[str, int]


class Place:
    """Where a dims tuple is counted: its segments and its cell. One per dims, shared."""

    __slots__ = ("cell", "cell_key", "dims_text", "people", "segments")

    def __init__(self, segments: tuple[int, ...], people: tuple[int, ...], cell_key: CellKey, cell: Row, dims: Dims) -> None:
        self.segments = segments
        self.people = people  # those of the segments in which different people are counted
        self.cell_key = cell_key
        self.cell = cell
        self.dims_text = dims_text(dims)


class Rows:
    """All aggregates of one partition."""

    def __init__(self, settings: Settings) -> None:
        self.group_bys = settings.group_bys
        self.segments: list[Segment] = []
        self.cells: dict[CellKey, Row] = {}
        self._tiers: dict[str, dict[int, dict[int, Row]]] = {MINUTE: {}, QUARTER: {}, DAY: {}}
        self.minute_floor = 0  # first minute of the minute tier
        self.quarter_floor = 0
        self.listeners_end = 0  # minutes before this one may lie inside a window
        self.late: list[tuple[int, tuple[int, ...], Entries, int]] = []  # amounts for minutes that a window has already summed
        self.dirty_rows: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self.dirty_places: defaultdict[tuple[str, int], set[tuple[int, ...]]] = defaultdict(set)
        self.dirty_cells: set[CellKey] = set()
        # Amounts that are not in the rows yet, by minute and segments: what is added several times between two looks at the rows is added
        # once to all segments of its place.
        self._waiting: dict[int, dict[tuple[int, ...], Row]] = {}
        self._hot_minute = -1  # the minute to which amounts were added last, and what waits for it: most amounts go there
        self._hot: dict[tuple[int, ...], Row] = {}
        self._segment_ids: dict[Segment, int] = {}
        self._places: dict[tuple[str, Dims], Place] = {}
        self._group_bys_of = {
            entity: [index for index, names in enumerate(self.group_bys) if dimensions.issuperset(names)]
            for entity, dimensions in ENTITY_DIMENSIONS.items()
        }
        self._agent_group_by = self.group_bys.index(AGENT_GROUP_BY) if AGENT_GROUP_BY in self.group_bys else -1
        self._kinds_of_people = frozenset(PEOPLE) if self._agent_group_by < 0 else frozenset(PEOPLE) | frozenset(AGENT_OF)
        # Hears of each amount once, with its minute and the numbers of its segments; for what rows of days cannot tell any more.
        self.listener: Callable[[int, tuple[int, ...], Row], None] | None = None
        self._last: tuple[str, Dims, Place] | None = None  # most facts are of the same place as the one before

    # -- posting ------------------------------------------------------------------------------------------------------------------

    def post(self, kind: str, fact: Fact, sign: int, known: Fact | None = None) -> Place:
        """Add a fact (sign 1) or take it back (-1), but for what `known` has added. Returns the place where it counts."""
        last, dims = self._last, fact.dims
        if last is not None and last[1] is dims and last[0] == kind:
            place = last[2]
        else:
            place = self._places.get((kind, dims)) or self.place(kind, dims)
            self._last = (kind, dims, place)
        if fact.kind == "ticket.moved":
            self._post_move(fact, place, sign)
            return place
        said = entries = POSTINGS[fact.kind](fact)
        if known is not None:
            counted = set(POSTINGS[fact.kind](known))
            entries = tuple(entry for entry in said if entry not in counted)
        if entries:
            if fact.kind in CLOCK_KINDS:
                self._add_to_cell(("sla", fact.content[0], fact.content[1], fact.dims[PRIORITY]), entries, sign)
            else:
                self._add(place.cell, entries, sign)
                self.dirty_cells.add(place.cell_key)
            self._add_to_rows(fact.at // MINUTE_MS, place.segments, entries, sign)
        if fact.kind in self._kinds_of_people:
            for segments, more in self._of_people(fact, place, said):
                self._add_to_rows(fact.at // MINUTE_MS, segments, more, sign)
        return place

    def shares(self, kind: str, fact: Fact) -> Iterator[tuple[tuple[int, ...], Entries]]:
        """What a fact that moves no ticket adds to which segments."""
        place, entries = self.place(kind, fact.dims), POSTINGS[fact.kind](fact)
        yield place.segments, entries
        yield from self._of_people(fact, place, entries)

    def _of_people(self, fact: Fact, place: Place, entries: Entries) -> Iterator[tuple[tuple[int, ...], Entries]]:
        """Who did it, to be counted once; and the numbers of the agent, where they are told apart."""
        if fact.kind in PEOPLE:
            family, index = PEOPLE[fact.kind]
            if index < len(fact.content) and fact.content[index] is not None:
                yield place.people, ((f"{family}:{fact.content[index]}", 1),)
        if self._agent_group_by >= 0 and entries and fact.kind in AGENT_OF:
            index = AGENT_OF[fact.kind]
            if index < len(fact.content) and fact.content[index] is not None:
                yield (self.segment_id((self._agent_group_by, (fact.content[index],))),), entries

    def _post_move(self, fact: Fact, place: Place, sign: int) -> None:
        """A ticket of the backlog goes from one segment to another; segments that hold both ends do not notice."""
        before = self.place(TICKET, fact.content[0])
        left, entered = set(before.segments), set(place.segments)
        minute = fact.at // MINUTE_MS
        out_of: Entries = (("backlog_left:moved_out", 1),)
        into: Entries = (("backlog_entered:moved_in", 1),)
        self._add_to_rows(minute, tuple(sorted(left - entered)), out_of, sign)
        self._add_to_rows(minute, tuple(sorted(entered - left)), into, sign)
        if before.cell_key != place.cell_key:
            self._add_to_cell(before.cell_key, out_of, sign)
            self._add_to_cell(place.cell_key, into, sign)

    def _add_to_cell(self, cell_key: CellKey, entries: Entries, sign: int) -> None:
        cell = self.cells.get(cell_key)
        if cell is None:
            cell = self.cells[cell_key] = {}
        self._add(cell, entries, sign)
        self.dirty_cells.add(cell_key)

    @staticmethod
    def _add(cell: Row, entries: Entries, sign: int) -> None:
        """Totals only grow: what is taken back goes under a key of its own."""
        for key, amount in entries:
            name = key if sign > 0 else key + "-"
            cell[name] = cell.get(name, 0) + amount

    def _add_to_rows(self, minute: int, segments: tuple[int, ...], entries: Entries, sign: int) -> None:
        if minute != self._hot_minute:
            self._hot_minute = minute
            self._hot = self._waiting.setdefault(minute, {})
        sums = self._hot.get(segments)
        if sums is None:
            sums = self._hot[segments] = {}
        for key, amount in entries:
            sums[key] = sums.get(key, 0) + (amount if sign > 0 else -amount)
        if minute < self.listeners_end:
            self.late.append((minute, segments, entries, sign))

    @property
    def tiers(self) -> dict[str, dict[int, dict[int, Row]]]:
        """The rows: tier -> index -> segment -> row."""
        if self._waiting:
            self._bring_in()
        return self._tiers

    def _bring_in(self) -> None:
        """Add what waits to the rows."""
        waiting, self._waiting = self._waiting, {}
        self._hot_minute = -1
        for minute, places in waiting.items():
            for segments, sums in places.items():
                if self.listener is not None:
                    self.listener(minute, segments, sums)
                for row in self._rows_of(minute, segments):
                    if not row:
                        row.update(sums)
                        continue
                    for key, amount in sums.items():
                        row[key] = row.get(key, 0) + amount
                    if len(row) > EXACT_MAX:
                        compact(row)

    def _rows_of(self, minute: int, segments: tuple[int, ...]) -> list[Row]:
        """The rows of these segments in a minute, made where they are new, and marked as changed."""
        tier, index = self.locate(minute)
        rows = self._tiers[tier].setdefault(index, {})
        self.dirty_places[tier, index].add(segments)
        found = []
        for segment in segments:
            row = rows.get(segment)
            if row is None:
                row = rows[segment] = {}
            found.append(row)
        return found

    def locate(self, minute: int) -> tuple[str, int]:
        """The tier that holds a minute, and the index in it."""
        if minute >= self.minute_floor:
            return MINUTE, minute
        if minute // 15 >= self.quarter_floor:
            return QUARTER, minute // 15
        return DAY, minute // 1440

    # -- places -------------------------------------------------------------------------------------------------------------------

    def place(self, kind: str, dims: Dims) -> Place:
        """The place of a dims tuple, made on first sight."""
        place = self._places.get((kind, dims))
        if place is None:
            if len(self._places) > 100_000:  # dimensions come from input: remember only so many
                self._places.clear()
                self._last = None
            values = dict(zip(DIMENSIONS, dims, strict=True))
            segments = tuple(
                self.segment_id((index, tuple(values[name] for name in self.group_bys[index])))
                for index in self._group_bys_of[kind]
                if kind != PERSON or dims != NO_DIMENSIONS or not self.group_bys[index]
            )
            cell_key: CellKey = (kind, *(values[name] for name in CELL_DIMENSIONS[kind]))
            cell = self.cells.setdefault(cell_key, {})
            people = tuple(number for number in segments if self.group_bys[self.segments[number][0]] in PEOPLE_GROUP_BYS)
            place = self._places[kind, dims] = Place(segments, people, cell_key, cell, dims)
        return place

    def segment_id(self, segment: Segment) -> int:
        """A small number for a segment; numbers live as long as this object and are never stored."""
        number = self._segment_ids.get(segment)
        if number is None:
            number = self._segment_ids[segment] = len(self.segments)
            self.segments.append(segment)
        return number

    # -- ageing -------------------------------------------------------------------------------------------------------------------

    def age(self, stream_time: int) -> None:
        """Add what is older than a tier keeps into the next one. May be called at any time; sums do not change."""
        if self._waiting:
            self._bring_in()
        minute = stream_time // MINUTE_MS
        floor = (minute - MINUTES_KEPT) // 15 * 15
        if floor < self.minute_floor + 15:
            return
        self._cascade(MINUTE, QUARTER, floor, 15)
        self.minute_floor = floor
        quarter_floor = (floor // 15 - QUARTERS_KEPT) // 96 * 96
        if quarter_floor > self.quarter_floor:
            self._cascade(QUARTER, DAY, quarter_floor, 96)
            self.quarter_floor = quarter_floor
            days = self._tiers[DAY]
            for day in [day for day in days if day < quarter_floor // 96 - DAYS_KEPT]:
                self.dirty_rows[DAY, day].update(days.pop(day))

    def _cascade(self, source: str, sink: str, floor: int, width: int) -> None:
        rows_by_index, sums = self._tiers[source], self._tiers[sink]
        for index in [index for index in rows_by_index if index < floor]:
            rows = rows_by_index.pop(index)
            into = sums.setdefault(index // width, {})
            self.dirty_rows[source, index].update(rows)
            self.dirty_rows[sink, index // width].update(rows)
            for segment, row in rows.items():
                add_row(into.setdefault(segment, {}), row, 1)

    def take_dirty_rows(self) -> list[tuple[str, int, int]]:
        """(tier, index, segment) of every row that changed since the last call."""
        if self._waiting:
            self._bring_in()
        for where, places in self.dirty_places.items():
            changed = self.dirty_rows[where]
            for segments in places:
                changed.update(segments)
        result = [(tier, index, segment) for (tier, index), segments in self.dirty_rows.items() for segment in segments]
        self.dirty_rows.clear()
        self.dirty_places.clear()
        return result


def add_row(into: Row, row: Row, sign: int) -> None:
    """Add `sign` times `row` to `into`; entries that become zero are dropped, so that equal sums are equal dictionaries."""
    for key, amount in row.items():
        total = into.get(key, 0) + sign * amount
        if total:
            into[key] = total
        else:
            into.pop(key, None)
    if len(into) > EXACT_MAX:
        compact(into)
