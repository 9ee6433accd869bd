"""Records into the topic of alerts: written when all replicas have them, refused within seconds where that cannot be had.

Nothing is kept back to be written later: who sent the alert hears of the failure, and sends it again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from processor.config.service import Kafka
from processor.stream.connection import BrokerUnreachableError, aiokafka_settings, partitions_of, pauses
from processor.stream.tasks import end, within

ACKNOWLEDGED_SECONDS = 5.0
STOP_SECONDS = 2.0

log = logging.getLogger(__name__)


class NotWrittenError(Exception):
    """The broker has not confirmed it; the message says why. It may be there all the same."""


class TooLargeError(Exception):
    """No broker would take it, however often it is sent."""


class AlertsTopic:
    """Writes to one topic. Looks for a broker in the background, as long as it takes. An asynchronous context manager."""

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self._kafka, self.topic = kafka, topic
        self._producer: Any = None
        self._connecting: asyncio.Task[None] | None = None
        self.problem = f"looking for a broker at {', '.join(kafka.bootstrap_servers)}"  # why nothing can be written; empty: it can
        self.failure = ""  # why the last record was not acknowledged; empty: it was

    async def __aenter__(self) -> Self:
        self._connecting = asyncio.create_task(self._connect())
        return self

    async def __aexit__(self, *_error: object) -> None:
        await end(self._connecting)
        if self._producer is not None:
            try:
                await within(STOP_SECONDS, self._producer.stop())
            except Exception as error:  # noqa: BLE001 - everything that was promised is written
                log.warning("the producer did not stop in order: %s", type(error).__name__)

    async def _connect(self) -> None:
        for pause in pauses():
            try:
                partitions = await partitions_of(self._kafka, self.topic, wait_seconds=0)
                problem = "" if partitions else f"there is no topic {self.topic}; `ticket-kpis topics create` makes it"
                if partitions:
                    self._producer = await self._started()
            except (BrokerUnreachableError, KafkaError, OSError) as error:
                problem = str(error) or type(error).__name__
            if problem != self.problem:
                log.log(logging.WARNING if problem else logging.INFO, "%s", problem or f"alerts are written to {self.topic}")
            self.problem = problem
            if not problem:
                return
            await asyncio.sleep(pause)

    async def _started(self) -> Any:
        milliseconds = int(ACKNOWLEDGED_SECONDS * 1000)
        producer = AIOKafkaProducer(**aiokafka_settings(self._kafka), acks="all", request_timeout_ms=milliseconds)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def write(self, key: bytes, value: bytes) -> None:
        """Return when the record is there. Raises NotWrittenError or TooLargeError."""
        if self._producer is None:
            raise NotWrittenError(self.problem)
        try:
            async with asyncio.timeout(ACKNOWLEDGED_SECONDS):
                await self._producer.send_and_wait(self.topic, value, key)
        except MessageSizeTooLargeError:
            raise TooLargeError(f"the record has {len(value):,} bytes, more than Kafka takes") from None
        except TimeoutError:
            self.failure = f"no acknowledgement of {self.topic} within {ACKNOWLEDGED_SECONDS:.0f} s"
            raise NotWrittenError(self.failure) from None
        except (KafkaError, OSError) as error:
            self.failure = f"{self.topic}: {error or type(error).__name__}"
            raise NotWrittenError(self.failure) from error
        self.failure = ""
