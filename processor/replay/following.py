"""What the numbers of an engine have forgotten by the end of a log, written down while it is replayed.

- By hour of the week, in the reporting zone: rows tell hours apart for eight days only.
- By the day of creation, whatever the time at which something was answered or solved; the other numbers belong to the day of that.
- The slowest solved tickets, by their ids; numbers know no tickets.
- Shares by what the configured segments do not tell: see `crossing`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from processor.calendar_tables import TABLE_END, TABLE_START
from processor.codec.times import format_time
from processor.config.zones import offset_periods
from processor.core.business_hours import NEVER
from processor.core.engine import Engine
from processor.core.facts import Dims
from processor.core.kpi_counts import FLOWED_OUT_REASONS
from processor.core.kpi_readings import Rules
from processor.core.outputs import Stated, View
from processor.core.posting import observe
from processor.core.rows import Row, Rows, add_row
from processor.core.settings import DAY_MS, DIMENSIONS, MINUTE_MS
from processor.core.ticket import Ticket
from processor.replay.alive import Alive, alive
from processor.replay.crossing import Crossing, waiting_contacts
from processor.replay.segments import segment_sums
from processor.report.cohorts import ANSWERED, CREATED, SOLVED, cohorts
from processor.report.crosses import crosses, patience
from processor.report.periods import kept_of
from processor.report.segments import by_segment, segment_periods
from processor.report.times import hours_of_the_week, longest

Hour = tuple[str, int]  # channel ("" = all), hours since Monday 00:00
WEEK_HOURS = 168
_HOUR_MINUTES = 60
_MONDAY_MINUTES = 4 * 1440  # the first Monday after 1970 began
# Of these keys of a row the hours are told apart.
_BY_HOUR = frozenset({
    *("tickets_created", "contacts_offered", "contacts_answered", "contacts_answered_in_target"),
    *("contacts_abandoned", "contacts_short_abandoned", *(f"contacts_flowed_out:{reason}" for reason in FLOWED_OUT_REASONS)),
    *(*ANSWERED.buckets, ANSWERED.sum),
})  # fmt: skip
SLOWEST_KEPT = 4_000  # solved tickets that are remembered; when there are twice as many, the quicker ones are forgotten
CHANNEL = ("channel",)
TOP = 20  # of the longest tickets
_ONE_CREATED: Row = {CREATED: 1}


class Following:
    """Listens to the partitions that are shown."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.hours: dict[Hour, Row] = {}
        self.by_creation: dict[int, Row] = {}  # day since 1970 in the zone -> what `cohorts` reads
        self.crossing = Crossing()
        self.first_at: int | None = None  # the earliest instant that anything was stated of
        self._handlers: dict[str, Callable[[Stated], None]] = {
            "ticket.created": self._created,
            "ticket.first_responded": self._responded,
            "ticket.completed": self._completed,
            "ticket.solved": self._solve,
        }
        self._solved: dict[tuple[str, int], tuple[int, Dims]] = {}  # ticket, number of the solve -> milliseconds since the creation
        self._standing: set[tuple[str, int]] = set()  # solves that were not taken back by a reopen
        periods = offset_periods(zone, TABLE_START, TABLE_END)
        self._starts = [period.start for period in periods]
        self._offsets = [period.offset for period in periods]

    # -- by hour ------------------------------------------------------------------------------------------------------------------

    def follow(self, rows: Rows) -> None:
        """Hear of everything that is added to these rows."""
        rows.listener = lambda minute, segments, sums: self._amounts(rows, minute, segments, sums)

    def _amounts(self, rows: Rows, minute: int, segments: tuple[int, ...], sums: Mapping[str, int]) -> None:
        keys = _BY_HOUR & sums.keys()
        if not keys:
            return
        kept = {key: sums[key] for key in keys}
        hour = self._hour_of_the_week(minute)
        for number in segments:
            group_by, values = rows.segments[number]
            names = rows.group_bys[group_by]
            if not names:
                add_row(self.hours.setdefault(("", hour), {}), kept, 1)
            elif names == CHANNEL:
                add_row(self.hours.setdefault((values[0], hour), {}), kept, 1)

    def _hour_of_the_week(self, minute: int) -> int:
        local = minute + self._offset(minute * MINUTE_MS) // MINUTE_MS
        return (local - _MONDAY_MINUTES) // _HOUR_MINUTES % WEEK_HOURS

    def _offset(self, at: int) -> int:
        return self._offsets[max(bisect_right(self._starts, at) - 1, 0)]

    # -- by facts -----------------------------------------------------------------------------------------------------------------

    def facts(self, facts: Iterable[Stated]) -> None:
        """Take in what was stated and taken back."""
        handlers, crossed = self._handlers, Crossing.kinds
        first = NEVER if self.first_at is None else self.first_at
        for stated in facts:
            kind, first = stated.fact.kind, min(first, stated.fact.at)
            if kind in handlers:
                handlers[kind](stated)
            if kind in crossed:
                self.crossing.hear(stated.fact, stated.sign)
        self.first_at = None if first == NEVER else first
        if len(self._solved) > 2 * SLOWEST_KEPT:
            kept = sorted(self._solved.items(), key=lambda item: (-item[1][0], item[0]))[:SLOWEST_KEPT]
            self._solved = dict(kept)
            self._standing &= self._solved.keys()

    def _created(self, stated: Stated) -> None:
        self._count(stated.fact.at, _ONE_CREATED, stated.sign)

    def _responded(self, stated: Stated) -> None:
        duration = stated.fact.content[0]
        self._count(stated.fact.at - duration, dict(observe(ANSWERED, duration)), stated.sign)

    def _completed(self, stated: Stated) -> None:
        (self._standing.add if stated.sign > 0 else self._standing.discard)((stated.key, stated.fact.instance))

    def _solve(self, stated: Stated) -> None:
        fact, solve = stated.fact, (stated.key, stated.fact.instance)
        duration = fact.content[0]
        if duration is None:
            return
        if stated.sign > 0:
            self._solved[solve] = duration, fact.dims
        else:
            self._solved.pop(solve, None)
        if fact.instance == 1:
            self._count(fact.at - duration, dict(observe(SOLVED, duration)), stated.sign)

    def _count(self, created_at: int, amounts: Row, sign: int) -> None:
        day = (created_at + self._offset(created_at)) // DAY_MS
        add_row(self.by_creation.setdefault(day, {}), amounts, sign)

    # -- in the end ---------------------------------------------------------------------------------------------------------------

    def document(
        self, engines: Sequence[Engine], views: Sequence[View], days: Collection[int], rules: Rules, living: Alive | None = None
    ) -> dict[str, Any]:
        """What goes into the report. `views` are those of the engines, `days` those of which there are rows, `living` who is in them."""
        windows = segment_periods(days)
        now = max((max(view.stream_time, view.timer_time) for view in views), default=0)
        return {
            "first_event": format_time(self.first_at) if self.first_at is not None else None,
            "segments": by_segment(segment_sums(engines, views, windows), windows, kept_of(views, days), rules),
            "crosses": crosses(self.crossing.counts, rules),
            "patience": patience(views, waiting_contacts(engines, now)),
            "hours_of_week": hours_of_the_week(self.zone, self.hours, rules),
            "by_creation": cohorts(self.zone, self.by_creation),
            "longest": longest(longest_open((living or alive(engines)).tickets, now, TOP), self.slowest(TOP)),
        }

    def slowest(self, top: int) -> list[dict[str, Any]]:
        """Tickets whose solution stands and took longest, first things first; group and priority are those at the solution."""
        standing = ((duration, ticket, dims) for (ticket, number), (duration, dims) in self._solved.items()
                    if (ticket, number) in self._standing)  # fmt: skip
        slowest = sorted(standing, key=lambda item: (-item[0], item[1]))[:top]
        return [{"ticket": ticket, "seconds": duration / 1000, **_who(dims)} for duration, ticket, dims in slowest]


def longest_open(tickets: Iterable[tuple[str, Ticket]], now: int, top: int) -> list[dict[str, Any]]:
    """The unsolved tickets that were created first."""
    found = sorted(tickets, key=lambda item: (item[1].created_at, item[0]))
    return [
        {"ticket": key, "seconds": (now - ticket.created_at) / 1000, **_who(ticket.dims), "status": ticket.status}
        for key, ticket in found[:top]
    ]


def _who(dims: Dims) -> dict[str, str]:
    return {name: dims[DIMENSIONS.index(name)] for name in ("group", "priority")}
