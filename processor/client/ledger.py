"""What holds after all that was stated and taken back. No I/O: whoever reads the topic feeds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from processor.client.facts import Fact
from processor.core.facts import LEDGER_MODULUS

Place = tuple[str, int]  # topic, partition


@dataclass(frozen=True, slots=True)
class FactRecord:
    """A fact and where it stands in the log."""

    topic: str
    partition: int
    offset: int
    fact: Fact


class Ledger:
    """The net facts: each conclusion that was stated and not taken back, once.

    Feed it the records of each partition from the first one, in the order of offsets. A record that comes again changes nothing, nor does a
    statement of what already holds (a worker whose state was reset states everything again) or a retraction of what does not hold (its
    statement may be older than the topic's retention). So its digest is that of the workers once both have seen the same. A member of a
    consumer group sees some partitions from some offset on: what it needs is the ids, not a ledger.
    """

    def __init__(self) -> None:
        self._standing: dict[str, Fact] = {}
        self._slots: dict[str, tuple[str, ...]] = {}  # what stands in it, the last stated last; nearly always one
        self._applied: dict[Place, int] = {}
        self._digests: dict[Place, int] = {}
        self.by_kind: Counter[str] = Counter()
        self.ledger_count = 0

    def apply(self, record: FactRecord) -> bool:
        """Book one record. Whether it changed what holds."""
        place, fact = (record.topic, record.partition), record.fact
        if record.offset <= self._applied.get(place, -1):
            return False
        self._applied[place] = record.offset
        self._digests.setdefault(place, 0)
        known = self._standing.get(fact.conclusion)
        if fact.retracts is None:
            self._fill(fact)
            if known is None:
                self._standing[fact.id] = fact
                self._book(place, fact, 1)
            return known is None
        if known is None:
            return False
        del self._standing[known.id]
        self._empty(known)
        self._book(place, known, -1)
        return True

    def latest(self, slot: str) -> Fact | None:
        """The fact that holds in a slot; None where it was taken back, or never stated."""
        standing = self._slots.get(slot)
        return self._standing[standing[-1]] if standing else None

    def facts(self) -> Iterator[Fact]:
        """The net facts, in the order in which they were first stated since they hold."""
        return iter(self._standing.values())

    @property
    def digest(self) -> str:
        """`digest` of a worker's /snapshot that shows all partitions: the sum of the ids modulo 2^128, without `DETAIL_KINDS`."""
        return f"{sum(self._digests.values()) % LEDGER_MODULUS:032x}"

    def digests(self) -> dict[Place, str]:
        """The same for each topic and partition, as under `partitions` of a /snapshot."""
        return {place: f"{number:032x}" for place, number in self._digests.items()}

    def __len__(self) -> int:
        return len(self._standing)

    def __contains__(self, conclusion: str) -> bool:
        return conclusion in self._standing

    def _book(self, place: Place, fact: Fact, sign: int) -> None:
        self.by_kind[fact.kind] += sign
        if not self.by_kind[fact.kind]:
            del self.by_kind[fact.kind]
        if fact.in_ledger:
            self._digests[place] = (self._digests[place] + sign * int(fact.id, 16)) % LEDGER_MODULUS
            self.ledger_count += sign

    def _fill(self, fact: Fact) -> None:
        others = tuple(number for number in self._slots.get(fact.slot, ()) if number != fact.id)
        self._slots[fact.slot] = (*others, fact.id)

    def _empty(self, fact: Fact) -> None:
        others = tuple(number for number in self._slots[fact.slot] if number != fact.id)
        if others:
            self._slots[fact.slot] = others
        else:
            del self._slots[fact.slot]
