"""The page as data: boards and numbers in, JSON out. Pure, so that every state of the page can be tested without a browser or a broker.

What a number means is decided here: how it stands against its target, where it is going, on how much it rests, and how old it is. The page
only draws it. Freshness is of the whole page: `fresh`; `stale` (older than the boards allow); `replaying` (old events are caught up);
`empty` (no numbers yet).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from processor.boards.board import Board, Tile
from processor.boards.judging import STALE_SECONDS, STEADY, State, judge
from processor.boards.promql import DIRECTIONS
from processor.boards.readings import Kpi, Series
from processor.calendar_tables import compile_calendar
from processor.config import Config
from processor.config.zones import load_zone
from processor.core.business_hours import NEVER, Calendar
from processor.export.kpi_gauges import END
from processor.wall.history import History
from processor.wall.numbers import IDENTITY, Found, Numbers, find
from processor.wall.words import clock, local, number, span

Json = dict[str, Any]
Trend = tuple[str, str, str]  # arrow, words, since when
NO_TREND: Trend = "", "", ""

VERDICTS = {State.MET: "good", State.NEAR: "near", State.MISSED: "bad", State.FEW: "few"}  # the others have no colour
ENDLESS = {"backlog_drain": "growing"}  # what an infinite time means, where it means something
FAULT = "This is a fault of the processor: do not trust these numbers, and please report it."
# Units of counts stand below the number, so that it has more room. One of them has no s.
COUNTED = frozenset({"tickets", "contacts", "agents", "events", "records", "ticket", "contact", "agent", "event", "record"})
NUMBER_AND_UNIT = re.compile(r"(\d) (d|h|min|%)(?=\W|$)")
CALENDARS_SHOWN = 3
NOTICES_MAX = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """What of the configuration the page needs."""

    targets: Mapping[tuple[str, str, str], float]  # by KPI, stat and direction, of the total
    min_n: int
    calendars: Sequence[Calendar]
    zone: ZoneInfo
    topic: str

    @classmethod
    def of(cls, config: Config) -> Frame:
        """Of this configuration."""
        targets = {(each.kpi, each.stat_shown, str(each.direction)): each.number for each in config.kpis.targets if not each.dimensions}
        calendars = [compile_calendar(name, calendar) for name, calendar in config.calendars.items()]
        return cls(targets, config.kpis.min_n, calendars, load_zone(config.reporting_zone), config.topics.events)


def state(boards: Sequence[Board], numbers: Numbers, history: History, frame: Frame, now_ms: int) -> Json:
    """Everything that the page shows."""
    freshness = freshness_of(numbers, now_ms)
    return {
        "now": clock(now_ms, now_ms, frame.zone),
        "freshness": freshness,
        "facts": _facts(numbers, frame, now_ms, freshness),
        "notices": _notices(numbers, frame, now_ms, freshness)[:NOTICES_MAX],
        "empty": _empty(numbers, frame) if freshness == "empty" else None,
        "boards": [
            {
                "name": board.name, "title": board.title, "question": board.question, "audience": board.audience,
                "playlist": board.playlist,
                "tiles": [_tile(board, tile, numbers, history, frame, now_ms) for tile in board.wall],
            }
            for board in boards
        ],
    }  # fmt: skip


# -- the age of the data -----------------------------------------------------------------------------------------------------------


def freshness_of(numbers: Numbers, now_ms: int) -> str:
    """Whether these are numbers of now."""
    end, event = numbers.end_ms, numbers.event_ms
    if end is None or event is None:
        return "empty"
    if numbers.replaying:
        return "replaying"
    return "stale" if now_ms - min(end, event) > STALE_SECONDS * 1000 else "fresh"


def _facts(numbers: Numbers, frame: Frame, now_ms: int, freshness: str) -> list[Json]:
    """With what the page needs to let the age and the clock go on when no worker tells them any more."""
    told = []
    if freshness != "empty" and numbers.event_ms is not None:
        behind = (now_ms - numbers.event_ms) / 1000
        event = f"event time {clock(numbers.event_ms, now_ms, frame.zone)}"
        age = _told(f"{event}, {span(behind)} behind", "warning" if behind > STALE_SECONDS else "")
        told.append(age | {"event": event, "behind": behind})
    told += [_told(text, "" if is_open else "warning") for text, is_open in _calendars(frame, now_ms)[:CALENDARS_SHOWN]]
    return [*told, _told(clock(now_ms, now_ms, frame.zone, seconds=False), "clock") | {"local": local(now_ms, frame.zone)}]


def _told(text: str, kind: str) -> Json:
    return {"text": text, "kind": kind}


def _calendars(frame: Frame, now_ms: int) -> list[tuple[str, bool]]:
    """What is open, and what is closed until when; as one where all are closed."""
    told: list[tuple[str, bool]] = []
    if len(frame.calendars) > 1 and _closed(frame, now_ms):
        opens = min(calendar.next_open(now_ms) for calendar in frame.calendars)
        return [("closed" if opens == NEVER else f"closed until {clock(opens, now_ms, frame.zone, seconds=False)}", False)]
    for calendar in frame.calendars:
        if calendar.is_open(now_ms):
            told.append((f"{calendar.name} open", True))
        else:
            opens = calendar.next_open(now_ms)
            until = "" if opens == NEVER else f" until {clock(opens, now_ms, frame.zone, seconds=False)}"
            told.append((f"{calendar.name} closed{until}", False))
    return told


def _closed(frame: Frame, now_ms: int) -> bool:
    return bool(frame.calendars) and not any(calendar.is_open(now_ms) for calendar in frame.calendars)


# -- what is wrong ------------------------------------------------------------------------------------------------------------------


def _notices(numbers: Numbers, frame: Frame, now_ms: int, freshness: str) -> list[Json]:
    """What must be known before any number is believed, the gravest first."""
    told = []
    if off := sum(map(abs, numbers.values(IDENTITY))):
        told.append(_told(f"The books do not balance: the backlog is off by {off:,.0f}. {FAULT}", "error"))
    told += [_told(problem, "error") for problem in numbers.problems]
    at = "" if numbers.end_ms is None else clock(numbers.end_ms, now_ms, frame.zone, seconds=False)
    if freshness == "replaying":
        told.append(_told(f"Old events are being caught up: these are numbers of {at}, not of now.", "warning"))
    if freshness == "stale":
        told.append(_told(f"Old data: everything was added up last at {at}. The workers' /readyz says what they wait for.", "error"))
    if numbers.missing:
        told.append(_told(f"Without {_partitions(numbers.missing)}: not reported at {at}.", "warning"))
    if freshness == "fresh" and _closed(frame, now_ms):
        told.append(_told("Outside opening hours: nobody is expected to answer now.", "info"))
    return told


def _partitions(numbers: Sequence[int]) -> str:
    return f"partition{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _empty(numbers: Numbers, frame: Frame) -> Json:
    """Why there is nothing yet, and what to do."""
    if not numbers.known:
        return {"title": "One moment", "lines": ["The newest numbers are being looked up."]}
    if not numbers.consumed:
        lines = [f"No event has come to the topic {frame.topic}.", "Send some: ticket-kpis send FILE",
                 "None at hand? ticket-kpis generate --events 2000 -o FILE makes a day of them."]  # fmt: skip
    else:
        lines = [f"{numbers.consumed:,.0f} events have come.",
                 "The first numbers follow when every partition has passed a full minute: usually within two.",
                 "If they do not come, the workers' /readyz says why."]  # fmt: skip
    return {"title": "No data yet", "lines": lines}


# -- tiles --------------------------------------------------------------------------------------------------------------------------


def _tile(board: Board, tile: Tile, numbers: Numbers, history: History, frame: Frame, now_ms: int) -> Json:
    found = find(tile.reading, numbers, now_ms)
    text, unit, words = _value(tile, found)
    counted = unit in COUNTED
    target = target_of(tile, frame)
    age = 0 if numbers.end_ms is None else (now_ms - numbers.end_ms) / 1000
    stands = judge(found.value, better=tile.better, target=target, n=found.n, min_n=frame.min_n, age_seconds=age if board.dated else 0)
    if found.value is None:
        stands = State.FREE  # there is nothing to judge
    low_n = bool(found.n) and (found.n or 0) < frame.min_n
    trend, trend_text, trend_since = _trend(board, tile, found, history, frame, now_ms)
    return {
        "name": tile.name, "title": _unbroken(tile.title), "value": text, "unit": "" if counted else unit, "words": words,
        "counted": unit if counted else "",
        "verdict": VERDICTS.get(stands, "none"), "verdict_text": stands.value.text if stands in VERDICTS else "",
        "target": "" if target is None else _target_text(tile, target),
        "trend": trend, "trend_text": trend_text, "trend_since": trend_since,
        "n": f"n = {found.n:,}{', few' if low_n else ''}" if found.n else "", "low_n": low_n,
        "note": f"{numbers.partitions - found.without} of {numbers.partitions} partitions" if found.without else "",
    }  # fmt: skip


def target_of(tile: Tile, frame: Frame) -> float | None:
    """What it ought to be: a fixed number, or what the configuration says of its KPI."""
    if not tile.target:
        return tile.limit
    stat = tile.reading.stat if isinstance(tile.reading, Kpi) else ""
    return frame.targets.get((tile.target, stat, DIRECTIONS[tile.better or "down"]), tile.limit)


def _unbroken(title: str) -> str:
    """A number and its unit stay on one line."""
    return NUMBER_AND_UNIT.sub("\\1\u00a0\\2", title)


def _value(tile: Tile, found: Found) -> tuple[str, str, bool]:
    if found.none:
        return "none", "", True
    if found.value is None:
        return ("none yet" if isinstance(tile.reading, Kpi) else "not known"), "", True
    if isinstance(tile.reading, Series) and tile.reading.form == "until" and found.value < 1:
        return "now", "", True
    name = tile.reading.name if isinstance(tile.reading, Kpi) else ""
    return number(found.value, tile.unit, ENDLESS.get(name, "endless"))


def _target_text(tile: Tile, target: float) -> str:
    text, unit, _ = number(target, tile.unit)
    shown = text if unit in COUNTED else f"{text} {unit}".strip()
    if tile.unit == "flag" or not target:
        return f"target {shown}"
    return f"target {'at least' if tile.better == 'up' else 'at most'} {shown}"


def _trend(board: Board, tile: Tile, found: Found, history: History, frame: Frame, now_ms: int) -> Trend:
    """Where it is going; nothing where that is no question, as with deadlines and the age of the numbers."""
    reading = tile.reading
    counted_down = isinstance(reading, Series) and (reading.form == "until" or reading.family == END)
    if found.value is None or not math.isfinite(found.value) or tile.unit == "flag" or counted_down:
        return NO_TREND
    before = history.before((board.name, tile.name), now_ms)
    if before is None:
        return NO_TREND
    then, was = before
    text, unit, _ = number(was, tile.unit)
    told = text if unit in COUNTED or not unit else f"{text}\u00a0{unit}"
    since = f"since {clock(then, now_ms, frame.zone, seconds=False)}"
    if found.value == was or abs(found.value - was) < STEADY * abs(found.value):
        return "flat", "steady", since
    return "up" if found.value > was else "down", f"from {told}", since
