"""The format read naively: a ticket's life as lists of seconds, with no engine and no tables. To compare the engine with, on random cases.

Slow and plain on purpose: open time is walked interval by interval, each day's hours are made from the clock on the wall of that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from processor.config.calendars import WEEKDAYS
from processor.config.zones import load_zone
from tests.sla_cases.cases import Case, Happening

FOREVER = 1 << 60
Stretch = tuple[int, int]


@cache
def _open_days(zone: str, hours: str, holidays: str, first: date, count: int) -> tuple[Stretch, ...]:
    found = []
    for day in (first + timedelta(days=number) for number in range(count)):
        if day.isoformat() in holidays.split() or f"{day:%m-%d}" in holidays.split():
            continue
        parts = hours.split()[day.weekday()].split(",")
        found += [tuple(_wall(day, end, zone) for end in part.split("-")) for part in parts if part != "-"]
    return tuple((start, end) for start, end in found if start < end)


def _wall(day: date, text: str, zone: str) -> int:
    moment = datetime.combine(day + timedelta(days=1), time()) if text == "24:00" else datetime.combine(day, time.fromisoformat(text))
    return round(moment.replace(tzinfo=load_zone(zone)).timestamp())


class Hours:
    """A calendar, half a year around a case."""

    def __init__(self, given: dict[str, Any], around: int) -> None:
        week = " ".join(",".join("-".join(pair) for pair in given["hours"].get(day, ())) or "-" for day in WEEKDAYS)
        holidays = " ".join([*given.get("holidays", ()), *given.get("holidays_every_year", ())])
        first = datetime.fromtimestamp(around, UTC).date() - timedelta(days=30)
        self.zone = given["tz"]
        self.open = _open_days(self.zone, week, holidays, first, 200)

    def between(self, start: int, end: int, without: list[Stretch]) -> int:
        """Open seconds, without those stretches."""
        return sum(max(min(until, end) - max(since, start), 0) for since, until in self.without(without))

    def add(self, start: int, length: int, without: list[Stretch]) -> int:
        """When so many of them have passed."""
        if length == 0:
            return start
        for since, until in self.without(without):
            here = max(until - max(since, start), 0)
            if here >= length:
                return max(since, start) + length
            length -= here
        return FOREVER

    def without(self, out: list[Stretch]) -> Iterator[Stretch]:
        """The open stretches, cut."""
        for since, until in self.open:
            begin = since
            for start, end in sorted(out):
                if start < until and end > begin:
                    if begin < start:
                        yield begin, start
                    begin = end
            if begin < until:
                yield begin, until

    def days(self, start: int, count: int, *, end: bool) -> int:
        """Working days on."""
        local = datetime.fromtimestamp(start, load_zone(self.zone))
        by_date: dict[date, int] = {}
        for _, until in self.open:
            by_date[datetime.fromtimestamp(until - 1, load_zone(self.zone)).date()] = until
        day, left, step = local.date(), abs(count), 1 if count > 0 else -1
        while left:
            day += timedelta(days=step)
            left -= day in by_date
        return by_date[day] if end else round(datetime.combine(day, local.time(), local.tzinfo).timestamp())


@dataclass
class Run:
    """One run of a clock."""

    start: int
    end: int | None


class Reading:
    """A case at its end."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.given = case.given
        self.happened = case.happened()
        self.now = max(each.at for each in self.happened)
        self.created = self.happened[0]
        self.hours = Hours(self.given["calendar"], self.created.at)
        self.pauses = self._pauses()

    def _pauses(self) -> list[Stretch]:
        found: list[Stretch] = []
        since = None
        for each in self.happened:
            if each.event.get("status") is None:
                continue
            if each.event["status"] in self.given.get("pause_statuses", ()):
                since = each.at if since is None else since
            elif since is not None:
                found.append((since, each.at))
                since = None
        return [*found, *([(since, FOREVER)] if since is not None else [])]

    def first(self, *kinds: str) -> Happening | None:
        """The first of these."""
        return next((each for each in self.happened if each.kind in kinds), None)

    @property
    def end(self) -> Happening | None:
        """Of the resolution."""
        return self.first("resolved", "closed_at") or self.first("closed")

    @property
    def answer(self) -> Happening | None:
        """The first response."""
        return self.first("first_response") or self.first("agent_message")

    def runs(self, clock: str) -> list[Run]:
        """All runs of a clock."""
        return getattr(self, f"_{clock}")()  # type: ignore[no-any-return]

    def _resolution(self) -> list[Run]:
        return [Run(self.created.at, self.end.at if self.end else None)]

    def _first_response(self) -> list[Run]:
        if self.created.event.get("by") == "agent" or self.created.event.get("owner") == "requester":
            return []
        start = self.start()
        end = self.first_response_end(start)
        return [Run(start.at, end.at if end else None)]

    def start(self) -> Happening:
        """Where the first response is measured from."""
        start = self.created
        for each in self.happened:
            if each is self.answer:
                break
            if each.kind in ("bot_handoff", "reopened") and self.case.rules.get("first_response_start") == "last_handoff_or_reopen":
                start = each
        return start

    def first_response_end(self, start: Happening) -> Happening | None:
        """The answer, or a resolve without one."""
        ends = ("resolved", "closed_at") if self.first("resolved", "closed_at") else ("closed",)
        after = self.happened[self.happened.index(start) + 1 :]
        return next((each for each in after if each is self.answer or each.kind in ends), None)

    def _exchanges(self, begins: str, ends: str, *, newest: bool, after: Happening | None = None) -> list[Run]:
        found: list[Run] = []
        open_run: Run | None = None
        for each in self.happened[self.happened.index(after) + 1 if after else 0 :]:
            if each.kind == begins and (open_run is None or newest):
                if open_run is not None:
                    found.remove(open_run)
                open_run = Run(each.at, None)
                found.append(open_run)
            elif each.kind == ends and open_run is not None:
                open_run.end = each.at
                open_run = None
        return found

    def _next_response(self) -> list[Run]:
        return self._exchanges("customer_message", "agent_message", newest=False, after=self.answer) if self.answer else []

    def _keep_in_loop(self) -> list[Run]:
        return self._exchanges("agent_message", "customer_message", newest=True)

    def _update(self) -> list[Run]:
        if self.case.rules.get("update_timer") == "every_contact":
            return [Run([each.at for each in self.happened if each.kind in ("created", "customer_message", "agent_message")][-1], None)]
        return self._exchanges("customer_message", "agent_message", newest=False)

    def stops(self, clock: str) -> list[Stretch]:
        """The pauses that count for that clock."""
        return [] if clock == "first_response" and self.given.get("first_response_ignores_pauses") else self.pauses

    def due(self, clock: str, run: Run) -> int | None:
        """The date of a run; a pause counts once it has ended."""
        until = run.end if run.end is not None else self.now
        ended = [(start, end) for start, end in self.stops(clock) if end <= until]
        targets = self.given["targets"]
        days = targets.get(f"{clock}_working_days")
        if days is not None:
            nominal = self.hours.days(run.start, days, end=bool(targets.get("end_of_working_day")))
            before = [(max(start, run.start), end) for start, end in ended if end > run.start]
            for start, end in before:
                nominal = self.hours.add(nominal, self.hours.between(start, end, []), []) if start < nominal else nominal
            return nominal
        found = self.hours.add(run.start, targets[f"{clock}_min"] * 60, ended)
        return None if found == FOREVER else found

    def paused_before(self, clock: str, instant: int, until: int) -> bool:
        """Whether the clock stood still at `until`, since before that instant."""
        return any(start < instant and start <= until < end for start, end in self.stops(clock))

    def shown(self, clock: str, *, stored: bool) -> int | None:
        """The date in a view."""
        if self.given["targets"].get(f"{clock}_min") is None and self.given["targets"].get(f"{clock}_working_days") is None:
            return None
        runs = self.runs(clock)
        hidden = (self.case.rules.get("hidden_on") or {}).get("response" if clock.endswith("response") else clock, ())
        status = next((each.event["status"] for each in reversed(self.happened) if each.event.get("status") is not None), None)
        if not runs or status in hidden:
            return None
        if not stored and (runs[-1].end is not None or self.paused_before(clock, FOREVER, self.now)):
            return None
        return self.due(clock, runs[-1])

    def breached(self, clock: str) -> bool:
        """Whether a run was late."""
        for run in self.runs(clock):
            due = self.due(clock, run)
            until = run.end if run.end is not None else self.now
            if due is not None and until > due and not self.paused_before(clock, due, until):
                return True
        return False

    def minutes(self, clock: str) -> int | None:
        """What the newest run, or the longest exchange, has taken."""
        runs = self.runs(clock)
        if clock == "first_response" and (self.answer is None or not runs or self.first_response_end(self.start()) is not self.answer):
            return None
        ended = [run for run in (runs if clock == "update" else runs[-1:]) if run.end is not None]
        return max((self.hours.between(run.start, run.end or 0, self.stops(clock)) // 60 for run in ended), default=None)
