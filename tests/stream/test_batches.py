"""Batches are taken apart only as they were written."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from processor.stream.batches import _taken_apart

SOURCE = TopicPartition("state", 3)
VALUE = b"one million"


def test_a_batch_in_which_one_bit_has_changed_is_not_read() -> None:
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1000)
    builder.append(0, 0, b"key", VALUE, [])
    written = bytearray(builder.build())
    read = [pair for pairs in _taken_apart(SOURCE, 0, [0, 0, [], bytes(written)], 4) for pair in pairs]
    assert read == [(b"key", VALUE)]
    written[written.index(VALUE)] ^= 1
    with pytest.raises(CorruptRecordException, match="state-3: the batch at offset 0 is damaged"):
        list(_taken_apart(SOURCE, 0, [0, 0, [], bytes(written)], 4))
