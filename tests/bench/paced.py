"""Live traffic: the events of the log as if they happened now, at a given rate, and among them tickets that are watched.

A watched ticket is created and never answered. There is one in every piece for each partition, so that whoever sees the counter of a
partition at N knows which event was counted last, and when that was sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from itertools import count, islice

from processor.codec.envelope import cloud_event, encode
from processor.codec.murmur2 import partition_of
from processor.codec.times import format_time
from processor.stream.lines import Outgoing
from processor.stream.send import Sender
from processor.wall_clock import WallClock
from tests.bench.loaded import PARTITIONS
from tests.bench.log import Log

PIECES_PER_SECOND = 40
GROUP = "watched"
PRIORITY, CHANNEL = "normal", "email"
LATE = b'"id":"late-'
KEY, TIME = b'"partitionkey":"', b'"time":"'
Line = tuple[bytes, bytes, bytes]  # key, what stands before the time and after it


def lines_of(log: Log) -> Iterator[Line]:
    """The log again and again, as other entities each time; what was late or repeated in it is left out: now it would be something else."""
    for turn in count():
        seen: set[bytes] = set()
        for line in log.lines():
            key, before, after = split(line)
            if LATE in before or before in seen or not key:
                continue
            seen.add(before)
            if turn:
                other = b"%b-%d" % (key, turn)
                key, before, after = other, before.replace(key, other), after.replace(key, other)
            yield key, before, after


def split(line: bytes) -> Line:
    """A line in three parts, so that it can be given another time."""
    before, _, rest = line.partition(TIME)
    return rest.partition(KEY)[2].partition(b'"')[0], before + TIME, rest[rest.index(b'"') :]


class Watched:
    """The watched tickets of each partition, in their order: when each was sent (milliseconds)."""

    def __init__(self) -> None:
        self.sent: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
        self.at: dict[bytes, int] = {}
        self._names = 0

    def next(self, now: int) -> Iterator[Outgoing]:
        """One more in each partition."""
        missing = set(range(PARTITIONS))
        while missing:
            self._names += 1
            name = f"WATCHED-{self._names}"
            partition = partition_of(name.encode(), PARTITIONS)
            if partition in missing:
                missing.remove(partition)
                self.sent[partition].append(now)
                self.at[name.encode()] = now
                data = {"ticket_id": name, "channel": CHANNEL, "status": "new", "priority": PRIORITY, "group": GROUP}
                event = cloud_event(kind="ticket.created", id=name, source="/bench", occurred_at_ms=now, data=data)
                yield Outgoing(partition, name.encode(), encode(event), [])


class Traffic:
    """Sends lines at a rate until told to stop. `behind_seconds` is by how much it ever missed its pace."""

    def __init__(self, sender: Sender, lines: Iterable[Line], rate: float) -> None:
        self.watched = Watched()
        self.watching = True
        self.sent = 0
        self.behind_seconds = 0.0
        self.rate = rate
        self._sender, self._lines = sender, iter(lines)
        self._clock = WallClock()

    async def run(self, seconds: float) -> None:
        """Send for so long."""
        began = time.monotonic()
        for number in range(1, round(seconds * PIECES_PER_SECOND) + 1):
            due = began + number / PIECES_PER_SECOND
            await asyncio.sleep(max(due - time.monotonic(), 0))
            self.behind_seconds = max(self.behind_seconds, time.monotonic() - due)
            await self.send(round(self.rate * number / PIECES_PER_SECOND) - round(self.rate * (number - 1) / PIECES_PER_SECOND))

    async def send(self, number: int) -> None:
        """So many events of this instant, and the watched ones where they are watched."""
        now = self._clock.now()
        text = format_time(now).encode()
        records = [Outgoing(None, key, before + text + after, []) for key, before, after in islice(self._lines, number)]
        if self.watching:
            records += self.watched.next(now)
        self.sent += len(records)
        await self._sender.send(records)
