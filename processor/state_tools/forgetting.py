"""Erasing a person from stored state: pure, no broker.

A person may be an agent, a requester, a respondent, a visitor. In stored events and settled states their id is replaced by what facts have
of it, a pseudonym, so that digest and numbers stay and a later correction still takes back what was stated. The records of the person's own
timeline go: what it is remembered for (who came back, who answered, who is at work) begins anew. Where the same id stands for something
else (the group, the queue, the ticket) it is kept, and said where.

Of two events with one id the smaller content stays, and an erased id is smaller than one that begins with a letter or a digit. So when an
erased event is delivered once more, within the time in which repeats are recognised, the erased one stays, and the repeat is rejected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from processor.codec.state import ENTITY_FORMS, decode_record, encode_record
from processor.core.events import AGENT, CONTACT, DATA_FIELDS, HANDED_FIELDS, PERSON, TICKET, Event
from processor.core.facts import erased, pseudonym
from processor.core.packing import dumps, pack, unpack
from processor.core.settings import DIMENSIONS
from processor.core.sleep import Sleeping

PERSON_FIELDS = frozenset({"assignee_id", "agent_id", "requester_id", "author_id", "respondent_id"})
PERSONS = frozenset({PERSON, AGENT})  # entities that are people
# Where settled states name people: places in what `freeze` returns. Of a ticket its surveys, assignee, requester, and what was handed to
# the requester; of a contact its requester, and what was handed to it.
PERSON_PLACES = {TICKET: (29, 31, 32, 34), CONTACT: (10, 11)}

_FIELDS = DATA_FIELDS | HANDED_FIELDS


@dataclass(slots=True)
class Findings:
    """What was found of an id in some state: where it is erased, where it is kept, and the records to write."""

    changed: dict[bytes, bytes | None] = field(default_factory=dict)
    erased: Counter[str] = field(default_factory=Counter)  # "contact.accepted: agent_id" -> how often
    kept: Counter[str] = field(default_factory=Counter)
    entities: set[str] = field(default_factory=set)  # "ticket" and so on, where the id is one of theirs

    def add(self, others: Findings) -> None:
        """Take in what was found elsewhere; the records to write stay there."""
        self.erased.update(others.erased)
        self.kept.update(others.kept)
        self.entities |= others.entities


def forget(records: Mapping[bytes, bytes], person: str) -> Findings:
    """Look through the records of a partition."""
    findings = Findings()
    plain, spelled = person.encode(), orjson.dumps(person)[1:-1]  # in JSON, quotes and the like are spelled otherwise
    hashed = pseudonym(person).encode()
    for key, value in records.items():
        if spelled in value or plain in key or spelled in key:
            _look(findings, key, value, person)
        elif key[:1] == b"r" and hashed in value:
            findings.kept["pseudonym among those that are counted once"] += 1
    return findings


def _look(findings: Findings, name: bytes, stored: bytes, person: str) -> None:
    key, value = decode_record(name, stored)
    form = key[0]
    changed: Any = value
    if form in ENTITY_FORMS and key[-1] == person:
        findings.entities.add(key[1])
        if key[1] in PERSONS:
            findings.changed[name] = None
            findings.erased[f"{key[1]}: its records"] += 1
            return
        findings.kept[f"key of the {key[1]}'s records"] += 1
    if form == "e":
        changed = _without(findings, value, person)
    elif form == "o" or (isinstance(value, Sleeping) and not value.packed):
        pass  # nothing but instants
    elif isinstance(value, Sleeping):
        settled = unpack(value.packed)
        remaining = _settled_without(findings, key[1], settled, person)
        if remaining is not settled:
            changed = value._replace(packed=pack(dumps(remaining)))
    elif form == "h":
        changed = _settled_without(findings, key[1], value, person)
    elif person in (key[4] if form == "r" else key[1]):
        findings.kept["label of counted amounts"] += 1
    if changed is not value:
        findings.changed[name] = encode_record(key, changed)[1]


def _settled_without(findings: Findings, kind: str, value: Any, person: str) -> Any:
    """A base without the person; itself where it has none."""
    base, last, next_serial = value
    parts = list(base or ())
    for place in PERSON_PLACES.get(kind, ()):
        parts[place] = _replaced(parts[place], person)
    changed = tuple(parts)
    if changed != tuple(base or ()):
        findings.erased[f"settled state of a {kind}"] += 1
    if _mentions(changed, person):
        findings.kept[f"settled state of a {kind}"] += 1
    return value if changed == tuple(base or ()) else (changed, last, next_serial)


def _without(findings: Findings, event: Event, person: str) -> Event:
    """The event without the person in the fields that name people; itself where none does."""
    names = _FIELDS.get(event.kind, ())
    data = list(event.data)
    for index, value in enumerate(data):
        field_name = names[index] if index < len(names) else "data"
        if not _mentions(value, person):
            continue
        if field_name in PERSON_FIELDS:
            data[index] = erased(person)
            findings.erased[f"{event.kind}: {field_name}"] += 1
        elif field_name == "changes" and ("requester_id", person) in value:
            data[index] = tuple((name, erased(person) if (name, said) == ("requester_id", person) else said) for name, said in value)
            findings.erased[f"{event.kind}: requester_id"] += 1
        elif event.kind == "ticket.contacted_again" and field_name == "source":
            data[index] = erased(person)  # the person who came back; it stands before the event's id, too
            event = event._replace(id=event.id.replace(person, erased(person), 1))
            findings.erased[f"{event.kind}: {field_name}"] += 1
        else:
            findings.kept[f"{event.kind}: {field_name}"] += 1
    for field_name in ("source", "id", "sequence"):
        if getattr(event, field_name) == person:
            findings.kept[f"{field_name} of an event"] += 1
    return event if tuple(data) == event.data else event._replace(data=tuple(data))


def _replaced(value: Any, person: str) -> Any:
    """The value with the erased id for the person's, except in dimensions, where it is the name of a group or the like."""
    if isinstance(value, tuple | list):
        labels = len(value) == len(DIMENSIONS) and all(isinstance(each, str) for each in value)
        return value if labels else tuple(_replaced(each, person) for each in value)
    return erased(person) if value == person else value


def _mentions(value: Any, person: str) -> bool:
    if isinstance(value, tuple | list):
        return any(_mentions(each, person) for each in value)
    return bool(value == person)
