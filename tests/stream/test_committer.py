"""A producer that cannot be stopped in order leaves no connection open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from processor.stream import committer
from processor.stream.committer import stop_producer


class Producer:
    """One whose transaction does not end."""

    def __init__(self) -> None:
        self.client = self
        self.closed = False

    async def stop(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True


async def test_the_connections_of_a_producer_that_does_not_stop_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committer, "STOP_SECONDS", 0.01)
    producer: Any = Producer()
    with pytest.raises(TimeoutError):
        await stop_producer(producer)
    assert producer.closed
