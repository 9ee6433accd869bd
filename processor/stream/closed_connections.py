"""Mends aiokafka under uvloop: a connection that the broker has just closed is a broken connection, not a programming error.

Between the end of a connection and aiokafka's hearing of it there is a turn of the event loop. asyncio takes what is written then and drops
it; uvloop raises RuntimeError, which aiokafka does not expect: it expects OSError, closes the connection and connects again.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, KafkaError

_library_send = AIOKafkaConnection.send


def connect_again_when_closed() -> None:
    """From now on every connection of this process does."""
    AIOKafkaConnection.send = _send


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
