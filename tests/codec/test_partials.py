"""Slices hold every segment exactly once, are complete at every partition of the KPI stage, and come back as they were."""

from __future__ import annotations

import pytest

from processor.codec import partials
from processor.codec.partials import LevelsPartial, Sender, WindowsPartial, decode_partial, encode_levels, encode_report, place_of
from processor.core.outputs import Report
from processor.core.rows import Segment

GROUP_BYS = ((), ("channel",), ("channel", "group"))
SENDER = Sender(partition=1, partitions=4, epoch=7, kpi_partitions=3, group_bys=GROUP_BYS, application="tests")
SEGMENTS: list[Segment] = [(0, ()), *((1, (name,)) for name in ("email", "phone", "chät")), (2, ("email", "none"))]
REPORT = Report(1_767_225_600_000, {segment: {"5m": {"tickets_created": 2}} for segment in SEGMENTS[:-1]}, {SEGMENTS[-1]: 3})


def decoded() -> list[tuple[int, WindowsPartial]]:
    slices = [(place, decode_partial(value)) for place, _, value in encode_report(REPORT, SENDER, 9)]
    return [(place, each) for place, each in slices if isinstance(each, WindowsPartial)]


def test_every_partition_of_the_kpi_stage_hears_of_every_report() -> None:
    assert {place for place, _ in decoded()} == {0, 1, 2}
    empty = list(encode_report(Report(60_000, {}, {}), SENDER, 1))
    assert [(place, key) for place, key, _ in empty] == [(0, b"1|0|w"), (1, b"1|0|w"), (2, b"1|0|w")]


def test_each_segment_is_in_one_slice_where_it_lives() -> None:
    found = [(segment, place) for place, each in decoded() for segment in each.segments]
    assert len(found) == len(SEGMENTS)
    assert all(place_of(*segment, 3) == place for segment, place in found)
    contents = {segment: content for _, each in decoded() for segment, content in each.segments.items()}
    assert contents[(), ()] == ({"5m": {"tickets_created": 2}}, 0)
    assert contents[("channel", "group"), ("email", "none")] == ({}, 3)


def test_who_sent_it_and_what_it_ends_at_come_along() -> None:
    for _, each in decoded():
        assert (each.partition, each.partitions, each.epoch, each.sequence, each.end) == (1, 4, 7, 9, REPORT.end)


def test_a_large_slice_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partials, "PART_BYTES", 1)
    slices = decoded()
    assert len({(place, each.part) for place, each in slices}) == len(slices) >= len(SEGMENTS)
    assert all(each.parts == sum(other == place for other, _ in slices) for place, each in slices)
    assert len({segment for _, each in slices for segment in each.segments}) == len(SEGMENTS)


def test_levels_come_back() -> None:
    found = [decode_partial(value) for _, _, value in encode_levels({(0, ()): {"backlog": 4}}, 5, SENDER, 2)]
    assert all(isinstance(each, LevelsPartial) and each.at == 5 for each in found)
    assert [each.segments for each in found if each.segments] == [{((), ()): {"backlog": 4}}]


OTHER_KIND = b'{"kind":"else","partition":1,"partitions":1,"epoch":1,"sequence":1,"part":0,"parts":1,"segments":[]}'


@pytest.mark.parametrize("value", [None, b"", b"{}", b"[]", OTHER_KIND])
def test_anything_else_is_refused(value: bytes | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_partial(value)
