"""What a log means, worked out naively: sort the events of each entity, walk over them once, then look at each clock on its own.

Written from the definitions and not from the engine: no incremental state, no timers, no retractions. It knows no early end of memory, so
worlds for it have a long `reopen_horizon`. Results are counters with the names of the engine's families.

What one entity gives to another is found by doing all of them again and again, each time with what was given the time before, until
nothing changes any more.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from processor.core.business_hours import Calendar
from processor.core.events import Event
from processor.core.settings import NONE, Policy, Settings

SOLVED = ("solved", "closed")
FOREVER = 1 << 62
HOPS = 3  # merges through which a wait is handed on

# What is given, as an event of whoever gets it; the id is that of the giver. At one instant an answer is a message, a wait comes last.
RANKS = {"answer": 1, "back": 2, "wait": 4}


def given(kind: str, target: str, at: int, giver: str, *data: int) -> Event:
    """`wait`: since when, after how many merges. `back`: when it was given. `answer`: how long the contact had waited."""
    return Event(at, RANKS[kind], "", "", giver, kind, target, data)


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


def distinct(events: list[Event]) -> list[Event]:
    """One event of each (source, id), the smallest; in order."""
    best: dict[tuple[str, str], Event] = {}
    for event in events:
        known = best.get((event.source, event.id))
        if known is None or (event.occurred_at, ascii(event)) < (known.occurred_at, ascii(known)):
            best[event.source, event.id] = event
    return sorted(best.values(), key=lambda event: event[:5])


def policy_at(settings: Settings, start: int, values: dict[str, str]) -> Policy | None:
    """The first policy of the file, in its newest version at `start`, that matches."""
    for name in dict.fromkeys(policy.id for policy in settings.policies):
        versions = [policy for policy in settings.policies if policy.id == name and policy.effective_from <= start]
        if versions:
            newest = max(versions, key=lambda policy: policy.effective_from)
            if all(values.get(dimension, NONE) in accepted for dimension, accepted in newest.match.items()):
                return newest
    return None


def open_time(calendar: Calendar | None, start: int, end: int) -> int:
    if calendar is None:
        return max(end - start, 0)
    intervals = zip(calendar.opens, calendar.closes, strict=True)
    return sum(max(min(closes, end) - max(opens, start), 0) for opens, closes in intervals if opens < end and closes > start)


def reached(calendar: Calendar | None, start: int, wanted: int) -> int:
    """The first instant from `start` at which `wanted` open milliseconds have passed."""
    if wanted <= 0 or calendar is None:
        return start + max(wanted, 0)
    for opens, closes in zip(calendar.opens, calendar.closes, strict=True):
        length = max(closes - max(opens, start), 0)
        if length >= wanted:
            return max(opens, start) + wanted
        wanted -= length
    return FOREVER


@dataclass
class Marks:
    """The changes of one clock in order: (instant, policy, whether it runs from then on). An open end runs on.

    `moves` are changes of the start: mark number -> by how much longer it has run, and whether a breach by that is induced.
    """

    name: str
    marks: list[tuple[int, Policy | None, bool]] = field(default_factory=list)
    moves: dict[int, tuple[int, bool]] = field(default_factory=dict)
    ended: bool = False
    since: int = 0  # where it starts, all moves considered

    @property
    def started(self) -> int:
        return self.marks[0][0]

    def move(self, at: int, since: int, settings: Settings, *, induced: bool) -> None:
        """The start lies elsewhere, as is known at `at`; hours are those of the present target."""
        _, policy, runs = self.marks[-1]
        target = policy.targets.get(self.name) if policy else None
        calendar = settings.calendars[target.calendar] if target and target.calendar else None
        longer = open_time(calendar, since, self.since) - open_time(calendar, self.since, since)
        self.moves[len(self.marks)] = (longer, induced)
        self.marks.append((at, policy, runs))
        self.since = since

    def breach(self, settings: Settings, until: int) -> tuple[int, bool] | None:
        """When it was breached, and whether a change of policy alone did it."""
        elapsed = 0
        running: int | None = None  # since when
        before: Policy | None = self.marks[0][1]
        for number, (at, policy, runs) in enumerate([*self.marks, (FOREVER, self.marks[-1][1], False)]):
            target = before.targets.get(self.name) if before else None
            calendar = settings.calendars[target.calendar] if target and target.calendar else None
            if running is not None and target is not None:
                deadline = reached(calendar, running, target.ms - elapsed)
                if deadline < at and deadline <= until:
                    return deadline, False
            if at == FOREVER:
                break
            if number in self.moves:
                elapsed += self.moves[number][0]
                missed = running is not None and target is not None and reached(calendar, running, target.ms - elapsed) < at
                if target is not None and (missed or elapsed > target.ms):
                    return at, self.moves[number][1]
                continue
            if running is not None:
                elapsed += open_time(calendar, running, at)
            target = policy.targets.get(self.name) if policy else None
            if policy is not before and target is not None and elapsed > target.ms:
                return at, True
            before, running = policy, at if runs else None
        return None

    def has_target(self) -> bool:
        policy = self.marks[-1][1]
        return policy is not None and self.name in policy.targets


def with_visibility(events: list[Event], window: int) -> list[Event]:
    """Each message as it turned out."""
    result: list[Event] = []
    shown_at: dict[int, Event] = {}
    for event in events:
        if event.kind != "message.added":
            result.append(event)
            continue
        changes = [
            (number, change) for number, change in enumerate(events)
            if change.kind in ("message.visibility_changed", "message.bounced") and change.data[0] == event.data[0]
            and event.occurred_at <= change.occurred_at <= event.occurred_at + window
        ]  # fmt: skip
        words = ["internal" if change.kind == "message.bounced" else change.data[1] for _, change in changes]
        bounced = any(change.kind == "message.bounced" for _, change in changes)
        if changes and (bounced or words[-1] != "public"):
            result.append(event._replace(data=(event.data[0], event.data[1], "internal", event.data[3])))
        else:
            result.append(event)
            if changes and event.data[2] != "public":
                run = len(words)
                while run and words[run - 1] == "public":
                    run -= 1
                shown_at[changes[run][0]] = event._replace(data=(event.data[0], event.data[1], "public", event.data[3]))
    for number, message in shown_at.items():
        result[number] = message._replace(occurred_at=events[number].occurred_at)
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


FLAGS = {
    "ticket.merged": ("merged", True), "ticket.unmerged": ("merged", False), "ticket.marked_as_spam": ("spam", True),
    "ticket.unmarked_as_spam": ("spam", False), "ticket.deleted": ("deleted", True), "ticket.restored": ("deleted", False),
}  # fmt: skip


class TicketReference:
    """One ticket."""

    def __init__(self, key: str, events: list[Event], received: list[Event], until: int, settings: Settings) -> None:
        self.key = key
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.given: list[Event] = []
        self.waits: dict[str, tuple[int, int]] = {}
        self.early_answer: tuple[int, int] | None = None
        self.merged_into: tuple[str, int] | None = None
        self.asked_at = 0
        self.values: dict[str, str] = {}
        self.status = "open"
        self.flags: set[str] = set()
        self.engaged = self.created = self.adopted = self.replied = False
        self.created_at = self.solved_at = 0
        self.final_at: int | None = None
        self.solves = 0
        self.first: Marks | None = None
        self.resolution: Marks | None = None
        self.outcomes: Counter[str] = Counter()
        window = settings.allowed_lateness
        said = sorted([*distinct(events), *without_undone(received, window)], key=lambda event: event[:5])
        for at, event in placed(with_visibility(said, window), settings.clock_skew):
            if event.kind in RANKS:
                self._receive(at, event)
            else:
                self._event(at, event)
        self.in_backlog = self.engaged and not self.flags and self.status not in SOLVED
        if self.engaged and not self.flags:
            self._conclude(until)

    def _event(self, at: int, event: Event) -> None:
        if event.kind == "ticket.created":
            if not self.created:
                self._created(at, event)
            return
        if not self.created and not self.adopted:
            self.adopted = self.engaged = True
            self.counts["tickets_adopted"] += 1
        if event.kind in FLAGS:
            self._give(at, event)
            flag, on = FLAGS[event.kind]
            (self.flags.add if on else self.flags.discard)(flag)
        elif event.kind == "ticket.status_changed":
            self._status(at, event.data[0])
        elif event.kind == "message.added" and event.data[2] == "public":
            self._message(at, event.data[1], event.data[3])
        elif event.kind in ("ticket.priority_changed", "ticket.group_changed", "ticket.fields_changed"):
            names = {"ticket.priority_changed": "priority", "ticket.group_changed": "group"}
            changes = event.data[0] if event.kind == "ticket.fields_changed" else ((names[event.kind], event.data[0]),)
            self.values |= {name: value or NONE for name, value in changes}
            self._mark(at)

    def _give(self, at: int, event: Event) -> None:
        """Merged away while its customer waits: then that wait goes on elsewhere, until it is un-merged."""
        merged = "merged" in self.flags
        if event.kind == "ticket.merged" and not merged:
            target = event.data[0]
            if self.engaged and not self.flags and self.first is not None and not self.first.ended and target != self.key:
                kept = [(since, hops) for since, hops in self.waits.values() if hops < HOPS]
                earliest = min([self.asked_at] + [since for since, _ in kept])
                self.given.append(given("wait", target, at, self.key, earliest, 1 + max([0] + [hops for _, hops in kept])))
                self.merged_into = (target, at)
        elif event.kind == "ticket.unmerged" and merged and self.merged_into:
            self.given.append(given("back", self.merged_into[0], at, self.key, self.merged_into[1]))
            self.merged_into = None

    def _receive(self, at: int, event: Event) -> None:
        waiting = self.first is not None and not self.first.ended
        if event.kind == "answer":
            (wait,) = event.data
            if not self.created and not self.adopted:
                self.early_answer = self.early_answer or (at, wait)
            elif self.engaged and not self.replied:
                if self.first is not None and waiting and at - wait < self.first.since:
                    self.first.move(at, at - wait, self.settings, induced=False)
                self._message(at, "agent", False)
            return
        if event.kind == "wait":
            self.waits[event.id] = event.data
        else:
            self.waits.pop(event.id, None)
        if waiting:
            self._ask_since(at)

    def _ask_since(self, at: int) -> None:
        """The first response is waited for since the earliest customer asked."""
        assert self.first is not None
        since = min([self.asked_at] + [since for since, _ in self.waits.values()])
        if since != self.first.since:
            self.first.move(at, since, self.settings, induced=True)

    def _created(self, at: int, event: Event) -> None:
        known = self.adopted
        self.created, self.created_at = True, at
        self.counts["tickets_created"] += 1
        channel, status, priority, direction, group, tier, topic, policy_id, _ = event.data
        given = {"channel": channel, "priority": priority, "group": group, "tier": tier, "topic": topic, "policy_id": policy_id}
        self.values = {name: value or NONE for name, value in given.items()}
        if known:
            if not self.replied and self.status not in SOLVED:
                self._start(at)
            return
        self.status = status
        self.engaged = direction == "inbound"
        if self.engaged:
            self._start(at)
        else:
            self.early_answer = None
        if status in SOLVED:
            self._solve(at)

    def _start(self, at: int) -> None:
        self.asked_at = at
        self.first, self.resolution = Marks("first_response", since=at), Marks("resolution", since=at)
        self._mark(at)
        if self.early_answer is not None:
            answered_at, wait = self.early_answer
            since = min([answered_at - wait] + [since for since, _ in self.waits.values()])
            self.first.marks = [(since, self.first.marks[0][1], True)]
            self.first.since = since
            self._message(answered_at, "agent", False)
        else:
            self._ask_since(at)

    def _mark(self, at: int) -> None:
        """Note what the clocks do from now on."""
        for clock in (self.first, self.resolution):
            if clock is None or clock.ended:
                continue
            policy = policy_at(self.settings, clock.started if clock.marks else at, self.values)
            paused = policy is not None and self.status in policy.pauses.get(clock.name, ())
            mark = (at, policy, not paused)
            if not clock.marks or clock.marks[-1][1:] != mark[1:]:
                clock.marks.append(mark)

    def _end(self, clock: Marks | None, at: int) -> bool:
        if clock is None or clock.ended:
            return False
        clock.marks.append((at, clock.marks[-1][1], False))
        clock.ended = True
        return True

    def _status(self, at: int, status: str) -> None:
        was_solved, self.status = self.status in SOLVED, status
        if status in SOLVED and not was_solved:
            self._solve(at)
        elif status in SOLVED:
            if status == "closed" and self.final_at is not None:
                self.final_at = min(self.final_at, at)
        elif was_solved:
            self.final_at = None
            if self.engaged:
                self.outcomes["tickets_reopened"] += 1
            if self.resolution is not None:
                self.resolution.ended = False
            elif self.engaged and self.created and not self.adopted and not self.replied:
                self._start(at)
            self._mark(at)
        else:
            self._mark(at)

    def _solve(self, at: int) -> None:
        self.solved_at = at
        self.final_at = at if self.status == "closed" else at + self.settings.final_after
        if not self.engaged:
            return
        self.solves += 1
        self.outcomes["tickets_solved"] += 1
        if self.solves == 1 and self.created and not self.adopted:
            self.outcomes["first_resolution:sum"] += at - self.created_at
        self._end(self.first, at)
        self._end(self.resolution, at)

    def _message(self, at: int, author: str, automated: bool) -> None:
        if author == "customer" and not self.engaged:
            self.engaged = True
            if self.status not in SOLVED:
                self._start(at)
        elif author == "agent" and not automated and self.engaged and not self.replied:
            self.replied = True
            if self.first is not None and not self.first.ended:
                self.outcomes["first_response:sum"] += at - self.first.since
                self.outcomes["replies"] += 1
                if self._end(self.first, at) and self.first.has_target() and self.first.breach(self.settings, FOREVER) is None:
                    self.outcomes["sla_measured:first_response"] += 1

    def _conclude(self, until: int) -> None:
        self.counts += self.outcomes
        for clock in (self.first, self.resolution):
            breach = clock.breach(self.settings, until) if clock is not None else None
            if clock is not None and breach is not None:
                self.counts[f"sla_breached:{clock.name}"] += 1
                self.counts[f"sla_measured:{clock.name}"] += 1
                self.counts[f"sla_induced:{clock.name}"] += breach[1]
            elif clock is not None and clock is self.resolution and clock.ended and clock.has_target():
                self.counts["sla_measured:resolution"] += 1
        if self.final_at is not None and self.final_at <= until and self.solves and self.created and not self.adopted:
            self.counts["full_resolution:sum"] += self.solved_at - self.created_at


class ContactReference:
    """One contact: lives, legs, one fate."""

    def __init__(self, events: list[Event], until: int, settings: Settings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.given: list[Event] = []
        self.ended = False
        self.heard_at: int | None = None
        self._begin()
        for event in distinct(events):
            at = event.occurred_at
            self._expire(at - 1)
            silence = settings.allowed_lateness if self.ended else settings.contact_expires_after
            if self.leg_at is None and self.heard_at is not None and at > self.heard_at + silence:
                self._begin()
            self.heard_at = at
            self._event(at, event)
        self._expire(until)
        if self.leg_at is not None:
            self._breach(until + 1)
        self.waiting = self.leg_at is not None

    def _begin(self) -> None:
        self.values = {"channel": NONE, "topic": NONE, "queue": NONE}
        self.ticket: str | None = None
        self.offered_at: int | None = None
        self.leg_at: int | None = None
        self.heard_at = None
        self.policy: Policy | None = None
        self.fate = ""
        self.ended = False

    def _expire(self, limit: int) -> None:
        if self.leg_at is not None and self.leg_at + self.settings.contact_expires_after <= limit:
            self.heard_at = self.leg_at + self.settings.contact_expires_after
            self._leave(self.heard_at, "lost")
            self.ended = True

    def _event(self, at: int, event: Event) -> None:
        match event.kind:
            case "contact.initiated" | "contact.queued":
                channel, queue, topic, ticket = event.data
                self.ticket = ticket or self.ticket
                self.values = {"channel": channel, "topic": topic or self.values["topic"], "queue": queue or self.values["queue"]}
                if event.kind == "contact.queued" and not self.ended:
                    self._wait(at)
            case "contact.transferred" if not self.ended:
                self._end_leg(at)
                self.values["queue"] = event.data[0]
                self._wait(at)
            case "contact.accepted" if not self.ended:
                self._accept(at, event.key)
            case "contact.abandoned":
                self._leave(at, "abandoned")
                self.ended = True
            case "contact.callback_requested":
                self._leave(at, "callback")
            case "contact.ended":
                self._leave(at, "ended")
                self.ended = True

    def _offer(self, at: int) -> None:
        if self.offered_at is None:
            self.offered_at = at
            self.counts["contacts_offered"] += 1

    def _wait(self, at: int) -> None:
        self._end_leg(at)
        self._offer(at)
        self.leg_at = at
        self.policy = policy_at(self.settings, at, self.values)

    def _breach(self, before: int) -> bool:
        """Count the breach of the present leg if its deadline lies before that instant; whether it does."""
        assert self.leg_at is not None
        target = self.policy.targets.get("queue_wait") if self.policy else None
        late = target is not None and self.leg_at + target.ms < before
        self.counts["sla_breached:queue_wait"] += late
        return late

    def _end_leg(self, at: int) -> bool | None:
        """End the present leg; whether it was late, None if there was none or it had no target."""
        if self.leg_at is None:
            return None
        late = self._breach(at)
        self.leg_at = None
        return late if self.policy and "queue_wait" in self.policy.targets else None

    def _accept(self, at: int, key: str) -> None:
        self._offer(at)
        direct = self.leg_at is None
        late = self._end_leg(at)
        if not self.fate:
            assert self.offered_at is not None
            self.fate = "answered"
            self.counts["contacts_answered"] += 1
            self.counts["speed_of_answer:sum"] += at - self.offered_at
            if self.ticket is not None:
                self.given.append(given("answer", self.ticket, at, key, at - self.offered_at))
            target = self.policy.targets.get("queue_wait") if self.policy else None
            soon = target is not None and at - self.offered_at <= target.ms
            self.counts["contacts_answered_in_target"] += direct or (late is False and soon)

    def _leave(self, at: int, how: str) -> None:
        if self.leg_at is not None and not self.fate:
            assert self.offered_at is not None
            self.fate = how
            wait = at - self.offered_at
            limits = self.settings.short_abandon
            if how == "abandoned":
                short = wait <= limits.get(self.values["channel"], limits.get("default", 0))
                self.counts["contacts_short_abandoned" if short else "contacts_abandoned"] += 1
        self._end_leg(at)


@dataclass
class World:
    """All entities of a log."""

    tickets: dict[str, TicketReference]
    contacts: dict[str, ContactReference]
    given: list[Event]

    def counts(self) -> Counter[str]:
        """Totals, with the backlog and the contacts that wait."""
        counts: Counter[str] = Counter()
        for ticket in self.tickets.values():
            counts.update(ticket.counts)
        for contact in self.contacts.values():
            counts.update(contact.counts)
        counts["backlog"] = sum(ticket.in_backlog for ticket in self.tickets.values())
        counts["waiting"] = sum(contact.waiting for contact in self.contacts.values())
        return counts


def read(events: list[Event], until: int, settings: Settings) -> World:
    """What a log means. Waits go on from ticket to ticket for as often as tickets are merged; then nothing changes any more."""
    keys = {event.key for event in events}
    of = {key: [event for event in events if event.key == key] for key in keys}
    contacts = {key: ContactReference(of[key], until, settings) for key in keys if of[key][0].kind.startswith("contact.")}
    answers = [event for contact in contacts.values() for event in contact.given]
    passed_on: list[Event] = []
    while True:
        received = [*answers, *passed_on]
        tickets = {
            key: TicketReference(key, of.get(key, []), [event for event in received if event.key == key], until, settings)
            for key in {*keys, *(event.key for event in received)} - contacts.keys()
        }
        now = sorted(event for ticket in tickets.values() for event in ticket.given)
        if now == passed_on:
            return World(tickets, contacts, received)
        passed_on = now
