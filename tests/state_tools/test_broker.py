"""What the tools read of the topics, without a broker."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
from aiokafka import TopicPartition

from processor.codec.rekeyed import encode_heartbeat, encode_rekeyed
from processor.core.outputs import Rekeyed
from processor.state_tools.broker import pending_of
from processor.state_tools.file import ExportWriter, StoredPartition, read_export
from tests.codec.stored import stored

SOURCE = TopicPartition("rekeyed", 0)


class Log:
    """A consumer of one partition."""

    def __init__(self, records: list[tuple[bytes | None, bytes | None]]) -> None:
        self._records = [SimpleNamespace(offset=offset, key=key, value=value) for offset, (key, value) in enumerate(records)]
        self._position = 0

    def assign(self, sources: list[TopicPartition]) -> None:
        assert sources == [SOURCE]

    def seek(self, _source: TopicPartition, offset: int) -> None:
        self._position = offset

    async def position(self, _source: TopicPartition) -> int:
        return self._position

    async def getmany(self, source: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms
        found, self._position = self._records[self._position :], len(self._records)
        return {source: found}


async def test_what_no_worker_could_read_spoils_no_export(tmp_path: Path) -> None:
    """Workers set such records aside; in an exported file they would make all of it unreadable."""
    handed = encode_rekeyed(Rekeyed(1, "ticket.wait_handed", "T-1", 7, 5, ("T-0", 3, 1)), 2, "mine")
    good = [handed, encode_heartbeat(1, (4, 3, 2, 1), "mine")]
    consumer: Any = Log([(None, b"{}"), handed, (None, b"garbage"), (b"T-1", None), (b"\xff", handed[1]), good[1]])
    pending = await pending_of(consumer, SOURCE.topic, 0, {"applied": {SOURCE.topic: 0}}, 0, 6)
    assert pending == good
    path = tmp_path / "state"
    with ExportWriter(path, {"partitions": 1}) as writer:
        writer.add(StoredPartition(0, orjson.loads(stored(1).markers[0]), {}))
        writer.add_pending(0, pending)
        writer.finish()
    assert [key for key, _ in read_export(path).partitions[0].pending] == [b"T-1", None]
