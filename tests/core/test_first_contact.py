"""What first contact resolution remembers and hands over: bounded, taken back where it still can be, the same after a restart."""

from __future__ import annotations

from processor.core.engine import Engine
from processor.core.events import Event, rank_of
from processor.core.first_contact import HANDED_MAX
from processor.core.settings import DAY_MS, HOUR_MS, Settings
from processor.core.ticket import Ticket

START = 1_772_442_000_000
CREATED = ("email", "new", "normal", "inbound", None, None, "billing", None, None, "eve", None, None, None, None)


def event(at: int, kind: str, data: tuple[object, ...] = (), number: int = 0) -> Event:
    return Event(at, rank_of(kind), "", "desk", f"{kind}-{at}-{number}", kind, "T-1", data)


def handed(engine: Engine) -> list[tuple[int, str, str]]:
    """Sign, kind and what is said first beside the source."""
    return [(each.sign, each.kind, each.data[1]) for each in engine.drain().rekeyed]


def ticket_of(engine: Engine) -> Ticket:
    state = engine.entities["ticket"]["T-1"].state
    assert isinstance(state, Ticket)
    return state


def test_a_ticket_remembers_only_so_many_of_its_topics() -> None:
    engine = Engine(Settings())
    engine.apply(event(START, "ticket.created", CREATED))
    for number in range(50):
        engine.apply(event(START + number + 1, "ticket.fields_changed", ((("topic", f"topic-{number}"),),)))
    assert len(handed(engine)) == 51
    assert len(ticket_of(engine).contacts) == HANDED_MAX
    engine.apply(event(START + HOUR_MS, "ticket.marked_as_spam"))
    assert handed(engine) == [(-1, "person.contacted", f"topic-{number}") for number in range(50 - HANDED_MAX, 50)]


def test_a_discard_takes_back_what_is_not_settled_and_a_restore_tells_it_again() -> None:
    engine = Engine(Settings())
    engine.apply(event(START, "ticket.created", CREATED))
    engine.apply(event(START + HOUR_MS, "ticket.fields_changed", ((("topic", "shipping"),),)))
    engine.drain()
    engine.apply(event(START + DAY_MS + 1, "ticket.deleted"))
    assert handed(engine) == [(-1, "person.contacted", "shipping")]
    engine.apply(event(START + 2 * DAY_MS, "ticket.marked_as_spam"))
    assert handed(engine) == []
    engine.apply(event(START + 2 * DAY_MS + 1, "ticket.restored"))
    assert handed(engine) == []
    engine.apply(event(START + 2 * DAY_MS + 2, "ticket.unmarked_as_spam"))
    assert handed(engine) == [(1, "person.contacted", "shipping")]


def test_what_is_frozen_thaws_to_the_same() -> None:
    engine = Engine(Settings(auto_close_at_last_reply=True))
    engine.apply(event(START, "ticket.created", (*CREATED[:8], "ann", "eve", "T-0", None, None, None)))
    engine.apply(event(START + 1, "ticket.bot_handed_off"))
    engine.apply(event(START + 2, "ticket.escalated", ("hierarchical",)))
    engine.apply(event(START + 3, "message.added", ("m1", "agent", "public", False, "bob")))
    engine.apply(event(START + 4, "ticket.status_changed", ("solved", None, True)))
    engine.apply(event(START + 5, "ticket.status_changed", ("open", None, None)))
    engine.apply(event(START + 6, "ticket.work_logged", (90, None, None)))
    state = ticket_of(engine)
    again = Ticket.thaw(state.freeze(), state.policies)
    assert again.freeze() == state.freeze()
    assert again.conversation is not None
    assert again.progress is not None
    assert again.progress.reopening == (1, START + 5, 1)
