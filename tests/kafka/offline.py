"""What a log must come to: the engines fed with the records of the topic, partition by partition, without Kafka and without steps.

What one partition hands to another is handed over at the end, when all have read their logs; reports are taken on the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from processor.codec.door import Door
from processor.codec.murmur2 import partition_of
from processor.compile import compile_settings
from processor.config import Config
from processor.core.engine import Engine
from processor.core.events import Event, Skipped
from processor.core.exchange import Exchange
from processor.core.outputs import Report, View
from processor.core.settings import Settings
from processor.export.snapshot import snapshot


@dataclass(slots=True)
class Expected:
    """What a log comes to.

    `facts` is id -> how often stated minus how often retracted, `rejected` (partition, offset) -> reason, `reports` (partition, end) ->
    what is reported then, `handed_over` how much went from one entity to another.
    """

    settings: Settings
    views: list[View]
    applied: dict[int, int]
    facts: Counter[str]
    rejected: dict[tuple[int, int], str]
    reports: dict[tuple[int, int], Report] = field(default_factory=dict)
    handed_over: int = 0
    engines: list[Engine] = field(default_factory=list)

    def levels(self) -> dict[int, dict[Any, dict[str, int]]]:
        """The levels of each partition that has some, by names and values of segments."""
        names = self.settings.group_bys
        found = {
            engine.partition: {(names[segment[0]], segment[1]): sums for segment, sums in engine.level_sums().items()}
            for engine in self.engines
        }
        return {partition: segments for partition, segments in found.items() if segments}

    def of(self, partitions: Iterable[int]) -> dict[str, Any]:
        """The snapshot of a worker that owns these partitions."""
        owned = sorted(partitions)
        applied = {number: self.applied[number] for number in owned}
        return snapshot([self.views[number] for number in owned], applied, self.settings.group_bys)


def expected(config: Config, records: list[Any], *, report_every_minutes: int = 0) -> Expected:
    """Fold the records of the events topic, in the order of offsets within each partition."""
    settings, partitions = compile_settings(config), config.topics.partitions
    door = Door("murmur2", partitions, settings.clock_skew, config.worker.max_event_bytes)
    engines = [Engine(settings, number, partitions) for number in range(partitions)]
    applied, rejected = dict.fromkeys(range(partitions), -1), {}
    for engine in engines:
        engine.report_every(report_every_minutes, hold=True)
    for record in records:
        applied[record.partition] = record.offset
        reason = _fold(engines[record.partition], door, record)
        if reason:
            rejected[record.partition, record.offset] = reason
    for engine in engines:
        engine.advance_by_log()
    made = Expected(settings, [], applied, Counter(), rejected, engines=engines)
    _settle(engines, made)
    made.views = [engine.view() for engine in engines]
    return made


def _settle(engines: list[Engine], made: Expected) -> None:
    """Hand over until nothing moves, and keep what was stated and reported."""
    partitions = len(engines)
    exchange = Exchange(dict(enumerate(engines)), lambda key: partition_of(key.encode(), partitions))
    signed: list[tuple[str, int]] = []
    waiting = set(range(partitions))
    while waiting:
        number = waiting.pop()
        step = engines[number].drain()
        signed += [(f"{stated.number:032x}", stated.sign) for stated in step.facts]
        made.reports |= {(number, report.end): report for report in step.reports}
        made.handed_over += len(step.rekeyed)
        waiting |= exchange.deliver(number, step)
    made.facts = net(signed)


def _fold(engine: Engine, door: Door, record: Any) -> str:
    event = door.admit(record.value, record.key, record.timestamp)
    if isinstance(event, Skipped):
        engine.counts["skipped"] += 1
        return ""
    if isinstance(event, Event):
        misplaced = None if engine.knows(event) else door.wrong_partition(event, record.partition)
        if misplaced is None:
            outcome = engine.apply(event)
            return "" if outcome is None else getattr(outcome, "reason", "conflicting_duplicate")
        event = misplaced
    engine.reject(event)
    return str(event.reason)


def net(signed: Iterable[tuple[str, int]]) -> Counter[str]:
    """Sum the signs by id; what sums to nothing is gone."""
    total: Counter[str] = Counter()
    for number, sign in signed:
        total[number] += sign
    return Counter({number: count for number, count in total.items() if count})


def signed_facts(records: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """What the facts topic states (1) and retracts (-1), in its order."""
    for record in records:
        event = orjson.loads(record.value)
        yield (event["data"]["retracts"], -1) if "retracts" in event["data"] else (event["id"], 1)


def written_facts(records: list[Any]) -> Counter[str]:
    """The net facts of the facts topic."""
    return net(signed_facts(records))


def headers(records: list[Any]) -> list[dict[str, bytes]]:
    """The headers of each record."""
    return [dict(record.headers) for record in records]
