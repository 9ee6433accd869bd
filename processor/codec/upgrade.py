"""Older forms of stored state, brought into today's.

Records of all versions may lie side by side in a state topic: what has not changed since is not written anew, only the marker is. So each
record is recognised by itself: what is frozen is a list, and later versions only ever put fields behind those that there were.

    version 2: what is handed from entity to entity. A ticket has when its customer began to wait, the waits handed to it, an answer by a
               contact before its creation, and the ticket that it was merged into; a contact has its ticket; a clock counts open time
               per calendar; the marker has how far the other partitions have come, and what was reported.
"""

from __future__ import annotations

from typing import Any

from processor.core.settings import MINUTE_MS

OLDEST_VERSION = 1  # that can still be read

_TICKET_FIELDS_V1 = 23
_CONTACT_FIELDS_V1 = 9
_CLOCK_FIELDS_V1 = 11
_TICKET_CLOCKS = (9, 10)  # where the clocks stand in a frozen ticket: first response, resolution
_CONTACT_LEG = 4
_STARTED_AT = 2  # in a clock


def upgrade_base(kind: str, base: Any) -> Any:
    """The frozen state of a ticket ("t") or a contact ("c")."""
    if base is None:
        return None
    clocks = _TICKET_CLOCKS if kind == "t" else (_CONTACT_LEG,)
    fields = [_clock(value) if index in clocks else value for index, value in enumerate(base)]
    if kind == "t" and len(fields) == _TICKET_FIELDS_V1:
        first = fields[_TICKET_CLOCKS[0]]
        fields += [first[_STARTED_AT] if first else 0, [], None, None]
    elif kind == "c" and len(fields) == _CONTACT_FIELDS_V1:
        fields.append(None)
    return fields


def _clock(clock: Any) -> Any:
    """A clock of version 1 counted all open time by the calendar that it had last."""
    if clock is None or len(clock) != _CLOCK_FIELDS_V1:
        return clock
    return [*clock, 0, clock[_STARTED_AT]]


def upgrade_marker(marker: dict[str, Any], version: int) -> dict[str, Any]:
    """A marker of any version from OLDEST_VERSION on, in the form of `version`, which is today's."""
    until = marker.get("timer_time", 0)
    # It had something from the beginning on, though nothing of it was reported: who takes it for empty before now counts too little.
    never = [min(until, 1), until // MINUTE_MS * MINUTE_MS]
    since, sent_until, *taken_until = marker.get("reported", never)
    reported = [since, sent_until, *(taken_until or [sent_until])]  # those that waited were not written down at first
    return {"upstream": {}, **marker, "reported": reported, "state_version": version}
