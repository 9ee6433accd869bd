"""What each clock of a case sees of its log: which happenings begin, answer and end it, by the rules of the case.

The engine's clocks have more rules than the format's (a solve ends all waiting, a reopen goes on with the resolution), so each clock gets
only what the format lets it see. Statuses are those of the peer: what matters here is whether one of them stops the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from processor.core.settings import (
    FIRST_RESPONSE,
    NEXT_RESPONSE,
    PAUSABLE_UPDATE,
    RESOLUTION,
    UPDATE,
    Options,
    Target,
)
from tests.sla_cases.cases import Case, Happening, NotUnderstoodError
from tests.sla_cases.playing import OPEN, STANDING_STILL, Act, Agreement

KEEP_IN_LOOP = "keep_in_loop"
CASE_CLOCKS = (FIRST_RESPONSE, NEXT_RESPONSE, UPDATE, KEEP_IN_LOOP, RESOLUTION)
KINDS = frozenset(
    {
        *("created", "status", "customer_message", "agent_message", "agent_note", "first_response", "resolved", "closed_at", "closed"),
        *("reopened", "bot_handoff", "bot_resolved", "sla_changed", "sla_removed", "evaluated"),
    }
)
UNLIMITED = Target(1 << 52, "case")  # of a clock that is only measured


@dataclass(frozen=True, slots=True)
class Log:
    """The happenings of a case until `now`, in order. `kinds` are those of the whole case: which stamps a peer sets at all."""

    case: Case
    happened: tuple[Happening, ...]
    now: int
    kinds: frozenset[str]

    @classmethod
    def of(cls, case: Case, now: int | None = None) -> Log:
        """All of them, or those that were known at that instant."""
        happened = case.happened()
        for each in happened:
            if each.kind not in KINDS:
                raise NotUnderstoodError(f"event {each.kind!r}")
        known = tuple(each for each in happened if now is None or each.at <= now)
        newest = max((each.at for each in happened), default=0)
        return cls(case, known, newest if now is None else now, frozenset(each.kind for each in happened))

    def first(self, *kinds: str) -> Happening | None:
        """The first happening of these kinds."""
        return next((each for each in self.happened if each.kind in kinds), None)

    @property
    def removed(self) -> bool:
        """Whether the agreement was taken away."""
        return self.first("sla_removed") is not None

    @property
    def created(self) -> Happening | None:
        """The beginning."""
        return self.first("created")

    @property
    def status(self) -> str | None:
        """The peer's status at the end."""
        return next((each.event["status"] for each in reversed(self.happened) if each.event.get("status") is not None), None)

    @property
    def customer_waits(self) -> bool:
        """Whether the creation makes somebody wait: the requester wrote, and does not own the ticket."""
        event = self.created.event if self.created is not None else {"by": "agent"}
        return event.get("by") != "agent" and event.get("owner") != "requester"

    @property
    def end(self) -> Happening | None:
        """The end of the resolution."""
        return self.first(*self.ends)

    @property
    def ends(self) -> tuple[str, ...]:
        """What ends a resolution: a stamp; where the case has none, a closing."""
        return ("resolved", "closed_at") if self.kinds & {"resolved", "closed_at"} else ("closed",)

    @property
    def answer(self) -> Happening | None:
        """The first response: the peer's stamp, without any an agent's message."""
        return self.first("first_response" if "first_response" in self.kinds else "agent_message")

    @property
    def start(self) -> Happening | None:
        """Where the first response is measured from, by the rule of the case."""
        starts = ["created"]
        if self.case.rules.get("first_response_start") == "last_handoff_or_reopen":
            starts += ["bot_handoff", "reopened"]
        answer = self.answer
        until = self.happened.index(answer) if answer is not None else len(self.happened)
        return next((each for each in reversed(self.happened[:until]) if each.kind in starts), self.created)

    def pausing(self, status: str | None) -> bool:
        """Whether the clocks stand still in that status."""
        return status in (self.case.given.get("pause_statuses") or ())

    def told(self, verb_of: Callable[[Happening], str], *, since: Happening | None = None, until: Happening | None = None) -> list[Act]:
        """The log for the engine: created with the status of that instant, then verbs and statuses; nothing after `until`.

        Pauses are stretches of time: among what happens at one instant, the status comes first.
        """
        begin = since or self.created
        acts: list[Act] = []
        status, begun, done = OPEN, False, False
        for each in self.happened:
            if until is not None and each.at > until.at:
                break
            changes = each.event.get("status") is not None
            if changes:
                status = STANDING_STILL if self.pausing(each.event["status"]) else OPEN
            if each is begin:
                begun = True
                acts.append(Act(each.at, "create", status))
            elif begun and changes:
                acts.append(Act(each.at, "status", status))
            if begun and not done and (verb := verb_of(each)):
                acts.append(Act(each.at, verb))
            done = done or each is until
        return sorted(acts, key=lambda act: (act.at, _ORDER.get(act.verb, len(_ORDER))))


_ORDER = {"create": 0, "status": 1}


def _first_response(log: Log) -> list[Act]:
    start, answer = log.start, log.answer
    if start is None:
        return []
    after = log.happened[log.happened.index(start) + 1 :]
    end = next((each for each in after if each is answer or each.kind in log.ends), None)
    verb = "agent" if end is answer else "solve"
    return log.told(lambda each: verb if each is end else "", since=start, until=end)


def _next_response(log: Log) -> list[Act]:
    answer = log.answer
    after = log.happened[log.happened.index(answer) :] if answer is not None else ()
    seen = {id(each) for each in after}

    def verb(each: Happening) -> str:
        if each is answer:
            return "agent"
        return _message(each) if id(each) in seen else ""

    return log.told(verb)


def _message(each: Happening) -> str:
    return {"customer_message": "customer", "agent_message": "agent", "agent_note": "note"}.get(each.kind, "")


def _resolution(log: Log) -> list[Act]:
    end = log.end
    return log.told(lambda each: "solve" if each is end else "", until=end)


_LOGS: dict[str, Callable[[Log], list[Act]]] = {
    FIRST_RESPONSE: _first_response,
    NEXT_RESPONSE: _next_response,
    UPDATE: lambda log: log.told(_message),
    KEEP_IN_LOOP: lambda log: log.told(_message),
    RESOLUTION: _resolution,
}


def acts_of(log: Log, clock: str) -> list[Act]:
    """What that clock of the case sees."""
    return _LOGS[clock](log)


def agreement_of(log: Log, clock: str, *, measured: bool = False) -> Agreement | None:
    """What is promised about that clock; None where nothing is. `measured`: it runs in any case."""
    case = log.case
    target = None if log.removed else target_of(case, clock)
    if target is None and not measured:
        return None
    every_contact = clock == UPDATE and case.rules.get("update_timer") == "every_contact"
    return Agreement(
        clock=PAUSABLE_UPDATE if clock == KEEP_IN_LOOP else clock,
        target=target or UNLIMITED,
        calendar=case.calendar,
        pauses=not (clock == FIRST_RESPONSE and case.given.get("first_response_ignores_pauses")),
        options=Options(update_at_every_contact=every_contact, customer_ends_update=clock == KEEP_IN_LOOP),
    )


def target_of(case: Case, clock: str) -> Target | None:
    """The target of a clock, in business time or in working days, with the warning of the case."""
    minutes, days = case.targets.get(f"{clock}_min"), case.targets.get(f"{clock}_working_days")
    if days is not None:
        return Target(0, "case", working_days=days, end_of_working_day=bool(case.targets.get("end_of_working_day")))
    return None if minutes is None else Target(round(minutes * 60_000), "case")


def never_paused_at_the_end(acts: Sequence[Act]) -> list[Act]:
    """The same without the pause that has not ended: a date that stays on the wall counts a pause once it is over."""
    found = list(acts)
    for index in range(len(found) - 1, -1, -1):
        if found[index].verb in ("create", "status"):
            if found[index].value != STANDING_STILL:
                break
            found[index] = replace(found[index], value=OPEN)
    return found
