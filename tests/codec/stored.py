"""A state as the first version of the state format left it, the log that came after it, and what both came to, by the code of that time.

The file was written once, by the release before state version 2, and is never made anew: it stands for what lies in somebody's state topic.
The log has all kinds of events; merges and contacts that name a ticket end before the state was taken.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from processor.codec.door import Door
from processor.core.engine import Engine
from processor.core.events import Event, Skipped

PATH = Path(__file__).parent / "state-v1.jsonl.gz"
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


def stored() -> Stored:
    """The file."""
    lines = [orjson.loads(line) for line in gzip.decompress(PATH.read_bytes()).splitlines()]
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
        elif "expected_at_restore" in line:
            found.at_restore = line["expected_at_restore"]
        else:
            found.at_end = line["expected_at_end"]
    assert len(found.log) == header["second_half_records"]
    return found


def go_on(engines: dict[int, Engine], log: list[tuple[int, bytes | None, bytes]], until: int) -> None:
    """Fold the rest of the log in steps, as a worker does, and let timers run up to `until`."""
    settings = engines[0].settings
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
                each.drain()
    for each in engines.values():
        each.advance(until)
