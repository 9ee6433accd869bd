"""State records: what is written comes back, whatever labels and ids contain; an unknown version is refused."""

from __future__ import annotations

from hashlib import blake2b

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec.amounts import NAMES
from processor.codec.state import STATE_VERSION, decode_marker, decode_record, encode_marker, encode_record
from processor.core.business_hours import NEVER
from processor.core.events import Event
from processor.core.histogram import LADDER_VERSION
from processor.core.outputs import RecordKey
from processor.core.sleep import Sleeping

labels = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6) | st.sampled_from(["a\x1fb", "a|b", '"', "none"])
numbers = st.integers(min_value=0, max_value=1 << 50)


def round_trip(key: RecordKey, value: object) -> None:
    """Through bytes and back."""
    name, stored = encode_record(key, value)
    assert stored is not None
    assert decode_record(name, stored) == (key, value)
    assert encode_record(key, None) == (name, None)


@given(labels, labels, labels, st.dictionaries(labels, st.integers(-(1 << 60), 1 << 60)))
def test_rows_and_cells(first: str, second: str, third: str, row: dict[str, int]) -> None:
    """Label values come from events: separators inside them separate nothing."""
    round_trip(("c", ("ticket", first, second, third)), row)
    round_trip(("r", "m", 12, ("channel", "group"), (first, second)), row)
    round_trip(("r", "d", 0, (), ()), row)


def test_the_names_of_amounts_keep_their_places() -> None:
    """The table is part of the stored form: what was written with it must be read with it. New names are put behind these."""
    assert blake2b("\n".join(NAMES[:513]).encode(), digest_size=16).hexdigest() == "7bf57b6521268603fd6cb09199a4bdd9"
    assert len(set(NAMES)) == len(NAMES)


def test_a_row_says_names_by_their_places_and_others_as_they_are() -> None:
    row = {"tickets_created": 2, "agents:5f77e674031e70b8": 1, "first_response:sum": 1_800_000}
    key = ("r", "m", 12, (), ())
    name, stored = encode_record(key, row)
    assert stored == b'[[0,"agents:5f77e674031e70b8",24],[2,1,1800000]]'
    assert decode_record(name, stored) == decode_record(name, orjson.dumps(row)) == (key, row)  # an object: until version 4


@given(labels, st.binary(max_size=20), numbers)
def test_what_sleeps(entity: str, packed: bytes, at: int) -> None:
    """Packed bytes may contain anything, line feeds, too."""
    round_trip(("h", "ticket", entity), Sleeping(packed, "mark", at, NEVER, NEVER, b'["created",1]\t["due","x",2]'))
    round_trip(("h", "person", entity), Sleeping(packed, "", NEVER, at, at, b""))
    round_trip(("h", "ticket", entity), Sleeping(packed, "mark", NEVER, at, NEVER, b"", 7))


@given(labels, numbers, labels, labels)
def test_events_and_bases(entity: str, serial: int, source: str, topic: str) -> None:
    """Ids stand last in the key, and may contain its separators."""
    event = Event(5, 1, "", source, "id", "ticket.fields_changed", entity, ((("topic", topic), ("tier", None)),))
    round_trip(("e", "ticket", serial, entity), event)
    round_trip(("h", "contact", entity), ((1, ("x", None), "y"), (5, 1, "", source, "id"), serial))


@pytest.mark.parametrize(("name", "ours"), [("state_version", STATE_VERSION), ("ladder_version", LADDER_VERSION)])
def test_the_marker_has_versions_that_must_be_known(name: str, ours: int) -> None:
    """A state of another release, or with buckets between other edges, is refused before anything of it is read."""
    written = encode_marker({"epoch": 3, "upstream": {"0": [1]}, "history": True, "reported": [1, 2, 3]})
    versions = {"state_version": STATE_VERSION, "ladder_version": LADDER_VERSION}
    assert decode_marker(written) == {**versions, "epoch": 3, "upstream": {"0": [1]}, "history": True, "reported": [1, 2, 3]}
    for other in (ours + 1, None, 0, "1"):
        with pytest.raises(ValueError, match=f"{name.replace('_', ' ')} {other} is unknown"):
            decode_marker(orjson.dumps({**orjson.loads(written), name: other}))


def test_a_foreign_record_is_refused() -> None:
    """Nobody else's records are taken for ours."""
    with pytest.raises(ValueError, match="unknown key"):
        decode_record(b"x|1", b"{}")
