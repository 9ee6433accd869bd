"""The timeline of one entity: a base, the tail of recent events, and the state that both fold to.

    base (frozen state, nothing younger than the lateness that is allowed) ── tail (events in order) ──▶ state

An event in order is one step of the state. An event out of order is inserted into the tail, the tail is folded again from the base, and
the difference between what was stated and what is true now becomes retractions and new facts. Deadlines are part of the fold, so a breach
that a late reply disproves disappears by the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

from processor.core import lateness
from processor.core.account import Account
from processor.core.agent import Agent
from processor.core.business_hours import NEVER
from processor.core.contact import Contact
from processor.core.events import ACCOUNT, AGENT, CONTACT, ORGANIZATION, PERSON, SURVEY_KINDS, TICKET, Event
from processor.core.facts import HANDED_KINDS, Fact, Out
from processor.core.looking_back import LOOKS_BACK, as_it_turned_out, bonds
from processor.core.organization import Organization
from processor.core.packing import unpack
from processor.core.person import Person
from processor.core.policies import Policies
from processor.core.settings import Settings
from processor.core.ticket import Ticket

State = Ticket | Contact | Person | Agent | Organization | Account

# The fold of each entity. All have `step`, `fire`, `freeze` and `thaw`, and say when to look again (`wake`), which deadline has passed last
# (`last_fired`) and when nothing is expected of them any more (`gone_at`: whatever comes after it begins a new life).
STATES: Final[dict[str, type[State]]] = {
    TICKET: Ticket,
    CONTACT: Contact,
    PERSON: Person,
    AGENT: Agent,
    ORGANIZATION: Organization,
    ACCOUNT: Account,
}


OrderKey = tuple[int, int, str, str, str]

_BITS: Final = 61
_ANY: Final = (1 << _BITS) - 1
_NO_EVENTS: Final[list[Event]] = []  # of all that sleep: nothing is put in
_NO_SERIALS: Final[list[int]] = []


class Timeline:
    """One entity. `serials` name the tail's records in the state topic; `levels` is what it last contributed to the levels.

    One that sleeps has neither state nor tail, and tells no levels: it is its base, packed, and when its next deadline is. One that naps
    has its tail besides, put away as bytes; see `sleep`.
    """

    __slots__ = (
        *("_base", "_base_last", "_packed", "ids", "key", "kind", "levels", "moved"),
        *("next_serial", "serials", "state", "stowed", "sweep_at", "tail", "timer"),
    )

    def __init__(self, kind: str, key: str, state: State | None, packed: bytes | None = None) -> None:
        self.kind = kind
        self.key = key
        self._base: tuple[Any, ...] | None = None
        self._base_last: OrderKey | None = None
        self._packed = packed  # base, its youngest event, next serial: where the base is as it was packed
        self.tail: list[Event] = _NO_EVENTS if state is None else []
        self.serials: list[int] = _NO_SERIALS if state is None else []
        self.next_serial = 0
        self.ids = _ANY if state is None else 0  # a bit for each id in the tail, and perhaps for more
        self.state: State | None = state  # None: it sleeps or naps, or is not yet restored
        self.stowed: bytes | None = None  # tail and serials of one that naps
        self.levels: tuple[Any, ...] = ()
        self.moved = False  # it may count in other levels by now
        self.sweep_at = NEVER  # the instant for which the engine's heap of sweeps holds an entry
        self.timer = NEVER  # the deadline for which the engine's heap holds an entry

    @property
    def base(self) -> tuple[Any, ...] | None:
        """The frozen state under the tail; None: there is nothing under it."""
        if self._packed is None:
            return self._base
        base: tuple[Any, ...] = unpack(self._packed)[0]
        return base

    @property
    def base_last(self) -> OrderKey | None:
        """The order key of the youngest event inside the base."""
        if self._base_last is None and self._packed is not None:
            last: OrderKey | None = unpack(self._packed)[1]
            return last
        return self._base_last

    @property
    def has_base(self) -> bool:
        """Whether there is something under the tail."""
        return self._base is not None or self._packed is not None

    def settle(self, base: tuple[Any, ...], last: OrderKey | None) -> None:
        """Let this be what is under the tail."""
        self._base, self._base_last, self._packed = base, last, None

    def sleep(self, packed: bytes) -> None:
        """Keep nothing but the base, the youngest event inside and the next serial."""
        self._packed, self._base, self._base_last = packed, None, None
        self.state, self.levels, self.tail, self.serials = None, (), _NO_EVENTS, _NO_SERIALS

    def wake_up(self, state: State, last: OrderKey | None, next_serial: int) -> None:
        """Undo `sleep`; the base stays packed."""
        self.state, self._base_last, self.next_serial, self.tail, self.serials, self.ids = state, last, next_serial, [], [], 0

    def stow(self, spelled: bytes) -> None:
        """Put the tail away; what is under it stays."""
        self.stowed, self.state, self.levels, self.tail, self.serials = spelled, None, (), _NO_EVENTS, _NO_SERIALS

    def take_up(self, state: State, tail: list[Event], serials: list[int]) -> None:
        """Undo `stow`."""
        self.stowed, self.state, self.tail, self.serials, self.ids = None, state, tail, serials, _ANY

    def rest_on(self, packed: bytes) -> None:
        """Let this be what is under a tail that is known already; b"": nothing is."""
        if not packed:
            return
        _, last, next_serial = unpack(packed)
        self._packed, self._base, self._base_last = packed, None, last
        self.next_serial = max(self.next_serial, next_serial)

    @property
    def packed(self) -> bytes | None:
        """Base, youngest event inside and next serial in one, where the base is as it was packed."""
        return self._packed

    def in_order(self, event: Event) -> bool:
        """Whether `event` is simply the next step."""
        tail, kind = self.tail, event[5]  # compiled code reads an event by places, as the tuple that it is, in a tenth of the time
        if tail:
            last = tail[-1]
            if kind == "ticket.created" or (event[0] <= last[0] and event < last):
                return False
            if kind == "message.added" and last[0] == event[0] and self._foretold(event):
                return False
        elif self.has_base and kind == "ticket.created":
            return False
        return self.state is not None and event[0] > self.state.last_fired and kind not in LOOKS_BACK

    def _foretold(self, message: Event) -> bool:
        """Whether something was said about the message at its own instant; ids decide which of the two comes first."""
        return any(event.occurred_at == message.occurred_at and event.kind in LOOKS_BACK for event in self.tail)

    def duplicate_of(self, event: Event, window: int, survey_window: int) -> int:
        """Index in the tail of the event with the same source and id, or -1.

        Only events within `window` of each other can be the same, or within `survey_window` where both are about surveys: what lies further
        back may have left the tail already, and the answer must not depend on that. For the same reason what is said of a survey is never
        the same as anything else.
        """
        wanted = event.id
        if not self.ids & _bit(wanted):
            return -1  # without a look at the tail, which lies all over the memory
        for index, known in enumerate(self.tail):
            if known[4] == wanted and known[3] == event[3]:
                of_survey = event[5] in SURVEY_KINDS
                if of_survey == (known[5] in SURVEY_KINDS) and abs(known[0] - event[0]) <= (survey_window if of_survey else window):
                    return index
        return -1

    def too_old(self, event: Event) -> bool:
        """Whether the event belongs before what the base has settled."""
        last = self._base_last
        if last is None:
            if self._packed is None or self.state is not None:
                return False
            last = self.base_last
        return last is not None and event[:5] <= last

    def insert(self, event: Event) -> int:
        """Put the event into the tail at its place; returns its serial."""
        serial = self.next_serial
        self.next_serial = serial + 1
        self.ids |= _bit(event.id)
        tail = self.tail
        if not tail or event[0] > tail[-1][0] or event > tail[-1]:
            tail.append(event)
            self.serials.append(serial)
        else:
            index = bisect_left(tail, event)
            tail.insert(index, event)
            self.serials.insert(index, serial)
        return serial

    def finds_place(self, event: Event, now: int, settings: Settings) -> bool:
        """Whether a survey event that is later than others may be still has its place in the tail; see `lateness`."""
        return not self.too_old(event) and lateness.finds_place(event, self.tail, now, settings)

    def aged_at(self, settings: Settings) -> int:
        """When nothing can come any more that belongs before the end of the tail, or changes something in it."""
        return lateness.aged_at(self.kind, self.tail, settings)

    def drop_aged(self, now: int, policies: Policies) -> list[int]:
        """Fold the events that have aged at `now` into the base; returns the serials of their records.

        Events that explain each other stay together, so that base and tail fold to what the whole folded to.
        """
        tail = self.tail
        count = lateness.aged(self.kind, tail, now, policies.settings)
        if 0 < count < len(tail):
            for first, last in bonds(self.kind, tail, policies)[::-1]:
                if first < count <= last:
                    count = first
        return self._drop(count, policies)

    def drop_oldest(self, count: int, policies: Policies) -> list[int]:
        """Fold at least `count` events into the base, with all that explain them; returns the serials of their records."""
        for first, last in bonds(self.kind, self.tail, policies):
            if first < count <= last:
                count = last + 1
        return self._drop(count, policies)

    def _drop(self, count: int, policies: Policies) -> list[int]:
        if not count:
            return []
        tail = self.tail
        aged, last = tail[:count], tail[count - 1]
        if count == len(tail) and self.state is not None and self.state.last_fired < last.occurred_at:
            state = self.state
        else:
            state, _ = fold(self.kind, self.base, aged, -1, policies)
        self.settle(state.freeze(), last[:5])
        serials = self.serials[:count]
        del tail[:count], self.serials[:count]
        if not tail:
            self.ids = 0
        return serials


def _bit(identifier: str) -> int:
    return 1 << (hash(identifier) % _BITS)


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
        settings = policies.settings
        fold_ticket(state, as_it_turned_out(tail, settings.allowed_lateness), settings.clock_skew, out)
    else:
        for event in tail:
            state.step(event, event.occurred_at, out)
    state.fire(timer_time, out)
    return state, out


def fold_ticket(ticket: Ticket, events: list[Event], clock_skew: int, out: Out) -> None:
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
    net: dict[Fact, int] = {}
    for sign, fact in after:
        net[fact] = net.get(fact, 0) + sign
    for sign, fact in before:
        net[fact] = net.get(fact, 0) - sign
    changes: Out = []
    for fact, count in net.items():
        changes += [(-1, fact)] * -count
    for fact, count in net.items():
        changes += [(1, fact)] * count
    return changes
