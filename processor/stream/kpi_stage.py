"""The KPI stage of one worker: which partitions of it are ours, what they show, and that it comes back after whatever happens to it.

It shares nothing with the ticket stage but the process. Its Faust application is made, started and watched here; when it has failed, or
when the group has not confirmed it for long, it is replaced by a new one. What is wrong is told by `trouble`, as text at /readyz: a worker
whose KPI stage is in trouble is ready all the same, since its tickets are counted and exported, and taking it out of service would mend
nothing.

Gauges are shown for a partition while it runs and as long as the lease holds, so that two workers never show one segment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress

from aiokafka.errors import KafkaError

from processor.compile import compile_rules
from processor.config import Config
from processor.core.settings import Settings
from processor.export.kpi_view import KpiView
from processor.export.telemetry import Recorder
from processor.stream.connection import aiokafka_settings, broker_answers, pauses
from processor.stream.failpoints import Failpoints
from processor.stream.kpi_app import HEARTBEATS_PER_SESSION, KpiApp
from processor.stream.kpi_lease import Lease
from processor.stream.kpi_partition import KpiEnvironment, KpiPartition
from processor.stream.tasks import within
from processor.wall_clock import WallClock

log = logging.getLogger(__name__)

START_SECONDS = 60.0  # Faust's consumer gives up earlier where no broker answers
STOP_SECONDS = 3.0  # at most, and half a session: afterwards the group forgets us by itself
LONGEST_PROOF_PAUSE_SECONDS = 3.0
SESSIONS_UNTIL_REPLACED = 4  # without a proof that we are in the group: longer than a dead member can hold up a rebalance

Owned = frozenset[tuple[int, int]]  # partition, epoch


class KpiStage:
    """All owned partitions of the KPI stage. `start` returns at once; `stop` takes a bounded time."""

    def __init__(self, config: Config, settings: Settings, recorder: Recorder) -> None:
        session = float(config.worker.session_timeout_seconds)
        self._config = config
        self._recorder = recorder
        self._session_seconds = session
        self._pause_seconds = min(max(session / HEARTBEATS_PER_SESSION, 0.2), LONGEST_PROOF_PAUSE_SECONDS)
        self._lease = Lease(session)
        clock = WallClock()
        connection = aiokafka_settings(config.kafka)
        self._environment = KpiEnvironment(
            config, settings.midnights, compile_rules(config), connection, clock.now, recorder, self._lease, Failpoints()
        )
        self._partitions: dict[int, KpiPartition] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._dealt = asyncio.Event()  # partitions were assigned: have that confirmed at once
        self._joined = False
        self._problem = "kpis: starting"
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    # -- life ---------------------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin; whatever takes time goes on in the background."""
        self._task = asyncio.create_task(self._run(), name="kpis")

    async def stop(self) -> None:
        """Show nothing any more, leave the group."""
        self._stopping = True  # a cancellation may get lost
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        loop, pause = asyncio.get_running_loop(), pauses()
        while not self._stopping:
            app, started = None, loop.time()
            try:
                await broker_answers(self._environment.connection)  # an application leaves much behind: without a broker, none is made
                app = KpiApp(self._config, self, self._lease)
                await within(START_SECONDS, app.start())
                self._problem = ""
                await self._watch(app)
            except (KafkaError, OSError, TimeoutError) as error:
                self._complain(f"{type(error).__name__}: {error}")
            except Exception as error:
                log.exception("kpis: the consumer failed")
                self._complain(f"{type(error).__name__}: {error}")
            finally:
                if app is not None:
                    await self._end(app)
            if loop.time() - started > SESSIONS_UNTIL_REPLACED * self._session_seconds:
                pause = pauses()  # it had run well
            if not self._stopping:
                await asyncio.sleep(next(pause))

    async def _watch(self, app: KpiApp) -> None:
        """Have the group confirm what is ours, again and again, until the application has ended or nobody confirms."""
        loop = asyncio.get_running_loop()
        confirmed = loop.time()
        while not app.should_stop and not self._stopping:
            self._dealt.clear()
            offsets = {number: partition.position() for number, partition in self._partitions.items()}
            if offsets and self._joined:
                with suppress(KafkaError, TimeoutError):
                    await app.prove(offsets, wait_seconds=self._session_seconds)
            if self._lease.valid() or (self._joined and not offsets):  # in reserve there is nothing to confirm
                confirmed = loop.time()
            elif loop.time() - confirmed > SESSIONS_UNTIL_REPLACED * self._session_seconds:
                raise TimeoutError(f"the group has not confirmed its member for {loop.time() - confirmed:.0f} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._dealt.wait(), self._pause_seconds)
        if not self._stopping:
            raise RuntimeError(f"Faust has stopped: {app.crash_reason!r}")

    async def _end(self, app: KpiApp) -> None:
        """Nothing is shown from here on. Leaves the group if that can be done in time."""
        self._lease.end()
        partitions, self._partitions, self._joined = list(self._partitions.values()), {}, False
        for partition in partitions:
            partition.hold()
        try:
            await within(min(STOP_SECONDS, self._session_seconds / 2), app.stop())
        except Exception as error:  # noqa: BLE001 - its session ends anyway
            log.warning("kpis: the consumer did not stop in order (%s)", type(error).__name__)
        await asyncio.gather(*(partition.close() for partition in partitions), *self._closing)

    def _complain(self, problem: str) -> None:
        self._recorder.kpi_failed()
        told = f"kpis: {problem}"
        if told != self._problem:
            log.warning("%s; trying again", told)
        self._problem = told

    # -- for the application --------------------------------------------------------------------------------------------------------

    def revoked(self) -> None:
        """See Listener."""
        self._joined = False
        for partition in self._partitions.values():
            partition.hold()

    def assigned(self, numbers: Iterable[int]) -> None:
        """See Listener."""
        wanted = set(numbers)
        for number in [number for number in self._partitions if number not in wanted]:
            closing = asyncio.create_task(self._partitions.pop(number).close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        for number in sorted(wanted):
            if number not in self._partitions:
                self._partitions[number] = KpiPartition(self._environment, number)
            self._partitions[number].start()
        self._joined = True
        self._dealt.set()
        log.info("kpis: owns %d of %d partitions", len(wanted), self._config.topics.kpi_partitions)

    def received(self, number: int, offset: int, key: bytes | None, value: bytes | None) -> None:
        """See Listener."""
        partition = self._partitions.get(number)
        if partition is not None:
            partition.take(offset, key, value)

    # -- what it shows --------------------------------------------------------------------------------------------------------------

    def shown(self) -> tuple[list[KpiView], Owned]:
        """What the gauges show, and whose that is. Before the views are served, `owned` must say that all of it still is ours."""
        views = {number: partition.view() for number, partition in sorted(self._partitions.items())}
        running = frozenset((number, self._partitions[number].epoch) for number, view in views.items() if view is not None)
        if not self._lease.valid():
            return [], frozenset()
        return [view for view in views.values() if view is not None], running

    def owned(self) -> Owned:
        """What is ours and runs at this instant."""
        if not self._lease.valid():
            return frozenset()
        return frozenset((number, partition.epoch) for number, partition in self._partitions.items() if partition.phase == "running")

    def trouble(self) -> list[str]:
        """Why it is not in order; empty where it is."""
        if self._problem:
            return [self._problem]
        if not self._joined:
            return ["kpis: no partitions yet: the consumer group is dealing them out"]
        troubles = [
            partition.problem or f"kpis-{number}: {partition.phase}"
            for number, partition in sorted(self._partitions.items())
            if partition.phase != "running"
        ]
        if not troubles and self._partitions and not self._lease.valid():
            return ["kpis: the broker does not confirm that we are in the group; their gauges wait for it"]
        return troubles
