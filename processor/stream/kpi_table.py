"""One partition of a compacted topic as a table: the newest records of each key. The topic itself is the changelog.

`catch_up` reads what was committed up to now; afterwards whoever is handed the records one by one goes on with `put`. A record that is
handed over twice, or was read already, changes nothing. A table that was kept over a rebalance reads only what it has not seen.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.kpis.combine import Published
from processor.kpis.encode import decode_published

WAIT_MS = 500
SLICE = 50  # records encoded or decoded before others may run: a few milliseconds

Row = tuple[int, bytes, bytes | None]  # offset, key, value


class Table:
    """Keeps the last `versions` records of each key; of a key that was taken away nothing."""

    def __init__(self, topic: str, partition: int, *, versions: int = 1) -> None:
        self.source = TopicPartition(topic, partition)
        self.position = 0  # everything below it is in here
        self._versions = versions
        self._rows: dict[bytes, deque[Row]] = {}

    def put(self, offset: int, key: bytes | None, value: bytes | None) -> bool:
        """Take in the record at `offset`. False where it was there already."""
        if offset < self.position:
            return False
        self.position = offset + 1
        if value is None:
            self._rows.pop(key or b"", None)
        else:
            self._rows.setdefault(key or b"", deque(maxlen=self._versions)).append((offset, key or b"", value))
        return True

    def rows(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Keys and values, in the order in which they were written."""
        return ((key, value) for _, key, value in sorted(row for rows in self._rows.values() for row in rows))

    async def catch_up(self, reader: AIOKafkaConsumer) -> int:
        """Read what was committed before this call; how many records that were."""
        reader.assign([self.source])
        end = (await reader.end_offsets([self.source]))[self.source]
        if self.position > end:  # the topic was made anew
            self._rows.clear()
            self.position = 0
        begin = (await reader.beginning_offsets([self.source]))[self.source]
        reader.seek(self.source, max(begin, self.position))
        read = 0
        while await reader.position(self.source) < end:
            for records in (await reader.getmany(self.source, timeout_ms=WAIT_MS)).values():
                for record in records:
                    self.put(record.offset, record.key, record.value)
                read += len(records)
        self.position = max(self.position, end)  # the last offsets may be those of commit markers
        return read


async def published_in(kpis: Table) -> list[Published]:
    """What the table of the topic of KPIs says of each segment's windows."""
    published: list[Published] = []
    for number, (key, value) in enumerate(kpis.rows(), 1):
        if number % SLICE == 0:
            await asyncio.sleep(0)
        with suppress(ValueError):  # none of ours
            each = decode_published(key, value)
            published += [each] if each is not None else []
    return published
