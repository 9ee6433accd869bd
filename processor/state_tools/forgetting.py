"""Erasing a person from stored state: pure, no broker.

No number depends on who an agent was, so the fields that name people are emptied in the stored events, and digest and numbers stay. Where
the same id stands for something else (the group, the queue, the ticket) numbers do depend on it: it is kept, and said where.

Of two events with one id the smaller content stays, and an empty id is smaller than one that begins with a letter or a digit. So when an
erased event is delivered once more, within the time in which repeats are recognised, the erased one stays, and the repeat is rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from processor.codec.state import decode_record, encode_record
from processor.core.events import DATA_FIELDS, HANDED_FIELDS, Event

PERSON_FIELDS = frozenset({"assignee_id", "agent_id", "requester_id", "author_id"})
FORGOTTEN = ""

_FIELDS = DATA_FIELDS | HANDED_FIELDS


@dataclass(slots=True)
class Findings:
    """What was found of an id in some state: where it is erased, where it is kept, and the records to write."""

    changed: dict[bytes, bytes] = field(default_factory=dict)
    erased: Counter[str] = field(default_factory=Counter)  # "contact.accepted: agent_id" -> how often
    kept: Counter[str] = field(default_factory=Counter)
    entities: set[str] = field(default_factory=set)  # "ticket" and "contact", where the id is one of theirs

    def add(self, others: Findings) -> None:
        """Take in what was found elsewhere; the records to write stay there."""
        self.erased.update(others.erased)
        self.kept.update(others.kept)
        self.entities |= others.entities


def forget(records: Mapping[bytes, bytes], person: str) -> Findings:
    """Look through the records of a partition."""
    findings = Findings()
    plain, spelled = person.encode(), orjson.dumps(person)[1:-1]  # in JSON, quotes and the like are spelled otherwise
    for key, value in records.items():
        if spelled in value or plain in key or spelled in key:
            _look(findings, key, value, person)
    return findings


def _look(findings: Findings, name: bytes, stored: bytes, person: str) -> None:
    key, value = decode_record(name, stored)
    form = key[0]
    if form in ("e", "h") and key[-1] == person:
        findings.entities.add(key[1])
        findings.kept[f"key of the {key[1]}'s records"] += 1
    if form == "e":
        event = _without(findings, value, person)
        if event is not value:
            _, encoded = encode_record(key, event)
            assert encoded is not None
            findings.changed[name] = encoded
    elif form == "h":
        if _mentions(value, person):
            findings.kept[f"settled state of a {key[1]}"] += 1
    elif person in (key[4] if form == "r" else key[1]):
        findings.kept["label of counted amounts"] += 1


def _without(findings: Findings, event: Event, person: str) -> Event:
    """The event with the fields emptied that name the person; itself where none does."""
    names = _FIELDS.get(event.kind, ())
    data = list(event.data)
    for index, value in enumerate(data):
        field_name = names[index] if index < len(names) else "data"
        if not _mentions(value, person):
            continue
        if field_name in PERSON_FIELDS:
            data[index] = FORGOTTEN
            findings.erased[f"{event.kind}: {field_name}"] += 1
        else:
            findings.kept[f"{event.kind}: {field_name}"] += 1
    for field_name in ("source", "id", "sequence"):
        if getattr(event, field_name) == person:
            findings.kept[f"{field_name} of an event"] += 1
    return event if tuple(data) == event.data else event._replace(data=tuple(data))


def _mentions(value: Any, person: str) -> bool:
    if isinstance(value, tuple | list):
        return any(_mentions(each, person) for each in value)
    return bool(value == person)
