"""A whole log and its truth: tell stories until there are enough events, then put these in the order of their arrival."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from processor.codec.envelope import format_time
from processor.core.settings import HOUR_MS, MINUTE_MS, Settings
from processor.synthetic.books import Totals, in_thousandths
from processor.synthetic.feed import USUAL, Arrivals, Feed
from processor.synthetic.stories import Stories

RUN_ON_MS = HOUR_MS  # how long after the end the clocks still run
QUIET_MS = MINUTE_MS  # no deadline so near to the end of time, so that no reader's timer delay can decide
TRUTH_VERSION = 1

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Synthetic:
    """The log in the order of arrival, its truth, and what the summary shows."""

    lines: list[bytes]
    truth: dict[str, Any]
    kinds: Counter[str]
    hours: Counter[int]  # hour since 1970 -> events that happened in it


def generate(
    settings: Settings,
    *,
    events: int,
    seed: int,
    start: int,
    duration: int,
    faults: bool = False,
    arrivals: Arrivals = USUAL,
    advance: Advance = lambda _made: None,
) -> Synthetic:
    """At least `events` records between `start` and `start + duration` (milliseconds), a little more at most. Deterministic."""
    with _without_collecting():
        stories = Stories(settings, Feed(Random(seed), arrivals), events=events, start=start, end=start + duration)
        return _generate(settings, stories, events, seed, faults, advance)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Nearly all that is made here stays until the end: looking for garbage again and again finds none, and takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _generate(settings: Settings, stories: Stories, events: int, seed: int, faults: bool, advance: Advance) -> Synthetic:
    while len(stories.feed.lines) < events:
        if stories.tell_next() % 500 == 0:
            advance(min(len(stories.feed.lines), events))
    feed, totals, start, end = stories.feed, stories.totals, stories.world.start, stories.world.end
    late = feed.add_late(settings.allowed_lateness)
    invalid = feed.add_faults(start, end) if faults else Counter()
    advance(events)
    until = quiet_instant(end + RUN_ON_MS, stories.deadlines())
    stories.close(until)
    feed.lines.sort()
    truth = {
        "version": TRUTH_VERSION,
        "seed": seed,
        "start": format_time(start),
        "end": format_time(end),
        "last_event_at": format_time(feed.last_event_at),
        "clock_advanced_at": format_time(until),
        "fingerprint": settings.fingerprint,
        "records": len(feed.lines),
        "tickets": stories.tickets,
        "contacts": len(stories.contacts),
        "families": _families(totals, feed.duplicates, late, invalid),
        "milliseconds": {name: totals[name] for name in sorted(totals) if in_thousandths(name) and "_seconds_" in name},
    }
    return Synthetic([line for _, _, line in feed.lines], truth, feed.kinds, feed.hours)


def quiet_instant(wanted: int, deadlines: Iterable[int]) -> int:
    """The first instant from `wanted` on that is a minute away from every deadline."""
    for due in sorted(deadlines):
        if due >= wanted + QUIET_MS:
            break
        if due > wanted - QUIET_MS:
            wanted = due + QUIET_MS
    return wanted


def _families(totals: Totals, duplicates: int, late: int, invalid: Counter[str]) -> dict[str, int | float]:
    families: dict[str, int | float] = {name: amount / 1000 if in_thousandths(name) else amount for name, amount in totals.items()}
    families["support_processor_events_duplicate_total"] = duplicates
    families["support_processor_events_late_total"] = late
    for reason, count in (*invalid.items(), ("too_late", late)):  # what is late is dead-lettered, too
        families[f'support_processor_events_invalid_total{{reason="{reason}"}}'] = count
    return dict(sorted(families.items()))
