"""What the numbers of an engine have forgotten by the end of a log, written down while it is replayed.

- By hour of the week, in the reporting zone: rows tell hours apart for eight days only.
- By the day of creation, whatever the time at which something was answered or solved; the other numbers belong to the day of that.
- The slowest solved tickets, by their ids; numbers know no tickets.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from processor.calendar_tables import TABLE_END, TABLE_START
from processor.config.zones import offset_periods
from processor.core.engine import Engine
from processor.core.events import TICKET
from processor.core.kpi_readings import Rules
from processor.core.outputs import Stated
from processor.core.rows import Row, Rows, add_row
from processor.core.settings import DAY_MS, MINUTE_MS
from processor.core.ticket import Ticket
from processor.report.times import by_creation, hours_of_the_week, longest

Hour = tuple[str, int]  # channel ("" = all), hours since Monday 00:00
WEEK_HOURS = 168
_HOUR_MINUTES = 60
_MONDAY_MINUTES = 4 * 1440  # the first Monday after 1970 began
# Of these families of a row the hours are told apart.
_BY_HOUR = frozenset({
    *("tickets_created", "first_response", "contacts_offered", "contacts_answered", "contacts_answered_in_target"),
    *("contacts_abandoned", "contacts_short_abandoned", "contacts_flowed_out"),
})  # fmt: skip
SLOWEST_KEPT = 4_000  # solved tickets that are remembered; when there are twice as many, the quicker ones are forgotten
CHANNEL = ("channel",)
TOP = 10  # of the longest tickets


class Following:
    """Listens to the partitions that are shown."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.hours: dict[Hour, Row] = {}
        self.by_creation: dict[int, Row] = {}  # day since 1970 -> counts and milliseconds
        self._solved: dict[tuple[str, int], int] = {}  # ticket and number of the solve -> milliseconds since the creation
        self._standing: set[tuple[str, int]] = set()  # solves that were not taken back by a reopen
        periods = offset_periods(zone, TABLE_START, TABLE_END)
        self._starts = [period.start for period in periods]
        self._offsets = [period.offset for period in periods]

    # -- by hour ------------------------------------------------------------------------------------------------------------------

    def follow(self, rows: Rows) -> None:
        """Hear of everything that is added to these rows."""
        rows.listener = lambda minute, segments, sums: self._amounts(rows, minute, segments, sums)

    def _amounts(self, rows: Rows, minute: int, segments: tuple[int, ...], sums: Mapping[str, int]) -> None:
        kept = {key: amount for key, amount in sums.items() if key.partition(":")[0] in _BY_HOUR}
        if not kept:
            return
        hour = self._hour_of_the_week(minute)
        for number in segments:
            group_by, values = rows.segments[number]
            names = rows.group_bys[group_by]
            if not names:
                add_row(self.hours.setdefault(("", hour), {}), kept, 1)
            elif names == CHANNEL:
                add_row(self.hours.setdefault((values[0], hour), {}), kept, 1)

    def _hour_of_the_week(self, minute: int) -> int:
        place = max(bisect_right(self._starts, minute * MINUTE_MS) - 1, 0)
        local = minute + self._offsets[place] // MINUTE_MS
        return (local - _MONDAY_MINUTES) // _HOUR_MINUTES % WEEK_HOURS

    # -- by facts -----------------------------------------------------------------------------------------------------------------

    def facts(self, facts: Iterable[Stated]) -> None:
        """Take in what was stated and taken back."""
        for stated in facts:
            fact, sign = stated.fact, stated.sign
            if fact.kind == "ticket.created":
                self._count(fact.at, {"created": 1}, sign)
            elif fact.kind == "ticket.first_responded":
                duration = fact.content[0]
                self._count(fact.at - duration, {"answered": 1, "answered_ms": duration}, sign)
            elif fact.kind == "ticket.completed":
                (self._standing.add if sign > 0 else self._standing.discard)((stated.key, fact.instance))
            elif fact.kind == "ticket.solved" and fact.content[0] is not None:
                self._solve(stated.key, fact.instance, fact.content[0], sign)
                if fact.instance == 1:
                    self._count(fact.at - fact.content[0], {"solved": 1, "solved_ms": fact.content[0]}, sign)
        if len(self._solved) > 2 * SLOWEST_KEPT:
            kept = sorted(self._solved.items(), key=lambda item: (-item[1], item[0]))[:SLOWEST_KEPT]
            self._solved = dict(kept)
            self._standing &= self._solved.keys()

    def _count(self, created_at: int, amounts: Row, sign: int) -> None:
        add_row(self.by_creation.setdefault(created_at // DAY_MS, {}), amounts, sign)

    def _solve(self, ticket: str, number: int, duration: int, sign: int) -> None:
        if sign < 0:
            self._solved.pop((ticket, number), None)
        else:
            self._solved[ticket, number] = duration

    def document(self, engines: Iterable[Engine], now: int, rules: Rules) -> dict[str, Any]:
        """What goes into the report."""
        return {
            "hours_of_week": hours_of_the_week(self.zone, self.hours, rules),
            "by_creation": by_creation(self.by_creation),
            "longest": longest(longest_open(engines, now, TOP), self.slowest(TOP)),
        }

    def slowest(self, top: int) -> list[dict[str, Any]]:
        """Tickets whose solution stands and took longest, first things first."""
        standing = ((duration, ticket) for (ticket, number), duration in self._solved.items() if (ticket, number) in self._standing)
        slowest = sorted(standing, key=lambda item: (-item[0], item[1]))[:top]
        return [{"ticket": ticket, "seconds": duration / 1000} for duration, ticket in slowest]


def longest_open(engines: Iterable[Engine], now: int, top: int) -> list[dict[str, Any]]:
    """The unsolved tickets that were created first."""
    found = []
    for engine in engines:
        for key, timeline in engine.entities[TICKET].items():
            ticket = timeline.state
            if isinstance(ticket, Ticket) and ticket.in_backlog:
                found.append((ticket.created_at, key, ticket))
    found.sort(key=lambda item: item[:2])
    return [
        {"ticket": key, "seconds": (now - created_at) / 1000, "status": ticket.status, "group": ticket.dims[2], "priority": ticket.dims[1]}
        for created_at, key, ticket in found[:top]
    ]
