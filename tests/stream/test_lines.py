"""Lines and records: what goes out is what came in, byte by byte, whatever the bytes."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.stream.lines import Headers, Outgoing, capture_line, read_line

maybe_bytes = st.none() | st.binary(max_size=60)
headers_of_any_kind = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=10), maybe_bytes), max_size=3)


@given(st.integers(0, 99), st.integers(0, 2**62), st.integers(0, 2**42), maybe_bytes, headers_of_any_kind, maybe_bytes)
def test_a_captured_record_is_read_back_exactly(
    partition: int, offset: int, timestamp_ms: int, key: bytes | None, headers: Headers, value: bytes | None
) -> None:
    line = capture_line(partition, offset, timestamp_ms, key, headers, value)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_line(line[:-1]) == Outgoing(partition, key, value, headers)


@given(st.binary())
def test_any_line_at_all_is_sent_and_none_raises(line: bytes) -> None:
    record = read_line(line)
    assert record.value == line
    assert record.flaw is not None
    assert record.key is None


def test_a_capture_line_of_text_holds_the_text_itself() -> None:
    document = orjson.loads(capture_line(1, 2, 3, b"T-1", [("a", b"b")], b'{"x": 1}'))
    assert document == {"partition": 1, "offset": 2, "timestamp": 3, "key": "T-1", "headers": [["a", "b"]], "value": '{"x": 1}'}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'{"type": "support.ticket.created", "partitionkey": "T-1", "data": {"ticket_id": "T-2"}}', b"T-1"),
        (b'{"type": "support.ticket.created", "data": {"ticket_id": "T-2"}}', b"T-2"),
        (b'{"type": "com.example.support.contact.queued", "data": {"contact_id": "C-1", "ticket_id": "T-2"}}', b"C-1"),
        (b'{"type": "support.ticket.created", "partitionkey": "\xc3\xa4"}', "ä".encode()),
    ],
)
def test_the_key_is_the_partitionkey_or_else_the_entity_of_the_type(line: bytes, key: bytes) -> None:
    assert read_line(line) == Outgoing(None, key, line, [])


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        (b"{", "not JSON"),
        (b"[1]", "not a JSON object"),
        (b'{"type": "support.ticket.created", "partitionkey": 7}', "no partitionkey"),
        (b'{"type": "support.ticket.created", "data": []}', "no partitionkey"),
        (b'{"partition": 0, "offset": 1, "value": 7}', "not a capture line"),
        (b'{"partition": 0, "offset": 1, "value_base64": "?"}', "not a capture line"),
    ],
)
def test_a_line_that_is_no_event_goes_out_as_it_is_with_the_flaw_named(line: bytes, flaw: str) -> None:
    record = read_line(line)
    assert record[:4] == (None, None, line, [])
    assert record.flaw is not None
    assert flaw in record.flaw


def test_control_events_need_no_key() -> None:
    line = b'{"type": "support.control.clock_advanced", "data": {"at": "2026-01-01T00:00:00Z"}}'
    assert read_line(line) == Outgoing(None, None, line, [])
