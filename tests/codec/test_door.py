"""What the door checks beyond the value: key, partition, time against the log."""

from __future__ import annotations

from typing import Any

import pytest

from processor.codec.door import UNKNOWN, Door
from processor.codec.envelope import cloud_event, encode
from processor.core.events import Event, Reason, Rejected, Skipped

AT = 1_795_252_443_120
SKEW = 5000
DOOR = Door("murmur2", 4, SKEW)


def ticket(**over: Any) -> bytes:
    return encode(cloud_event(kind="ticket.deleted", id="E-1", source="/test", occurred_at_ms=AT, data={"ticket_id": "T-1"}) | over)


def control(kind: str, occurred_at_ms: int = AT, **data: Any) -> bytes:
    return encode(cloud_event(kind=kind, id="E-1", source="/test", occurred_at_ms=occurred_at_ms, data=data))


def reason(result: Event | Skipped | Rejected) -> Reason | None:
    return result.reason if isinstance(result, Rejected) else None


def test_a_record_in_order_is_admitted() -> None:
    event = DOOR.admit(ticket(), b"T-1", AT)
    assert isinstance(event, Event)
    assert event.key == "T-1"


def test_what_the_decoder_refuses_is_refused() -> None:
    assert reason(DOOR.admit(None, b"T-1", AT)) is Reason.TOMBSTONE
    assert reason(DOOR.admit(b"{", None, AT)) is Reason.MALFORMED_JSON
    assert reason(Door("any", 4, SKEW, max_bytes=10).admit(ticket(), b"T-1", AT)) is Reason.PAYLOAD_TOO_LARGE


def test_an_event_without_a_key_is_refused() -> None:
    assert reason(DOOR.admit(ticket(), None, AT)) is Reason.NULL_KEY


@pytest.mark.parametrize("key", [b"", b"T-2", b"t-1", b"T-1 ", b"\xff"])
def test_a_key_that_is_not_the_entity_is_refused_without_repeating_it(key: bytes) -> None:
    result = DOOR.admit(ticket(), key, AT)
    assert result == Rejected(Reason.KEY_MISMATCH, "the record's key differs from the id of the ticket that it is about")


def test_keys_are_compared_in_utf8() -> None:
    value = encode(cloud_event(kind="contact.abandoned", id="E", source="/s", occurred_at_ms=AT, data={"contact_id": "Zoë 😀"}))
    assert isinstance(DOOR.admit(value, "Zoë 😀".encode(), AT), Event)
    assert reason(DOOR.admit(value, "Zoë 😀".encode("utf-16"), AT)) is Reason.KEY_MISMATCH


@pytest.mark.parametrize(("timestamp_ms", "expected"), [(AT - SKEW, None), (AT - SKEW - 1, Reason.AHEAD_OF_LOG), (None, None), (-1, None)])
def test_an_event_may_be_ahead_of_the_log_by_the_skew_and_no_more(timestamp_ms: int | None, expected: Reason | None) -> None:
    assert reason(DOOR.admit(ticket(), b"T-1", timestamp_ms)) is expected


@pytest.mark.parametrize("key", [None, b"", b"3", b"anything"])
def test_control_events_come_with_any_key(key: bytes | None) -> None:
    assert isinstance(DOOR.admit(control("source.heartbeat", source="/zendesk"), key, AT), Event)
    assert isinstance(DOOR.admit(control("control.clock_advanced", at="2026-11-21T09:14:03.120Z"), key, AT), Event)


def test_a_control_event_cannot_drag_the_clocks_ahead_of_the_log() -> None:
    advanced = control("control.clock_advanced", at="2026-11-21T09:14:08.121Z")
    result = DOOR.admit(advanced, None, AT)
    assert result == Rejected(Reason.AHEAD_OF_LOG, "data.at: 5001 ms ahead of the record's timestamp, accepted are 5000 ms")
    assert isinstance(DOOR.admit(advanced, None, AT + 1), Event)
    assert isinstance(DOOR.admit(advanced, None, None), Event)
    assert reason(DOOR.admit(control("source.heartbeat", AT + SKEW + 1, source="/s"), None, AT)) is Reason.AHEAD_OF_LOG


def test_unknown_types_are_refused_or_skipped_under_one_name() -> None:
    value = ticket(type="support.ticket.exploded")
    assert reason(DOOR.admit(value, b"T-1", AT)) is Reason.UNKNOWN_TYPE
    assert Door("murmur2", 4, SKEW, unknown_types="skip").admit(value, b"T-1", AT) == Skipped(UNKNOWN)


def test_a_cost_is_about_the_account_that_the_key_names() -> None:
    value = ticket(type="support.cost.recorded", partitionkey="acme", data={"amount": 1, "currency": "EUR"})
    assert isinstance(DOOR.admit(value, b"acme", AT), Event)
    assert DOOR.admit(value, b"T-1", AT) == Rejected(
        Reason.KEY_MISMATCH, "the record's key differs from the id of the account that it is about"
    )
    assert reason(DOOR.admit(value, None, AT)) is Reason.NULL_KEY


def test_the_prefix_is_passed_on() -> None:
    value = ticket(type="com.example.support.ticket.deleted")
    assert isinstance(Door("any", 4, SKEW, prefix="com.example").admit(value, b"T-1", AT), Event)


def test_only_the_partition_of_the_key_is_right() -> None:
    event = DOOR.admit(ticket(), b"T-1", AT)
    assert isinstance(event, Event)
    right = DOOR.partition_of(b"T-1")
    refusals = [DOOR.wrong_partition(event, partition) for partition in range(4)]
    assert refusals[right] is None
    assert all(refusal is not None and refusal.reason is Reason.WRONG_PARTITION for at, refusal in enumerate(refusals) if at != right)


def test_any_partitioner_switches_the_partition_check_off() -> None:
    event = DOOR.admit(ticket(), b"T-1", AT)
    assert isinstance(event, Event)
    assert [Door("any", 4, SKEW).wrong_partition(event, partition) for partition in range(4)] == [None] * 4


def test_control_events_belong_to_every_partition() -> None:
    event = DOOR.admit(control("source.heartbeat", source="/s"), None, AT)
    assert isinstance(event, Event)
    assert [DOOR.wrong_partition(event, partition) for partition in range(4)] == [None] * 4
