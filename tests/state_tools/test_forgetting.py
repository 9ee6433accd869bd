"""What is erased of a person, what is kept, and that no number changes."""

from __future__ import annotations

from dataclasses import replace

from processor.codec.state import decode_record
from processor.core.engine import Engine
from processor.core.events import Event, Rejected
from processor.core.facts import erased
from processor.core.settings import MINUTE_MS
from processor.core.ticket import Ticket
from processor.export.snapshot import Difference, compare
from processor.state_tools.forgetting import Findings, forget
from processor.state_tools.moving import shown
from tests.laws.worlds import SETTINGS, START
from tests.state_tools.joined import Partitions

CREATED = ("email", "new", "normal", "inbound", "anna", None, "billing", None, "anna", "anna", None, None, None, None)


def event(minute: int, kind: str, key: str, data: tuple[object, ...]) -> Event:
    return Event(START + minute * MINUTE_MS, 0 if kind == "ticket.created" else 2, "", "a", f"{kind}-{minute}", kind, key, data)


LOG = [
    event(0, "ticket.created", "T-1", CREATED),
    event(1, "ticket.assignee_changed", "T-1", ("anna",)),
    event(2, "ticket.assignee_changed", "T-1", ("bert",)),
    event(3, "contact.queued", "C-1", ("phone", "anna", "billing", None, "anna")),
    event(4, "contact.offered", "C-1", ("anna",)),
    event(5, "contact.accepted", "C-1", ("anna",)),
    event(6, "ticket.created", "anna", CREATED[:4] + (None,) * 10),
    event(7, "message.added", "T-1", ("M-1", "agent", "public", False, "anna")),
    event(8, "ticket.survey_sent", "T-1", ("S-1", "nps", "anna")),
    event(9, "ticket.survey_responded", "T-1", ("S-1", "nps", 3, 0, 10, "anna", None, None)),
    event(10, "agent.state_changed", "anna", ("busy", "anna", "phone", None)),
    event(11, "person.article_viewed", "anna", ("V-1", "KB-1")),
    event(12, "ticket.fields_changed", "T-1", ((("topic", "anna"), ("requester_id", "anna")),)),
    event(13, "ticket.created", "T-2", (*CREATED[:6], "anna", *CREATED[7:])),
]


def lived() -> Partitions:
    partitions = Partitions(SETTINGS, 1)
    for each in LOG:
        partitions.apply(each)
    partitions.finish(START + 14 * MINUTE_MS)
    return partitions


def again(partitions: Partitions, store: dict[bytes, bytes]) -> Engine:
    engine = Engine(SETTINGS, 0, 1)
    for _ in engine.restore(partitions.engines[0].marker(), [decode_record(key, value) for key, value in store.items()]):
        pass
    return engine


def differences(engine: Engine, partitions: Partitions) -> list[Difference]:
    """In which numbers they differ; who is forgotten is not at work any more."""
    found = compare(shown([engine]), shown(list(partitions.engines.values())))
    return [each for each in found if each.where != "support_agents"]


def without(store: dict[bytes, bytes], findings: Findings) -> dict[bytes, bytes]:
    """The records after those of the findings were written."""
    changed = {key: value for key, value in findings.changed.items() if value is not None}
    return {key: value for key, value in (store | changed).items() if findings.changed.get(key, value) is not None}


ERASED = {
    "ticket.created: assignee_id": 2,
    "ticket.created: requester_id": 2,
    "ticket.assignee_changed: assignee_id": 1,
    "ticket.fields_changed: requester_id": 1,
    "ticket.survey_sent: respondent_id": 1,
    "ticket.survey_responded: respondent_id": 1,
    "ticket.contacted_again: source": 2,
    "message.added: author_id": 1,
    "contact.queued: requester_id": 1,
    "contact.offered: agent_id": 1,
    "contact.accepted: agent_id": 1,
}


def test_people_are_erased_and_no_number_changes() -> None:
    partitions = lived()
    findings = forget(partitions.stores[0], "anna")
    assert {what: count for what, count in findings.erased.items() if not what.endswith("its records")} == ERASED
    store = without(partitions.stores[0], findings)
    assert forget(store, "anna").erased == {}
    engine = again(partitions, store)
    assert engine.digest
    assert differences(engine, partitions) == []
    held = [held for entities in engine.entities.values() for entity in entities.values() for held in entity.tail]
    assert [each.data for each in held if each.kind == "ticket.assignee_changed"] == [(erased("anna"),), ("bert",)]


def test_what_a_person_is_remembered_for_goes() -> None:
    partitions = lived()
    findings = forget(partitions.stores[0], "anna")
    assert findings.erased["agent: its records"] == 1
    assert findings.erased["person: its records"] > 1
    engine = again(partitions, without(partitions.stores[0], findings))
    assert not engine.entities["agent"]
    assert not engine.entities["person"]


def test_what_was_stated_of_an_agent_can_still_be_taken_back() -> None:
    """A fact with an agent in it, that a later event disproves."""
    partitions = lived()
    engine = again(partitions, without(partitions.stores[0], forget(partitions.stores[0], "anna")))
    bounced = event(14, "message.bounced", "T-1", ("M-1",))
    for each in (engine, partitions.engines[0]):
        each.apply(bounced)
    assert engine.digest == partitions.engines[0].digest
    assert differences(engine, partitions) == []


def test_settled_states_are_erased_too() -> None:
    partitions = Partitions(SETTINGS, 1)
    for each in LOG:
        partitions.apply(each)
    for minute in (200, 400):  # what happened before is settled
        partitions.apply(event(minute, "contact.initiated", f"C-{minute}", ("phone", None, None, None, None)))
        partitions.finish(START + minute * MINUTE_MS)
        partitions.engines[0].sweep()
        partitions.step(0)
    bases = {key for key in partitions.stores[0] if key.startswith((b"h|t|T-", b"h|c|"))}
    assert bases
    findings = forget(partitions.stores[0], "anna")
    assert findings.erased["settled state of a ticket"] == 2
    store = without(partitions.stores[0], findings)
    assert forget(store, "anna").erased == {}
    engine = again(partitions, store)
    assert differences(engine, partitions) == []
    for entity in engine.entities["ticket"].values():
        state = entity.state or Ticket.thaw(entity.base, engine.policies)
        assert isinstance(state, Ticket)
        assert "anna" not in (state.assignee, state.requester)


def test_what_numbers_depend_on_is_kept_and_told() -> None:
    findings = forget(lived().stores[0], "anna")
    assert findings.entities == {"ticket", "person", "agent"}
    assert findings.kept["key of the ticket's records"] == 1
    assert findings.kept["ticket.created: group"] == 2
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
    store = without(partitions.stores[0], forget(partitions.stores[0], "anna"))
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
    assert ERASED.items() <= forget(partitions.stores[0], "anna").erased.items()
