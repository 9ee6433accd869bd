"""How late an event may be, and what is kept for it.

Nearly everything may be late by `allowed_lateness`. What is said of a survey may be later by days: exports of answers come once a week. So
that it finds its place, a ticket keeps its events from a solve or a survey on for twice as long as that: surveys are about solved tickets.
Persons keep everything for so long.
"""

from __future__ import annotations

from bisect import bisect_right

from processor.core.events import PERSON, SOLVED_STATUSES, SURVEY_KINDS, TICKET, Event
from processor.core.settings import Settings


def survey_lateness(settings: Settings) -> int:
    """How late what is said of a survey may be."""
    return max(settings.allowed_lateness, settings.survey_lateness)


def latest_of(kind: str, settings: Settings) -> int:
    """How late an event of an entity of this kind may be at the most."""
    return survey_lateness(settings) if kind in (TICKET, PERSON) else settings.allowed_lateness


def horizon_of(kind: str, settings: Settings) -> int:
    """Nothing that may still come can change what happened before stream time minus this.

    An event is at most as old as is allowed, and what it says about another one (its visibility, its id) counts only within as much of
    that one. Where tickets keep more than that, it is because of an anchor.
    """
    return 2 * (survey_lateness(settings) if kind == PERSON else settings.allowed_lateness)


def out_of_order(event: Event, tail: list[Event], last_fired: int) -> bool:
    """Whether something that happened after the event was folded before it: another event, or the deadline that passed last."""
    return event[0] <= last_fired or (bool(tail) and event[0] < tail[-1][0])


def is_anchor(event: Event) -> bool:
    """Whether a ticket keeps what follows this event for longer: surveys are answered after it."""
    return event.kind in SURVEY_KINDS or (event.kind == "ticket.status_changed" and event.data[0] in SOLVED_STATUSES)


def aged_at(kind: str, tail: list[Event], settings: Settings) -> int:
    """When nothing can come any more that belongs before the end of the tail, or changes something in it."""
    if not tail:
        return 0
    at = tail[-1].occurred_at + horizon_of(kind, settings)
    if kind == TICKET:
        for event in tail[::-1]:
            if is_anchor(event):
                return max(at, event.occurred_at + 2 * survey_lateness(settings))
    return at


def aged(kind: str, tail: list[Event], now: int, settings: Settings) -> int:
    """How many events at the head of the tail have aged at `now`."""
    horizon, kept_since = now - horizon_of(kind, settings), now - 2 * survey_lateness(settings)
    count = 0
    while count < len(tail) and tail[count].occurred_at < horizon:
        if kind == TICKET and tail[count].occurred_at >= kept_since and is_anchor(tail[count]):
            break
        count += 1
    return count


def finds_place(event: Event, tail: list[Event], now: int, settings: Settings) -> bool:
    """Whether the place of a survey event that is later than others may be is sure to be in the tail of its ticket.

    It is where everything after it is too young to have aged, or an anchor before it keeps the rest (itself, where it comes again). Not
    whether it happens to be there: that depends on when the tail was shortened last.
    """
    place = bisect_right(tail, event[:5], key=lambda known: known[:5])
    if place == len(tail) or tail[place].occurred_at >= now - horizon_of(TICKET, settings):
        return True
    kept_since = now - 2 * survey_lateness(settings)
    return any(known.occurred_at >= kept_since and is_anchor(known) for known in tail[:place])
