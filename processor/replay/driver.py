"""Feeds the engines from lines: of a capture, or bare events.

The same door, the same engine and the same order of calls as the worker's step: admit and apply each record; after some thousand of them
let timers follow the log, sweep, drain, and hand over what goes to other partitions. So the net numbers and the digest are the worker's.
Offsets, partitions and timestamps of a capture are kept; bare events (one CloudEvent a line) are dealt out by the hash of their key.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from processor.codec.captured import captured_record, is_capture
from processor.codec.decode import decode
from processor.codec.door import Door
from processor.codec.murmur2 import partition_of
from processor.compile import compile_settings
from processor.config import Config
from processor.core.business_hours import NEVER
from processor.core.engine import Engine
from processor.core.events import Event, Reason, Rejected, Skipped
from processor.core.outputs import Conflict, Stated, View
from processor.core.rows import Row, add_row
from processor.core.settings import Settings
from processor.core.told import EngineKind
from processor.export.snapshot import snapshot
from processor.replay.following import Following
from processor.replay.joined import Joined, OnReport
from processor.replay.refused import Refused
from processor.replay.segments import last_day, rows_by_day

STEP_RECORDS = 2000  # records between two drains
PLACES_MAX = 1_000_000  # keys whose partition is remembered


class ReplayError(Exception):
    """The log cannot be replayed; the message says what to do."""


class Replay:
    """Engines of all partitions, fed in the order of the log.

    `partitions` is how many the topic has: for bare events 1 where it is not given, for a capture what the configuration says. `until`
    limits a capture to the offsets up to and including those given. Partitions that it does not name are folded to their end, for what they
    hand over to the others, and are not shown. `timers_until` is how far timers may run, per partition or for all. `on_refused` hears of
    every record that is not folded. Net facts are kept where `keep_facts` says so. Every `report_every_minutes` (0 = never) `on_report`
    hears what each partition reports of the windows that end then. `engine` may be one that also writes down what somebody wants to know;
    `following` hears of what numbers forget, for a report.
    """

    def __init__(
        self,
        config: Config,
        *,
        settings: Settings | None = None,
        partitions: int | None = None,
        until: Mapping[int, int] | None = None,
        timers_until: Mapping[int, int] | int = NEVER,
        on_refused: Callable[[Refused], None] | None = None,
        keep_facts: bool = False,
        report_every_minutes: int = 0,
        on_report: OnReport | None = None,
        engine: EngineKind = Engine,
        following: Following | None = None,
    ) -> None:
        self.config, self.following = config, following
        self.settings = settings or compile_settings(config)
        self.engines: Mapping[int, Engine] = {}  # of all partitions, as soon as it is known how many there are
        self.applied: dict[int, int] = {}
        self.refused: Counter[Reason] = Counter()
        self.records = 0
        self.captured: bool | None = None  # whether lines are of a capture; None before the first one
        self._given_partitions = partitions
        self._until = until
        self._timers_until = timers_until
        self._on_refused = on_refused
        self._options: dict[str, Any] = {"report_every_minutes": report_every_minutes, "on_report": on_report, "kind": engine}
        self._options |= {"keep_facts": keep_facts, "following": following}
        self._places: dict[str, int] = {}
        self._partitions = 0
        self._joined: Joined | None = None
        self._door: Door | None = None
        if until is not None:
            self._join(self._topic_partitions())

    # -- feeding ------------------------------------------------------------------------------------------------------------------

    def feed_lines(self, lines: Iterable[bytes]) -> None:
        """Lines of one file, in order: bare events, or a capture. To be called again with what comes next."""
        remaining = iter(lines)
        while batch := list(islice(remaining, STEP_RECORDS)):
            if self.captured is None:
                self.captured = next((is_capture(line) for line in batch if line.strip()), None)
            if self.captured:
                self._feed_captured(batch)
            else:
                self._feed_bare(batch)
            self.step()

    def feed(
        self, value: bytes | None, key: bytes | None, partition: int, offset: int | None = None, timestamp_ms: int | None = None
    ) -> None:
        """One record as it lies in the topic. Call `step` now and then; `feed_lines` does."""
        shown = self._until is None or partition in self._until
        if shown and self._until is not None and (offset or 0) > self._until[partition]:
            return
        door = self._door or self._open_door()
        engine = self.engines.get(partition) or self._engine(partition)
        try:
            outcome = door.take(engine, value, key, timestamp_ms, partition)
        except Exception as error:
            raise ReplayError(self._fault()) from error
        if not shown:
            return
        if outcome is not None:
            self._note(outcome, value, partition, offset)
        if offset is not None:
            self.applied[partition] = offset

    def _feed_captured(self, lines: list[bytes]) -> None:
        for line in lines:
            self.records += 1
            if not line.strip():
                continue
            try:
                record = captured_record(line)
            except ValueError as error:
                raise ReplayError(f"line {self.records} is no captured record ({error}); was the capture cut off? Take it again") from None
            self.feed(*record)

    def _feed_bare(self, lines: list[bytes]) -> None:
        """The tight loop: nothing here that can be done once."""
        worker = self.config.worker
        max_bytes, prefix = worker.max_event_bytes + 1, worker.event_type_prefix  # a line ends in a line feed
        if self._joined is None:
            self._join(self._given_partitions or 1)
        alone = self.engines[0].apply if self._partitions == 1 else None
        for line in lines:
            self.records += 1
            event = decode(line, max_bytes=max_bytes, prefix=prefix)
            if type(event) is Event:
                try:
                    outcome = self._deal_out(event) if alone is None else alone(event)
                except Exception as error:
                    raise ReplayError(self._fault()) from error
                if outcome is not None:
                    self._note(outcome, line, self._place(event.key), None)
            elif line.strip():
                self._set_aside(event, line)

    def _set_aside(self, event: Rejected | Skipped | Event, line: bytes) -> None:
        """What decodes to no event: it has no key, so it counts on the first partition."""
        if isinstance(event, Rejected) and event.reason is Reason.UNKNOWN_TYPE and self.config.worker.unknown_types == "skip":
            event = Skipped("unknown")
        if isinstance(event, Rejected):
            self.engines[0].reject(event)
            self._note(event, line, 0, None)
        else:
            self.engines[0].counts["skipped"] += 1

    def _deal_out(self, event: Event) -> Rejected | Conflict | None:
        """To the partition of its key; control events to all of them."""
        if event.key:
            return self.engines[self._place(event.key)].apply(event)
        outcomes = [engine.apply(event) for engine in self.engines.values()]
        return next((outcome for outcome in outcomes if outcome is not None), None)

    def _place(self, key: str) -> int:
        if self._partitions == 1 or not key:
            return 0
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= PLACES_MAX:
                self._places.clear()
            place = self._places[key] = partition_of(key.encode(), self._partitions)
        return place

    def _fault(self) -> str:
        return f"the engine failed on record {self.records}, a fault of the processor; please report it"

    def _note(self, outcome: Rejected | Conflict, value: bytes | None, partition: int, offset: int | None) -> None:
        if isinstance(outcome, Conflict):
            outcome = Rejected(Reason.CONFLICTING_DUPLICATE, "replaces another event with the same source and id")
        self.refused[outcome.reason] += 1
        if self._on_refused is not None:
            self._on_refused(Refused(outcome, value, self.records, partition, offset))

    def _engine(self, partition: int) -> Engine:
        """The engine of a partition that a record names, the first time that there is one."""
        if self._joined is None:
            self._join(self._topic_partitions())
        if partition not in self.engines:
            raise ReplayError(_too_few("log", partition, self._partitions))
        return self.engines[partition]

    def _join(self, partitions: int) -> None:
        if self._until and max(self._until) >= partitions:
            raise ReplayError(_too_few("snapshot", max(self._until), partitions))
        self._partitions = partitions
        limits = dict.fromkeys(range(partitions), self._timers_until) if isinstance(self._timers_until, int) else self._timers_until
        shown = self._until or range(partitions)
        self._joined = Joined(self.settings, partitions, self._place, limits=limits, shown=shown, **self._options)
        self.engines = self._joined.engines

    def _topic_partitions(self) -> int:
        return self._given_partitions or self.config.topics.partitions

    def _open_door(self) -> Door:
        worker = self.config.worker
        self._door = Door(
            worker.partitioner, self._topic_partitions(), self.settings.clock_skew, worker.max_event_bytes, worker.event_type_prefix,
            "skip" if worker.unknown_types == "skip" else "reject",
        )  # fmt: skip
        return self._door

    # -- time ---------------------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let timers follow the log, hand over what goes to other partitions, and put down what was stated."""
        if self._joined is not None:
            self._joined.step()

    def finish(self, at: Mapping[int, int] | int | None = None) -> None:
        """Let timers run up to `at`: one instant, one per partition, or the time of the last event."""
        if self._joined is None:
            return
        self.step()
        last = self.last_event_at() if at is None else at
        self._joined.finish(lambda partition: last if isinstance(last, int) else last.get(partition, 0))

    def last_event_at(self) -> int:
        """Time of the newest event, or the instant to which a control event moved the clock."""
        return max((max(engine.stream_time, engine.timer_time) for engine in self.engines.values()), default=0)

    # -- results ------------------------------------------------------------------------------------------------------------------

    def shown(self) -> list[Engine]:
        """The engines of the partitions that were asked for."""
        return [engine for number, engine in sorted(self.engines.items()) if self._until is None or number in self._until]

    def views(self) -> list[View]:
        """The numbers, one view per partition."""
        return [engine.view() for engine in self.shown()]

    def snapshot(self) -> dict[str, Any]:
        """As a worker's /snapshot."""
        return snapshot(self.views(), self.applied if self.captured else None, self.settings.group_bys)

    def net_facts(self) -> list[Stated]:
        """The net facts in the order of their instants; see Joined.standing."""
        return self._joined.standing() if self._joined is not None else []

    def facts(self) -> Iterator[bytes]:
        """The net facts, encoded, as much of them as the configuration says; see Joined.facts."""
        return self._joined.facts(self.config.facts) if self._joined is not None else iter(())

    def days(self) -> dict[int, Row]:
        """Net sums of each day (UTC, counted from 1970) over all segments; days that are too old to be kept are missing."""
        days: dict[int, Row] = {}
        for engine in self.shown():
            rows = engine.rows
            for day, _, row in rows_by_day(rows, {rows.segment_id(rows.total)}):
                add_row(days.setdefault(day, {}), row, 1)
        return dict(sorted(days.items()))

    def last_day(self) -> Row:
        """Net sums of the last 24 hours over all segments, to the very end of the log."""
        return last_day(self.shown())


def _too_few(what: str, partition: int, partitions: int) -> str:
    return f"the {what} has partition {partition}, the topic should have {partitions}: say how many with --partitions"
