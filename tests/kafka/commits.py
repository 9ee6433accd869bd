"""What was committed when, and in which ownership: read off the markers in the state topic, not told by a worker."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import orjson

from processor.codec.state import MARKER_KEY
from tests.kafka.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Commit:
    """One step of a partition: when the broker appended its marker (ms), the epoch of its owner, and what it had applied of the events."""

    at: int
    epoch: int
    applied: int


def commits(deployment: Deployment) -> dict[int, list[Commit]]:
    """All commits of each partition, in their order. Complete as long as nothing was compacted: for an hour."""
    found: dict[int, list[Commit]] = defaultdict(list)
    for record in deployment.read("state"):
        if record.key == MARKER_KEY:
            marker = orjson.loads(record.value)
            found[record.partition].append(Commit(record.timestamp, marker["epoch"], marker["applied"][deployment.config.topics.events]))
    return found


def longest_pause(history: Iterable[Commit], begin: int, end: int) -> int:
    """The longest time (ms) without a commit that has begun or ended between two instants."""
    return max((after.at - before.at for before, after in pairwise(history) if after.at >= begin and before.at <= end), default=0)


def takeovers(history: Iterable[Commit], begin: int, end: int) -> int:
    """How many times it was taken over anew between two instants."""
    return sum(after.epoch - before.epoch for before, after in pairwise(history) if begin <= after.at <= end)
