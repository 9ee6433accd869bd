"""Events, times and policies in the words of the explanation. People are left out: who wrote is told as agent, customer or bot."""

from __future__ import annotations

from typing import Any

from processor.codec.envelope import format_time
from processor.codec.kinds import TYPES
from processor.core.business_hours import NEVER
from processor.core.events import CONTACT, DATA_FIELDS, HANDED_FIELDS, Event
from processor.core.facts import HANDED_KINDS
from processor.core.settings import Policy, Target

PEOPLE = frozenset({"author_id", "assignee_id", "requester_id", "respondent_id", "agent_id"})
_SECONDS = frozenset({"wait"})
_TIMES = frozenset({"since", "merged_at"})


def time_of(at: int | None) -> str | None:
    """An instant, or nothing."""
    return None if at is None or at >= NEVER else format_time(at)


def told(event: Event | None) -> dict[str, Any] | None:
    """An event, as far as an explanation needs it; None for what came about by itself, because time passed."""
    if event is None:
        return None
    if event.kind in HANDED_KINDS:
        giver = event.data[0]
        if event.kind == "ticket.contact_answered":
            giver = f"{CONTACT} {giver}"
        elif event.kind == "ticket.contacted_again":
            giver = whom(event.data[1])
        else:
            giver = f"ticket {giver}"
        says = _said(HANDED_FIELDS[event.kind][1:], event.data[1:])
        return {"type": event.kind, "time": format_time(event.occurred_at), "handed_by": giver, "says": says}
    return {
        "type": f"support.{TYPES[event.kind][0]}",
        "time": format_time(event.occurred_at),
        "id": event.id,
        "source": event.source,
        "says": _said(DATA_FIELDS[event.kind], event.data),
    }


def whom(key: str) -> str:
    """A ticket, or "contact:ID" for a contact."""
    return f"contact {key.removeprefix('contact:')}" if key.startswith("contact:") else f"ticket {key}"


def _said(names: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in zip(names, values, strict=False):
        if name == "changes":
            said |= {changed: new for changed, new in value if changed not in PEOPLE}
        elif value is not None and name not in PEOPLE:
            said[name] = value / 1000 if name in _SECONDS else format_time(value) if name in _TIMES else value
    return said


def terms_told(policy: Policy | None, target: Target | None, allowed: int, suffix: str = "") -> dict[str, Any]:
    """By what a clock is measured: `policy` and `target`."""
    return {f"policy{suffix}": _policy(policy), f"target{suffix}": _target(target, allowed)}


def _policy(policy: Policy | None) -> dict[str, Any] | None:
    """Which version of which policy, and since when that is in force; no time: from the beginning."""
    if policy is None:
        return None
    since = format_time(policy.effective_from) if policy.effective_from > 0 else None
    return {"id": policy.id, "version": policy.version, "in_force_since": since}


def _target(target: Target | None, allowed: int) -> dict[str, Any] | None:
    """What a clock may take, in open time of which calendar; no calendar: around the clock."""
    if target is None:
        return None
    by_date = {"working_days": target.working_days, "end_of_working_day": target.end_of_working_day} if target.working_days else {}
    return {"seconds": allowed / 1000, "calendar": target.calendar, **by_date}
