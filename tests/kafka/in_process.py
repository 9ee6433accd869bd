"""The ticket stage in the process of the test, for faults that only its inside can have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from processor.compile import compile_settings
from processor.export.telemetry import NoRecorder
from processor.stream.runtime import Runtime
from tests.kafka.deployment import PATIENCE_SECONDS, Deployment, Sent


@asynccontextmanager
async def running(deployment: Deployment, log: list[Sent]) -> AsyncIterator[Runtime]:
    """The ticket stage in this process, with the log to read."""
    await asyncio.to_thread(deployment.send, log)
    runtime = Runtime(deployment.config, compile_settings(deployment.config), NoRecorder())
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()


async def until(what: str, ask: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not ask():  # noqa: ASYNC110 - the runtime has no event for it; users poll /metrics as well
            await asyncio.sleep(0.02)


def has_applied(runtime: Runtime, ends: dict[int, int]) -> bool:
    """Whether these partitions have reached these ends, and know of nothing unread that was handed to them."""
    applied = {shown.view.partition: shown.applied + 1 for shown in runtime.shown() if not shown.rekeyed_unread}
    return all(applied.get(number) == end for number, end in ends.items())
