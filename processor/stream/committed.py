"""Reading topics as of now, for those who look things up: without a group, committed records only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

FETCH_BYTES = 8 * 1024 * 1024


@asynccontextmanager
async def open_reader(connection: dict[str, Any], **different: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer to which partitions are assigned by hand. `different` are settings that go before those here."""
    settings = {
        "group_id": None,
        "enable_auto_commit": False,
        "isolation_level": "read_committed",
        "auto_offset_reset": "earliest",
        "max_partition_fetch_bytes": FETCH_BYTES,
    }
    reader = AIOKafkaConsumer(**connection, **(settings | different))
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


async def appended(connection: dict[str, Any], source: TopicPartition, offset: int) -> int | None:
    """When the record at this offset was appended (ms); None where there is no record. The log must go on behind it."""
    async with open_reader(connection, isolation_level="read_uncommitted") as reader:
        reader.assign([source])
        reader.seek(source, offset)
        while await reader.position(source) <= offset:
            for records in (await reader.getmany(source, timeout_ms=500, max_records=1)).values():
                return next((record.timestamp for record in records if record.offset == offset), None)
    return None
