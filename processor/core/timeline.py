"""The timeline of one entity: a base, the tail of recent events, and the state that both fold to.

    base (frozen state, nothing younger than the lateness that is allowed) ── tail (events in order) ──▶ state

An event in order is one step of the state. An event out of order is inserted into the tail, the tail is folded again from the base, and
the difference between what was stated and what is true now becomes retractions and new facts. Deadlines are part of the fold, so a breach
that a late reply disproves disappears by the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import Any

from processor.core.account import Account
from processor.core.agent import Agent
from processor.core.business_hours import NEVER
from processor.core.contact import Contact
from processor.core.events import ACCOUNT, AGENT, CONTACT, ORGANIZATION, PERSON, RANK_NORMAL, SURVEY_KINDS, TICKET, Event
from processor.core.facts import HANDED_KINDS, Fact
from processor.core.organization import Organization
from processor.core.person import Person
from processor.core.policies import Policies
from processor.core.settings import Settings
from processor.core.ticket import Ticket

Out = list[tuple[int, Fact]]
State = Ticket | Contact | Person | Agent | Organization | Account

# The fold of each entity. All have `step`, `fire`, `freeze` and `thaw`, and say when to look again (`wake`), which deadline has passed last
# (`last_fired`) and when nothing is expected of them any more (`gone_at`: whatever comes after it begins a new life).
STATES: dict[str, type[State]] = {
    TICKET: Ticket,
    CONTACT: Contact,
    PERSON: Person,
    AGENT: Agent,
    ORGANIZATION: Organization,
    ACCOUNT: Account,
}

# Kinds that say something about an earlier event, so that the tail must be folded again although they come in order.
LOOKS_BACK = frozenset({"message.visibility_changed", "message.bounced", "ticket.wait_withdrawn"})


class Timeline:
    """One entity. `serials` name the tail's records in the state topic; `levels` is what it last contributed to the levels."""

    __slots__ = ("base", "base_last", "key", "kind", "levels", "next_serial", "serials", "state", "sweep_at", "tail", "timer")

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
        self.sweep_at = NEVER  # the instant for which the engine's heap of sweeps holds an entry
        self.timer = NEVER  # the deadline for which the engine's heap holds an entry

    def in_order(self, event: Event) -> bool:
        """Whether `event` is simply the next step."""
        tail, kind = self.tail, event.kind
        if tail:
            last = tail[-1]
            if event < last or kind == "ticket.created":
                return False
            if kind == "message.added" and last.occurred_at == event.occurred_at and self._foretold(event):
                return False
        elif self.base is not None and kind == "ticket.created":
            return False
        return self.state is not None and event.occurred_at > self.state.last_fired and kind not in LOOKS_BACK

    def _foretold(self, message: Event) -> bool:
        """Whether something was said about the message at its own instant; ids decide which of the two comes first."""
        return any(event.occurred_at == message.occurred_at and event.kind in LOOKS_BACK for event in reversed(self.tail))

    def duplicate_of(self, event: Event, window: int, survey_window: int) -> int:
        """Index in the tail of the event with the same source and id, or -1.

        Only events within `window` of each other can be the same, or within `survey_window` where one of them is about a survey: what lies
        further back may have left the tail already, and the answer must not depend on that.
        """
        wanted = event.id
        for index, known in enumerate(self.tail):
            if known[4] == wanted and known[3] == event[3]:
                distance = abs(known[0] - event[0])
                if distance <= window or (distance <= survey_window and (known[5] in SURVEY_KINDS or event[5] in SURVEY_KINDS)):
                    return index
        return -1

    def too_old(self, event: Event) -> bool:
        """Whether the event belongs before what the base has settled."""
        return self.base_last is not None and event[:5] <= self.base_last

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

    def anchored(self, event: Event, since: int) -> bool:
        """Whether the tail is sure to reach back to a survey event this late: to another one before it, not older than `since`.

        Not whether it happens to reach so far: that depends on when it was shortened last.
        """
        own = [known for known in self.tail if known.source]
        if not own and self.base is None:
            return True  # nothing of its own is known
        return any(known.kind in SURVEY_KINDS and since <= known.occurred_at <= event.occurred_at for known in own)

    def aged_at(self, settings: Settings) -> int:
        """When nothing can come any more that belongs before the end of the tail, or changes something in it."""
        tail = self.tail
        if not tail:
            return 0
        aged_at = tail[-1].occurred_at + horizon_of(self.kind, settings)
        if self.kind == TICKET:
            newest = next((event.occurred_at for event in reversed(tail) if event.kind in SURVEY_KINDS), None)
            if newest is not None:
                aged_at = max(aged_at, newest + 2 * survey_lateness(settings))
        return aged_at

    def drop_aged(self, now: int, policies: Policies) -> list[int]:
        """Fold the events that have aged at `now` into the base; returns the serials of their records.

        Events that explain each other stay together, so that base and tail fold to what the whole folded to. From a survey that may still
        be answered on everything stays.
        """
        tail, settings = self.tail, policies.settings
        count, horizon, surveyed = 0, now - horizon_of(self.kind, settings), now - 2 * survey_lateness(settings)
        while count < len(tail) and tail[count].occurred_at < horizon:
            if tail[count].kind in SURVEY_KINDS and tail[count].occurred_at >= surveyed:
                break
            count += 1
        if 0 < count < len(tail):
            for first, last in reversed(_bonds(self.kind, tail, policies)):
                if first < count <= last:
                    count = first
        return self._drop(count, policies)

    def drop_oldest(self, count: int, policies: Policies) -> list[int]:
        """Fold at least `count` events into the base, with all that explain them; returns the serials of their records."""
        for first, last in _bonds(self.kind, self.tail, policies):
            if first < count <= last:
                count = last + 1
        return self._drop(count, policies)

    def _drop(self, count: int, policies: Policies) -> list[int]:
        if not count:
            return []
        tail = self.tail
        aged, last = tail[:count], tail[count - 1]
        if count == len(tail) and self.state is not None and self.state.last_fired < last.occurred_at:
            self.base = self.state.freeze()
        else:
            state, _ = fold(self.kind, self.base, aged, -1, policies)
            self.base = state.freeze()
        self.base_last = last[:5]
        serials = self.serials[:count]
        del tail[:count], self.serials[:count]
        return serials


def survey_lateness(settings: Settings) -> int:
    """How late what is said of a survey may be."""
    return max(settings.allowed_lateness, settings.survey_lateness)


def latest_of(kind: str, settings: Settings) -> int:
    """How late an event of an entity of this kind may be at the most."""
    return survey_lateness(settings) if kind in (TICKET, PERSON) else settings.allowed_lateness


def horizon_of(kind: str, settings: Settings) -> int:
    """Nothing that may still come can change what happened before stream time minus this.

    An event is at most as old as is allowed, and what it says about another one (its visibility, its id) counts only within as much of
    that one. Tickets keep what comes after a survey for longer, see `aged_at`; persons keep everything.
    """
    return 2 * (survey_lateness(settings) if kind == PERSON else settings.allowed_lateness)


def new_state(kind: str, policies: Policies) -> State:
    """An entity of which nothing is known yet."""
    return STATES[kind](policies)


def thaw(kind: str, base: Any, policies: Policies) -> State:
    """The state that a frozen base stands for."""
    return STATES[kind].thaw(base, policies)


def fold(kind: str, base: Any, tail: list[Event], timer_time: int, policies: Policies) -> tuple[State, Out]:
    """State and facts of `tail` on top of `base`, with every deadline up to `timer_time` passed."""
    state = new_state(kind, policies) if base is None else thaw(kind, base, policies)
    out: Out = []
    if isinstance(state, Ticket):
        window = policies.settings.allowed_lateness
        _fold_ticket(state, _with_visibility(_without_withdrawn(tail, window), window), policies.settings.clock_skew, out)
    else:
        for event in tail:
            state.step(event, event.occurred_at, out)
    state.fire(timer_time, out)
    return state, out


def _fold_ticket(ticket: Ticket, events: list[Event], clock_skew: int, out: Out) -> None:
    """Events up to `clock_skew` before the creation of their ticket count as at the creation."""
    creations = [event for event in events if event.kind == "ticket.created"]
    early: list[Event] = []
    for event in events:
        at = event.occurred_at
        if not creations:
            ticket.step(event, at, out)
        elif event is creations[0]:
            del creations[0]
            ticket.step(event, at, out)
            for moved in early:
                ticket.step(moved, at, out)
            early.clear()
        elif event.kind not in HANDED_KINDS and creations[0].occurred_at - at <= clock_skew and ticket.awaits_creation(at, out):
            early.append(event)
        else:
            ticket.step(event, at, out)


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
    """Waits as they turned out: one that is withdrawn was never handed over. What is older than `window` is settled."""
    pairs = _withdrawals(events, window)
    if not pairs:
        return events
    dropped = {index for pair in pairs for index in pair}
    return [event for index, event in enumerate(events) if index not in dropped]


def _with_visibility(events: list[Event], window: int) -> list[Event]:
    """Messages as they turned out: made internal or bounced later = never a reply; made public later = a reply from then on.

    Only changes within `window` after the message count: what is older is settled.
    """
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


def _bonds(kind: str, tail: list[Event], policies: Policies) -> list[tuple[int, int]]:
    """Index ranges [first, last] of the tail that explain each other, ascending: a base must hold all of a range or nothing of it."""
    if kind != TICKET:
        return []
    settings = policies.settings
    bonds = [(min(index, *later), max(index, *later)) for index, later in _changes_of(tail, settings.allowed_lateness).items()]
    bonds += _withdrawals(tail, settings.allowed_lateness)
    for index, event in enumerate(tail):
        if event.kind == "ticket.created" and index:
            first = bisect_left(tail, event.occurred_at - settings.clock_skew, key=lambda each: each.occurred_at)
            if first < index:
                bonds.append((first, index))
    bonds.sort()
    return bonds
