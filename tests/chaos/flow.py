"""The log on its way into Kafka: bit by bit in the background, so that there is always something to do while faults are injected."""

from __future__ import annotations

import asyncio
from random import Random
from threading import Event, Lock, Thread
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.kafka.deployment import Sent

TICK_SECONDS = 0.1
SHARE = 70  # of what is left, one in so many goes out with each tick: the log gets thinner, but does not end
REQUEST_MS = 3000


class Flow:
    """Sends a log until `finish`. What the broker does not take is sent again, so that an event may be in the log twice."""

    def __init__(self, bootstrap: str, topic: str, log: list[Sent], seed: int) -> None:
        self._bootstrap, self._topic, self._left, self._random = bootstrap, topic, log, Random(seed)
        self._sent: list[Sent] = []
        self._held: list[Sent] = []  # to come late
        self._last: list[Sent] = []
        self._hurry, self._quiet = Event(), Event()
        self._lock = Lock()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="flow")
        self.error: Exception | None = None

    # -- what is done to it -------------------------------------------------------------------------------------------------------

    def silence(self, *, silent: bool) -> None:
        """The adapter says nothing, or speaks again."""
        (self._quiet.set if silent else self._quiet.clear)()

    def again(self, most: int) -> int:
        """What was sent last is sent once more. Returns how much."""
        with self._lock:
            repeated = self._sent[-most:]
            self._left = [*repeated, *self._left]
            return len(repeated)

    def late(self, most: int) -> int:
        """Some of what would be next comes at the very end."""
        with self._lock:
            picked = set(self._random.sample(range(min(3 * most, len(self._left))), min(most, len(self._left))))
            self._held += [record for number, record in enumerate(self._left) if number in picked]
            self._left = [record for number, record in enumerate(self._left) if number not in picked]
            return len(picked)

    def finish(self, last: list[Sent]) -> None:
        """Send all that is left, and these behind it."""
        with self._lock:
            self._left += self._held
            self._last = last
        self._quiet.clear()
        self._hurry.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    # -- sending ------------------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while not self._hurry.is_set() or self._left or self._last:
                try:
                    await self._connected()
                except KafkaError:  # the broker is away
                    await asyncio.sleep(TICK_SECONDS)
        except Exception as error:  # noqa: BLE001 - told by `finish`
            self.error = error

    async def _connected(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, linger_ms=2, request_timeout_ms=REQUEST_MS)
        await producer.start()
        try:
            while not self._hurry.is_set() or self._left or self._last:
                if not self._quiet.is_set():
                    await self._send(producer)
                if not self._hurry.is_set():
                    await asyncio.sleep(TICK_SECONDS)
        finally:
            await producer.stop()

    async def _send(self, producer: AIOKafkaProducer) -> None:
        with self._lock:
            count = len(self._left) if self._hurry.is_set() else max(len(self._left) // SHARE, 1)
            part, self._left = self._left[:count], self._left[count:]
            if not part and self._hurry.is_set():
                part, self._last = self._last, []
        try:
            sent = [await producer.send(self._topic, key=key, value=value, partition=partition) for partition, key, value in part]
            await asyncio.gather(*sent)
        except KafkaError:
            with self._lock:
                self._left = [*part, *self._left]
            raise
        with self._lock:
            self._sent += part

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._left, self._last = [], []  # nothing after `finish`; all after an error
        self._hurry.set()
        self._thread.join()
