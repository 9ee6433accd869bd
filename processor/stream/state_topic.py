"""Reading a partition of the state topic to its end, as of now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from processor.codec.state import MARKER_KEY
from processor.stream.committed import open_reader


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
    connection: dict[str, Any], topic: str, partition: int, *, live: bool = False, progress: Callable[[int], None] = unheard
) -> StoredState:
    """Read everything that was committed before this call. The caller has fenced the former owner, so nothing can follow.

    With `live` somebody may go on writing: what is read is the state of one marker all the same. While it was read, compaction may have
    taken away older values for the sake of newer ones; so it is read on until nothing newer has come meanwhile. `progress` hears how many
    records came since the last call.
    """
    async with open_reader(connection) as consumer:
        tp = TopicPartition(topic, partition)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        begin = (await consumer.beginning_offsets([tp]))[tp]
        consumer.seek(tp, begin)
        state = StoredState(begin=begin)
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                _take(state, records)
                progress(len(records))
            if live and await consumer.position(tp) >= end:
                end = (await consumer.end_offsets([tp]))[tp]
        state.marker = state.records.pop(MARKER_KEY, None)
        return state


def _take(state: StoredState, records: list[Any]) -> None:
    live = state.records
    for record in records:
        if record.value is None:
            live.pop(record.key, None)
        else:
            live[record.key] = record.value
    state.read += len(records)
