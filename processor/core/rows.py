"""Additive integers by segment and time, and totals by label: what every number on a wall is a sum of.

Rows hold the *net* of what happened in a minute (25 h back), a quarter of an hour (8 d) or a day (400 d), for each segment of the
configured group-bys. Every amount lives in exactly one tier; old minutes are added into quarters, old quarters into days.

Cells hold totals since the beginning, per label set, *gross*: a retraction is added under the same key with a "-" behind it.

What is posted goes to its cell at once and waits for its rows: what is added several times in one minute between two looks is added once
to the rows of all its segments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from processor.core.distinct import EXACT_MAX, compact
from processor.core.events import TICKET
from processor.core.facts import Fact
from processor.core.places import Cell, CellKey, Place, Places, Row, Segment
from processor.core.posting import Posting
from processor.core.postings import AGENT_OF, PEOPLE, POSTINGS, Entries
from processor.core.settings import MINUTE_MS, Settings
from processor.core.tier import Tier

__all__ = ["DAY", "MINUTE", "QUARTER", "CellKey", "Place", "Row", "Rows", "Segment", "add_row"]

MINUTE: Final = "m"
QUARTER: Final = "q"
DAY: Final = "d"
TIER_MINUTES: Final = {MINUTE: 1, QUARTER: 15, DAY: 1440}
MINUTES_KEPT: Final = 25 * 60
QUARTERS_KEPT: Final = 8 * 24 * 4
DAYS_KEPT: Final = 400
PLAIN: Final = {MINUTE: 10, QUARTER: 1, DAY: 1}  # so many stay as they are: what windows add and most late events change

_MOVED_OUT: Final[Entries] = (("backlog_left:moved_out", 1),)
_MOVED_IN: Final[Entries] = (("backlog_entered:moved_in", 1),)


class Rows(Places):
    """All aggregates of one partition."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._tiers = {tier: Tier(count) for tier, count in PLAIN.items()}
        self.minute_floor = 0  # first minute of the minute tier
        self.quarter_floor = 0
        self.listeners_end = 0  # minutes before this one may lie inside a window
        self.late: list[tuple[int, tuple[int, ...], Row]] = []  # amounts for minutes that a window has already summed, by segments
        self._dirty: dict[tuple[str, int], set[int]] = {}
        # Net amounts that are not in rows yet, by minute.
        self._waiting: dict[int, dict[Place, Row]] = {}
        # The minute and the place to which amounts were added last, and what waits for them: most amounts go there.
        self._hot_minute = -1
        self._hot: dict[Place, Row] = {}
        self._hot_place: Place | None = None
        self._hot_sums: Row = {}
        # Hears of each amount once, with its minute and the numbers of its segments; for what rows of days cannot tell any more.
        self.listener: Callable[[int, tuple[int, ...], Row], None] | None = None

    # -- posting ------------------------------------------------------------------------------------------------------------------

    def post(self, kind: str, fact: Fact, sign: int) -> Place:
        """Add a fact (sign 1) or take it back (-1). Returns the place where it counts."""
        place, posting = self.place(kind, fact.dims), POSTINGS.get(fact.kind)
        if posting is None:
            self.move(place, fact, sign)
        else:
            self.add(place, posting, fact, sign)
        return place

    def add(self, place: Place, posting: Posting, fact: Fact, sign: int) -> None:
        """Add a fact whose place and posting are known."""
        entries = posting.entries(fact)
        if entries:
            content = fact.content
            cell = self.clock_cell(place, content[0], content[1]) if posting.of_clock else place.cell
            self._put(fact.at // MINUTE_MS, place, cell, entries, sign)
        if posting.of_people:
            for where, more in self._of_people(fact, place, entries):
                self._put(fact.at // MINUTE_MS, where, None, more, sign)

    def add_more(self, kind: str, fact: Fact, known: Fact) -> Place:
        """Add what `fact` counts and `known`, which was posted, does not; and who did it. Returns the place where it counts."""
        place, posting = self.place(kind, fact.dims), POSTINGS[fact.kind]
        entries, counted = posting.entries(fact), set(posting.entries(known))
        self._put(fact.at // MINUTE_MS, place, place.cell, tuple([entry for entry in entries if entry not in counted]), 1)
        for where, more in self._of_people(fact, place, entries):
            self._put(fact.at // MINUTE_MS, where, None, more, 1)
        return place

    def shares(self, kind: str, fact: Fact) -> Iterator[tuple[tuple[int, ...], Entries]]:
        """What a fact that moves no ticket adds to which segments."""
        place, entries = self.place(kind, fact.dims), POSTINGS[fact.kind].entries(fact)
        yield place.segments, entries
        for where, more in self._of_people(fact, place, entries):
            yield where.segments, more

    def _of_people(self, fact: Fact, place: Place, entries: Entries) -> list[tuple[Place, Entries]]:
        """Who did it, to be counted once; and the numbers of the agent, where they are told apart."""
        said, content = fact.kind, fact.content
        found: list[tuple[Place, Entries]] = []
        if said in PEOPLE and place.people is not None:
            family, index = PEOPLE[said]
            if index < len(content) and content[index] is not None:
                found.append((place.people, ((f"{family}:{content[index]}", 1),)))
        if self._agent_group_by >= 0 and entries and said in AGENT_OF:
            index = AGENT_OF[said]
            if index < len(content) and content[index] is not None:
                segments = (self.segment_id((self._agent_group_by, (content[index],))),)
                found.append((Place(segments, None), entries))
        return found

    def move(self, place: Place, fact: Fact, sign: int) -> None:
        """A ticket of the backlog goes from one segment to another; segments that hold both ends do not notice."""
        before, minute = self.place(TICKET, fact.content[0]), fact.at // MINUTE_MS
        left, entered = set(before.segments), set(place.segments)
        other_cell = before.cell is not place.cell
        self._put(minute, Place(tuple(sorted(left - entered)), None), before.cell if other_cell else None, _MOVED_OUT, sign)
        self._put(minute, Place(tuple(sorted(entered - left)), None), place.cell if other_cell else None, _MOVED_IN, sign)

    def _put(self, minute: int, place: Place, cell: Cell | None, entries: Entries, sign: int) -> None:
        if minute != self._hot_minute:
            self._hot_minute = minute
            self._hot = self._waiting.setdefault(minute, {})
            self._hot_place = None
        if place is not self._hot_place:
            self._hot_place = place
            waiting = self._hot.get(place)
            if waiting is None:
                waiting = self._hot[place] = {}
            self._hot_sums = waiting
        sums = self._hot_sums
        if cell is None:
            for key, amount in entries:
                sums[key] = sums.get(key, 0) + sign * amount
            return
        if not cell.unwritten or not cell.unseen:
            self.changed(cell)
        totals = cell.row
        if sign > 0:
            for key, amount in entries:
                sums[key] = sums.get(key, 0) + amount
                totals[key] = totals.get(key, 0) + amount
        else:  # totals only grow: what is taken back goes under a key of its own
            for key, amount in entries:
                sums[key] = sums.get(key, 0) - amount
                back = f"{key}-"
                totals[back] = totals.get(back, 0) + amount

    # -- rows and cells -----------------------------------------------------------------------------------------------------------

    @property
    def tiers(self) -> dict[str, Tier]:
        """The rows: tier -> index -> segment -> row."""
        self.bring_in()
        return self._tiers

    @property
    def cells(self) -> dict[CellKey, Row]:
        """The totals by their keys: as they are now, to be used before the next fact is posted."""
        return {key: cell.row for key, cell in self._cells.items() if cell.row}

    def bring_in(self) -> None:
        """Add what waits to the rows."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        self._hot_minute = -1
        for minute, net in waiting.items():
            self._spread(minute, net)

    def _spread(self, minute: int, net: dict[Place, Row]) -> None:
        """Add sums of one minute to the rows of their segments."""
        tier, index = self.locate(minute)
        rows = self._tiers[tier].rows(index)
        dirty = self._dirty.setdefault((tier, index), set())
        for place, sums in net.items():
            segments = place.segments
            if self.listener is not None:
                self.listener(minute, segments, sums)
            if minute < self.listeners_end:
                self.late.append((minute, segments, sums))
            dirty.update(segments)
            for segment in segments:
                row = rows.get(segment)
                if row is None:
                    rows[segment] = sums.copy()
                    continue
                for key, amount in sums.items():
                    row[key] = row.get(key, 0) + amount
                if len(row) > EXACT_MAX:
                    compact(row)

    def locate(self, minute: int) -> tuple[str, int]:
        """The tier that holds a minute, and the index in it."""
        if minute >= self.minute_floor:
            return MINUTE, minute
        if minute // 15 >= self.quarter_floor:
            return QUARTER, minute // 15
        return DAY, minute // 1440

    # -- ageing -------------------------------------------------------------------------------------------------------------------

    def age(self, stream_time: int) -> None:
        """Add what is older than a tier keeps into the next one. May be called at any time; sums do not change."""
        self.bring_in()
        minute = stream_time // MINUTE_MS
        self.pack(minute)
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
            for day, rows in days.take_before(quarter_floor // 96 - DAYS_KEPT):
                self._dirty.setdefault((DAY, day), set()).update(rows)

    def pack(self, newest_minute: int) -> None:
        """Pack some of what nobody looks at for long."""
        for tier, width in TIER_MINUTES.items():
            self._tiers[tier].pack(newest_minute // width, {index for changed, index in self._dirty if changed == tier})

    def _cascade(self, source: str, sink: str, floor: int, width: int) -> None:
        for index, rows in self._tiers[source].take_before(floor):
            into = self._tiers[sink].rows(index // width)
            self._dirty.setdefault((source, index), set()).update(rows)
            self._dirty.setdefault((sink, index // width), set()).update(rows)
            for segment, row in rows.items():
                known = into.get(segment)
                if known is None:
                    known = into[segment] = {}
                add_row(known, row, 1)

    def take_dirty_rows(self) -> list[tuple[str, int, int]]:
        """(tier, index, segment) of every row that changed since the last call."""
        self.bring_in()
        result = [(tier, index, segment) for (tier, index), segments in self._dirty.items() for segment in segments]
        self._dirty.clear()
        return result


def add_row(into: Row, row: Row, sign: int) -> None:
    """Add `sign` times `row` to `into`; entries that become zero are dropped, so that equal sums are equal dictionaries."""
    for key, amount in row.items():
        total = into.get(key, 0) + sign * amount
        if total:
            into[key] = total
        elif key in into:
            del into[key]
    if len(into) > EXACT_MAX:
        compact(into)
