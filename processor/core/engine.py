"""The engine of one partition: events and clock readings in; facts, changed records and numbers out.

The caller decides when to call; the engine decides what is true. It does no I/O and reads no clock:

    apply(event)         fold one event; returns what it was: accepted, a duplicate, or rejected with a reason
    apply_rekeyed(it)    fold what another entity, perhaps of another partition, hands over; never too late
    hear(...)            how far another partition has come
    advance(to)          let timers run up to an instant
    drain()              what was stated, handed over, changed and reported since the last call: one step
    view()               the numbers, of one instant

Stream time is the newest event time in the log and decides what is too late. Timer time is how far deadlines have fired and decides only
when a deadline is noticed. How events are split into batches, how often `advance` is called and where a process died between two steps
changes neither the net facts nor any number that follows from them.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from heapq import heappush
from typing import Any, Final

from processor.core import ageing, deadlines, postponed
from processor.core.business_hours import NEVER
from processor.core.events import CONTROL, DATA_FIELDS, ENTITIES, HANDED_FIELDS, SURVEY_KINDS, TICKET, Event, Reason, Rejected, entity_of
from processor.core.facts import HANDED_KINDS, LEDGER_MODULUS, Fact, Out, fact_number
from processor.core.hindsight import Hindsight
from processor.core.lateness import horizon_of, out_of_order, survey_lateness
from processor.core.levels import Levels
from processor.core.outputs import Conflict, RecordKey, Rekeyed, Stated, Step, View
from processor.core.packing import Dumps, Loads, dumps, loads
from processor.core.policies import Policies
from processor.core.postings import POSTINGS
from processor.core.refolding import refold
from processor.core.reports import Reports
from processor.core.restoring import marker_of, restore
from processor.core.rows import Rows, Segment
from processor.core.settings import MINUTE_MS, NO_DIMENSIONS, Settings
from processor.core.timeline import State, Timeline, fold, new_state
from processor.core.upstream import Upstream
from processor.core.windows import Windows

TAIL_COMPACT_AT: Final = 64  # a tail this long is looked over for aged events when the next one comes

# Kinds that move a level only together with a fact or a deadline: where they do neither, there is nothing to book.
QUIET_KINDS: Final = frozenset(
    {"ticket.assignee_changed", "ticket.escalated", "message.added", "contact.offered", "contact.missed", "contact.wrapped_up"}
)

_ENTITY: Final = {kind: entity_of(kind) for kind in (*DATA_FIELDS, *HANDED_FIELDS)}


class Engine:
    """All state of one partition.

    `partitions` is how many there are that may hand something over, this one included; 0: nobody does. `limit` is an instant that timer
    time never passes.
    """

    def __init__(self, settings: Settings, partition: int = 0, partitions: int = 0) -> None:
        self.settings = settings
        self.partition = partition
        self.policies = Policies(settings)
        self.stream_time = 0
        self.timer_time = 0
        self.digest = 0
        self.ledger_count = 0
        self.counts: Counter[str] = Counter()
        self.rows = Rows(settings)
        self.windows = Windows(self.rows, settings)
        self.levels = Levels(self.rows)
        self.reports = Reports(self.rows, self.windows, self.levels)
        self.hindsight = Hindsight(self.policies)
        self.upstream = Upstream(partitions, settings.allowed_lateness)
        self.limit = NEVER
        self.patient = False  # whether what is due before timer time already waits for the rest of the log, see `postponed`
        self.postponed: dict[tuple[str, str], int] = {}
        self.entities: dict[str, dict[str, Timeline]] = {name: {} for name in ENTITIES}
        self.step = Step()
        self.stubs: dict[str, int] = {}  # ids of stubs, oldest first, and when each has gone
        self.quiet: deque[str] = deque()  # tickets that may nap, the quietest first; of some something was heard since
        self.timers: list[tuple[int, str, str]] = []  # when to let its deadlines pass; what was put off stays a while, see `ageing.tidy`
        self.sweeps: list[tuple[int, str, str]] = []  # when to look whether it has aged
        self.dumps: Dumps = dumps  # how what sleeps is spelled and read: a driver may set what is faster
        self.loads: Loads = loads
        self.mark = ""  # of the rules, see `mark`; "" until it is asked for
        self._known: int | None = None  # since when what is handed over now is known; None = now, 0 = since its own instant
        self._turn = NEVER  # stream time at which timer time passes the next minute to report
        self._survey_lateness = survey_lateness(settings)
        self._compact_at = min(TAIL_COMPACT_AT, settings.tail_max)

    # -- events -------------------------------------------------------------------------------------------------------------------

    def knows(self, event: Event) -> bool:
        """Whether the entity was seen before (then its partition was checked before, too)."""
        kind = _ENTITY[event.kind]
        return kind == CONTROL or event.key in self.entities[kind]

    def apply(self, event: Event) -> Rejected | Conflict | None:
        """Fold one event. None = accepted or a duplicate (see `counts`); never raises for what an event says."""
        at, key, counts = event[0], event[6], self.counts
        if at > self.stream_time:
            self.stream_time = at
            if at < self.timer_time or self.upstream.history:
                self.upstream.came(at, self.timer_time)
            if at >= self._turn:
                self.advance(at - self.settings.timer_delay)  # a report is taken where the log passes its minute, not where a step ends
        kind = _ENTITY[event[5]]
        if at < self.stream_time - self.settings.allowed_lateness and kind != CONTROL:
            refused = self._late(kind, event)
            if refused is not None:
                return refused
        if kind == CONTROL:
            counts["control"] += 1
            if event.kind == "control.clock_advanced":
                self.advance(event.data[0], last=True)
            return None
        entity = ageing.heard(self, kind, key)
        if entity is None:
            entity = self.entities[kind][key] = Timeline(kind, key, new_state(kind, self.policies))
        else:
            tail = entity.tail
            if tail:
                if (twin := entity.duplicate_of(event, self.settings.allowed_lateness, self._survey_lateness)) >= 0:
                    return self._same_id(entity, twin, event)
                if len(tail) >= self._compact_at:
                    ageing.shorten(self, entity)
            if entity.too_old(event):
                return self._beyond_tail()
        counts["accepted"] += 1
        self._fold(entity, event)
        return None

    def _late(self, kind: str, event: Event) -> Rejected | None:
        """The refusal of an event that is later than most may be; what is said of surveys may be later, if its place is still there."""
        late = self.stream_time - event.occurred_at
        if event.kind not in SURVEY_KINDS or late > self._survey_lateness:
            self.counts["late"] += 1
            return self._reject(Reason.TOO_LATE, f"time is {late / 1000:.0f} s behind the newest event")
        entity = ageing.heard(self, kind, event.key) if kind == TICKET else None
        if entity is None or entity.finds_place(event, self.stream_time, self.settings):
            return None
        return self._beyond_tail()

    def _beyond_tail(self) -> Rejected:
        self.counts["late"] += 1
        return self._reject(Reason.BEYOND_TAIL, "older than the events that are already settled")

    def _reject(self, reason: Reason, detail: str) -> Rejected:
        self.counts[f"rejected:{reason}"] += 1
        return Rejected(reason, detail)

    def reject(self, rejected: Rejected) -> None:
        """Count a record that the door refused."""
        self.counts[f"rejected:{rejected.reason}"] += 1

    def _fold(self, entity: Timeline, event: Event) -> None:
        state = entity.state or ageing.revive(self, entity)
        if self.reports.taken and event[3] and event[0] < self.reports.taken_until + self.settings.timer_delay:
            self.hindsight.note(entity, 1, event, self.reports.taken_until)
        if entity.in_order(event):
            out: Out = []
            wake = state.wake
            state.step(event, event[0], out)
            due = state.wake
            if due <= self.timer_time and not self.patient:
                state.fire(self.timer_time, out)
                due = state.wake
            self._append(entity, event)
            if not out and due == wake and event[5] in QUIET_KINDS:
                return
            self.settle(entity, state, out, event[4] if event[3] else "")
        else:
            if event[3] and out_of_order(event, entity.tail, state.last_fired):  # what is handed over comes in any order
                self.counts["corrections"] += 1
            self._refold(entity, event)

    # -- between entities -----------------------------------------------------------------------------------------------------------

    def apply_rekeyed(self, handed: Rekeyed) -> None:
        """Fold what one entity hands to another. Lateness was judged where it came from; in which order it comes does not matter."""
        self.counts["rekeyed"] += 1
        kind, key, event = _ENTITY[handed.kind], handed.target, handed.event()
        entity = ageing.heard(self, kind, key) or Timeline(kind, key, new_state(kind, self.policies))
        if handed.sign > 0 and event in entity.tail:
            return  # once more: by a partition that goes on from an exported state that is older than what it had handed over
        settled = handed.at < self.settled - horizon_of(kind, self.settings)
        if settled or (entity.too_old(event) if handed.sign > 0 else event not in entity.tail):
            self.counts["rekeyed_late"] += 1  # a tail overflowed, or a partition was silent for longer than events may be late
            return
        self.entities[kind][key] = entity
        if entity.state is None:
            ageing.revive(self, entity)
        self._known = handed.known or handed.at
        unknown_until = self._known - self.settings.timer_delay
        held = self.reports.held_after(unknown_until)
        ends = [report.end for report in held]
        stated = list(self.hindsight.stated(entity, ends))
        if self.reports.hold:
            self.hindsight.note(entity, handed.sign, event, unknown_until)
        if handed.sign > 0:
            self._fold(entity, event)
        else:
            self._refold(entity, None, entity.tail.index(event))
            if not entity.tail and not entity.has_base:
                ageing.forget(self, entity)  # nothing is known of it any more
        self.reports.correct(kind, held, stated, self.hindsight.stated(entity, ends))
        self._known = None

    def hear(self, partition: int, heartbeat: tuple[int, ...]) -> None:
        """Learn how far a partition has come."""
        self.upstream.hear(partition, heartbeat)

    @property
    def settled(self) -> int:
        """The clock by which state ages: the slowest of all partitions that may still hand something over."""
        return self.upstream.settled(self.stream_time)

    def _refold(self, entity: Timeline, event: Event | None, twin: int | None = None) -> None:
        """Fold the tail anew with `event` in its place, and in the place of the one at index `twin`; book the difference."""
        before = entity.tail.copy()
        if twin is not None:
            ageing.take_out(self, entity, twin)
        if event is not None:
            self._append(entity, event)
        told = postponed.told_until(self, entity)
        state, out = refold(entity.kind, entity.base, before, entity.tail, told, postponed.due_now(self, entity, told), self.policies)
        self.settle(entity, state, out, event.id if event and event.source else "")

    def _folded(self, entity: Timeline) -> tuple[State, Out]:
        return fold(entity.kind, entity.base, entity.tail, postponed.told_until(self, entity), self.policies)

    def _append(self, entity: Timeline, event: Event) -> None:
        serial = entity.insert(event)
        self.step.records["e", entity.kind, serial, entity.key] = event
        if entity.sweep_at == NEVER:
            ageing.schedule(self, entity, event.occurred_at + ageing.first_look(entity.kind, self.settings))

    def settle(self, entity: Timeline, state: State, out: Out, cause: str) -> None:
        """Book what a fold stated, and where the entity stands now."""
        entity.state = state
        if out:
            self._book(entity, out, cause)
        wake = state.wake
        if wake <= self.timer_time or self.postponed:
            postponed.note(self, entity, wake)
        if not entity.moved:
            self.levels.moved(entity)
        if wake < entity.timer:  # a later one is put into the heap when this one has passed
            self.set_timer(entity, wake)

    def set_timer(self, entity: Timeline, due: int) -> None:
        """Look at the entity again at that instant."""
        entity.timer = due
        heappush(self.timers, (due, entity.kind, entity.key))

    def _book(self, entity: Timeline, out: Out, cause: str) -> None:
        """Add what was stated to the numbers, the ledger and the step. The hottest loop of all: it looks up nothing twice."""
        kind, key = entity.kind, entity.key
        subject, rows, facts, detail = f"{kind}/{key}", self.rows, self.step.facts, self.settings.facts_detail_all
        sum_of_numbers = signs = 0
        dims, place = NO_DIMENSIONS, None
        for sign, fact in out:
            if place is None or fact.dims is not dims:
                dims = fact.dims
                place = rows.place(kind, dims)
            posting = POSTINGS.get(fact.kind)
            if posting is not None:
                rows.add(place, posting, fact, sign)
                if posting.of_detail and not detail:
                    continue
            number = fact_number(subject, place.dims_text, fact)
            if posting is None:
                if fact.kind in HANDED_KINDS:
                    self.step.rekeyed.append(Rekeyed.of(kind, key, number, fact, sign, self._known_since(entity, fact, sign)))
                    continue
                rows.move(place, fact, sign)
            facts.append(Stated(sign, kind, key, number, fact, cause))
            if posting is None or not posting.of_detail:
                sum_of_numbers += number if sign > 0 else -number
                signs += sign
        self.digest = (self.digest + sum_of_numbers) % LEDGER_MODULUS
        self.ledger_count += signs

    def _known_since(self, entity: Timeline, handed: Fact, sign: int) -> int:
        """How far the log had come when something was handed over first."""
        if self._known is None:
            told = max(self.stream_time, self.timer_time + self.settings.timer_delay)
        else:
            told = self._known or handed.at + self.settings.timer_delay - 1
        return self.hindsight.known_since(entity, sign, handed, told) if self.reports.hold else told

    def restate(self, entity: Timeline, stated: Fact, fact: Fact) -> None:
        """`fact` says more than `stated`, which an earlier release made of the same: what it counted does not count again."""
        text, subject = self.rows.add_more(entity.kind, fact, stated).dims_text, f"{entity.kind}/{entity.key}"
        before, after = fact_number(subject, text, stated), fact_number(subject, text, fact)
        self.digest = (self.digest - before + after) % LEDGER_MODULUS
        self.step.facts += [Stated(-1, entity.kind, entity.key, before, stated, ""), Stated(1, entity.kind, entity.key, after, fact, "")]

    def _same_id(self, entity: Timeline, twin: int, event: Event) -> Rejected | Conflict | None:
        """The same source and id again: nothing where the content is the same, else the smaller content stays."""
        known = entity.tail[twin]
        if known == event:
            self.counts["duplicates"] += 1
            return None
        if entity.too_old(event):
            return self._beyond_tail()
        self.counts[f"rejected:{Reason.CONFLICTING_DUPLICATE}"] += 1
        if (known.occurred_at, ascii(known)) <= (event.occurred_at, ascii(event)):
            return Rejected(Reason.CONFLICTING_DUPLICATE, "another event with this source and id says something else")
        self._refold(entity, event, twin)
        return Conflict(known)

    # -- time ---------------------------------------------------------------------------------------------------------------------

    def advance(self, to: int, *, last: bool = False) -> None:
        """Let every deadline up to and including `to` pass, in order, and take the reports of the minutes that pass.

        Time never goes backwards: an earlier `to` lets nothing pass but what is postponed. `last`: report the last full minute, too,
        whatever the cadence.
        """
        to = min(to, self.limit)
        if to <= self.timer_time:
            deadlines.pass_until(self, to)
            return
        for end in self.reports.due(self.timer_time, to, last=last):
            self._fire(end)
            self.reports.take(end)
            self._leave_out_what_is_early(end)
        self.reports.since = self.reports.since or to
        self._fire(to)
        self._set_turn()

    def _leave_out_what_is_early(self, end: int) -> None:
        """Take out of the report just taken what a faster partition has handed over, and the log had not said at `end` yet."""
        for kind, key in self.hindsight.early(end) if self.reports.hold else ():
            entity = ageing.heard(self, kind, key) or Timeline(kind, key, new_state(kind, self.policies))
            _, stated = self._folded(entity)
            self.reports.correct(kind, self.reports.taken[-1:], [stated], self.hindsight.stated(entity, [end]))

    def report_every(self, minutes: int, *, hold: bool) -> None:
        """How often to report (0 = never), and whether reports wait for slower partitions."""
        self.reports.every_minutes, self.reports.hold = minutes, hold
        self._set_turn()

    def reports_again(self) -> None:
        """After a restart, and after `report_every`: report the last minute that was reported again, and what was held."""
        self.reports.again(self.timer_time)

    def level_sums(self) -> dict[Segment, dict[str, int]]:
        """Levels of this instant by segment, see `Levels.sums`."""
        return self.levels.sums()

    def _set_turn(self) -> None:
        self._turn = self.reports.next_after(self.timer_time) + self.settings.timer_delay

    def _fire(self, to: int) -> None:
        self.timer_time = to
        self._known = 0
        deadlines.pass_until(self, to)
        self._known = None

    def advance_by_log(self) -> None:
        """Timer time as the log alone allows: stream time minus the delay for stragglers."""
        self.advance(self.stream_time - self.settings.timer_delay)

    def next_deadline(self) -> int:
        """The earliest deadline that has not fired; `NEVER` if there is none. May be too early, never too late."""
        return self.timers[0][0] if self.timers else NEVER

    def sweep(self) -> None:
        """Fold aged tails into bases, shrink final tickets, forget finished contacts. Changes no number; call it once a step."""
        self.rows.age(min(self.stream_time, self.timer_time))  # windows end at timer time and need their minutes
        self.levels.tidy()
        ageing.sweep(self)
        ageing.tidy(self)

    # -- out ----------------------------------------------------------------------------------------------------------------------

    def drain(self) -> Step:
        """Everything stated and changed since the last call, with the rows and cells that changed."""
        step, self.step = self.step, Step()
        rows = self.rows
        records, tiers, segments, group_bys = step.records, rows.tiers, rows.segments, rows.group_bys
        for tier, index, segment in rows.take_dirty_rows():
            row = tiers[tier].get(index).get(segment)
            group_by, values = segments[segment]
            records["r", tier, index, group_bys[group_by], values] = row.copy() if row else None
        for cell_key, cell in rows.take_unwritten_cells():
            records["c", cell_key] = cell
        step.reports = self.reports.send(self.upstream.passed())
        if step.reports:
            self.hindsight.forget(self.reports.sent_until)
        clocks = self._clocks()
        if self._is_news(clocks):
            self.upstream.told(clocks)
            step.heartbeat = clocks
        return step

    def news(self) -> bool:
        """Whether a step would write more than the clocks."""
        if self.step.facts or self.step.records or self.step.rekeyed or self.reports.ready(self.upstream.passed()):
            return True
        return self._is_news(self._clocks())

    def _is_news(self, clocks: tuple[int, ...]) -> bool:
        reports = self.reports
        return self.upstream.news(clocks, reports.taken_until, held=reports.hold and reports.every_minutes > 0)

    def _clocks(self) -> tuple[int, ...]:
        return self.upstream.heartbeat(self.timer_time, self.upstream.own(self.stream_time, self.timer_time))

    def view(self) -> View:
        """The numbers of this instant. They stay as they are while the engine goes on."""
        self.windows.advance(self.timer_time)
        segments = self.rows.segments
        return View(
            partition=self.partition,
            stream_time=self.stream_time,
            timer_time=self.timer_time,
            digest=self.digest,
            ledger_count=self.ledger_count,
            cells=self.rows.seen_cells(),
            levels=self.levels.counts,
            windows={
                name: {segments[segment]: row for segment, row in window.share().items()} for name, window in self.windows.windows.items()
            },
            window_end=self.windows.end_minute * MINUTE_MS,
            counts=dict(self.counts),
            open_tickets=self.levels.backlog,
            entities=sum(len(entities) for entities in self.entities.values()),
            postponed=len(self.postponed),
        )

    # -- stored form --------------------------------------------------------------------------------------------------------------

    def marker(self) -> dict[str, Any]:
        """What belongs to the partition as a whole; the driver adds offsets and epoch."""
        return marker_of(self)

    def restore(self, marker: dict[str, Any], records: Iterable[tuple[RecordKey, Any]]) -> Iterable[int]:
        """Rebuild from a marker and all live records.

        A generator: yields now and then how many records it has taken, so that the caller can let others run.
        Raises LookupError where the configuration lacks what the state refers to.
        """
        return restore(self, marker, records)
