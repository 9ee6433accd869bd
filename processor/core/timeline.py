"""The timeline of one entity: a base, the tail of recent events, and the state that both fold to.

    base (frozen state, nothing younger than the lateness that is allowed) ── tail (events in order) ──▶ state

An event in order is one step of the state. An event out of order is inserted into the tail, the tail is folded again from the base, and
the difference between what was stated and what is true now becomes retractions and new facts. Deadlines are part of the fold, so a breach
that a late reply disproves disappears by the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from processor.core.business_hours import NEVER
from processor.core.contact import Contact
from processor.core.events import CONTACT, RANK_NORMAL, TICKET, Event
from processor.core.facts import Fact
from processor.core.policies import Policies
from processor.core.ticket import Ticket

Out = list[tuple[int, Fact]]
State = Ticket | Contact

# Kinds that say something about an earlier event, so that the tail must be folded again although they come in order.
LOOKS_BACK = frozenset({"message.visibility_changed", "message.bounced"})


class Timeline:
    """One entity. `serials` name the tail's records in the state topic; `levels` is what it last contributed to the levels."""

    __slots__ = ("base", "base_last", "key", "kind", "levels", "next_serial", "serials", "state", "swept", "tail", "timer")

    def __init__(self, kind: str, key: str, state: State | None) -> None:
        self.kind = kind
        self.key = key
        self.base: tuple[Any, ...] | None = None
        self.base_last: tuple[int, int, str, str, str] | None = None  # order key of the youngest event inside the base
        self.tail: list[Event] = []
        self.serials: list[int] = []
        self.next_serial = 0
        self.state: State | None = state  # None: a stub, or not yet restored
        self.levels: tuple[Any, ...] = ()
        self.swept = False  # whether a sweep is scheduled
        self.timer = NEVER  # the deadline for which the engine's heap holds an entry

    def in_order(self, event: Event) -> bool:
        """Whether `event` is simply the next step."""
        tail = self.tail
        if tail:
            if event < tail[-1] or event.kind == "ticket.created":
                return False
        elif self.base is not None and event.kind == "ticket.created":
            return False
        return self.state is not None and event.occurred_at > self.state.last_fired and event.kind not in LOOKS_BACK

    def duplicate_of(self, event: Event) -> int:
        """Index in the tail of the event with the same source and id, or -1."""
        wanted = event.id
        for index, known in enumerate(self.tail):
            if known[4] == wanted and known[3] == event[3]:
                return index
        return -1

    def insert(self, event: Event) -> int:
        """Put the event into the tail at its place; returns its serial."""
        serial = self.next_serial
        self.next_serial = serial + 1
        tail = self.tail
        if not tail or event > tail[-1]:
            tail.append(event)
            self.serials.append(serial)
        else:
            index = bisect_left(tail, event)
            tail.insert(index, event)
            self.serials.insert(index, serial)
        return serial

    def drop_aged(self, horizon: int, policies: Policies, least: int = 0) -> list[int]:
        """Fold the events older than `horizon` (and at least `least` events) into the base; returns the serials of their records."""
        tail = self.tail
        count = least
        while count < len(tail) and tail[count].occurred_at < horizon:
            count += 1
        if not count:
            return []
        aged, last = tail[:count], tail[count - 1]
        if count == len(tail) and self.state is not None and self.state.last_fired <= last.occurred_at:
            self.base = self.state.freeze()
        else:
            state, _ = fold(self.kind, self.base, aged, -1, policies)
            self.base = state.freeze()
        self.base_last = last[:5]
        serials = self.serials[:count]
        del tail[:count], self.serials[:count]
        return serials


def new_state(kind: str, policies: Policies) -> State:
    """An entity of which nothing is known yet."""
    return Ticket(policies) if kind == TICKET else Contact(policies)


def thaw(kind: str, base: Any, policies: Policies) -> State:
    """The state that a frozen base stands for."""
    return Ticket.thaw(base, policies) if kind == TICKET else Contact.thaw(base, policies)


def fold(kind: str, base: Any, tail: list[Event], timer_time: int, policies: Policies) -> tuple[State, Out]:
    """State and facts of `tail` on top of `base`, with every deadline up to `timer_time` passed."""
    state = new_state(kind, policies) if base is None else thaw(kind, base, policies)
    out: Out = []
    for event, at in _arranged(kind, base, tail, policies):
        state.step(event, at, out)
    state.fire(timer_time, out)
    return state, out


def difference(before: Out, after: Out) -> Out:
    """What turns the facts stated `before` into those of `after`: retractions first, then new facts."""
    net: Counter[Fact] = Counter()
    for sign, fact in after:
        net[fact] += sign
    for sign, fact in before:
        net[fact] -= sign
    changes = [(count, fact) for fact, count in net.items() if count]
    changes.sort(key=lambda change: change[0])
    return [(1 if count > 0 else -1, fact) for count, fact in changes for _ in range(abs(count))]


def _arranged(kind: str, base: Any, tail: Iterable[Event], policies: Policies) -> Iterator[tuple[Event, int]]:
    """The tail as the fold takes it: each event with the instant at which it counts."""
    if kind == CONTACT:
        return ((event, event.occurred_at) for event in tail)
    events = _with_visibility(list(tail), policies.settings.allowed_lateness)
    created = next((event for event in events if event.kind == "ticket.created"), None) if base is None else None
    if created is None or events[0] is created:
        return ((event, event.occurred_at) for event in events)
    return _creation_first(events, created, policies.settings.clock_skew)


def _creation_first(events: list[Event], created: Event, clock_skew: int) -> Iterator[tuple[Event, int]]:
    """Events up to `clock_skew` before the creation count as at the creation."""
    at = created.occurred_at
    early = [event for event in events if event < created and at - event.occurred_at <= clock_skew]
    for event in events:
        if event is created:
            yield created, at
            yield from ((moved, at) for moved in early)
        elif event not in early:
            yield event, event.occurred_at


def _with_visibility(events: list[Event], window: int) -> list[Event]:
    """Messages as they turned out: made internal or bounced later = never a reply; made public later = a reply from then on.

    Only changes within `window` after the message count: what is older is settled.
    """
    changes = [event for event in events if event.kind in LOOKS_BACK]
    if not changes:
        return events
    last: dict[str, Event] = {}
    for change in changes:
        message_id = change.data[0]
        if message_id not in last or last[message_id].kind != "message.bounced":
            last[message_id] = change
    result = list(events)
    for index, event in enumerate(events):
        final = last.get(event.data[0]) if event.kind == "message.added" else None
        if final is None or not 0 <= final.occurred_at - event.occurred_at <= window:
            continue
        message_id, author, visibility, automated = event.data
        if final.kind == "message.bounced" or final.data[1] != "public":
            result[index] = event._replace(data=(message_id, author, "internal", automated))
        elif visibility != "public":
            published = (message_id, author, "public", automated)
            result[events.index(final)] = final._replace(kind="message.added", rank=RANK_NORMAL, data=published)
    return result
