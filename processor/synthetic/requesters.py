"""Which acts of tickets tell their requesters that they are there, as it turns out: spam and what was merged away soon was no contact.

A ticket tells its requester when it is created or restored, and when it is about another topic or requester; also at a solution long after.
What it told within the lateness that is allowed before it was discarded, it never told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processor.core.settings import Settings
from processor.synthetic.ticket_notes import SOLVED

_TOPIC = 4  # its place among the dimensions


class Told(NamedTuple):
    """What one ticket tells: its requester, and the ticket that it follows."""

    requester: str | None
    topic: str
    since: int
    followed: str | None = None


@dataclass(slots=True)
class _Ticket:
    """What is known of a ticket so far."""

    requester: str | None = None
    followed: str | None = None
    topic: str = ""
    since: int = 0  # when it was created; 0: it tells nobody
    solved: bool = False
    flags: set[str] = field(default_factory=set)
    told: list[tuple[int, int]] = field(default_factory=list)  # when, and the number of the act


def told_requesters(acts: Iterable[tuple[int, int, str, str, tuple[Any, ...]]], settings: Settings) -> dict[int, Told]:
    """By the number of the act. The acts in the order of time; those of people are called otherwise."""
    found: dict[int, Told] = {}
    tickets: dict[str, _Ticket] = {}
    for at, number, name, act, content in acts:
        if act not in _ACTS:
            continue
        ticket = tickets.setdefault(name, _Ticket())
        before = (ticket.requester, ticket.topic)
        tells = _entered(ticket, at, act, content)
        if act == "discard":
            settled_before = at - settings.allowed_lateness
            for _, withdrawn in (each for each in ticket.told if each[0] >= settled_before):
                found.pop(withdrawn, None)
            ticket.told = []
        elif act in ("change", "identify"):
            tells = (ticket.requester, ticket.topic) != before
        elif act == "set_status":
            tells = tells and at - max((told_at for told_at, _ in ticket.told), default=0) > settings.repeat_window
        if tells and ticket.since and not ticket.flags and (ticket.requester or ticket.followed):
            followed = ticket.followed if act in ("create", "restore") else None
            found[number] = Told(ticket.requester, ticket.topic, ticket.since, followed)
            ticket.told.append((at, number))
    return found


_ACTS = frozenset({"create", "change", "identify", "discard", "restore", "set_status"})


def _entered(ticket: _Ticket, at: int, act: str, content: tuple[Any, ...]) -> bool:
    """Take over what the act says; whether it tells somebody, as far as that depends on the act alone."""
    if act == "create":
        dims, _, inbound, ticket.requester, ticket.followed = content
        ticket.topic, ticket.since = dims[_TOPIC], at if inbound else 0
        return True
    if act == "change":
        ticket.topic = content[0][_TOPIC]
    elif act == "identify":
        (ticket.requester,) = content
    elif act == "discard":
        ticket.flags.add(content[0])
    elif act == "restore":
        ticket.flags.discard(content[0])
        return True
    else:
        was_solved, ticket.solved = ticket.solved, content[0] in SOLVED
        return ticket.solved and not was_solved
    return False
