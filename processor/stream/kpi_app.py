"""The Faust application of the KPI stage: a consumer group, and an agent that is handed every record of the partials topic.

It is an application of its own inside the worker, apart from the frame that hosts the ticket stage. A Faust application ends its process
when anything in it fails; this one is started, watched and replaced by `kpi_stage`, and the ticket stage never waits for it.

What differs from what Faust makes by itself:
- The consumer is made here: read_committed, so that nobody sees what an aborted transaction wrote; sessions as the worker's; never idle.
- Leader election and the consumer of replies are left out, and with them the topics `...__assignor-__leader` and `...-reply`: nothing here
  needs a leader. Faust creates no topic; all that there are have a specification in schemas/topics.
- No `faust.Table`. A partition of partials *is* a table with its changelog: the newest record of each key, in a compacted topic. So the
  topic is the changelog, and `kpi_table` reads it. A Faust table would write every slice a second time, into a changelog without
  transactions and without a fence: a worker that was stopped beyond its session appends old slices behind those of the new owner, and both
  recovery and compaction believe the last record, not the greatest (epoch, W, sequence). Where the log has ended, no later minute heals
  that. tests/stream/test_kpi_app.py shows it with Faust's own store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.app.base import BootStrategy
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode.threads import WorkerThread

from processor.config import Config
from processor.stream.assignor import assignor
from processor.stream.connection import aiokafka_settings, faust_credentials
from processor.stream.kpi_lease import Lease

log = logging.getLogger(__name__)

GROUP_SUFFIX = "kpis"
HEARTBEATS_PER_SESSION = 10
HEARTBEAT_MS = 250  # at most: a rebalance lasts until the last member has asked for it
# A member that does not rejoin is thrown out by its session, on which the lease relies, long before the rebalance runs out of patience.
SESSIONS_PER_REBALANCE = 4
FETCH_WAIT_MS = 200
FETCH_BYTES = 4 * 1024 * 1024
NEVER_IDLE_MS = 2**31 - 1  # aiokafka leaves the group where nobody fetches, and a worker in reserve never does


class Listener(Protocol):
    """Who is told what the application hears. Called on the event loop; must not raise and must not take long."""

    def revoked(self) -> None:
        """Nothing is ours for now; it may come back with the next assignment."""

    def assigned(self, numbers: Iterable[int]) -> None:
        """These partitions of the partials topic are ours."""

    def received(self, number: int, offset: int, key: bytes | None, value: bytes | None) -> None:
        """A record of the partials topic, of a partition that is ours; perhaps not for the first time."""


class _Daemon(WorkerThread):
    """Cannot keep the process from ending, should the consumer hang."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.daemon = True

    def run(self) -> None:
        """What ends it is told in one line of the log; the traceback of a thread would get in between others."""
        try:
            super().run()
        except Exception as error:  # noqa: BLE001 - where it had not started yet, `start` raises it
            log.warning("kpis: the consumer's thread ended: %s: %s", type(error).__name__, error)


class _Thread(driver.AIOKafkaConsumerThread):
    """The thread in which aiokafka's consumer lives."""

    Worker = _Daemon
    mundane_level = "debug"
    app: KpiApp

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> AIOKafkaConsumer:  # noqa: ARG002 - called in that loop
        app = self.app
        session = app.config.worker.session_timeout_seconds * 1000
        return AIOKafkaConsumer(
            **aiokafka_settings(app.config.kafka),
            group_id=app.group,
            partition_assignment_strategy=[assignor({app.config.topics.partials: app.config.topics.kpi_partitions})],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=session,
            heartbeat_interval_ms=min(session // HEARTBEATS_PER_SESSION, HEARTBEAT_MS),
            rebalance_timeout_ms=max(session * SESSIONS_PER_REBALANCE, 60_000),
            max_poll_interval_ms=NEVER_IDLE_MS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
        )

    async def on_thread_stop(self) -> None:
        """Without a broker aiokafka does not stop in order, and nobody would hear of it but the terminal."""
        try:
            await super().on_thread_stop()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - its session ends anyway
            log.warning("kpis: the consumer did not stop in order: %s", type(error).__name__)

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:
        """The worker of this thread tells it; mode would print a traceback."""

    def _stopped_set(self) -> None:
        """Where the thread has ended by itself, its loop is closed and nobody waits on it any more."""
        try:
            super()._stopped_set()
        except RuntimeError:
            self._stopped.set()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.app.lease.end()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.app.lease.begin()
        await super().on_partitions_assigned(assigned, generation_id)

    async def prove(self, offsets: Mapping[TopicPartition, int | None]) -> None:
        """Commit, and take note that it was accepted. Where an offset is not known, what is committed is committed again."""
        consumer, lease = self._ensure_consumer(), self.app.lease
        if not offsets.keys() <= consumer.assignment():
            return
        known = {source: await consumer.committed(source) or 0 if offset is None else offset for source, offset in offsets.items()}
        question = lease.ask()
        await consumer.commit(known)
        lease.prove(question)

    def close(self) -> None:
        """Called on the application's loop, when partitions are dealt to an application that is stopping.

        Faust would close aiokafka's consumer there, while this thread reads from its connections: two threads in one connection of uvloop
        end the process with SIGSEGV. `on_thread_stop` closes it, on the loop it lives in, once it has taken the partitions.
        """

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust takes a quiet partition for a fault."""


class _Consumer(driver.Consumer):
    mundane_level = "debug"
    app: KpiApp

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.app.listener.revoked()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        self.app.listener.assigned(sorted(tp.partition for tp in assigned))
        await super().on_partitions_assigned(assigned, generation_id)


class _Transport(driver.Transport):
    Consumer = _Consumer


class _Boot(BootStrategy):
    def kafka_consumer(self) -> Iterable[faust.types.ServiceT]:
        return [self.app.consumer]


class KpiApp(faust.App):
    """One life of the application; a new one is made after each failure."""

    BootStrategy = _Boot
    mundane_level = "debug"

    def __init__(self, config: Config, listener: Listener, lease: Lease) -> None:
        self.config = config
        self.listener = listener
        self.lease = lease
        self.group = f"{config.application_id}-{GROUP_SUFFIX}"
        super().__init__(
            self.group,
            broker=[f"kafka://{server}" for server in config.kafka.bootstrap_servers],
            broker_client_id=config.kafka.client_id,
            broker_credentials=faust_credentials(config.kafka),
            topic_allow_declare=False,
            stream_wait_empty=False,  # it would collect garbage until every event is done, in a process with millions of objects
            store="memory://",
            web_enabled=False,
            autodiscover=False,
        )
        self.transport = _Transport(self.conf.broker_consumer, self)
        # Offsets are committed with the lease: what Faust commits, it forgets at every rebalance.
        topic = self.topic(config.topics.partials, key_type=bytes, value_type=bytes, value_serializer="raw", acks=False, allow_empty=True)
        self.agent(topic, name="kpis")(self._take)

    async def on_first_start(self) -> None:
        """Faust would make directories for tables here."""

    async def on_started(self) -> None:
        """Faust would wait for its recovery here, and with it for the group."""

    async def _take(self, stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            message = event.message
            self.listener.received(message.partition, message.offset, message.key, message.value)

    async def prove(self, offsets: Mapping[int, int | None], *, wait_seconds: float) -> None:
        """Have the group confirm that the partitions are ours, for the lease. Raises KafkaError or TimeoutError where it does not."""
        thread: _Thread = self.consumer._thread  # noqa: SLF001 - ours, in a slot of Faust's
        topic = self.config.topics.partials
        asking = thread.prove({TopicPartition(topic, number): offset for number, offset in offsets.items()})
        await asyncio.wait_for(asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asking, thread.thread_loop)), wait_seconds)
