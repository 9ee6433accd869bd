"""Partials: what one partition of events has counted, in slices, one for each partition of the KPI stage.

A segment lives on one partition of the KPI stage, for all partitions of events. Each of these sends at every full minute W that it reports
a slice to every partition of the KPI stage, also an empty one: what is absent from it is zero. A slice that would be too large for a record
comes in parts. (epoch, end, sequence) orders the slices of a partition; the greatest is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from processor.codec.murmur2 import partition_of
from processor.codec.owner import OWNER, check_owner
from processor.core.outputs import Report
from processor.core.rows import Row, Segment

_FIXED = ("partition", "partitions", "epoch", "sequence", "part", "parts")
PART_BYTES = 500_000  # a part is closed when its segments have so many bytes

Names = tuple[str, ...]
Values = tuple[str, ...]
Place = tuple[Names, Values]  # a segment as it is known outside of one process: names and values of its dimensions
Encoded = tuple[int, bytes, bytes]  # partition of the KPI stage, key, value


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the partition of events, of how many, its epoch, the partitions of the KPI stage, and the application."""

    partition: int
    partitions: int
    epoch: int
    kpi_partitions: int
    group_bys: tuple[Names, ...]
    application: str


@dataclass(frozen=True, slots=True)
class WindowsPartial:
    """A part of a slice of windows that end at `end` (milliseconds). `segments`: place -> (rows by window, backlog at `end`).

    Before `since` the partition had nothing: an end at or before it counts as reported, empty, by every later slice.
    """

    partition: int
    partitions: int
    epoch: int
    sequence: int
    end: int
    part: int
    parts: int
    segments: dict[Place, tuple[dict[str, Row], int]]
    since: int = 0


@dataclass(frozen=True, slots=True)
class LevelsPartial:
    """A slice of levels, as of timer time `at` (milliseconds). `segments`: place -> number by name of the level."""

    partition: int
    partitions: int
    epoch: int
    sequence: int
    at: int
    part: int
    parts: int
    segments: dict[Place, dict[str, int]]


def place_of(names: Names, values: Values, kpi_partitions: int) -> int:
    """The partition of the KPI stage on which a segment lives."""
    return partition_of(orjson.dumps((names, values)), kpi_partitions)


def encode_report(report: Report, sender: Sender, sequence: int) -> Iterator[Encoded]:
    """The slices of a report."""
    segments = report.windows.keys() | report.backlog.keys()
    entries = ((segment, (report.windows.get(segment, {}), report.backlog.get(segment, 0))) for segment in sorted(segments))
    head = {"kind": "windows", "end": report.end, "since": report.since, "sequence": sequence}
    yield from _slices(entries, head, "w", sender)


def encode_levels(levels: Mapping[Segment, Mapping[str, int]], at: int, sender: Sender, sequence: int) -> Iterator[Encoded]:
    """The slices of the levels of a partition."""
    entries = ((segment, (numbers,)) for segment, numbers in sorted(levels.items()))
    yield from _slices(entries, {"kind": "levels", "at": at, "sequence": sequence}, "l", sender)


def _slices(entries: Iterable[tuple[Segment, tuple[Any, ...]]], head: dict[str, Any], mark: str, sender: Sender) -> Iterator[Encoded]:
    dealt: list[list[bytes]] = [[] for _ in range(sender.kpi_partitions)]
    for (index, values), content in entries:
        names = sender.group_bys[index]
        dealt[place_of(names, values, sender.kpi_partitions)].append(orjson.dumps((names, values, *content)))
    head = {**head, OWNER: sender.application, "partition": sender.partition, "partitions": sender.partitions, "epoch": sender.epoch}
    for kpi_partition, segments in enumerate(dealt):
        parts = _parts(segments)
        for number, part in enumerate(parts):
            key = f"{sender.partition}|{number}|{mark}".encode()
            start = orjson.dumps({**head, "part": number, "parts": len(parts)})
            yield kpi_partition, key, b'%b,"segments":[%b]}' % (start[:-1], b",".join(part))


def _parts(segments: list[bytes]) -> list[list[bytes]]:
    """At least one, which may be empty."""
    parts: list[list[bytes]] = [[]]
    size = 0
    for segment in segments:
        if parts[-1] and size + len(segment) > PART_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(segment)
        size += len(segment)
    return parts


def decode_partial(value: bytes | None, application: str = "") -> WindowsPartial | LevelsPartial:
    """Undo the encoding. Raises ValueError for a record that is none of ours, or of another application than `application` ("" = any)."""
    try:
        document: dict[str, Any] = orjson.loads(value or b"")
        check_owner(document, application)
        partition, partitions, epoch, sequence, part, parts = (int(document[name]) for name in _FIXED)
        segments = [((tuple(names), tuple(values)), content) for names, values, *content in document["segments"]]
        if document["kind"] == "windows":
            windows = {place: (dict(content[0]), int(content[1])) for place, content in segments}
            end, since = int(document["end"]), int(document["since"])
            return WindowsPartial(partition, partitions, epoch, sequence, end, part, parts, windows, since)
        if document["kind"] == "levels":
            levels = {place: dict(content[0]) for place, content in segments}
            return LevelsPartial(partition, partitions, epoch, sequence, int(document["at"]), part, parts, levels)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"no partial: {error!r}") from error
    raise ValueError(f"no partial: kind {document['kind']!r}")
