"""Reading topics as of now, for those who look things up: without a group, committed records only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer

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
        "check_crcs": False,
    }
    reader = AIOKafkaConsumer(**connection, **(settings | different))
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()
