"""The events of one entity as they are to be read: each once, in order, messages as they turned out."""

from __future__ import annotations

from typing import Any, NamedTuple

from processor.core.events import SURVEY_KINDS, Event
from processor.core.settings import NONE

Dims = tuple[str, ...]
SOLVED = ("solved", "closed")
FOREVER = 1 << 62

# What one entity gives to another, with its place at one instant: an answer is a message, a wait comes last.
RANKS = {"answer": 1, "back": 2, "wait": 4, "again": 4, "met": 2, "scored": 2}


class Said(NamedTuple):
    """Something concluded."""

    kind: str
    at: int
    dims: Dims
    content: tuple[Any, ...]


def given(kind: str, target: str, at: int, giver: str, *data: Any) -> Event:
    """What `giver` gives to `target`, as an event of it.

    `wait`: since when, after how many merges. `back`: when it was given. `answer`: how long the contact had waited. `again`: nothing.
    `met`: topic, since when. `scored`: see surveys.
    """
    return Event(at, RANKS[kind], "", "", giver, kind, target, data)


def distinct(events: list[Event]) -> list[Event]:
    """One event of each (source, id), the smallest; in order. What is about a survey is never the same as what is not."""
    best: dict[tuple[str, str, bool], Event] = {}
    for event in events:
        name = (event.source, event.id, event.kind in SURVEY_KINDS)
        known = best.get(name)
        if known is None or (event.occurred_at, ascii(event)) < (known.occurred_at, ascii(known)):
            best[name] = event
    return sorted(best.values(), key=lambda event: event[:5])


def without_undone(received: list[Event], window: int) -> list[Event]:
    """A wait that is taken back soon was never given."""
    kept = list(received)
    for back in [event for event in received if event.kind == "back" and event.occurred_at - event.data[0] <= window]:
        undone = ("wait", back.data[0], back.id)
        wait = next((event for event in kept if (event.kind, event.occurred_at, event.id) == undone), None)
        if wait is not None:
            kept.remove(wait)
            kept.remove(back)
    return kept


def with_visibility(events: list[Event], window: int) -> list[Event]:
    """Each message as it turned out."""
    result: list[Event] = []
    shown_at: dict[int, Event] = {}
    for event in events:
        if event.kind != "message.added":
            result.append(event)
            continue
        name, author, visible, automated, by = event.data
        changes = [
            (number, change) for number, change in enumerate(events)
            if change.kind in ("message.visibility_changed", "message.bounced") and change.data[0] == name
            and event.occurred_at <= change.occurred_at <= event.occurred_at + window
        ]  # fmt: skip
        words = ["internal" if change.kind == "message.bounced" else change.data[1] for _, change in changes]
        bounced = any(change.kind == "message.bounced" for _, change in changes)
        if changes and (bounced or words[-1] != "public"):
            result.append(event._replace(data=(name, author, "internal", automated, by)))
        else:
            result.append(event)
            if changes and visible != "public":
                run = len(words)
                while run and words[run - 1] == "public":
                    run -= 1
                shown_at[changes[run][0]] = event._replace(data=(name, author, "public", automated, by))
    for number, shown in shown_at.items():
        result[number] = shown._replace(occurred_at=events[number].occurred_at)
    return result


def placed(events: list[Event], skew: int) -> list[tuple[int, Event]]:
    """Events with the instant at which they count: what came at most `skew` before the creation counts at it."""
    created = next((event for event in events if event.kind == "ticket.created"), None)
    if created is None:
        return [(event.occurred_at, event) for event in events]
    index = events.index(created)
    early = [event for event in events[:index] if created.occurred_at - event.occurred_at <= skew and event.kind not in RANKS]
    before = [event for event in events[:index] if event not in early]
    ordered = [*before, created, *early, *events[index + 1 :]]
    moved = {id(event) for event in early}
    return [(created.occurred_at if id(event) in moved else event.occurred_at, event) for event in ordered]


def dims_of(**values: str | None) -> Dims:
    """Dimensions by name."""
    names = ("channel", "priority", "group", "tier", "topic", "queue", "language", "product", "complexity")
    assert values.keys() <= set(names)
    return tuple(values.get(name) or NONE for name in names)


NOWHERE = dims_of()
