"""Batches are compressed at the level that we want, and anybody can read them."""

from __future__ import annotations

import cramjam
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from processor.stream.compression import LEVEL, compress_quickly

ZSTD = 4


def test_what_is_written_is_compressed_at_our_level() -> None:
    compress_quickly()
    values = [f'{{"number":{number * 7919 % 1000},"name":"ticket-{number}"}}'.encode() for number in range(500)]
    builder = DefaultRecordBatchBuilder(2, ZSTD, is_transactional=1, producer_id=1, producer_epoch=1, base_sequence=0, batch_size=90_000)
    for offset, value in enumerate(values):
        builder.append(offset, timestamp=1, key=None, value=value, headers=[])
    written = bytes(builder.build())
    assert [record.value for record in MemoryRecords(written).next_batch()] == values
    at = written.index(b"\x28\xb5\x2f\xfd")  # where a frame of zstd begins
    plain = bytes(cramjam.zstd.decompress(written[at:]))
    assert written[at:] == bytes(cramjam.zstd.compress(plain, level=LEVEL)) != bytes(cramjam.zstd.compress(plain, level=3))
