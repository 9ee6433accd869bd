"""The ticket stage of one worker: which partitions it owns, and what they show together.

Partitions come and go with the consumer group, each with the partition of the same number of the re-keyed topic. A revoked partition
ends its step; if it comes back with the next assignment it keeps its state, else it is closed. aiokafka revokes everything at every
rebalance, so the second half is what saves a recovery each time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from processor.config import Config
from processor.core.settings import Settings
from processor.export.progress import Progress
from processor.export.telemetry import Recorder
from processor.stream.assignor import assignor
from processor.stream.connection import aiokafka_settings, pauses
from processor.stream.environment import Environment
from processor.stream.failpoints import Failpoints
from processor.stream.membership import SHARE, Membership, steady_seconds
from processor.stream.partition import PartitionProcessor
from processor.stream.shown import Shown
from processor.stream.tasks import within
from processor.stream.topics import member_named
from processor.wall_clock import WallClock

log = logging.getLogger(__name__)

FETCH_BYTES = 1024 * 1024  # of each partition of an input, compressed; as much waits to be folded, and nothing more is asked for meanwhile
# A rebalance lasts until the last member has asked for it with a heartbeat; until then those who have asked stand still.
HEARTBEAT_MS = 250
LOOP_LAG_SECONDS = 0.1  # how often the lag of the event loop is measured, and the clock looked at
LAST_STEP_SECONDS = 3.0  # how long a step may take to end when the worker stops
LEAVE_SECONDS = 1.0  # how long the broker may take to let us go
# aiokafka leaves the group when nobody has fetched for so long, and joins it again only when somebody fetches. While every owned partition
# is taken over, is refused or waits for a broker, nobody does; nor does a worker in reserve. They would be out for ever.
NEVER_IDLE_MS = 2**31 - 1


class Runtime(ConsumerRebalanceListener):
    """All owned partitions. `start` and `stop` are called by the hosting service."""

    def __init__(
        self, config: Config, settings: Settings, recorder: Recorder, *, from_log_start: bool = False, instance: str | None = None
    ) -> None:
        self.config = config
        self._instance = instance
        self.recorder = recorder
        self.partitions: dict[TopicPartition, PartitionProcessor] = {}
        self.settings = settings
        self._from_log_start = from_log_start
        self._clock = WallClock()
        self._environment: Environment | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._watch: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._joined = False
        self._problem = ""
        self._group_problem = ""
        self._membership = Membership(config.worker.session_timeout_seconds)
        self._revoked_at = steady_seconds()
        self._member_id = ""  # as the group knows us now
        self._stopping = False
        self._awake_at = steady_seconds()

    # -- life ---------------------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Join the group; waits for a broker as long as it takes, and says so."""
        self._watch = asyncio.create_task(self._watch_itself())
        connection = aiokafka_settings(self.config.kafka)
        self._consumer = await self._connect(connection)
        self._membership.listen(self._consumer._coordinator)  # noqa: SLF001 - see there
        self._environment = Environment(
            self.config, self.settings, connection, self._consumer, self._clock, self.recorder, Failpoints(), self._from_log_start
        )
        self._consumer.subscribe([self.config.topics.events, self.config.topics.rekeyed], listener=self)

    async def stop(self) -> None:
        """End open steps, drop all state, leave the group: each within a bound, whatever the broker does."""
        self._stopping = True
        if self._watch is not None:
            self._watch.cancel()
        await asyncio.gather(*(partition.hold(min(self._bound, LAST_STEP_SECONDS)) for partition in self.partitions.values()))
        await asyncio.gather(*(partition.close() for partition in self.partitions.values()), *self._closing)
        self.partitions.clear()
        if self._consumer is not None:
            try:
                await within(LEAVE_SECONDS, self._consumer.stop())
            except Exception as error:  # noqa: BLE001 - the group forgets us by itself
                log.warning("the consumer did not leave its group in order: %s", type(error).__name__)

    @property
    def _bound(self) -> float:
        return min(self.config.worker.transaction_timeout_seconds, self.config.worker.session_timeout_seconds / 2)

    async def _connect(self, connection: dict[str, Any]) -> AIOKafkaConsumer:
        worker, topics = self.config.worker, self.config.topics
        for pause in pauses():
            consumer = AIOKafkaConsumer(
                **connection,
                group_id=self.config.application_id,
                group_instance_id=self._instance,
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                partition_assignment_strategy=[assignor(dict.fromkeys((topics.events, topics.rekeyed), topics.partitions))],
                session_timeout_ms=worker.session_timeout_seconds * 1000,
                heartbeat_interval_ms=min(worker.session_timeout_seconds * 1000 // 10, HEARTBEAT_MS),
                max_poll_interval_ms=NEVER_IDLE_MS,
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_wait_ms=100,
            )
            try:
                await consumer.start()
            except KafkaError as error:
                await consumer.stop()
                servers = ", ".join(self.config.kafka.bootstrap_servers)
                log.warning("no Kafka broker at %s (%s); next attempt in %.1f s", servers, type(error).__name__, pause)
                await asyncio.sleep(pause)
            else:
                return consumer
        raise AssertionError("pauses never end")

    async def _watch_itself(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LOOP_LAG_SECONDS)
            self.recorder.loop_lagged(loop.time() - before - LOOP_LAG_SECONDS)
            self._notice_absence()
            self._hear_of_the_group()
            self.recorder.clock_parted(self._clock.parted())

    def _notice_absence(self) -> None:
        """Whoever was stopped for about a session may have lost everything, and hears of it only with the next heartbeat."""
        before, self._awake_at = self._awake_at, steady_seconds()
        if self._awake_at - before > self.config.worker.session_timeout_seconds * SHARE:
            for partition in self.partitions.values():
                partition.doubt()

    def _hear_of_the_group(self) -> None:
        """While everything is revoked nobody reads, and after an error aiokafka's coordination stands still until somebody hears of it."""
        if self._joined or self._consumer is None or self._stopping:
            return
        try:
            self._consumer._coordinator.check_errors()  # noqa: SLF001 - reading, which would say it, needs a partition
        except Exception as error:  # noqa: BLE001 - it tries again, or has ended
            told = f"the consumer group: {error}"
            if told != self._group_problem:
                log.warning("%s", told)
            self._group_problem = told
        if steady_seconds() - self._revoked_at > self.config.worker.session_timeout_seconds:
            for partition in self.partitions.values():  # somebody else has them by now, or nobody
                partition.doubt()

    # -- rebalance ------------------------------------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Everything is revoked at first, also what comes back."""
        self._joined, self._revoked_at = False, steady_seconds()
        owned = [self.partitions[source] for source in revoked if source in self.partitions]
        await asyncio.gather(*(partition.hold(self._bound) for partition in owned))
        await self._wait_for_our_name()
        if self._environment is not None:
            self._environment.failpoints.reach("rebalance.after_revoke")

    async def _wait_for_our_name(self) -> None:
        """Where another worker has our name, own nothing and wait until it is gone.

        To be asked before we join again, which aiokafka does when this returns: that would take the name back, and the two would replace
        each other for ever. Whoever was forgotten by the group for another reason finds the name free.
        """
        assert self._consumer is not None
        former, self._member_id = self._member_id, ""
        if self._instance is None or not former or self._consumer._coordinator.member_id:  # noqa: SLF001 - nothing else tells
            return
        told = f"another worker has the name {self._instance!r}; this one waits until it is gone. Give each a name of its own"
        for pause in pauses():
            holder = await asyncio.to_thread(member_named, self.config.kafka, self.config.application_id, self._instance)
            if holder in ("", former):
                break
            if not self._problem:
                log.error("%s", told)
                self._problem = told
                await asyncio.gather(*(partition.close() for partition in self.partitions.values()))
                self.partitions.clear()
            await asyncio.sleep(pause)
        self._problem = ""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Heartbeats stand still in here, so it only starts what takes time."""
        assert self._environment is not None
        assert self._consumer is not None
        self._membership.proven(self._revoked_at)  # we have joined since
        if self._stopping:  # a takeover now would fence the one who gets the partition next
            return
        kept = {source for source in assigned if source.topic == self.config.topics.events}
        # A broker that has just started may not know the topic yet; the configuration does.
        total = len(self._consumer.partitions_for_topic(self.config.topics.events) or ()) or self.config.topics.partitions
        # Where the topic has got more partitions, keys have moved: what takes over anew compares the number with its state, and refuses.
        stay = {source for source, partition in self.partitions.items() if source in kept and partition.partitions == total}
        gone = [self.partitions.pop(source) for source in list(self.partitions) if source not in stay]
        for partition in gone:
            partition.shown = None
            closing = asyncio.create_task(partition.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        for source in sorted(kept):
            if source in self.partitions:
                self.partitions[source].rejoin()
            else:
                partition = self.partitions[source] = PartitionProcessor(self._environment, source, total)
                partition.start()
        self._joined, self._group_problem = True, ""
        self._member_id = self._consumer._coordinator.member_id  # noqa: SLF001
        self.recorder.rebalanced()
        self._environment.failpoints.reach("rebalance.after_assign")
        log.info("owns %d of %d partitions of %s", len(kept), total, self.config.topics.events)

    # -- what it shows --------------------------------------------------------------------------------------------------------------

    def shown(self) -> list[Shown]:
        """The numbers of the owned partitions, each as of its last commit, in the order of partitions; nothing while we may own none."""
        self._notice_absence()
        if not self._membership.valid():
            return []
        return [partition.shown for _, partition in sorted(self.partitions.items()) if partition.shown is not None]

    def progress(self) -> list[Progress]:
        """How far behind each owned partition is, in their order."""
        return [partition.progress() for _, partition in sorted(self.partitions.items())]

    def ready(self) -> tuple[bool, list[str]]:
        """Whether every owned partition is in order, and if not, why; else how far behind they are."""
        if self._problem:
            return False, [self._problem]
        if not self._joined:
            return False, [self._group_problem or "no partitions yet: the consumer group is dealing them out"]
        if not self._membership.valid():
            silent = self._membership.silent_seconds()
            return False, [f"the consumer group has not answered for {silent:.0f} s: others may have our partitions, so nothing is shown"]
        problems = [trouble for _, partition in sorted(self.partitions.items()) if (trouble := partition.trouble())]
        behind = [f"{self.config.topics.events}-{each.partition}: {each}" for each in self.progress() if str(each)]
        return not problems, problems or behind
