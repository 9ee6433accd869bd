"""The limit for any consumer in Python: fetch with aiokafka, read with orjson, nothing else."""

from __future__ import annotations

import asyncio
import time

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.bench.loaded import PARTITIONS, Loaded, Speed


def measure(loaded: Loaded) -> Speed:
    """All events of the log."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_read(loaded))


async def _read(loaded: Loaded) -> Speed:
    consumer = AIOKafkaConsumer(bootstrap_servers=loaded.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(loaded.events.name, number) for number in range(PARTITIONS)])
        began, cpu_before, seen = time.monotonic(), time.process_time(), 0
        while seen < loaded.events.events:
            for batch in (await consumer.getmany(timeout_ms=1000)).values():
                for record in batch:
                    orjson.loads(record.value)
                seen += len(batch)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu_before
        assert seen == loaded.events.events
        return Speed(seen / seconds, cpu / seen * 1e6)
    finally:
        await consumer.stop()
