"""The explanation of one ticket, as a document for programs; `words` says the same for people. Schema: support.explanation.v1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from processor.codec.envelope import format_time
from processor.core.clocks import CANCELLED, FULFILLED, Clock
from processor.core.engine import Engine
from processor.core.events import TICKET, Event
from processor.core.facts import Fact
from processor.core.handovers import MERGED, waits_since
from processor.core.policies import Policies
from processor.core.postponed import told_until
from processor.core.settings import DIMENSIONS
from processor.core.sleep import tail_of
from processor.core.ticket import DELETED, SPAM, Ticket
from processor.core.watching import WatchedTicket, watch
from processor.explain import first_contact
from processor.explain.outcomes import corrections, outcomes_of, shown
from processor.explain.stories import STATES, STORED, Story, counted, stories_of
from processor.explain.telling import terms_told, time_of, told

_FLAGS = {SPAM: "spam", DELETED: "deleted", MERGED: "merged"}


class ExplainError(Exception):
    """The ticket cannot be explained; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a ticket: its frozen state before the kept events, when that was, those events, and how far its deadlines passed."""

    key: str
    base: Any
    base_at: int
    tail: tuple[Event, ...]
    timer_time: int

    @classmethod
    def by(cls, engine: Engine, ticket: str) -> Kept | None:
        """What an engine keeps of it; None where it knows no such ticket."""
        entity = engine.entities[TICKET].get(ticket)
        if entity is None:
            return None
        base_at = entity.base_last[0] if entity.base_last else 0
        return cls(ticket, entity.base, base_at, tuple(tail_of(engine, entity)[0]), told_until(engine, entity))


def explain(
    kept: Kept,
    policies: Policies,
    *,
    at: int | None = None,
    rejected: Sequence[dict[str, Any]] = (),
    history: Sequence[tuple[int, Fact, str]] = (),
) -> dict[str, Any]:
    """Why its numbers are what they are at `at`: without it, as far as time has passed.

    `rejected` are events about it that were not folded, `history` what was stated of it, as (sign, fact, id of the event behind it).
    """
    if at is not None and kept.base is not None and at < kept.base_at:
        raise ExplainError(
            f"events until {format_time(kept.base_at)} are no longer kept: give a later --at, or explain it from a recorded log"
        )
    reached = max([kept.timer_time, *(event.occurred_at for event in kept.tail)])
    as_of = kept.timer_time if at is None else min(at, reached)
    tail = [event for event in kept.tail if at is None or event.occurred_at <= at]
    if not tail and kept.base is None:
        first = min(event.occurred_at for event in kept.tail) if kept.tail else kept.timer_time
        raise ExplainError(f"nothing had happened to {kept.key} by then; its first event is of {format_time(first)}")
    ticket = watch(kept.base, kept.base_at, tail, as_of, policies)
    as_of = max([as_of, *(event.occurred_at for event in tail)])
    before = Ticket.thaw(kept.base, policies) if kept.base is not None else None
    standing = before.standing if before is not None and not before.flags else []
    outcomes = outcomes_of(ticket.steps, standing)
    stories = [story for story in stories_of(ticket.steps, policies) if story.measured]
    counting = {(outcome.fact.content[0], outcome.fact.instance) for outcome in outcomes if outcome.stands and _ends_clock(outcome.fact)}
    events = {event.id: event for event in kept.tail if event.source}
    return {
        "ticket": kept.key,
        "as_of": format_time(as_of),
        "kept_since": time_of(kept.base_at) if kept.base is not None else None,
        "now": _now(ticket),
        "events": [told(event) for event in tail],
        "later_events": len(kept.tail) - len(tail),
        "clocks": [_clock(story, as_of, policies, counting) for story in stories],
        "first_contact": first_contact.verdict(ticket, outcomes, tail),
        "outcomes": [outcome.document() for outcome in outcomes if shown(outcome)],
        "corrections": corrections(list(history), ticket.steps, events) if at is None else [],
        "rejected": list(rejected),
    }


def answer(kept: Kept, policies: Policies, partition: int, at: int | None) -> tuple[int, dict[str, Any]]:
    """What a server says: HTTP status and document."""
    try:
        return 200, {**explain(kept, policies, at=at), "partition": partition}
    except ExplainError as error:
        return 400, {"error": str(error), "reason": "not_kept"}


def _ends_clock(fact: Fact) -> bool:
    return fact.kind in ("clock.fulfilled", "clock.cancelled", "clock.breached")


def _now(ticket: WatchedTicket) -> dict[str, Any]:
    flags = [name for flag, name in _FLAGS.items() if ticket.flags & flag]
    return {
        "status": ticket.status,
        "created_at": time_of(ticket.created_at or None),
        "creation_seen": ticket.known,
        "counted": ticket.in_population,
        "not_counted_because": flags or ([] if ticket.engaged else ["outbound, and the customer has not written"]),
        "waits_since": time_of(waits_since(ticket) or None) if ticket.in_population and not ticket.solved else None,
        "policy_id": ticket.policy_id,
        "dimensions": {name: value for name, value in zip(DIMENSIONS, ticket.dims, strict=True) if name != "queue"},
    }


def _clock(story: Story, as_of: int, policies: Policies, counting: set[tuple[str, int]]) -> dict[str, Any]:
    clock = story.clock
    due, known_since = story.due_known()
    ended = clock.state in (FULFILLED, CANCELLED)
    elapsed = story.elapsed(as_of, policies)
    unknown = elapsed != story.active(as_of, policies)  # under which policies the time counted that is no longer kept
    breach = next((change for change in reversed(story.changes) if change["what"] in ("breached", "stored")), None)
    end = next((change for change in reversed(story.changes) if change["what"] in ("fulfilled", "cancelled")), None)
    return {
        "clock": clock.name,
        "instance": clock.instance,
        **terms_told(clock.policy, clock.target, clock.allowed),
        "state": STATES[clock.state],
        "verdict": _verdict(story),
        "counted": (clock.name, clock.instance) in counting if ended or clock.breached_at is not None else story.suspended is None,
        "suspended": story.suspended,
        "started_at": time_of(clock.started_at),
        "active_seconds": elapsed / 1000,
        "due_at": time_of(due),
        "due_known_since": time_of(known_since),
        "breached": _breached(clock, breach),
        "ended": None
        if not ended
        else {
            "at": time_of(story.end[0]) if story.end else None,
            "reason": story.end[1] if story.end else None,
            "because": end["because"] if end else {"type": "stored"},
        },
        "segments": [
            {
                "from": time_of(each.begin),
                "to": time_of(each.end),
                "state": "running" if each.running else "paused",
                "counted_seconds": None if unknown and each.began is STORED else counted(each, as_of, policies) / 1000,
                "calendar": each.target.calendar if each.target is not None else None,
                "began_by": each.began,
                "ended_by": each.ended,
            }
            for each in story.stretches
            if each.end is None or each.end > each.begin
        ],
        "changes": story.changes,
    }


def _breached(clock: Clock, change: dict[str, Any] | None) -> dict[str, Any] | None:
    """When and why, and by which terms: a policy that came to apply later is not the one that it breached."""
    if clock.breached_at is None:
        return None
    breach = {"at": time_of(clock.breached_at), "induced": clock.induced, "because": change["because"] if change else None}
    if change is not None and change["what"] == "breached":
        breach |= {"policy": change["policy"], "target": change["target"]}
    return breach


def _verdict(story: Story) -> str:
    """in_time, late (ended, but after its breach), breached (and still open), cancelled, or open."""
    clock = story.clock
    if clock.target is None:
        return "not_measured"
    late = clock.breached_at is not None
    if clock.state == FULFILLED:
        return "late" if late else "in_time"
    if clock.state == CANCELLED:
        return "breached_then_cancelled" if late else "cancelled"
    return "breached" if late else "open"
