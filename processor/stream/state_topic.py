"""Reading a partition of the state topic to its end, as of now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from aiokafka import TopicPartition

from processor.codec.state import MARKER_KEY
from processor.stream.batches import slices
from processor.stream.committed import open_reader

SLICE = 1000  # records that are taken before others may run: a millisecond or two

Progress = Callable[[int], None]


@dataclass(slots=True)
class StoredState:
    """The live records of one partition: the newest value per key, tombstones left out. `marker` is None where there is none.

    `begin` is the first offset that there may be: 0, unless records were deleted.
    """

    marker: bytes | None = None
    records: dict[bytes, bytes] = field(default_factory=dict)
    read: int = 0
    begin: int = 0


def unheard(_records: int) -> None:
    """For those who do not care how far it has come."""


async def read_state(
    connection: dict[str, Any], topic: str, partition: int, *, live: bool = False, progress: Progress = unheard
) -> StoredState:
    """Read everything that was committed before this call. The caller has fenced the former owner, so nothing can follow.

    With `live` somebody may go on writing: what is read is the state of one marker all the same. While it was read, compaction may have
    taken away older values for the sake of newer ones; so it is read on until nothing newer has come meanwhile. `progress` hears how many
    records came since the last call.
    """
    tp = TopicPartition(topic, partition)
    async with open_reader(connection) as consumer:
        position = (await consumer.beginning_offsets([tp]))[tp]
        state = StoredState(begin=position)
        while position < (end := (await consumer.end_offsets([tp]))[tp]):
            position = await _read(state, connection, tp, position, end, progress)
            if not live:
                break
    state.marker = state.records.pop(MARKER_KEY, None)
    return state


async def _read(state: StoredState, connection: dict[str, Any], tp: TopicPartition, begin: int, end: int, progress: Progress) -> int:
    """Read up to `end`; returns the offset behind."""
    live, position = state.records, begin
    async for answer in slices(connection, tp, begin, end):
        pairs = iter(answer)
        count = SLICE
        while count == SLICE:
            some = list(islice(pairs, SLICE))
            for key, value in some:
                if value is None:
                    live.pop(key, None)
                else:
                    live[key] = value
            count = len(some)
            state.read += count
            progress(count)
            await asyncio.sleep(0)  # heartbeats live on this loop
        position = answer.next_offset
    return position
