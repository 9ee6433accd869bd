"""Reading a partition of the state topic to its end, as of now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from aiokafka import TopicPartition

from processor.codec.state import MARKER_KEY
from processor.stream.batches import slices
from processor.stream.committed import open_reader

log = logging.getLogger(__name__)

TOMBSTONES_KEPT_SECONDS = 120  # delete.retention.ms of the topic; a test holds them together
Progress = Callable[[int], None]
Share = Callable[[float], None]


@dataclass(slots=True)
class StoredState:
    """The live records of one partition: the newest value per key, tombstones left out. `marker` is None where there is none.

    `begin` is the first offset that there may be: 0, unless records were deleted.
    """

    marker: bytes | None = None
    records: dict[bytes, bytes] = field(default_factory=dict)
    read: int = 0
    begin: int = 0


def unheard(_: float) -> None:
    """For those who do not care how far it has come."""


async def read_state(
    connection: dict[str, Any],
    topic: str,
    partition: int,
    *,
    live: bool = False,
    progress: Progress = unheard,
    share: Share = unheard,
) -> StoredState:
    """Read everything that was committed before this call. The caller has fenced the former owner, so nothing can follow.

    With `live` somebody may go on writing: what is read is the state of one marker all the same. While it was read, compaction may have
    taken away older values for the sake of newer ones; so it is read on until nothing newer has come meanwhile. `progress` hears how many
    records came since the last call, `share` which share of the topic has been read.

    What takes so long that tombstones may have gone before they were read is read again: no other was written, so what was deleted is not
    there any more.
    """
    tp, loop = TopicPartition(topic, partition), asyncio.get_running_loop()
    started = loop.time()
    state = await _read_all(connection, tp, live=live, progress=progress, share=share)
    if loop.time() - started > TOMBSTONES_KEPT_SECONDS and not live:
        log.warning("%s-%d: reading it took %.0f s, longer than tombstones are kept; once more", topic, partition, loop.time() - started)
        again = await _read_all(connection, tp, live=live, progress=progress, share=share)
        state.records = {key: value for key, value in again.records.items() if key in state.records}
        state.marker, state.read = again.marker, state.read + again.read
    return state


async def _read_all(connection: dict[str, Any], tp: TopicPartition, *, live: bool, progress: Progress, share: Share) -> StoredState:
    async with open_reader(connection) as consumer:
        position = (await consumer.beginning_offsets([tp]))[tp]
        state = StoredState(begin=position)
        while position < (end := (await consumer.end_offsets([tp]))[tp]):
            position = await _read(state, connection, tp, position, end, progress, share)
            if not live:
                break
    state.marker = state.records.pop(MARKER_KEY, None)
    return state


async def _read(
    state: StoredState, connection: dict[str, Any], tp: TopicPartition, begin: int, end: int, progress: Progress, share: Share
) -> int:
    """Read up to `end`; returns the offset behind."""
    live, position = cast("dict[bytes, bytes | None]", state.records), begin  # None only within a batch
    async for answer in slices(connection, tp, begin, end):
        for pairs in answer:  # some milliseconds each
            live.update(pairs)
            for key in [key for key, value in pairs if value is None]:
                if live.get(key, b"") is None:  # it may have come again
                    del live[key]
            state.read += len(pairs)
            progress(len(pairs))
            await asyncio.sleep(0)  # heartbeats live on this loop
        position = answer.next_offset
        share((position - begin) / (end - begin))
    return position
