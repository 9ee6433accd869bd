"""What is told of a clock: every change has the event behind it, time is told where none was, and the due instant since it was known."""

from __future__ import annotations

from typing import Any

import pytest

from processor.core.engine import Engine
from processor.core.events import Event
from processor.core.exchange import Exchange
from processor.core.settings import Policy, Settings, Target
from processor.explain import ExplainError, Kept, explain
from processor.explain.sentences import duration
from processor.explain.words import lines, when_in
from tests.scenarios.words import berlin, event_of, policy_of, take_time
from tests.scenarios.words import duration as ms

STANDARD = "default first_response=1h resolution=2h pause.resolution=pending"


def settings_of(*policies: str) -> Settings:
    return Settings(calendars={"berlin": berlin()}, policies=tuple(policy_of(each.split()) for each in policies or (STANDARD,)))


def engine_of(settings: Settings, *said: str) -> Engine:
    engine = Engine(settings)
    exchange = Exchange({0: engine}, lambda _key: 0)
    for number, line in enumerate(said, 1):
        at, rest = take_time(line)
        if rest == "clock":
            engine.advance(at)
        else:
            key, *words = rest.split()
            engine.apply(event_of(at, key, words, number))
        while exchange.deliver(0, engine.drain()):
            pass
    return engine


def kept(engine: Engine, key: str) -> Kept:
    found = Kept.by(engine, key)
    assert found is not None
    return found


def told(*said: str, policies: tuple[str, ...] = (), key: str = "T-1", at: str | None = None) -> dict[str, Any]:
    engine = engine_of(settings_of(*policies), *said)
    return explain(kept(engine, key), engine.policies, at=take_time(at)[0] if at else None)


def clock(explained: dict[str, Any], name: str, instance: int = 1) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = (each for each in explained["clocks"] if (each["clock"], each["instance"]) == (name, instance))
    return found


def changes(explained: dict[str, Any], name: str) -> list[tuple[str, str | None]]:
    """What happened, and the type of the event behind it."""
    return [(each["what"], each["because"] and each["because"]["type"]) for each in clock(explained, name)["changes"]]


def test_each_change_names_its_event_and_a_deadline_names_none() -> None:
    explained = told("09:00 T-1 created", "09:30 T-1 status pending", "12:00 T-1 status open", "14:00 T-1 status solved")
    assert changes(explained, "resolution") == [
        ("started", "support.ticket.created"),
        ("paused", "support.ticket.status_changed"),
        ("resumed", "support.ticket.status_changed"),
        ("breached", None),
        ("fulfilled", "support.ticket.status_changed"),
    ]
    resolution = clock(explained, "resolution")
    assert (resolution["verdict"], resolution["breached"]["induced"], resolution["breached"]["because"]) == ("late", False, None)
    assert [(each["state"], each["counted_seconds"]) for each in resolution["segments"]] == [
        ("running", 1800),
        ("paused", 0),
        ("running", 7200),
    ]
    assert resolution["active_seconds"] == 9000
    assert (resolution["due_at"], resolution["due_known_since"]) == ("2026-03-02T13:30:00.000Z", "2026-03-02T12:00:00.000Z")


def test_a_breach_by_a_change_of_priority_is_induced_by_that_event() -> None:
    policies = ("urgent priority=urgent first_response=5m resolution=10m", STANDARD)
    explained = told("09:00 T-1 created", "09:30 T-1 priority urgent", policies=policies)
    first = clock(explained, "first_response")
    assert (first["verdict"], first["breached"]["induced"]) == ("breached", True)
    assert first["breached"]["because"]["says"] == {"priority": "urgent"}
    (changed,) = (each for each in first["changes"] if each["what"] == "policy_changed")
    assert (changed["policy_before"]["id"], changed["policy"]["id"], changed["target"]["seconds"]) == ("default", "urgent", 300)


def test_a_breach_is_told_by_the_policy_that_applied_then_and_not_by_one_that_came_later() -> None:
    policies = ("urgent priority=urgent first_response=20s", STANDARD)
    explained = told("09:00 T-1 created", "11:00 T-1 priority urgent", "11:30 clock", policies=policies)
    first = clock(explained, "first_response")
    assert (first["policy"]["id"], first["target"]["seconds"]) == ("urgent", 20)
    breached = first["breached"]
    assert (breached["at"], breached["policy"]["id"], breached["target"]["seconds"]) == ("2026-03-02T10:00:00.000Z", "default", 3600)
    text = list(lines(explained, when_in("UTC")))
    (line,) = (each for each in text if each.startswith("  breached"))
    assert line.endswith("; measured by policy default, version 1, in force from the beginning; target 1 h around the clock")
    assert any(each.strip().startswith("before that policy default, version 1") for each in text)


def test_a_customer_waits_since_the_first_message_also_in_a_ticket_that_was_merged_into_this_one() -> None:
    explained = told("08:00 T-2 created", "09:00 T-1 created", "09:10 T-2 merged T-1", "09:30 clock")
    assert explained["now"]["waits_since"] == "2026-03-02T08:00:00.000Z"
    merged = told("08:00 T-2 created", "09:00 T-1 created", "09:10 T-2 merged T-1", "09:30 clock", key="T-2")
    assert merged["now"]["waits_since"] is None  # it waits elsewhere
    answered = told("08:00 T-2 created", "09:00 T-1 created", "09:10 T-2 merged T-1", "09:20 T-1 agent", "09:30 clock")
    assert answered["now"]["waits_since"] is None


def test_time_is_counted_in_the_open_hours_of_the_target() -> None:
    explained = told("Fri 15:00 T-1 created", "Mon+1w 15:00 clock", policies=("default resolution=8h@berlin",))
    resolution = clock(explained, "resolution")
    assert resolution["segments"][0]["counted_seconds"] == 8 * 3600
    assert (resolution["target"]["calendar"], resolution["verdict"]) == ("berlin", "breached")


def test_a_reopen_goes_on_with_the_same_instance_and_takes_back_what_the_solve_said() -> None:
    explained = told("09:00 T-1 created", "10:00 T-1 status solved", "11:00 T-1 status open", "11:30 T-1 status solved")
    resolution = clock(explained, "resolution")
    assert [what for what, _ in changes(explained, "resolution")] == ["started", "fulfilled", "reopened", "fulfilled"]
    assert [each["state"] for each in resolution["segments"]] == ["running", "paused", "running"]
    assert (resolution["active_seconds"], resolution["verdict"]) == (5400, "in_time")
    first = next(each for each in explained["outcomes"] if each["kind"] == "ticket.completed")
    assert not first["stands"]
    assert first["taken_back_by"]["says"]["status"] == "open"


def test_spam_cancels_for_now_and_a_restore_takes_that_back() -> None:
    spam = told("09:00 T-1 created", "09:10 T-1 spam")
    assert clock(spam, "resolution")["suspended"] == "spam"
    assert (spam["now"]["counted"], spam["now"]["not_counted_because"]) == (False, ["spam"])
    back = told("09:00 T-1 created", "09:10 T-1 spam", "09:20 T-1 not-spam")
    assert clock(back, "resolution")["suspended"] is None
    assert [what for what, _ in changes(back, "resolution")] == ["started", "suspended", "restored"]


def test_what_is_handed_over_names_who_did() -> None:
    explained = told("08:00 T-2 created", "09:00 T-1 created", "09:30 T-2 merged T-1", "09:40 T-1 agent")
    first = clock(explained, "first_response")
    (moved,) = (each for each in first["changes"] if each["what"] == "start_moved")
    assert moved["because"]["handed_by"] == "ticket T-2"
    assert (first["started_at"], first["active_seconds"]) == ("2026-03-02T08:00:00.000Z", 6000)
    assert first["breached"]["induced"]
    assert "the wait handed over by ticket T-2" in "\n".join(lines(explained, str))


def test_the_answer_of_a_contact_names_the_contact() -> None:
    explained = told("09:00 T-1 created", "09:01 C-7 queued channel=phone ticket_id=T-1", "09:02 C-7 accepted A-1")
    assert clock(explained, "first_response")["ended"]["because"]["handed_by"] == "contact C-7"


def test_first_contact_resolution_tells_its_reasons() -> None:
    explained = told(
        "09:00 T-1 created requester_id=P-1 topic=billing", "09:10 T-1 agent", "09:20 T-1 customer", "09:30 T-1 agent",
        "09:40 T-1 status solved", "Tue 09:00 T-2 created requester_id=P-1 topic=billing",
    )  # fmt: skip
    verdict = explained["first_contact"]
    assert (verdict["verdict"], verdict["provisional"]) == ("not_resolved", True)
    assert {each["code"]: each for each in verdict["reasons"]}.keys() == {"more_turns", "contacted_again"}
    assert verdict["reasons"][-1]["by"] == ["ticket T-2"]


def test_as_it_was_leaves_out_what_came_later() -> None:
    explained = told("09:00 T-1 created", "09:30 T-1 agent", "12:00 T-1 status solved", at="09:10")
    assert (explained["later_events"], [each["verdict"] for each in explained["clocks"]]) == (2, ["open", "open"])
    assert clock(explained, "resolution")["active_seconds"] == 600
    with pytest.raises(ExplainError, match=r"first event is of 2026-03-02T09:00:00"):
        told("09:00 T-1 created", at="08:00")


def test_what_is_no_longer_kept_is_told_from_the_state() -> None:
    settings = settings_of()
    engine = engine_of(settings, "09:00 T-1 created", "09:30 T-1 status pending", "10:00 T-1 status open", "Fri 09:00 T-9 created")
    engine.advance_by_log()
    engine.sweep()
    assert not kept(engine, "T-1").tail
    explained = explain(kept(engine, "T-1"), engine.policies)
    resolution = clock(explained, "resolution")
    assert explained["kept_since"] == "2026-03-02T10:00:00.000Z"
    assert [(each["state"], each["began_by"]["type"]) for each in resolution["segments"]] == [
        ("running", "stored"), ("paused", "stored"), ("running", "stored"),
    ]  # fmt: skip
    assert resolution["verdict"] == "breached"
    assert "are no longer kept" in "\n".join(lines(explained, str))
    with pytest.raises(ExplainError, match="no longer kept"):
        explain(kept(engine, "T-1"), engine.policies, at=take_time("09:10")[0])


def test_nobody_is_named() -> None:
    explained = told("09:00 T-1 created requester_id=P-1 assignee_id=A-1", "09:10 T-1 agent", "09:20 T-1 assigned A-2")
    assert not {"P-1", "A-1", "A-2"} & set(str(explained).replace("'", " ").split())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.25, "0.25 s"), (59, "59 s"), (60, "1 min"), (3661, "1 h 1 min 1 s"), (90_000, "1 d 1 h"), (None, "unknown")],
)
def test_durations_are_short(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_an_event_at_the_very_end_counts() -> None:
    settings = Settings(policies=(Policy("p", 1, 0, {}, {"resolution": Target(ms("1h"))}, {}),))
    event: Event = event_of(take_time("09:00")[0], "T-1", ["created"], 1)
    explained = explain(Kept("T-1", None, 0, (event,), 0), Engine(settings).policies)
    assert explained["as_of"] == "2026-03-02T09:00:00.000Z"
