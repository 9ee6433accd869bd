"""What a move delivers, states and refuses. That it changes no number is a law, see tests/laws/test_moving.py."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.outputs import Rekeyed
from processor.core.settings import DAY_MS, MINUTE_MS, Settings
from processor.core.ticket import Ticket
from processor.export.snapshot import compare
from processor.state_tools.file import StoredPartition
from processor.state_tools.moving import Moved, MoveError, engine_of, move, shown
from tests.codec.stored import go_on, stored
from tests.codec.test_upgrade import assert_shows, caught_up, restored, settings_of
from tests.laws.worlds import SETTINGS, START, URGENT
from tests.state_tools.joined import Partitions

CREATED = ("email", "new", "urgent", "inbound", *(None,) * 10)


def created(key: str, at: int) -> Event:
    return Event(at, 0, "", "a", f"created-{key}", "ticket.created", key, CREATED)


def merged(key: str, into: str, at: int) -> Event:
    return Event(at, 3, "", "a", f"merged-{key}", "ticket.merged", key, (into,))


def keys_on(partitions: Partitions, number: int, count: int) -> list[str]:
    """Ids of tickets that live there."""
    return [key for key in (f"T-{each}" for each in range(1000)) if partitions.place(key) == number][:count]


def lived() -> tuple[Partitions, str, str]:
    """A ticket merged into one of another partition, which has not heard of it; and a third ticket, younger, on a partition ahead."""
    partitions = Partitions(SETTINGS, 2)
    (source,), (target, ahead) = keys_on(partitions, 0, 1), keys_on(partitions, 1, 2)
    partitions.apply(created(source, START))
    partitions.apply(created(target, START + 30_000))
    partitions.apply(merged(source, target, START + 40_000))
    partitions.apply(created(ahead, START + 50_000))
    partitions.engines[0].advance(START + 40_000)
    partitions.engines[1].advance(START + 80_000)
    for number in partitions.engines:
        partitions.step(number)
    return partitions, source, target


def engines_of(moved: Moved, settings: Settings = SETTINGS) -> list[Engine]:
    """The new partitions as workers would take them over."""
    count = len(moved.partitions)
    return [engine_of(settings, each.number, count, each.marker, each.records) for each in moved.partitions]


def test_what_was_on_its_way_is_delivered() -> None:
    partitions, source, target = lived()
    moved = move(SETTINGS, partitions.stored(), 5)
    assert moved.delivered == 1
    ticket = next(each.entities["ticket"][target] for each in engines_of(moved) if target in each.entities["ticket"]).state
    assert isinstance(ticket, Ticket)
    assert ticket.handed[source][0] == START
    assert moved.differences() == []


def test_what_is_handed_over_once_more_counts_once() -> None:
    """By a partition whose exported state is older than what it had handed over; taken back once, it is gone."""
    partitions, source, target = lived()
    moved = move(SETTINGS, partitions.stored(), 1)
    (engine,) = engines_of(moved)
    (handed,) = [each for each in engine.entities["ticket"][target].tail if each.kind == "ticket.wait_handed"]
    again = Rekeyed(1, handed.kind, target, int(handed.id.rpartition("/")[2], 16), handed.occurred_at, handed.data)
    assert again.event() == handed
    before = shown([engine])
    engine.apply_rekeyed(again)
    assert compare(before, shown([engine])) == []
    engine.apply_rekeyed(replace(again, sign=-1))
    state = engine.entities["ticket"][target].state
    assert isinstance(state, Ticket)
    assert state.handed == {}
    assert source in engine.entities["ticket"]


def test_deadlines_that_pass_in_the_move_state_their_facts_where_the_ticket_goes() -> None:
    partitions = Partitions(SETTINGS, 2)
    (behind,), (ahead,) = keys_on(partitions, 0, 1), keys_on(partitions, 1, 1)
    partitions.apply(created(behind, START))
    partitions.apply(created(ahead, START + 3 * MINUTE_MS))
    partitions.engines[1].advance_by_log()
    for number in partitions.engines:
        partitions.step(number)
    moved = move(SETTINGS, partitions.stored(), 3)
    assert [(stated.key, stated.fact.kind) for each in moved.partitions for stated in each.facts] == [(behind, "clock.breached")]
    (place,) = [each.number for each in moved.partitions if each.facts]
    assert behind in engines_of(moved)[place].entities["ticket"]
    assert {(each.stream_time, each.timer_time) for each in engines_of(moved)} == {
        (START + 3 * MINUTE_MS, START + 3 * MINUTE_MS - SETTINGS.timer_delay)
    }


def test_deadlines_that_were_postponed_state_their_facts_in_the_move() -> None:
    partitions = Partitions(SETTINGS, 2)
    (late,) = keys_on(partitions, 0, 1)
    for engine in partitions.engines.values():
        engine.patient = True
        engine.advance(START + DAY_MS)
    partitions.apply(created(late, START))
    partitions.step(0)
    assert partitions.engines[0].postponed
    moved = move(SETTINGS, partitions.stored(), 3)
    assert {(stated.key, stated.fact.kind) for each in moved.partitions for stated in each.facts} == {(late, "clock.breached")}
    assert not any(key[0] == "o" for each in moved.partitions for key in each.records)


def test_in_the_middle_of_history_nobody_promises_more_than_the_log_says() -> None:
    """Else what one of the new partitions hands over later would come too late for another."""
    partitions = Partitions(SETTINGS, 2)
    partitions.finish(START + 30 * DAY_MS)
    for number in partitions.engines:
        partitions.apply(created(keys_on(partitions, number, 1)[0], START + number))
        partitions.step(number)
    for each in move(SETTINGS, partitions.stored(), 3).partitions:
        assert each.marker["history"]
        assert set(each.marker["upstream"]) == {"0", "1", "2"}
        assert all(heartbeat[1] == START + 1 for heartbeat in each.marker["upstream"].values())


def test_sums_go_to_the_old_number_and_entities_to_their_own() -> None:
    partitions, *_ = lived()
    moved = move(SETTINGS, partitions.stored(), 5)
    assert [bool(each.view.ledger_count) for each in moved.partitions] == [True, True, False, False, False]
    for each in engines_of(moved):
        assert all(Partitions(SETTINGS, 5).place(key) == each.partition for key in each.entities["ticket"])


def test_every_partition_of_the_backlog_still_adds_up() -> None:
    partitions, *_ = lived()
    for engine in engines_of(move(SETTINGS, partitions.stored(), 5)):
        assert "support_backlog_identity_error_tickets" not in shown([engine])["metrics"]


def test_entities_stay_where_they_are_when_nobody_can_tell_where_they_belong() -> None:
    partitions = Partitions(SETTINGS, 2)
    for engine in partitions.engines.values():  # as producers with a partitioner of their own place them
        engine.apply(created("T-1", START))
    for number in partitions.engines:
        partitions.step(number)
    moved = move(SETTINGS, partitions.stored(), 2, stay=True)
    assert [len(each.entities["ticket"]) for each in engines_of(moved)] == [1, 1]
    with pytest.raises(MoveError, match="ticket T-1 lies on two partitions"):
        move(SETTINGS, partitions.stored(), 1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (replace(SETTINGS, allowed_lateness=1000), "allowed_lateness was 600000 and is 1000"),
        (replace(SETTINGS, policies=(URGENT,)), "policy business version 1 is gone"),
    ],
)
def test_a_configuration_that_contradicts_the_state_is_refused(settings: Settings, words: str) -> None:
    partitions, *_ = lived()
    with pytest.raises(MoveError, match=words):
        move(settings, partitions.stored(), 2)


def test_a_state_of_version_1_can_be_moved() -> None:
    old = stored(1)
    settings = settings_of(old)
    partitions = [StoredPartition(number, orjson.loads(marker), old.records[number]) for number, marker in old.markers.items()]
    moved = move(settings, partitions, 2)
    assert moved.differences() == []
    engines = dict(enumerate(engines_of(moved, settings)))
    go_on(engines, old.log, old.until)
    stayed = caught_up(old, restored(old))
    go_on(stayed, old.log, old.until)
    assert compare(shown(list(stayed.values())), shown(list(engines.values())), partitions=False) == []
    assert_shows(stayed, old.at_end)
