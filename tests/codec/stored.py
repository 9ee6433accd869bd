"""States as earlier versions of the state format left them, the log that came after each, and what both came to, by the code of that time.

Each file was written once, by the last release before the next state version, and is never made anew: it stands for what lies in somebody's
state topic. The logs have all kinds of events of their time; in that of version 1, merges and contacts that name a ticket end before the
state was taken. The file of version 2 has the ledger, too: the ids of the facts that stood when the state was taken.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from processor.codec.door import Door
from processor.codec.murmur2 import partition_of
from processor.core.engine import Engine
from processor.core.events import Event, Skipped
from processor.core.exchange import Exchange
from processor.core.outputs import Stated

FOLDER = Path(__file__).parent
STEP_RECORDS = 40


@dataclass(slots=True)
class Stored:
    """Partitions as (marker, records), the rest of the log as (partition, key, value), and what was shown before and after it."""

    config: dict[str, Any]
    until: int
    markers: dict[int, bytes] = field(default_factory=dict)
    records: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    log: list[tuple[int, bytes | None, bytes]] = field(default_factory=list)
    at_restore: dict[str, Any] = field(default_factory=dict)
    at_end: dict[str, Any] = field(default_factory=dict)
    ledger: list[str] = field(default_factory=list)


def stored(version: int) -> Stored:
    """The file of that version."""
    packed = (FOLDER / f"state-v{version}.jsonl.gz").read_bytes()
    lines = [orjson.loads(line) for line in gzip.decompress(packed).splitlines()]
    header = lines[0]["header"]
    found = Stored(header["config"], header["until"])
    for line in lines[1:]:
        if "marker" in line:
            found.markers[line["partition"]] = line["marker"].encode()
            found.records[line["partition"]] = {}
        elif "partition" in line:
            found.records[line["partition"]][line["key"].encode()] = line["value"].encode()
        elif "log" in line:
            found.log.append((line["log"], line["key"].encode() if line["key"] else None, line["value"].encode()))
        elif "ledger" in line:
            found.ledger = line["ledger"]
        elif "expected_at_restore" in line:
            found.at_restore = line["expected_at_restore"]
        else:
            found.at_end = line["expected_at_end"]
    assert len(found.log) == header["second_half_records"]
    return found


def go_on(engines: dict[int, Engine], log: list[tuple[int, bytes | None, bytes]], until: int) -> list[Stated]:
    """Fold the rest of the log in steps, as workers do, and let timers run up to `until`. Returns what was stated."""
    settings = engines[0].settings
    exchange = Exchange(engines, lambda key: partition_of(key.encode(), len(engines)))
    told: list[Stated] = []

    def drain() -> None:
        waiting = set(engines)
        while waiting:
            number = waiting.pop()
            step = engines[number].drain()
            told.extend(step.facts)
            waiting |= exchange.deliver(number, step)

    door = Door("murmur2", len(engines), settings.clock_skew)
    for number, (partition, key, value) in enumerate(log, 1):
        engine = engines[partition]
        event = door.admit(value, key, None)
        if isinstance(event, Event):
            engine.apply(event)
        elif isinstance(event, Skipped):
            engine.counts["skipped"] += 1
        else:
            engine.reject(event)
        if number % STEP_RECORDS == 0:
            for each in engines.values():
                each.advance_by_log()
                each.sweep()
            drain()
    for each in engines.values():
        each.advance(until)
    drain()
    return told
