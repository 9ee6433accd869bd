"""What an engine leaves behind, and what it becomes again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, Policy, Settings, Target
from processor.core.sleep import Sleeping

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
CREATED = ("email", "new", "normal", "inbound", *(None,) * 10)
POLICY = Policy("default", 1, 0, {}, {"first_response": Target(HOUR_MS)}, {})


def event(at: int, kind: str = "ticket.created", key: str = "T1", data: tuple[Any, ...] = CREATED) -> Event:
    return Event(at, 0 if kind == "ticket.created" else 1, "", "a", f"{kind}@{at}", kind, key, data)


def drained(engine: Engine) -> dict[tuple[Any, ...], Any]:
    return {key: value for key, value in engine.drain().records.items() if value is not None}


def restored(settings: Settings, marker: dict[str, Any], records: dict[tuple[Any, ...], Any]) -> Engine:
    """Keys and values as JSON gives them back: lists for tuples. Events are decoded again by the codec."""
    engine = Engine(settings)

    def as_json(value: Any) -> Any:
        return value if isinstance(value, Sleeping) else json.loads(json.dumps(value, default=tuple))

    stored = [(tuple(as_json(key)), value if key[0] == "e" else as_json(value)) for key, value in records.items()]
    for _ in engine.restore(marker, stored):
        pass
    return engine


def test_a_drained_record_is_of_its_own_instant() -> None:
    engine = Engine(Settings())
    engine.apply(event(START))
    records = engine.drain().records
    before = json.dumps([[key, value] for key, value in records.items()])
    engine.apply(event(START + 1, key="T2"))
    assert json.dumps([[key, value] for key, value in records.items()]) == before


def test_state_whose_policy_was_removed_is_refused_with_its_name() -> None:
    engine = Engine(Settings(policies=(POLICY,)))
    engine.apply(event(START))
    for kind, data in (("message.added", ("M1", "agent", "public", False, None)), ("ticket.status_changed", ("solved", None, None))):
        engine.apply(event(START + MINUTE_MS, kind, data=data))
    engine.apply(event(START + 15 * DAY_MS, key="T2"))
    engine.advance_by_log()
    engine.sweep()
    records = drained(engine)
    with pytest.raises(LookupError, match="policy default version 1"):
        restored(Settings(), engine.marker(), records)
    newer = replace(POLICY, version=2, effective_from=START + DAY_MS)
    assert restored(Settings(policies=(POLICY, newer)), engine.marker(), records).digest == engine.digest


def test_a_stub_is_one_record() -> None:
    engine = Engine(Settings(policies=(POLICY,)))
    engine.apply(event(START))
    engine.apply(event(START + HOUR_MS, "ticket.status_changed", data=("solved", None, None)))
    engine.apply(event(START + 15 * DAY_MS, key="T2"))
    engine.advance_by_log()
    engine.sweep()
    assert list(engine.stubs) == ["T1"]
    assert [key for key in drained(engine) if key[0] in "eh" and key[-1] == "T1"] == [("h", "ticket", "T1")]


def test_a_restart_does_not_write_stubs_anew() -> None:
    engine = Engine(Settings(policies=(POLICY,)))
    engine.apply(event(START))
    engine.apply(event(START + HOUR_MS, "ticket.status_changed", data=("solved", None, None)))
    engine.apply(event(START + 15 * DAY_MS, key="T2"))
    engine.advance_by_log()
    engine.sweep()
    again = restored(engine.settings, engine.marker(), drained(engine))
    assert list(again.stubs) == ["T1"]
    again.apply(event(START + 16 * DAY_MS, key="T3"))
    again.sweep()
    assert not [key for key in again.drain().records if key[-1] == "T1"]
    again.apply(event(START + 16 * DAY_MS, "ticket.status_changed", data=("open", None, None)))
    assert [stated.fact.kind for stated in again.drain().facts if stated.key == "T1"] == [
        "ticket.reopened", "ticket.completed", "ticket.summarized", "backlog.entered",
    ]  # fmt: skip


def test_a_sweep_after_a_long_silence_is_spread_over_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processor.core.ageing.SWEEPS_MAX", 2)
    engine = Engine(Settings())
    for number in range(5):
        engine.apply(event(START, "contact.queued", f"C{number}", ("phone", "q", None, None, None)))
        engine.apply(event(START + 1, "contact.abandoned", f"C{number}", (None,)))
    engine.apply(event(START + 15 * DAY_MS))
    sizes = []
    for _ in range(4):
        sizes.append(len(engine.entities["contact"]))
        engine.sweep()
    assert sizes == [5, 3, 1, 0]


def test_too_many_stubs_are_forgotten_oldest_first() -> None:
    engine = Engine(Settings(max_stubs=1))
    for number, key in enumerate(("T1", "T2")):
        engine.apply(event(START + number * HOUR_MS, key=key))
        engine.apply(event(START + number * HOUR_MS + 1, "ticket.status_changed", key=key, data=("closed", None, None)))
    engine.apply(event(START + 15 * DAY_MS, key="T3"))
    engine.advance_by_log()
    engine.sweep()
    assert list(engine.stubs) == ["T2"]
    assert set(engine.entities["ticket"]) == {"T2", "T3"}


def test_a_ticket_is_remembered_while_a_twin_of_its_last_event_may_come() -> None:
    def outcome(sweeping: bool) -> object:
        engine = Engine(Settings())
        gone_at = START + 92 * DAY_MS  # spam is gone after the horizon and twice the lateness
        engine.apply(event(START))
        engine.apply(event(START, "ticket.marked_as_spam", data=()))
        engine.apply(event(gone_at - HOUR_MS, "ticket.status_changed", data=("open", None, None))._replace(id="twin"))
        engine.apply(event(gone_at + DAY_MS + 2, key="T2"))
        if sweeping:
            engine.sweep()
        return engine.apply(event(gone_at + 2, "ticket.status_changed", data=("pending", None, None))._replace(id="twin"))

    refusals = [outcome(sweeping=True), outcome(sweeping=False)]
    assert [getattr(refusal, "reason", None) for refusal in refusals] == ["conflicting_duplicate"] * 2


def test_time_never_goes_backwards() -> None:
    engine = Engine(Settings(policies=(POLICY,)))
    engine.apply(event(START))
    engine.advance(START + 2 * HOUR_MS)
    facts = len(engine.drain().facts)
    engine.advance(START)
    assert facts
    assert engine.timer_time == START + 2 * HOUR_MS
    assert not engine.drain().facts


def test_the_next_deadline_is_known_and_never_too_late() -> None:
    engine = Engine(Settings(policies=(POLICY,)))
    engine.apply(event(START))
    assert engine.next_deadline() == START + HOUR_MS
    engine.advance(START + HOUR_MS)
    assert engine.next_deadline() > START + HOUR_MS


def test_control_events_move_clocks_only() -> None:
    engine = Engine(Settings(policies=(POLICY,)))
    engine.apply(event(START))
    engine.apply(Event(START + 1, 1, "", "a", "c", "control.clock_advanced", "", (START + HOUR_MS,)))
    engine.apply(Event(START + 2, 1, "", "a", "h", "source.heartbeat", "", ("a",)))
    assert (engine.stream_time, engine.timer_time) == (START + 2, START + HOUR_MS)
    assert [stated.fact.kind for stated in engine.drain().facts] == ["ticket.created", "backlog.entered", "clock.breached"]


def test_a_contact_that_expires_unseen_behind_a_quiet_event_no_longer_waits() -> None:
    """The deadline passes inside the step of an event that itself says nothing; levels must follow all the same."""
    engine = Engine(Settings())
    engine.apply(event(START, "contact.queued", "C1", ("phone", "q", None, None, None)))
    engine.apply(event(START + 8 * DAY_MS, "contact.wrapped_up", "C1", (3,)))
    assert not [key for key in engine.view().levels if key[0] == "waiting"]


def test_control_events_are_never_too_late() -> None:
    """A heartbeat with an old time is a sign of life all the same; it moves nothing back and is no dead letter."""
    engine = Engine(Settings())
    assert engine.apply(Event(10 * DAY_MS, 0, "", "/a", "1", "ticket.created", "T1", CREATED)) is None
    assert engine.apply(Event(1, 1, "", "/a", "2", "source.heartbeat", "", ("/a",))) is None
    assert engine.stream_time == 10 * DAY_MS
    assert engine.counts["control"] == 1
    assert engine.counts["late"] == 0
