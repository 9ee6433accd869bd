"""What an event says about an earlier one of its ticket: a message that turns out to be internal or bounced, a wait that is withdrawn.

Events are folded as they turned out. What explains each other is bound together: a base must hold all of it or nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from processor.core.events import RANK_NORMAL, TICKET, Event
from processor.core.policies import Policies

# Kinds that say something about an earlier event, so that the tail must be folded again although they come in order.
LOOKS_BACK: Final = frozenset({"message.visibility_changed", "message.bounced", "ticket.wait_withdrawn"})


def as_it_turned_out(events: list[Event], window: int) -> list[Event]:
    """The events of a ticket as what came later tells them. Only what is told within `window` counts: what is older is settled."""
    for event in events:
        if event.kind in LOOKS_BACK:
            return _with_visibility(_without_withdrawn(events, window), window)
    return events


def _withdrawals(events: list[Event], window: int) -> list[tuple[int, int]]:
    """Index pairs: a wait that was handed over, and its withdrawal within `window` after it."""
    withdrawn = [(index, event) for index, event in enumerate(events) if event.kind == "ticket.wait_withdrawn"]
    if not withdrawn:
        return []
    handed = {(event.data[0], event.occurred_at): index for index, event in enumerate(events) if event.kind == "ticket.wait_handed"}
    pairs: list[tuple[int, int]] = []
    for index, event in withdrawn:
        source, merged_at = event.data
        first = handed.get((source, merged_at))
        if first is not None and event.occurred_at - merged_at <= window:
            pairs.append((first, index))
    return pairs


def _without_withdrawn(events: list[Event], window: int) -> list[Event]:
    """Waits as they turned out: one that is withdrawn was never handed over."""
    pairs = _withdrawals(events, window)
    if not pairs:
        return events
    dropped = {index for pair in pairs for index in pair}
    return [event for index, event in enumerate(events) if index not in dropped]


def _with_visibility(events: list[Event], window: int) -> list[Event]:
    """Messages as they turned out: made internal or bounced later = never a reply; made public later = a reply from then on."""
    changes = _changes_of(events, window)
    if not changes:
        return events
    result = list(events)
    for index, later in changes.items():
        event = events[index]
        message_id, author, visibility, automated, author_id = event.data
        shown = _shown_by(events, later)
        if shown is None:
            result[index] = event._replace(data=(message_id, author, "internal", automated, author_id))
        elif visibility != "public":
            data = (message_id, author, "public", automated, author_id)
            result[shown] = events[shown]._replace(kind="message.added", rank=RANK_NORMAL, data=data)
    return result


def _shown_by(events: list[Event], changes: list[int]) -> int | None:
    """Index of the change since which a message is public; None if it ended up hidden."""
    shown: int | None = None
    for index in changes:
        change = events[index]
        if change.kind == "message.bounced":
            return None
        if change.data[1] != "public":
            shown = None
        elif shown is None:
            shown = index
    return shown


def _changes_of(events: list[Event], window: int) -> dict[int, list[int]]:
    """For each message that something is said about within `window` after it: its index, and those of what is said."""
    said: dict[str, list[int]] = {}
    for index, event in enumerate(events):
        if event.kind in LOOKS_BACK:
            said.setdefault(event.data[0], []).append(index)
    if not said:
        return {}
    changes: dict[int, list[int]] = {}
    for index, event in enumerate(events):
        if event.kind == "message.added" and event.data[0] in said:
            later = [change for change in said[event.data[0]] if 0 <= events[change].occurred_at - event.occurred_at <= window]
            if later:
                changes[index] = later
    return changes


def bonds(kind: str, tail: list[Event], policies: Policies) -> list[tuple[int, int]]:
    """Index ranges [first, last] of the tail that explain each other, ascending: a base must hold all of a range or nothing of it."""
    if kind != TICKET:
        return []
    settings = policies.settings
    bound = [(min(index, *later), max(index, *later)) for index, later in _changes_of(tail, settings.allowed_lateness).items()]
    bound += _withdrawals(tail, settings.allowed_lateness)
    for index, event in enumerate(tail):
        if event.kind == "ticket.created" and index:
            first = bisect_left(tail, event.occurred_at - settings.clock_skew, key=lambda each: each.occurred_at)
            if first < index:
                bound.append((first, index))
    bound.sort()
    return bound
