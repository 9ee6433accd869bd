"""One owned partition: fetch its events and what is re-keyed to it, fold, commit, and the clocks in between.

    take over ──▶ [ fetch ──▶ fold ──▶ commit ──▶ show ]* ──▶ stop
        ▲                        │
        └──── any failure ◀──────┘      memory is ahead of the log then, so it is dropped, never retried in place

An event on which the engine raises twice is dead-lettered as `engine_error`; too many of those stop the partition, loudly. Where it is not
clear which event it was, steps get smaller until one event is left. What the broker does wrong never counts.

What is heard of other partitions alone is folded, but not written for itself: it would be read again.
"""

from __future__ import annotations

import asyncio
import logging

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from processor.core.engine import Engine
from processor.core.settings import MINUTE_MS
from processor.cycles import none_made
from processor.export.catalogue import TICKET_PART
from processor.export.progress import Progress
from processor.stream.committer import Committer, DeadLetter
from processor.stream.environment import Environment
from processor.stream.inputs import Inputs
from processor.stream.intake import EngineFaultError, Intake, Place
from processor.stream.outbox import Outbox
from processor.stream.refusals import RefusedError
from processor.stream.shown import Pace, Shown, timed
from processor.stream.step_size import StepSize
from processor.stream.takeover import take_over
from processor.stream.tasks import end
from processor.stream.time_slices import slices

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5  # how long a fetch waits, and how often a quiet partition asks for its end
DEADLINE_PROBE_SECONDS = 0.05  # how often it asks while a deadline has passed and only the proof is missing
MARKER_SECONDS = 5.0  # a clock that moved without events is written down this often
STEP_MS_BEHIND = 600  # with a backlog a step may take so long: what a transaction costs is shared by more events, and nobody waits for it
STALLED_SECONDS = 60.0  # a takeover that does not move for so long is begun anew: a broker that dies may leave a question open for ever
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 30.0


class PartitionProcessor:
    """Runs one partition until it is closed. `phase` is starting, running, refused or failing; `problem` says why in the last two."""

    def __init__(self, environment: Environment, source: TopicPartition, partitions: int) -> None:
        self.environment = environment
        self.source = source
        self.partitions = partitions
        self.phase = "starting"
        self.problem = ""
        self.shown: Shown | None = None
        self._intake = Intake(environment.config, environment.settings, partitions, environment.recorder.engine_failed)
        self._inputs = Inputs(environment.consumer, source, environment.config.topics.rekeyed)
        self.engine = Engine(environment.settings, source.partition, partitions)
        self._outbox = self._new_outbox(0)
        self._committer: Committer | None = None
        self._open = asyncio.Event()  # closed between revoke and assignment
        self._rejoining = False
        self._generation = 0
        self.between_steps = asyncio.Lock()
        self._next_probe = 0.0
        self._marker_at = 0.0
        self._answered_at = 0.0  # when the broker last gave a sign of life to this partition
        self._pace = Pace(environment.config.worker.snapshot_ms / 1000)
        self._suspect: Place | None = None  # the record on which the engine failed last
        self._gave_up = False
        self._size = StepSize(environment.config.worker.step_events_max)
        self._retry_seconds = FIRST_RETRY_SECONDS
        self._recovered = 0.0  # the share of the state that a takeover has read
        self._stall: asyncio.Timeout | None = None  # when a takeover is given up
        self._taken_at = 0.0  # when the partition was taken over; 0 where it is not ours now
        self._task: asyncio.Task[None] | None = None

    # -- for the runtime ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin with a takeover. To be called when the partition is assigned."""
        self._inputs.claim()
        self._open.set()
        former = self._task
        self._task = asyncio.create_task(self._run(former), name=f"partition-{self.source.partition}")

    async def hold(self, bound_seconds: float) -> None:
        """Revoked, perhaps for a moment: let the open step end, at most so long, and begin no other."""
        self._open.clear()
        self._generation += 1
        if self.phase != "running" and self._task is not None:
            self._task.cancel()  # a takeover that went on would fence the next owner
            return
        try:
            await asyncio.wait_for(self.between_steps.acquire(), bound_seconds)
        except TimeoutError:
            log.warning("%s: the step did not end in time; its transaction will be fenced", self._name)
        else:
            self.between_steps.release()

    def rejoin(self) -> None:
        """Assigned again: state and producer are kept if the producer proves to be unfenced."""
        if self.phase != "running" or self._task is None or self._task.done():
            self.start()
            return
        self._rejoining = True
        self._inputs.read_on()
        self._open.set()

    async def close(self) -> None:
        """Stop for good: drop the state and its series."""
        self._open.clear()
        self.shown = None
        self.environment.recorder.partition_lost(self.source.partition)
        await end(self._task)
        self._task = self._stall = None  # else this refers to itself, and is never given up: see processor/cycles.py
        await self._drop()

    def trouble(self) -> str:
        """Why it is not in order; empty where it is."""
        if self.phase != "running":
            return self.problem or f"{self._name}: starting, {self.progress()}"
        if self.shown is None:
            return f"{self._name}: taken over, nothing to show yet"
        worker = self.environment.config.worker
        silent = asyncio.get_running_loop().time() - self._answered_at
        if worker.clock == "live" and not self._replaying and silent > worker.session_timeout_seconds:
            return f"{self._name}: the broker has not answered for {silent:.0f} s; deadlines wait for it"
        return ""

    def progress(self) -> Progress:
        """How far recovery and catching up have come."""
        present = self.environment.clock.now()
        return self._inputs.progress(present) if self.phase == "running" else Progress(self.source.partition, self._recovered)

    def doubt(self) -> None:
        """Perhaps it is somebody else's by now: show nothing, and go on only after the next commit has proven that it is not."""
        self.shown, self._rejoining = None, True

    @property
    def _name(self) -> str:
        return f"{self.source.topic}-{self.source.partition}"

    # -- life ---------------------------------------------------------------------------------------------------------------------

    async def _run(self, former: asyncio.Task[None] | None) -> None:
        if former is not None:  # cancelled by a rebalance in the middle of a takeover
            await end(former)
            former = None
            await self._drop()
        while not self._gave_up:
            try:
                await self._open.wait()
                try:
                    async with asyncio.timeout(STALLED_SECONDS) as self._stall:
                        await self._take_over()
                except TimeoutError as error:
                    raise KafkaTimeoutError(f"the takeover has not moved for {STALLED_SECONDS:.0f} s") from error
                while True:
                    await self._open.wait()
                    if self._rejoining:
                        await self._prove_unfenced()
                    await self._turn()
            except RefusedError as error:
                self._complain("refused", str(error))
                self._retry_seconds = LONGEST_RETRY_SECONDS
            except EngineFaultError as error:
                self._note_fault(error)
            except KafkaError as error:
                self._complain("failing", f"{self._name}: {type(error).__name__}: {error}; taking it over again")
            except Exception as error:
                log.exception("%s: step failed", self._name)
                self._complain("failing", f"{self._name}: {type(error).__name__}: {error}; taking it over again")
            self.environment.recorder.step_failed()
            await self._drop()
            if self._taken_at and asyncio.get_running_loop().time() - self._taken_at > LONGEST_RETRY_SECONDS:
                self._retry_seconds = FIRST_RETRY_SECONDS  # it had run well
            self._taken_at = 0.0
            # A worker that was fenced may still believe that it owns the partition: its next heartbeat tells it otherwise.
            await asyncio.sleep(self._retry_seconds)
            self._retry_seconds = min(self._retry_seconds * 2, LONGEST_RETRY_SECONDS)

    def _complain(self, phase: str, problem: str) -> None:
        if problem != self.problem:
            log.error("%s: %s", phase, problem)
        self._be(phase, problem)

    def _be(self, phase: str, problem: str = "") -> None:
        self.phase, self.problem = phase, problem
        self.environment.recorder.running(self.source.partition, phase == "running")

    async def _take_over(self) -> None:
        environment = self.environment
        started = environment.clock.now()
        self._recovered = 0.0
        self._be("starting", self.problem)
        self._inputs.pause()
        committer = Committer(environment.config, environment.connection, self.source.partition, environment.failpoints)
        self._committer = committer
        await committer.start()
        environment.failpoints.reach("takeover.after_fence")
        taken = await take_over(
            environment.config,
            environment.settings,
            environment.connection,
            environment.consumer,
            self.source,
            self.partitions,
            environment.failpoints,
            self._hear_recovered,
            from_log_start=environment.from_log_start,
        )
        self.engine, self._outbox = taken.engine, self._new_outbox(taken.epoch)
        self._rejoining = True  # the first step proves the fence and writes the new epoch
        environment.failpoints.reach("takeover.before_seek")
        self._inputs.begin(
            taken.applied, taken.rekeyed_applied, taken.newest_appended_at, taken.rekeyed_end, taken.appended_at, taken.end,
            taken.rekeyed_record,
        )  # fmt: skip
        self._keep_pace()
        await asyncio.to_thread(self.engine.reports_again)  # windows are summed anew
        self._taken_at = asyncio.get_running_loop().time()
        seconds = (environment.clock.now() - started) / 1000
        environment.recorder.taken_over(self.source.partition, seconds=seconds)
        log.info("%s: taken over at offset %d in %.2f s (%d state records)", self._name, taken.applied + 1, seconds, taken.records_read)
        self._be("running")

    def _hear_recovered(self, share: float) -> None:
        self._recovered = min(share, 0.99)
        if self._stall is not None:
            self._stall.reschedule(asyncio.get_running_loop().time() + STALLED_SECONDS)

    async def _prove_unfenced(self) -> None:
        """Commit the marker alone: it succeeds only if nobody else has taken the partition since."""
        async with self.between_steps:
            self._rejoining = False
            self._inputs.read_on()
            self.environment.failpoints.reach("takeover.before_proof")
            await self._commit([])
        await self._show()

    async def _drop(self) -> None:
        """Forget everything in memory; the log and the state topic have it."""
        self.shown = None
        self._inputs.forget()
        committer, self._committer = self._committer, None
        if committer is not None:
            try:
                await committer.stop()
            except Exception as error:  # noqa: BLE001 - it is fenced by the next owner anyway
                log.warning("%s: the producer did not stop: %s", self._name, type(error).__name__)

    def _note_fault(self, error: EngineFaultError) -> None:
        """The first time at an event may be an accident; the second time the event is set aside."""
        log.error("%s: %s", self._name, error, exc_info=error.__cause__)
        self._complain("failing", f"{self._name}: {error}; taking it over again")
        if self._suspect != error.place:
            self._suspect = error.place
            return
        self._intake.set_aside.add(error.place)
        self.environment.recorder.engine_failed()
        if len(self._intake.set_aside) > self.environment.config.worker.engine_errors_max:
            self._gave_up = True
            reason = f"the engine failed on {len(self._intake.set_aside)} events; stopped. Please report it, with this log."
            self._complain("refused", f"{self._name}: {reason}")

    # -- steps --------------------------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """One round: records if there are any, else time."""
        generation = self._generation
        if not self._inputs.fetched:
            await self._inputs.fetch(self._patience(), self._size.now)
        if generation != self._generation or not self._open.is_set() or self._rejoining:
            self._inputs.forget()  # a rebalance came in between: positions are set anew
            return
        async with self.between_steps:
            if self._inputs.fetched:
                await self._step()
            await self._follow_wall_clock()
            await self._write_what_waits()
        if self._pace.left(asyncio.get_running_loop().time(), behind_seconds=self._inputs.behind(self.environment.clock.now())) <= 0:
            await self._show()

    async def _step(self) -> None:
        records = self._inputs.fetched
        events_before = self._inputs.events_applied
        try:
            async with self.environment.folding:
                rejected = await self._fold()
                self._keep_pace()
                self.engine.advance_by_log()
                self.engine.sweep()
            self.environment.failpoints.reach("step.after_fold")
            if rejected or self._inputs.events_applied != events_before or self.engine.news():
                await self._commit(rejected)
        except (KafkaError, OSError, EngineFaultError):
            raise
        except Exception as error:  # ours, but not in `apply`: which event leads to it is found by smaller and smaller steps
            if len(records) == 1:
                raise EngineFaultError(records[0]) from error
            self._size.failed(records)
            self._retry_seconds = FIRST_RETRY_SECONDS
            raise
        self._size.done(self._inputs.applied())
        self._retry_seconds = FIRST_RETRY_SECONDS

    async def _fold(self) -> list[DeadLetter]:
        """Fold fetched records until the step is full; what is left waits for the next step."""
        worker, loop, engine, inputs = self.environment.config.worker, asyncio.get_running_loop(), self.engine, self._inputs
        most_ms = max(worker.step_ms_max, STEP_MS_BEHIND) if inputs.full else worker.step_ms_max
        until = loop.time() + most_ms / 1000
        before = engine.stream_time
        rejected: list[DeadLetter] = []
        self._keep_pace()
        while inputs.fetched:
            records = inputs.next_slice()
            with none_made():
                taken = self._intake.take_some(engine, records)
            rejected += taken.letters
            inputs.newest_appended_at = taken.newest_appended_at or inputs.newest_appended_at
            inputs.folded(records[: taken.count])
            if loop.time() > until:
                break
            await asyncio.sleep(0)
        if engine.stream_time > before:
            now = self.environment.clock.now()
            self.environment.recorder.event_applied(self.source.partition, event_at_ms=engine.stream_time, now_ms=now)
        return rejected

    async def _commit(self, rejected: list[DeadLetter]) -> None:
        started = (loop := asyncio.get_running_loop()).time()
        assert self._committer is not None
        await self._committer.commit(self._outbox.pack(self.engine, self._inputs, started, rejected))
        self._inputs.committed()
        self._marker_at = self._answered_at = loop.time()
        self.environment.recorder.step_committed(seconds=self._marker_at - started)

    async def _write_what_waits(self) -> None:
        """What no step has written: levels that came too soon after others, and, now and then, how far was read."""
        now = asyncio.get_running_loop().time()
        moved = self._inputs.moved() and now - self._marker_at > MARKER_SECONDS
        if moved or self._outbox.levels_wait(self.engine, now):
            await self._commit([])

    def _new_outbox(self, epoch: int) -> Outbox:
        return Outbox(self.environment.config, self.environment.settings, self.source, self.partitions, epoch)

    # -- time ---------------------------------------------------------------------------------------------------------------------

    @property
    def _replaying(self) -> bool:
        """Whether the newest event was old already when it was appended: a backfill, in which the wall clock means nothing.

        Records that bring no newer event do not count: one that is rejected or late after a quiet hour must not stop the clock.
        """
        appended_at, minutes = self._inputs.newest_appended_at, self.environment.config.worker.backfill_after_minutes
        return appended_at > 0 and appended_at - self.engine.stream_time > minutes * MINUTE_MS

    def _keep_pace(self) -> None:
        """Each minute is reported where time is the present, else as often as is configured for backfills.

        A clock that follows the log waits with reports for slower partitions, so that they do not depend on how fast each one reads.
        """
        config = self.environment.config
        self.engine.patient = live = config.worker.clock == "live"
        self.engine.report_every(1 if live and not self._replaying else config.kpis.backfill_minutes, hold=not live)

    def _next_due(self) -> int:
        """The next instant at which time alone has something to say: a deadline, or a full minute to report."""
        return min(self.engine.next_deadline(), (self.engine.timer_time // MINUTE_MS + 1) * MINUTE_MS)

    def _patience(self) -> float:
        """Seconds to wait for records: until the next due instant can be proven, at most IDLE_SECONDS."""
        if self.environment.config.worker.clock == "log" or self._replaying:
            return IDLE_SECONDS
        left = (self._next_due() + self.environment.settings.timer_delay - self.environment.clock.now()) / 1000
        return min(max(left, DEADLINE_PROBE_SECONDS), IDLE_SECONDS)

    async def _follow_wall_clock(self) -> None:
        """Move timer time by the wall clock, but only on proof that nothing unread is in the log.

        The clock is read before the broker is asked: a process that was stopped in between pairs an old instant with a new end, which is
        true, never a new instant with an old end, which would raise breaches whose replies are waiting to be read.
        """
        loop, clock = asyncio.get_running_loop(), self.environment.clock
        if self.environment.config.worker.clock == "log" or loop.time() < self._next_probe or self._inputs.has_events() or self._replaying:
            return
        parted, now = clock.parted(), clock.now()
        self.environment.failpoints.reach("clock.after_now")
        try:
            end = (await self.environment.consumer.end_offsets([self.source]))[self.source]
        except KafkaError as error:  # no proof, no step of time; what is in memory stays as true as it was
            log.warning("%s: the broker does not tell the end of the log (%s); deadlines wait", self._name, type(error).__name__)
            self._next_probe = loop.time() + IDLE_SECONDS
            return
        self._answered_at = loop.time()
        self.environment.failpoints.reach("clock.after_end")
        if not parted and await self.environment.consumer.position(self.source) >= end:
            self._keep_pace()
            await self._advance(now - self.environment.settings.timer_delay)
        overdue = not parted and self._next_due() <= clock.now() - self.environment.settings.timer_delay
        self._next_probe = loop.time() + (DEADLINE_PROBE_SECONDS if overdue else min(self._patience(), IDLE_SECONDS))

    async def _advance(self, to: int) -> None:
        """Let time pass up to `to`."""
        for instant in slices(self.engine, to):
            if not self._open.is_set():
                return
            self.engine.advance(instant)
            if self.engine.news() or asyncio.get_running_loop().time() - self._marker_at > MARKER_SECONDS:
                await self._commit([])
            await asyncio.sleep(0)

    # -- out ----------------------------------------------------------------------------------------------------------------------

    async def _show(self) -> None:
        """Publish the numbers as of the last commit. Copying many segments takes long, and windows are summed anew after a jump in time."""
        view, took = await asyncio.to_thread(timed, self.engine.view)  # nobody else touches the engine: this task waits
        if self._rejoining:  # since then it is in doubt whether this is still ours
            return
        rekeyed = self._inputs.rekeyed_unread(), self._inputs.rekeyed_applied
        self.shown = Shown(view, self._inputs.events_applied, self._outbox.epoch, self._replaying, *rekeyed)
        self.environment.recorder.replaying(self.source.partition, self._replaying)
        self.environment.recorder.went_round(TICKET_PART, self.source.partition, now_ms=self.environment.clock.now())
        self._pace.copied(asyncio.get_running_loop().time(), took)
