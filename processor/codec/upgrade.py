"""Older forms of stored state, brought into today's.

Records of all versions may lie side by side in a state topic: what has not changed since is not written anew, only the marker is. So each
record is recognised by itself: what is frozen is a list, and later versions only ever put fields behind those that there were.

    version 2: what is handed from entity to entity. A ticket has when its customer began to wait, the waits handed to it, an answer by a
               contact before its creation, and the ticket that it was merged into; a contact has its ticket; a clock counts open time
               per calendar; the marker has how far the other partitions have come, and what was reported.
    version 3: the dimensions language, product and complexity; more fields of events; what is said in a ticket, how it gets on, its other
               clocks and surveys; agents and times of a contact. What a ticket or contact went through before is not known and is not made
               up: effort, turns and first contact resolution of such tickets are left out.
    version 4: what sleeps is packed, with what follows from it (`core.sleep`).
    version 5: rows and cells are lists, see `amounts`; tickets that nap have a record, too. Nothing need be made of older ones.
    version 6: a record of what is postponed (`core.postponed`); the marker says whether history is read. Older ones lack both.
"""

from __future__ import annotations

from typing import Any

from processor.core.conversation import OUTGOING
from processor.core.events import DATA_FIELDS
from processor.core.settings import DIMENSIONS, MINUTE_MS, NONE

OLDEST_VERSION = 1  # that can still be read
UPGRADED_FROM = "upgraded_from"  # the entry of a marker that was written by a forerunner: until the next one is written

_TICKET_FIELDS = {1: 23, 2: 27}
_CONTACT_FIELDS = {1: 9, 2: 10}
_CLOCK_FIELDS_V1 = 11
# Where things stand in a frozen ticket, contact, clock or fact.
_CREATED_AT, _STATUS, _DIMS, _REPLIED, _SOLVES, _REOPENS, _SOLVED_AT = 0, 4, 5, 8, 11, 12, 17
_TICKET_CLOCKS = (9, 10)  # first response, resolution
_STANDING, _SUSPENDED, _ASKED_AT, _HANDED = 19, 20, 23, 24
_CONTACT_DIMS, _CONTACT_OFFERED_AT, _CONTACT_LEG, _CONTACT_FATE = 1, 2, 4, 5
_STARTED_AT = 2
_FACT_DIMS = 3

_ANSWERED = 1  # the fate of a contact


def upgrade_event(kind: str, data: list[Any]) -> list[Any]:
    """What an event says, with the fields that came later."""
    return [*data, *[None] * (len(DATA_FIELDS.get(kind, ())) - len(data))]


def upgrade_base(kind: str, base: Any) -> Any:
    """The frozen state of an entity: "t" for a ticket, "c" for a contact; others are as they were from the beginning."""
    if base is None:
        return None
    if kind == "t" and len(base) in _TICKET_FIELDS.values():
        return _ticket(list(base))
    if kind == "c" and len(base) in _CONTACT_FIELDS.values():
        return _contact(list(base))
    return base


def _ticket(fields: list[Any]) -> list[Any]:
    for place in _TICKET_CLOCKS:
        fields[place] = _clock(fields[place])
    if len(fields) == _TICKET_FIELDS[1]:
        first = fields[_TICKET_CLOCKS[0]]
        fields += [first[_STARTED_AT] if first else 0, [], None, None]
    fields[_DIMS] = _dims(fields[_DIMS])
    for place in (_STANDING, _SUSPENDED):
        fields[place] = [_fact(fact) for fact in fields[place]]
    solved = fields[_STATUS] in ("solved", "closed")
    if fields[_REPLIED] or solved:
        fields[_HANDED] = []  # nobody waits any more
    conversation = [0, False, None, 0, 0, None, OUTGOING] if fields[_CREATED_AT] else None
    solve = [fields[_SOLVED_AT], None, None, None] if fields[_SOLVES] else None
    since = fields[_ASKED_AT] or fields[_CREATED_AT]
    progress = [since, 0, 0, None, 0, 0, 0, 0, None, fields[_REOPENS] > 0, solve, 0, True] if fields[_CREATED_AT] else None
    # Since when an answer is waited for, other clocks, surveys; inbound, assignee ("" = not for the first time), requester, predecessor,
    # contacts that were handed over; then those two, and when first contact resolution is settled.
    return [*fields, 0, None, None, True, "", None, None, [], conversation, progress, None]


def _contact(fields: list[Any]) -> list[Any]:
    fields[_CONTACT_LEG] = _clock(fields[_CONTACT_LEG])
    if len(fields) == _CONTACT_FIELDS[1]:
        fields.append(None)
    fields[_CONTACT_DIMS] = _dims(fields[_CONTACT_DIMS])
    answered_at = fields[_CONTACT_OFFERED_AT] if fields[_CONTACT_FATE] == _ANSWERED else None
    # Requester, what was handed to him, how often; initiated, callback, end; accepted, by whom, talks since, talked, spent; handled; offers
    # to agents, missed ones; bot, contained.
    return [*fields, None, None, 0, True, False, None, answered_at, None, None, 0, [None, None, None], None, 0, 0, 0, None]


def _dims(dims: list[str]) -> list[str]:
    return [*dims, *[NONE] * (len(DIMENSIONS) - len(dims))]


def _fact(fact: list[Any]) -> list[Any]:
    """A fact that was stated: its content stays as it was, so that it is this very fact that is taken back."""
    return [*fact[:_FACT_DIMS], _dims(fact[_FACT_DIMS]), *fact[_FACT_DIMS + 1 :]]


def _clock(clock: Any) -> Any:
    """A clock of version 1 counted all open time by the calendar that it had last."""
    if clock is None or len(clock) != _CLOCK_FIELDS_V1:
        return clock
    return [*clock, 0, clock[_STARTED_AT]]


def upgrade_marker(marker: dict[str, Any], version: int) -> dict[str, Any]:
    """A marker of any version from OLDEST_VERSION on, in the form of `version`, which is today's; it tells which one it had."""
    until = marker.get("timer_time", 0)
    # It had something from the beginning on, though nothing of it was reported: who takes it for empty before now counts too little.
    never = [min(until, 1), until // MINUTE_MS * MINUTE_MS]
    since, sent_until, *taken_until = marker.get("reported", never)
    reported = [since, sent_until, *(taken_until or [sent_until])]  # those that waited were not written down at first
    written_by = min(marker["state_version"], marker.get(UPGRADED_FROM, version))
    upgraded = {UPGRADED_FROM: written_by} if written_by < version else {}
    return {"upstream": {}, "history": False, **marker, "reported": reported, "state_version": version, **upgraded}
