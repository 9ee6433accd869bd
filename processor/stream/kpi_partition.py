"""One owned partition of the KPI stage: take over, add up, publish each W in a transaction of its own.

    wait for the lease ──▶ fence ──▶ read partials and kpis to their ends ──▶ [ add ──▶ publish what is due ]* ──▶ revoked
              ▲                                                                        │
              └──────────────── any failure ◀──────────────────────────────────────────┘     what was given out may not be written

The epoch is one more than the greatest in the topic of KPIs, read after the fence: from then on nobody else can write, so a key's
(epoch, W) never goes back. It is fenced only while the lease proves that the partition is ours: a worker that was stopped and goes on would
otherwise shut out the owner. Every assignment is a takeover, also of what was ours before; the tables are kept, so that costs little.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from processor.codec.partials import WindowsPartial, decode_partial
from processor.config import Config
from processor.core.kpi_readings import Rules
from processor.export.catalogue import KPI_PART
from processor.export.kpi_view import Ignored, KpiView
from processor.export.telemetry import Recorder
from processor.kpis.combine import Combined, Combiner, combiner_of
from processor.kpis.encode import encode_kpis
from processor.stream.committed import open_reader
from processor.stream.committer import stop_producer, transactional_producer
from processor.stream.failpoints import Failpoints
from processor.stream.kpi_lease import Lease
from processor.stream.kpi_table import SLICE, Table, published_in
from processor.stream.outgoing import Outgoing
from processor.stream.tasks import end

log = logging.getLogger(__name__)

VERSIONS = 3  # of each slice: between two W's some partitions have reported the next one already, and the last is still to be shown
LEASE_POLL_SECONDS = 0.05
FETCH_WAIT_MS = 100  # the ends of two short topics are soon there
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 0.5, 30.0
TAKE_OVER_SECONDS = 30.0  # aiokafka may wait for ever for a broker that went away in between; what was read stays in the tables


@dataclass(frozen=True, slots=True)
class KpiEnvironment:
    """What all partitions of a worker's KPI stage share."""

    config: Config
    midnights: tuple[int, ...]
    rules: Rules
    connection: dict[str, Any]
    now: Callable[[], int]  # milliseconds since 1970
    recorder: Recorder
    lease: Lease
    failpoints: Failpoints


class KpiPartition:
    """Runs while the partition is assigned. `phase` is waiting, starting, running or failing; `problem` says why in the last."""

    def __init__(self, environment: KpiEnvironment, number: int) -> None:
        self.number = number
        self.phase = "waiting"
        self.problem = ""
        self.epoch = 0
        self._environment = environment
        topics = environment.config.topics
        self._partials = Table(topics.partials, number, versions=VERSIONS)
        self._kpis = Table(topics.kpis, number)
        self._heard = -1  # newest offset that came while the tables were read
        self._combiner: Combiner | None = None
        self._ignored: Counter[Ignored] = Counter()  # of them the recorder knows
        self._view: KpiView | None = None
        self._merging, self._windows_came = False, True  # merging in a thread, which nobody may disturb
        self._waiting: list[bytes] = []  # what came meanwhile
        self._news = asyncio.Event()
        self._producer: AIOKafkaProducer | None = None
        self._task: asyncio.Task[None] | None = None
        self._held: asyncio.Task[None] | None = None

    # -- for the stage ------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Assigned."""
        self._task = asyncio.create_task(self._run(self._task), name=f"kpis-{self.number}")

    def hold(self) -> None:
        """Revoked, perhaps for a moment: from now on nothing is shown or written. An open transaction is aborted by the next owner."""
        self._be("waiting")
        self._combiner = self._view = None  # a thread may still be at it
        self._held = self._task
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Stop for good."""
        self.hold()
        await end(self._task)
        self._task = self._held = None
        await self._drop()

    def position(self) -> int | None:
        """The offset to commit: all below it is in the table. None until that has been read."""
        return self._partials.position if self.phase == "running" else None

    def view(self) -> KpiView | None:
        """What the gauges show, as long as it runs. Whether it may be shown is for the lease to say."""
        if self._combiner is None or self.phase != "running":
            return None
        if not self._merging:
            self._view = self._combiner.view()
        return self._view

    def take(self, offset: int, key: bytes | None, value: bytes | None) -> None:
        """A record of the partials topic. Never raises."""
        if self._combiner is None:
            self._heard = max(self._heard, offset)
        elif self._partials.put(offset, key, value) and value is not None:
            if self._merging:
                self._waiting.append(value)
            else:
                self._add(self._combiner, value)
            self._news.set()

    # -- life ---------------------------------------------------------------------------------------------------------------------

    async def _run(self, former: asyncio.Task[None] | None) -> None:
        await end(former)
        former = None  # it has a former one, too
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._drop()
                await self._wait_for_lease()
                async with asyncio.timeout(TAKE_OVER_SECONDS):
                    await self._take_over()
                while True:
                    self._end_if_held()
                    await self._publish_what_is_due()
                    self._be("running")
                    self._environment.recorder.went_round(KPI_PART, self.number, now_ms=self._environment.now())
                    retry_seconds = FIRST_RETRY_SECONDS
                    await self._wait()
            except (KafkaError, OSError) as error:  # fenced, too: by the next owner, before this one has heard of the rebalance
                self._fail(f"{self._name}: {type(error).__name__}: {error}")
            except Exception as error:
                log.exception("%s failed", self._name)
                self._fail(f"{self._name}: {type(error).__name__}: {error}")
            await asyncio.sleep(retry_seconds)
            retry_seconds = min(retry_seconds * 2, LONGEST_RETRY_SECONDS)

    def _end_if_held(self) -> None:
        """A cancellation gets lost where a library that is stopped cancels tasks of its own."""
        if self._held is asyncio.current_task():
            raise asyncio.CancelledError

    async def _wait_for_lease(self) -> None:
        self._end_if_held()
        self._be("starting", self.problem)
        while not self._environment.lease.valid():  # noqa: ASYNC110 - it ends by itself, without an event
            await asyncio.sleep(LEASE_POLL_SECONDS)

    async def _take_over(self) -> None:
        environment, started, self._heard = self._environment, time.monotonic(), -1
        name = f"{environment.config.application_id}-kpis-{self.number}"
        self._producer = transactional_producer(environment.config, environment.connection, name)
        await self._producer.start()
        environment.failpoints.reach("kpis.after_fence")
        async with open_reader(environment.connection, fetch_max_wait_ms=FETCH_WAIT_MS) as reader:
            read = await self._kpis.catch_up(reader) + await self._partials.catch_up(reader)
            environment.failpoints.reach("kpis.after_read")
            published = await published_in(self._kpis)
            while self._heard >= self._partials.position:
                read += await self._partials.catch_up(reader)
            self._end_if_held()
            # Nothing may be waited for here: what came meanwhile would be neither in the table nor added.
            self.epoch = max((each.epoch for each in published), default=0) + 1
            combiner = combiner_of(environment.config, self.number)
            combiner.resume(published)
            self._combiner = combiner  # from here on `take` adds to it; the order does not matter
        for _, value in self._partials.rows():
            self._add(combiner, value or b"")
            await asyncio.sleep(0)  # a slice may take milliseconds
        self._ignored = Counter(combiner.counts)  # what is old in the table was ignored, or used, by the former owner
        log.info("%s: taken over as epoch %d in %.2f s (%d records)", self._name, self.epoch, time.monotonic() - started, read)

    async def _drop(self) -> None:
        """Forget what was given out; the topics have what counts."""
        self._combiner = self._view = None
        self._waiting.clear()
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await stop_producer(producer)
            except Exception as error:  # noqa: BLE001 - the next fence ends what is open
                log.warning("%s: the producer did not stop: %s", self._name, type(error).__name__)

    def _be(self, phase: str, problem: str = "") -> None:
        self.phase, self.problem = phase, problem

    def _fail(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("%s; taking it over again", problem)
        self._environment.recorder.kpi_failed()
        self._be("failing", problem)

    @property
    def _name(self) -> str:
        return f"{self._environment.config.topics.kpis}-{self.number}"

    # -- in and out ---------------------------------------------------------------------------------------------------------------

    def _add(self, combiner: Combiner, value: bytes) -> None:
        started = time.thread_time()
        try:
            partial = decode_partial(value, self._environment.config.application_id)
            combiner.add(partial, self._environment.now())
            self._windows_came |= isinstance(partial, WindowsPartial)
        except ValueError as error:
            log.warning("%s: a record of the partials topic was left out: %s", self._name, error)
            self._environment.recorder.kpi_partials_ignored(Ignored.UNDECODABLE, 1)
        self._environment.recorder.kpi_worked(seconds=time.thread_time() - started)

    async def _publish_what_is_due(self) -> None:
        assert self._combiner is not None
        self._news.clear()
        for combined in await self._due(self._combiner):
            await self._publish(combined)
        for reason, count in (self._combiner.counts - self._ignored).items():
            self._environment.recorder.kpi_partials_ignored(reason, count)
        self._ignored = Counter(self._combiner.counts)

    async def _due(self, combiner: Combiner) -> list[Combined]:
        """What is to be published. Merging the windows of many segments takes long, so it is done in a thread."""

        def ask() -> tuple[list[Combined], float]:
            started = time.thread_time()
            return combiner.due(self._environment.now()), time.thread_time() - started

        if self._windows_came or combiner.overdue(self._environment.now()):
            self._windows_came, self._merging = False, True
            try:
                given, seconds = await asyncio.to_thread(ask)
            finally:
                self._merging = False
            while self._waiting:
                self._add(combiner, self._waiting.pop(0))
        else:
            given, seconds = ask()
        self._environment.recorder.kpi_worked(seconds=seconds)
        return given

    async def _publish(self, combined: Combined) -> None:
        """One W in one transaction."""
        recorder, reach = self._environment.recorder, self._environment.failpoints.reach
        assert self._producer is not None
        outgoing = Outgoing(self._producer)
        await outgoing.begin()
        try:
            reach("kpis.after_begin")
            number = await self._add_records(combined, outgoing)
            reach("kpis.after_sends")
            await outgoing.flush()
            reach("kpis.after_flush")
        except BaseException:
            outgoing.give_up()
            raise
        await outgoing.commit()
        reach("kpis.after_commit")
        recorder.kpis_published(number)
        recorder.kpi_given_out(end_at_ms=combined.end, complete=combined.complete)

    async def _add_records(self, combined: Combined, outgoing: Outgoing) -> int:
        """How many there are."""
        environment, started, number = self._environment, time.thread_time(), 0
        records = encode_kpis(combined, self.epoch, environment.midnights, environment.rules)
        while some := list(islice(records, SLICE)):
            number += len(some)
            await outgoing.add(environment.config.topics.kpis, self.number, some)
            environment.recorder.kpi_worked(seconds=time.thread_time() - started)
            await asyncio.sleep(0)
            started = time.thread_time()
        return number

    async def _wait(self) -> None:
        """Until there is something new, or until a W has waited long enough for who is missing."""
        assert self._combiner is not None
        wake_at = self._combiner.wake_at()
        seconds = None if wake_at is None else max(wake_at - self._environment.now(), 0) / 1000
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # `wait_for` forgets a cancellation that comes together with news
                await self._news.wait()
