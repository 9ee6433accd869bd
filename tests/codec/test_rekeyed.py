"""Hand-overs and heartbeats survive the topic; what is neither is told."""

from __future__ import annotations

import pytest

from processor.codec.rekeyed import decode_rekeyed, encode_heartbeat, encode_rekeyed
from processor.core.outputs import Rekeyed


def test_a_hand_over_comes_back() -> None:
    record = Rekeyed(-1, "ticket.wait_handed", "T-Ü|1", (1 << 128) - 1, 1_767_225_600_000, ("T-2", 1_767_225_000_000, 1))
    key, value = encode_rekeyed(record, 3, "mine")
    assert key == "T-Ü|1".encode()
    assert decode_rekeyed(value, key) == (3, record)


def test_what_is_nested_comes_back_as_it_was() -> None:
    """Events of a timeline are compared: lists for tuples would be others."""
    record = Rekeyed(1, "person.answered", "P-1", 7, 1_767_225_600_000, ("T-2", 1, 1, 5, 9000, ("email", "none"), None))
    key, value = encode_rekeyed(record, 0, "mine")
    again = decode_rekeyed(value, key)[1]
    assert again == record
    assert isinstance(again, Rekeyed)
    assert again.event() == record.event()


def test_what_this_release_does_not_know_is_refused() -> None:
    key, value = encode_rekeyed(Rekeyed(1, "ticket.wait_handed", "T", 1, 1, ("S", 1, 1)), 0, "mine")
    with pytest.raises(ValueError, match="unknown kind"):
        decode_rekeyed(value.replace(b"wait_handed", b"wait_mended"), key)


def test_a_heartbeat_comes_back() -> None:
    key, value = encode_heartbeat(2, (1, 2, 3, 4), "mine")
    assert key is None
    assert decode_rekeyed(value, key) == (2, (1, 2, 3, 4))


@pytest.mark.parametrize(
    ("key", "value"),
    [encode_heartbeat(2, (1, 2, 3, 4), "theirs"), encode_rekeyed(Rekeyed(1, "ticket.wait_handed", "T", 1, 1, ()), 0, "theirs")],
)
def test_what_another_application_wrote_is_told_from_our_own(key: bytes | None, value: bytes) -> None:
    with pytest.raises(ValueError, match="written by application 'theirs'"):
        decode_rekeyed(value, key, "mine")
    assert decode_rekeyed(value, key, "theirs") == decode_rekeyed(value, key)


def test_what_an_older_release_wrote_names_nobody_and_is_ours() -> None:
    assert decode_rekeyed(b'{"source":1,"heartbeat":[4]}', None, "mine") == (1, (4,))


NOT_OURS = (None, b"", b"nonsense", b"[]", b"{}", b'{"source":1}', b'{"source":1,"heartbeat":5}', b'{"source":1,"sign":1}')


@pytest.mark.parametrize("value", NOT_OURS)
def test_anything_else_is_refused(value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_rekeyed(value, b"T-1")


def test_a_hand_over_to_nobody_is_refused() -> None:
    _, value = encode_rekeyed(Rekeyed(1, "ticket.wait_handed", "T", 1, 1, ()), 0, "mine")
    with pytest.raises(ValueError, match="target"):
        decode_rekeyed(value, None)
