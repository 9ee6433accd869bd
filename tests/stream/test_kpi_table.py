"""A compacted topic as a table: the newest records of each key, each taken in once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from processor.stream.kpi_table import Table

Record = tuple[bytes, bytes | None]


def filled(records: list[Record], versions: int = 1) -> Table:
    table = Table("partials", 0, versions=versions)
    for offset, (key, value) in enumerate(records):
        assert table.put(offset, key, value)
    return table


def test_the_newest_of_each_key_in_the_order_of_the_log() -> None:
    table = filled([(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"c", b"4"), (b"b", None)])
    assert list(table.rows()) == [(b"a", b"3"), (b"c", b"4")]
    assert table.position == 5


def test_some_versions_of_each_key_and_none_of_what_was_taken_away() -> None:
    table = filled([(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (b"a", b"4"), (b"b", None), (b"b", b"5")], versions=2)
    assert list(table.rows()) == [(b"a", b"3"), (b"a", b"4"), (b"b", b"5")]


records = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.one_of(st.none(), st.binary(max_size=2))), max_size=30)


@given(records, st.lists(st.integers(0, 29), max_size=10))
def test_what_comes_again_changes_nothing(written: list[Record], again: list[int]) -> None:
    table = filled(written)
    before = list(table.rows())
    for offset in again:
        if offset < len(written):
            assert not table.put(offset, *written[offset])
    assert list(table.rows()) == before
    assert dict(before) == {key: value for key, value in dict(written).items() if value is not None}
