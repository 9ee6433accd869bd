"""The newest KPIs of each segment and window. No I/O: whoever reads the topic feeds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from processor.client.kpis import KpiKey, KpiWindow


@dataclass(frozen=True, slots=True)
class KpiChange:
    """What is new about a segment's window; `kpis` is None where it went away: there is nothing in it any more."""

    key: KpiKey
    kpis: KpiWindow | None


class LatestKpis(Mapping[KpiKey, KpiWindow]):
    """What holds: of each key the record with the greatest (epoch, W, sequence), in whatever order they come.

    `older` counts the records that came after a newer one, which changed nothing.
    """

    def __init__(self) -> None:
        self._held: dict[KpiKey, KpiWindow] = {}
        self._partitions: dict[KpiKey, int] = {}
        self._doubtful: dict[int, set[KpiKey]] = {}
        self.older = 0

    def __getitem__(self, key: KpiKey) -> KpiWindow:
        return self._held[key]

    def __iter__(self) -> Iterator[KpiKey]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def apply(self, partition: int, change: KpiChange) -> bool:
        """Take in one record of that partition. Whether it changed what holds."""
        key, kpis = change.key, change.kpis
        held = self._held.get(key)
        doubted = self._doubtful.get(partition, set())
        if kpis is None:
            doubted.discard(key)
            self._partitions.pop(key, None)
            return self._held.pop(key, None) is not None
        if held is not None and key not in doubted and kpis.order <= held.order:
            self.older += kpis.order < held.order
            return False
        doubted.discard(key)
        self._held[key], self._partitions[key] = kpis, partition
        return kpis != held

    def start_over(self, partition: int) -> None:
        """The partition is read from its beginning again: what is held of it is kept, and believed no longer."""
        self._doubtful[partition] = {key for key, where in self._partitions.items() if where == partition}

    def settle(self, partition: int) -> list[KpiChange]:
        """The partition has been read to the end again: what did not come again went away meanwhile."""
        gone = sorted(self._doubtful.pop(partition, ()))
        for key in gone:
            del self._held[key], self._partitions[key]
        return [KpiChange(key, None) for key in gone]
