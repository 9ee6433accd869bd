"""What compaction leaves of a transaction is read over."""

from __future__ import annotations

import struct

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from processor.stream.empty_batches import read_over_empty_batches

CONTROL_OF_TRANSACTION = 0x30


def emptied_end(offset: int) -> bytes:
    """The batch that ended a transaction of producer 7, without its record."""
    behind_length = struct.pack(">iBIhiqqqhii", 0, 2, 0, CONTROL_OF_TRANSACTION, 0, 0, 0, 7, 0, -1, 0)
    return struct.pack(">qi", offset, len(behind_length)) + behind_length


def test_behind_the_end_of_a_transaction_that_was_emptied_records_are_read_on() -> None:
    read_over_empty_batches()
    builder = DefaultRecordBatchBuilder(2, 0, 0, 8, 0, 0, 1000)
    builder.append(0, 0, b"key", b"value", [])
    following = bytearray(builder.build())
    following[:8] = struct.pack(">q", 6)
    batches = MemoryRecords(emptied_end(5) + bytes(following))
    read = PartitionRecords(TopicPartition("state", 0), batches, [], 5, None, None, check_crcs=False, isolation_level=READ_COMMITTED)
    assert [(record.offset, record.key) for record in read] == [(6, b"key")]
