"""Cases about a ticket's life, answered by the engine: each key of `expected` from the facts about the clock that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from processor.core.due import warning_at
from processor.core.settings import FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION, UPDATE, Target
from tests.sla_cases.cases import MISSED_WORDS, Case, Happening, NotUnderstoodError, instant_of, seconds
from tests.sla_cases.logs import CASE_CLOCKS, KEEP_IN_LOOP, UNLIMITED, Log, acts_of, agreement_of, never_paused_at_the_end, target_of
from tests.sla_cases.playing import Act, Agreement, Instance, due_of, engine_for, net_facts, play

RESPONSES = (FIRST_RESPONSE, NEXT_RESPONSE)


class Clock:
    """One clock of a case, played to the end of the log. `runs` is empty where it never began."""

    def __init__(self, log: Log, name: str, *, measured: bool = False) -> None:
        self.log = log
        self.name = name
        self.agreement = agreement_of(log, name, measured=measured)
        self.acts: list[Act] = []
        self.runs: list[Instance] = []
        if self.agreement is not None and (measured or name != FIRST_RESPONSE or log.customer_waits):
            self.acts = acts_of(log, name)
            runs = play(self.agreement, self.acts, log.now)
            self.runs = [run for run in runs if not (run.fulfilled and name == KEEP_IN_LOOP)]  # only the newest message is the start

    @property
    def repeats(self) -> bool:
        """Whether it is a timer that every contact starts anew, so that only the newest run counts."""
        return self.name == UPDATE and self.log.case.rules.get("update_timer") == "every_contact"

    @property
    def newest(self) -> Instance | None:
        """The last run."""
        return self.runs[-1] if self.runs else None

    @property
    def ended(self) -> list[Instance]:
        """The runs that are over and that count."""
        return [] if self.repeats else [run for run in self.runs if run.ended_at is not None]

    @property
    def hidden(self) -> bool:
        """Whether no due date is shown in the present status."""
        hidden_on = self.log.case.rules.get("hidden_on") or {}
        return self.log.status in hidden_on.get("response" if self.name in RESPONSES else self.name, ())

    @property
    def breached(self) -> bool | None:
        """Whether it was late; None where there is no such clock."""
        if self.agreement is None:
            return None
        return any(run.breached_at is not None for run in (self.runs[-1:] if self.repeats else self.runs))

    def due(self, run: Instance) -> int | None:
        """The date on which that run is, or was, due; a pause that has not ended is left out."""
        assert self.agreement is not None
        if run.breached_at is not None:
            return run.breached_at
        acts = self.acts if run.stopped_by is None else self.acts[: run.stopped_by]
        return due_of(self.agreement, never_paused_at_the_end(acts) if run.paused else acts, run.number)

    def running_due(self) -> int | None:
        """The date, as long as the clock runs and it is shown."""
        run = self.newest
        if run is None or run.ended_at is not None or run.paused or self.hidden:
            return None
        return self.due(run)

    def stored_due(self) -> int | None:
        """The date that stays when it was met."""
        return None if self.newest is None or self.hidden else self.due(self.newest)

    def shown_due(self) -> int | None:
        """The date in the view of the case."""
        return self.stored_due() if self.log.case.rules.get("due_view") == "stored" else self.running_due()

    def active(self, run: Instance) -> int | None:
        """Open seconds of a run that is over; a solve without a reply is no first response."""
        if run.active is not None or self.name == FIRST_RESPONSE:
            return run.active
        return sum(self.between(start, end) for start, end in run.segments)

    def between(self, start: int, end: int) -> int:
        """Open seconds; from milliseconds."""
        return self.log.case.calendar.between(start, end) // 1000

    def taken_minutes(self) -> int | None:
        """Full minutes of the newest run, or of the longest exchange; None while it is open."""
        taken = [self.active(run) for run in (self.ended if self.name == UPDATE else self.ended_newest())]
        known = [each for each in taken if each is not None]
        return max(known) // 60 if known else None

    def ended_newest(self) -> list[Instance]:
        """The newest run, if it is over and counts."""
        return self.ended[-1:] if self.newest is not None and self.newest.ended_at is not None else []

    def late_seconds(self) -> int | None:
        """Open seconds after the date; of the latest exchange."""
        late = [self._late(run) for run in (self.ended if self.name == UPDATE else self.ended_newest())]
        return max((each for each in late if each is not None), default=None)

    def _late(self, run: Instance) -> int | None:
        due = self.due(run)
        if due is None or run.ended_at is None or run.ended_at <= due:
            return None
        return sum(self.between(max(start, due * 1000), end) for start, end in run.segments if end > due * 1000)


class Life:
    """A case at one instant; clocks are played when a key asks for them."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._clocks: dict[tuple[str, bool], Clock] = {}

    def clock(self, name: str, *, measured: bool = False) -> Clock:
        """One of the clocks of the case; `measured`: with or without a target."""
        key = (name, measured)
        if key not in self._clocks:
            self._clocks[key] = Clock(self.log, name, measured=measured)
        return self._clocks[key]

    def value(self, key: str) -> Any:
        """The answer to one key of `expected`."""
        if key in _VALUES:
            return _VALUES[key](self)
        name, of = next(((clock, key[len(clock) :]) for clock in CASE_CLOCKS if key.startswith(f"{clock}_")), ("", ""))
        if of not in _OF_CLOCK:
            raise NotUnderstoodError(f"key {key!r}")
        return _OF_CLOCK[of](self.clock(name))

    def earliest_due(self, *clocks: str) -> int | None:
        """The first running date of these clocks."""
        return min((due for name in clocks if (due := self.clock(name).running_due()) is not None), default=None)

    def starts_at(self) -> int | None:
        """The first open instant at or after the creation."""
        created = self.log.created
        return None if created is None else seconds(self.log.case.calendar.next_open(created.at * 1000))

    def first_exchange(self, name: str) -> Instance | None:
        """The first run of a clock that was answered, with or without a target."""
        if self.log.removed:
            return None
        return next((run for run in self.clock(name, measured=True).runs if run.fulfilled), None)

    def first_response_at(self) -> int | None:
        """The instant of the first response."""
        run = self.first_exchange(FIRST_RESPONSE)
        return None if run is None else run.ended_at

    def measured_from(self) -> int | None:
        """Where the first response is measured from."""
        run = self.clock(FIRST_RESPONSE, measured=True).newest
        return None if run is None or self.log.removed else run.started_at

    def exchange_seconds(self, name: str) -> int | None:
        """Open seconds of the first exchange."""
        run = self.first_exchange(name)
        return None if run is None else run.active

    def hold_seconds(self) -> int | None:
        """Open seconds in which the statuses let the clocks stand still: all of them, but for those that a clock without end runs."""
        created = self.log.created
        if created is None or self.log.removed:
            return None
        acts = [*self.log.told(lambda _each: ""), Act(self.log.now, "solve")]
        calendar = self.log.case.calendar
        (run,) = play(Agreement(RESOLUTION, UNLIMITED, calendar), acts, self.log.now + 1)
        assert run.active is not None
        return calendar.between(created.at * 1000, self.log.now * 1000) // 1000 - run.active

    def warning_at(self) -> int | None:
        """When to warn, by the date that stays."""
        warning, case = self.log.case.given.get("warning"), self.log.case
        name = RESOLUTION if target_of(case, RESOLUTION) is not None else FIRST_RESPONSE
        due = self.clock(name).stored_due()
        if due is None or not warning:
            return None
        days = warning["unit"] == "working_days"
        offset = {"warning_days": warning["offset"]} if days else {"warning": warning["offset"] * 1000}
        return seconds(warning_at(Target(0, "case", **offset), due * 1000, case.calendar))

    def missed(self) -> list[str] | None:
        """The clocks that were late."""
        return None if self.log.removed else sorted(name for name in CASE_CLOCKS if self.clock(name).breached)

    def sla_status(self) -> str | None:
        """How the agreement stands, in the words of the peer."""
        log = self.log
        if log.removed:
            return None
        missed = bool(self.missed())
        if log.case.words & MISSED_WORDS:
            return "missed" if missed else "active" if log.end is None else "hit"
        if missed:
            return "Failed"
        if log.pausing(log.status):
            return "Paused"
        for name, words in ((FIRST_RESPONSE, "First Response Due"), (RESOLUTION, "Resolution Due")):
            run = self.clock(name).newest
            if run is not None and run.ended_at is None:
                return words
        return "Fulfilled"

    def sla_status_at(self) -> dict[int, str | None]:
        """The status at the instants that the case asks for."""
        case = self.log.case
        instants = [instant_of(at, case.zone) for at in case.expected["sla_status_at"]]
        return {at: Life(Log.of(case, at)).sla_status() for at in instants}

    def count(self, kind: str, *, verbs: dict[str, str], until: Happening | None = None, answered: bool = False) -> int:
        """How many facts of a kind the engine states when it is told these happenings; `answered`: and an agent replies in the end."""
        acts: list[Act] = []
        solved = False
        bot = {"created": "bot"} if self.log.created is not None and self.log.created.event.get("bot") else {}
        for act in self.log.told(lambda each: (bot | verbs).get(each.kind, ""), until=until):
            if act.verb == "solve" and solved:
                acts.append(Act(act.at, "status", "open"))  # to be resolved again, it has been opened again
            solved = act.verb == "solve" or (solved and act.verb not in ("status", "create"))
            acts.append(act)
        if answered:
            acts.append(Act(self.log.now + 1, "agent"))
        facts = net_facts(engine_for(Agreement(RESOLUTION, UNLIMITED, self.log.case.calendar)), acts, self.log.now + 2)
        return sum(fact.kind == kind for fact in facts)


_VALUES: dict[str, Callable[[Life], Any]] = {
    "next_due": lambda life: life.earliest_due(FIRST_RESPONSE, NEXT_RESPONSE, UPDATE, RESOLUTION),
    "response_due": lambda life: life.earliest_due(FIRST_RESPONSE, NEXT_RESPONSE, KEEP_IN_LOOP),
    "starts_at": Life.starts_at,
    "first_response_at": Life.first_response_at,
    "first_response_clock_starts_at": Life.measured_from,
    "first_response_seconds": lambda life: life.exchange_seconds(FIRST_RESPONSE),
    "reply_seconds": lambda life: life.exchange_seconds(UPDATE),
    "hold_seconds": Life.hold_seconds,
    "warning_at": Life.warning_at,
    "sla_status": Life.sla_status,
    "sla_status_at": Life.sla_status_at,
    "missed": Life.missed,
    "bot_handoff_count": lambda life: life.count("ticket.handoff_responded", verbs={"bot_handoff": "handoff"}, answered=True),
    "resolved_count": lambda life: life.count("ticket.solved", verbs={"resolved": "solve"}),
    "bot_resolved_count": lambda life: life.count(
        "ticket.bot_contained",
        verbs={"resolved": "solve", "agent_message": "agent", "bot_resolved": "bot_resolve"},
        until=life.log.first("resolved", "bot_resolved"),
    ),
}


def _minutes_left(clock: Clock) -> int | None:
    taken, target = clock.taken_minutes(), clock.log.case.targets.get(f"{clock.name}_min")
    return None if taken is None or target is None else target - taken


_OF_CLOCK: dict[str, Callable[[Clock], Any]] = {
    "_due": Clock.shown_due,
    "_in_min": Clock.taken_minutes,
    "_diff_min": _minutes_left,
    "_late_seconds": Clock.late_seconds,
    "_breached": lambda clock: clock.breached,
}


def life(case: Case) -> Callable[[str], Any]:
    """What the engine says about each key of a case."""
    return Life(Log.of(case)).value
