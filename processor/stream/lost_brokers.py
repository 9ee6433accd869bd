"""Mends aiokafka: that a broker went away is an error of Kafka, which is waited out, and no programming error, which ends a worker's stage.

- Between the end of a connection and aiokafka's hearing of it there is a turn of the event loop. asyncio takes what is written then and
  drops it; uvloop raises RuntimeError, where aiokafka expects OSError, closes the connection and connects again.
- A broker that has just started may answer that there are no brokers. aiokafka then fails on an assertion when it looks for a coordinator,
  instead of asking again.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import CoordinatorNotAvailableError, KafkaConnectionError, KafkaError

_library_send = AIOKafkaConnection.send
_library_lookup = AIOKafkaClient.coordinator_lookup


def outlive_lost_brokers() -> None:
    """From now on every client of this process does."""
    AIOKafkaConnection.send = _send
    AIOKafkaClient.coordinator_lookup = _coordinator_lookup


@wraps(_library_send)
def _send(self: AIOKafkaConnection, *request: Any, **how: Any) -> Any:
    try:
        return _library_send(self, *request, **how)
    except KafkaError:  # which is a RuntimeError, too
        raise
    except RuntimeError as error:
        if self._writer is None or not self._writer.transport.is_closing():
            raise
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"Connection at {self.host}:{self.port} broken: {error}") from error


@wraps(_library_lookup)
async def _coordinator_lookup(self: AIOKafkaClient, *which: Any) -> Any:
    if self.get_random_node() is None:
        raise CoordinatorNotAvailableError("no broker is known just now")
    return await _library_lookup(self, *which)
