"""What all partitions of events have come to together, read from the ends of two topics: the KPIs of the total, and the newest levels.

The total lives on one partition of each (see `place_of`), so only that one is read, and of it only the end: first what was written in the
last quarter of an hour, then further back until everything has been found, but never more than `LOOK_BACK_RECORDS_MAX`. No group is
joined and nothing is committed: the processing does not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.client.kpis import KpiKey, KpiWindow, decode_kpis
from processor.client.latest import KpiChange, LatestKpis
from processor.codec.partials import LevelsPartial, decode_partial, place_of
from processor.config import Config
from processor.core.windows import WINDOWS
from processor.kpis.combine import TOTAL
from processor.kpis.slices import Levels, levels_of

HISTORY_MS = 15 * 60_000  # so far back trends are told
FIRST_LOOK_RECORDS = 5_000  # at most, of the history
LOOK_BACK_RECORDS_MAX = 200_000  # beyond it is said that nothing was found
FURTHER = 4  # times as far with each look
POLL_MS = 500
POLL_RECORDS = 500
TOTAL_KEYS = b"[[],[],"  # keys of the total's windows begin so
LEVELS_KEY = b"|l"  # keys of levels end so

OnWindow = Callable[[KpiWindow], None]


class Tails:
    """The newest windows and levels of the total. `on_window` hears of each window that was read, also of earlier ones."""

    def __init__(self, config: Config, on_window: OnWindow) -> None:
        number = place_of(*TOTAL, config.topics.kpi_partitions)
        self._kpis = TopicPartition(config.topics.kpis, number)
        self._partials = TopicPartition(config.topics.partials, number)
        self._partitions = config.topics.partitions
        self._on_window = on_window
        self._latest = LatestKpis()
        self._levels: dict[int, Levels] = {}

    @property
    def windows(self) -> Mapping[str, KpiWindow]:
        """By name of the window; without those that nobody has published."""
        return {window: found for window in WINDOWS if (found := self._latest.get(KpiKey((), (), window))) is not None}

    @property
    def levels(self) -> Mapping[str, int] | None:
        """Sums over the partitions that have told theirs; None where none has."""
        return levels_of(self._levels.values()).get(TOTAL, {}) if self.levels_from else None

    @property
    def levels_from(self) -> frozenset[int]:
        """The partitions that are in them."""
        return frozenset(number for number, levels in self._levels.items() if levels.latest is not None)

    async def begin(self, reader: AIOKafkaConsumer, now_ms: int) -> None:
        """Find what holds, and stand at the ends."""
        both = [self._kpis, self._partials]
        reader.assign(both)
        begins, ends = await reader.beginning_offsets(both), await reader.end_offsets(both)
        recent = await reader.offsets_for_times(dict.fromkeys(both, now_ms - HISTORY_MS))
        for source, found in ((self._kpis, self._has_windows), (self._partials, self._has_levels)):
            other = next(each for each in both if each != source)
            reader.pause(other)
            at, end = recent.get(source), ends[source]
            first = end if at is None else at.offset
            await self._look_back(reader, source, begins[source], max(first, end - FIRST_LOOK_RECORDS), end, found)
            reader.seek(source, end)
            reader.resume(other)

    async def _look_back(
        self, reader: AIOKafkaConsumer, source: TopicPartition, begin: int, start: int, end: int, found: Callable[[], bool]
    ) -> None:  # fmt: skip
        upto, last = end, end - LOOK_BACK_RECORDS_MAX
        start = max(begin, start)
        while True:
            reader.seek(source, start)
            while await reader.position(source) < upto:
                self._take(await reader.getmany(source, timeout_ms=POLL_MS, max_records=POLL_RECORDS))
            if found() or start <= max(begin, last):
                return
            upto, start = start, max(begin, last, end - max(FURTHER * (end - start), FIRST_LOOK_RECORDS))

    async def follow(self, reader: AIOKafkaConsumer) -> None:
        """Take in what has come since, or wait a moment for it."""
        self._take(await reader.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS))

    def _has_windows(self) -> bool:
        return len(self.windows) == len(WINDOWS)

    def _has_levels(self) -> bool:
        return len(self.levels_from) == self._partitions

    def _take(self, polled: Mapping[TopicPartition, list[Any]]) -> None:
        for source, records in polled.items():
            for record in records:
                if record.value is None or record.key is None:
                    continue
                if source == self._kpis and record.key.startswith(TOTAL_KEYS):
                    self._take_window(decode_kpis(record.value))
                elif source == self._partials and record.key.endswith(LEVELS_KEY):
                    self._take_levels(decode_partial(record.value))

    def _take_window(self, window: KpiWindow) -> None:
        self._latest.apply(self._kpis.partition, KpiChange(window.key, window))
        self._on_window(window)

    def _take_levels(self, partial: object) -> None:
        if isinstance(partial, LevelsPartial) and partial.partitions == self._partitions:
            self._levels.setdefault(partial.partition, Levels()).add(partial)
