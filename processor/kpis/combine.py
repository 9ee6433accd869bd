"""Adds up what the partitions of events report, minute by minute. Pure: it is told the time, and what it gives out counts as published.

    partition 0   W=10:01 ─────── W=10:02 ───────
    partition 1   ─── W=10:01 ─────────────── (nothing)
                      └ complete: given out   └ after `incomplete_after`: given out with partition 1 missing; once more when that has come

Only sums with the same W are added: clocks that differ would count some minutes twice and others not at all. W never goes back. A W that a
partition has left out (it reports every hour while it catches up) goes under with the next one that all have.

Never here: Kafka, the clock, names of KPIs.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from processor.codec.partials import LevelsPartial, Place, WindowsPartial, place_of
from processor.config import Config
from processor.core.settings import MINUTE_MS
from processor.export.kpi_view import Ignored, KpiView, Merged
from processor.kpis.slices import Levels, Minute, Slice, levels_of, order_of

# What waits for slower partitions: minutes W (a week of them), and segments in them, each once per partition and a kilobyte or two large.
# Beyond it the oldest W is given out as it is or, where the log is the clock, given up.
PENDING_MAX = 10_080
PENDING_SEGMENTS_MAX = 200_000
SEGMENTS_MAX = 20_000  # segments given out; dimensions come from input
AHEAD_SLACK_MS = MINUTE_MS  # how far, beyond clock_skew, a W may be ahead of a live clock: two hosts may differ by so much
NEVER = 1 << 62
TOTAL: Place = ((), ())


NOTHING = Merged({}, 0)


@dataclass(frozen=True, slots=True)
class Combined:
    """All segments of one W. `sequence` counts how often this W was given out before.

    A segment that has nothing any more is there once as NOTHING, and with the next W in `gone`.
    """

    end: int
    sequence: int
    complete: bool
    missing: tuple[int, ...]
    segments: dict[Place, Merged]
    gone: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What the topic of KPIs holds of a segment's window."""

    place: Place
    window: str
    epoch: int
    end: int
    sequence: int


def combiner_of(config: Config, kpi_partition: int) -> Combiner:
    """The combiner for a partition of the KPI stage. Where the log is the only clock, ten seconds of the wall's mean nothing."""
    live = config.worker.clock == "live"
    total_lives_here = place_of(*TOTAL, config.topics.kpi_partitions) == kpi_partition
    return Combiner(
        kpi_partition, config.topics.partitions,
        incomplete_after_ms=config.kpis.incomplete_after.ms if live else NEVER,
        ahead_max_ms=config.time.clock_skew.ms + AHEAD_SLACK_MS if live else NEVER,
        always=frozenset([TOTAL] if total_lives_here else []),
    )  # fmt: skip


class Combiner:
    """One partition of the KPI stage. To restore it, add the newest slices in any order; `resume` tells what was published before.

    `always` are segments that are given out even when there is nothing in them. `pending_max` NEVER lifts the limits on what waits.
    """

    def __init__(
        self, kpi_partition: int, partitions: int, *,
        incomplete_after_ms: int, ahead_max_ms: int = NEVER, always: frozenset[Place] = frozenset(), pending_max: int = PENDING_MAX,
    ) -> None:  # fmt: skip
        self.kpi_partition = kpi_partition
        self.partitions = partitions
        self.counts: Counter[Ignored] = Counter()
        self._incomplete_after = incomplete_after_ms
        self._ahead_max = ahead_max_ms
        self._always = always
        self._pending_max = pending_max
        self._minutes: dict[int, Minute] = {}  # by W, as they came; the one given out last stays, to be completed or corrected
        self._ends: list[int] = []  # their W's, ascending
        self._size = 0  # segments in them
        self._changed: set[int] = set()
        self._epochs: dict[int, int] = {}
        self._since: dict[int, int] = {}  # by partition: it had nothing before
        self._levels: dict[int, Levels] = {}
        self._floor = -1  # no W below it is given out
        self._latest: Combined | None = None
        self._latest_sums: dict[Place, Merged] = {}
        self._shown: set[Place] = set()  # segments that readers know
        self._leaving: dict[Place, int] = {}  # those of them that have nothing any more -> the W with which that was said
        self._view: KpiView | None = None

    # -- taking in ----------------------------------------------------------------------------------------------------------------

    def add(self, partial: WindowsPartial | LevelsPartial, now: int) -> None:
        """Take in a part of a slice. What cannot be used is counted, never raised."""
        reason = self._refused(partial, now) or (
            self._add_windows(partial, now) if isinstance(partial, WindowsPartial) else self._add_levels(partial)
        )
        if reason is not None:
            self.counts[reason] += 1

    def resume(self, published: Iterable[Published]) -> None:
        """What the former owner has published: W does not go back behind it, and its segments are known to readers."""
        for each in published:
            self._shown.add(each.place)
            self._floor = max(self._floor, each.end)
        self._drop_below(self._floor, Ignored.LATE)

    def _refused(self, partial: WindowsPartial | LevelsPartial, now: int) -> Ignored | None:
        if partial.partitions != self.partitions or not 0 <= partial.partition < self.partitions:
            return Ignored.FOREIGN
        known = self._epochs.get(partial.partition, -1)
        if partial.epoch < known:
            return Ignored.OLD_EPOCH
        _, instant, _ = order_of(partial)
        if instant > now + self._ahead_max:
            return Ignored.FUTURE
        self._epochs[partial.partition] = partial.epoch
        return None

    def _forget_after(self, end: int, partition: int, epoch: int) -> None:
        """A new owner begins with the last W that was committed: what its predecessor sent of later ones never happened."""
        for later in self._ends[bisect_right(self._ends, end) :]:
            slices = self._minutes[later].slices
            if partition in slices and slices[partition].order[0] < epoch:
                self._size -= slices.pop(partition).size
                self.counts[Ignored.OLD_EPOCH] += 1
                if not slices:
                    self._drop(later, None)

    def _add_windows(self, partial: WindowsPartial, now: int) -> Ignored | None:
        self._forget_after(partial.end, partial.partition, partial.epoch)
        if partial.end < self._floor:
            return Ignored.LATE
        minute = self._minutes.get(partial.end)
        if minute is None:
            minute = self._minutes[partial.end] = Minute(now)
            insort(self._ends, partial.end)
        present, order = minute.slices.get(partial.partition), order_of(partial)
        if present is None or order > present.order:
            self._size -= present.size if present is not None else 0
            present = minute.slices[partial.partition] = Slice(order, partial.parts)
        elif order < present.order or partial.part in present.parts:
            return Ignored.REPEATED
        present.parts[partial.part] = partial.segments
        self._size += len(partial.segments)
        self._changed.add(partial.end)
        if partial.since > self._since.get(partial.partition, 0):
            self._since[partial.partition] = partial.since
            self._changed.update(end for end in self._minutes if end <= partial.since)
        return None

    def _add_levels(self, partial: LevelsPartial) -> Ignored | None:
        if not self._levels.setdefault(partial.partition, Levels()).add(partial):
            return Ignored.REPEATED
        self._view = None
        return None

    # -- giving out ---------------------------------------------------------------------------------------------------------------

    def due(self, now: int) -> list[Combined]:
        """What is to be published now, W by W. Ask after partials came in, and when `wake_at` has passed."""
        given: list[Combined] = []
        for end in sorted(self._changed):
            minute = self._minutes.get(end)
            if minute is not None and not self._missing(end, minute):
                given += self._give_out(end, minute)
        self._changed.clear()
        overdue = -1
        for end, since in self._waiting():
            if since + self._incomplete_after > now:
                break
            overdue = max(overdue, end)
        if overdue >= 0:
            given += self._give_out(overdue, self._minutes[overdue])
        while self._too_many():
            given += self._give_up_oldest()
        return given

    def wake_at(self) -> int | None:
        """When `due` may have something to say although nothing came."""
        for _, since in self._waiting():
            return since + self._incomplete_after
        return None

    def overdue(self, now: int) -> bool:
        """Whether it has waited for long enough for who is missing."""
        wake_at = self.wake_at()
        return wake_at is not None and wake_at <= now

    def _missing(self, end: int, minute: Minute) -> tuple[int, ...]:
        """Those who have not reported; who began only later had nothing to report."""
        slices, since = minute.slices, self._since
        return tuple(
            partition for partition in range(self.partitions)
            if (not slices[partition].whole if partition in slices else since.get(partition, 0) < end)
        )  # fmt: skip

    def _waiting(self) -> Iterator[tuple[int, int]]:
        """(W, since when) of what this owner has not given out and at least one partition has reported, the longest waiting first."""
        if self._incomplete_after < NEVER:
            last = self._latest.end if self._latest is not None else -1
            yield from ((end, minute.since) for end, minute in self._minutes.items() if end > last and minute.whole())

    def _too_many(self) -> bool:
        if len(self._ends) <= 2 or self._pending_max >= NEVER:  # one given out and one that waits must fit, however large they are
            return False
        return len(self._ends) > self._pending_max or self._size > PENDING_SEGMENTS_MAX

    def _give_up_oldest(self) -> Iterator[Combined]:
        oldest = self._ends[1 if self._latest is not None and self._ends[0] == self._latest.end else 0]
        if self._minutes[oldest].whole() and self._incomplete_after < NEVER:
            yield from self._give_out(oldest, self._minutes[oldest])
        else:
            self._drop(oldest, Ignored.SUPERSEDED)

    def _give_out(self, end: int, minute: Minute) -> Iterator[Combined]:
        """This W, unless it was given out just so; earlier ones go under."""
        missing = self._missing(end, minute)
        sums, again = self._merge(minute), self._latest if self._latest is not None and self._latest.end == end else None
        if again is not None and (again.missing, self._latest_sums) == (missing, sums):
            return
        segments, gone = self._with_what_left(sums, end, complete=not missing)
        if self._latest is not None and again is None and self._latest.end in self._minutes:
            self._drop(self._latest.end, None)
        self._latest = Combined(end, again.sequence + 1 if again else 0, not missing, missing, segments, gone)
        self._latest_sums, self._floor, self._view = sums, end, None
        self._drop_below(end, Ignored.SUPERSEDED)
        yield self._latest

    def _drop_below(self, end: int, reason: Ignored) -> None:
        while self._ends and self._ends[0] < end:
            self._drop(self._ends[0], reason)

    def _drop(self, end: int, reason: Ignored | None) -> None:
        self._size -= sum(each.size for each in self._minutes.pop(end).slices.values())
        del self._ends[bisect_left(self._ends, end)]
        self.counts.update([] if reason is None else [reason])

    def _merge(self, minute: Minute) -> dict[Place, Merged]:
        sums = minute.added_up()
        if len(sums) > SEGMENTS_MAX:
            kept = sorted(sums, key=lambda place: (place not in self._shown, place))[:SEGMENTS_MAX]
            self.counts[Ignored.SEGMENTS] += len(sums) - len(kept)
            sums = {place: sums[place] for place in kept}
        return sums

    def _with_what_left(self, sums: Mapping[Place, Merged], end: int, *, complete: bool) -> tuple[dict[Place, Merged], tuple[Place, ...]]:
        """The segments to give out and those to take away.

        What is absent may only be missing: of an incomplete W nothing goes away.
        """
        segments, gone = dict.fromkeys(self._always, NOTHING) | dict(sums), []
        for place in sorted(self._shown - segments.keys()):
            if complete and self._leaving.get(place, end) < end:
                gone.append(place)
                del self._leaving[place]
                continue
            segments[place] = NOTHING
            if complete:
                self._leaving.setdefault(place, end)
        for place in sums:
            self._leaving.pop(place, None)
        self._shown = set(segments)
        return segments, tuple(gone)

    # -- showing ------------------------------------------------------------------------------------------------------------------

    def view(self) -> KpiView | None:
        """What the gauges show: the W given out last, and the levels as of now. None before the first W."""
        if self._latest is not None and self._view is None:
            latest = self._latest
            self._view = KpiView(self.kpi_partition, latest.end, latest.complete, latest.segments, levels_of(self._levels.values()))
        return self._view
