"""What is erased of a person, what is kept, and that no number changes."""

from __future__ import annotations

from dataclasses import replace

from processor.codec.state import decode_record
from processor.core.engine import Engine
from processor.core.events import Event, Rejected
from processor.core.settings import MINUTE_MS
from processor.export.snapshot import compare
from processor.state_tools.forgetting import forget
from processor.state_tools.moving import shown
from tests.laws.worlds import SETTINGS, START
from tests.state_tools.joined import Partitions

CREATED = ("email", "new", "normal", "inbound", "anna", None, "billing", None, "anna")


def event(minute: int, kind: str, key: str, data: tuple[object, ...]) -> Event:
    return Event(START + minute * MINUTE_MS, 0 if kind == "ticket.created" else 2, "", "a", f"{kind}-{minute}", kind, key, data)


LOG = [
    event(0, "ticket.created", "T-1", CREATED),
    event(1, "ticket.assignee_changed", "T-1", ("anna",)),
    event(2, "ticket.assignee_changed", "T-1", ("bert",)),
    event(3, "contact.queued", "C-1", ("phone", "anna", None, None)),
    event(4, "contact.offered", "C-1", ("anna",)),
    event(5, "contact.accepted", "C-1", ("anna",)),
    event(6, "ticket.created", "anna", CREATED[:4] + (None,) * 5),
]


def lived() -> Partitions:
    partitions = Partitions(SETTINGS, 1)
    for each in LOG:
        partitions.apply(each)
    partitions.finish(START + 7 * MINUTE_MS)
    return partitions


def again(partitions: Partitions, store: dict[bytes, bytes]) -> Engine:
    engine = Engine(SETTINGS, 0, 1)
    for _ in engine.restore(partitions.engines[0].marker(), [decode_record(key, value) for key, value in store.items()]):
        pass
    return engine


def test_people_are_erased_and_no_number_changes() -> None:
    partitions = lived()
    findings = forget(partitions.stores[0], "anna")
    assert findings.erased == {
        "ticket.created: assignee_id": 1,
        "ticket.assignee_changed: assignee_id": 1,
        "contact.offered: agent_id": 1,
        "contact.accepted: agent_id": 1,
    }
    store = partitions.stores[0] | findings.changed
    assert forget(store, "anna").erased == {}
    engine = again(partitions, store)
    assert engine.digest
    assert compare(shown([engine]), shown(list(partitions.engines.values()))) == []
    held = [held for entities in engine.entities.values() for entity in entities.values() for held in entity.tail]
    assert [each.data for each in held if each.kind == "ticket.assignee_changed"] == [("",), ("bert",)]


def test_what_numbers_depend_on_is_kept_and_told() -> None:
    findings = forget(lived().stores[0], "anna")
    assert findings.entities == {"ticket"}
    assert findings.kept["key of the ticket's records"] == 1
    assert findings.kept["ticket.created: group"] == 1
    assert findings.kept["contact.queued: queue"] == 1
    assert findings.kept["label of counted amounts"] > 1


def test_a_stranger_is_found_nowhere() -> None:
    findings = forget(lived().stores[0], "ann")
    assert (findings.changed, findings.erased, findings.kept, findings.entities) == ({}, {}, {}, set())


def test_ids_that_json_escapes_are_found_too() -> None:
    for person in ("änne", 'a"b', "a\\b", "a/b", "日本"):
        partitions = Partitions(SETTINGS, 1)
        partitions.apply(event(1, "ticket.assignee_changed", "T-1", (person,)))
        partitions.finish(START)
        findings = forget(partitions.stores[0], person)
        assert findings.erased == {"ticket.assignee_changed: assignee_id": 1}, person


def test_a_repeat_of_an_erased_event_does_not_bring_the_id_back() -> None:
    partitions = lived()
    store = partitions.stores[0] | forget(partitions.stores[0], "anna").changed
    engine = again(partitions, store)
    before = shown([engine])
    outcome = engine.apply(LOG[1])
    assert isinstance(outcome, Rejected)
    assert before["digest"] == shown([engine])["digest"]
    assert not any(record is not None and "anna" in str(record) for key, record in engine.drain().records.items() if key[0] == "e")


def test_settings_do_not_matter() -> None:
    """A person is found whatever the group-bys are."""
    partitions = Partitions(replace(SETTINGS, group_bys=((),)), 1)
    for each in LOG:
        partitions.apply(each)
    partitions.finish(START)
    assert sum(forget(partitions.stores[0], "anna").erased.values()) == 4
