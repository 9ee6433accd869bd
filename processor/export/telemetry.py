"""How the process itself fares: a recorder with a method for each thing worth telling, and one that forgets everything.

The numbers of tickets never pass here; they follow from state, and survive it. These start at 0 with the process.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from processor import __version__
from processor.export.catalogue import BY_NAME, KPI_PART, PARTS, TICKET_PART
from processor.export.family import PREFIX
from processor.export.kpi_view import Ignored
from processor.export.progress import Progress
from processor.flavour import flavour

LabelSet = tuple[str, ...]


# Values that end when the partition goes to another worker.
_OF_PARTITIONS = (
    *("replaying", "partition_running", "last_event_timestamp_seconds", "recovery_seconds"),
    *("recovered_ratio", "lag_records", "lag_seconds"),
)


class Recorder(Protocol):
    """What the worker tells about itself. Implementations never raise and take a microsecond."""

    def step_committed(self, *, seconds: float) -> None:
        """One transaction, and how long its commit took."""

    def step_failed(self) -> None:
        """A step or a takeover was given up; the partition will be taken over again."""

    def event_applied(self, partition: int, *, event_at_ms: int, now_ms: int) -> None:
        """The newest event of a step, and when it was applied. Not for steps that bring no newer one."""

    def engine_failed(self) -> None:
        """The engine raised for an event."""

    def taken_over(self, partition: int, *, seconds: float) -> None:
        """A partition's state was rebuilt."""

    def replaying(self, partition: int, flag: bool) -> None:
        """Whether the partition catches up with old records."""

    def running(self, partition: int, flag: bool) -> None:
        """Whether the partition is being processed."""

    def clock_parted(self, flag: bool) -> None:
        """Whether the wall clock cannot be trusted."""

    def partition_lost(self, partition: int) -> None:
        """The partition belongs to another worker now: its series end."""

    def rebalanced(self) -> None:
        """The consumer group has dealt out the partitions anew."""

    def loop_lagged(self, seconds: float) -> None:
        """The event loop woke up that much later than it was asked to."""

    def exposition_rendered(self, seconds: float) -> None:
        """The metrics were rendered."""

    def kpi_failed(self) -> None:
        """The KPI stage, or a partition of it, failed and is taken over again."""

    def kpi_worked(self, *, seconds: float) -> None:
        """So much processor time went into adding up and encoding."""

    def kpi_given_out(self, *, end_at_ms: int, complete: bool) -> None:
        """A minute W of one partition of the KPI stage was published."""

    def kpi_partials_ignored(self, reason: Ignored, count: int) -> None:
        """The KPI stage left out so many partials."""

    def kpis_published(self, records: int) -> None:
        """So many records were written to the topic of KPIs."""

    def went_round(self, part: str, number: int, *, now_ms: int) -> None:
        """A partition of a part of the worker went round its loop."""


class NoRecorder:
    """Records nothing."""

    def step_committed(self, *, seconds: float) -> None:
        """See Recorder."""

    def step_failed(self) -> None:
        """See Recorder."""

    def event_applied(self, partition: int, *, event_at_ms: int, now_ms: int) -> None:
        """See Recorder."""

    def engine_failed(self) -> None:
        """See Recorder."""

    def taken_over(self, partition: int, *, seconds: float) -> None:
        """See Recorder."""

    def replaying(self, partition: int, flag: bool) -> None:
        """See Recorder."""

    def running(self, partition: int, flag: bool) -> None:
        """See Recorder."""

    def clock_parted(self, flag: bool) -> None:
        """See Recorder."""

    def partition_lost(self, partition: int) -> None:
        """See Recorder."""

    def rebalanced(self) -> None:
        """See Recorder."""

    def loop_lagged(self, seconds: float) -> None:
        """See Recorder."""

    def exposition_rendered(self, seconds: float) -> None:
        """See Recorder."""

    def kpi_failed(self) -> None:
        """See Recorder."""

    def kpi_worked(self, *, seconds: float) -> None:
        """See Recorder."""

    def kpi_given_out(self, *, end_at_ms: int, complete: bool) -> None:
        """See Recorder."""

    def kpis_published(self, records: int) -> None:
        """See Recorder."""

    def kpi_partials_ignored(self, reason: Ignored, count: int) -> None:
        """See Recorder."""

    def went_round(self, part: str, number: int, *, now_ms: int) -> None:
        """See Recorder."""


@dataclass(slots=True)
class Observations:
    """A histogram of the process: counts between the family's edges, and the sum."""

    edges: tuple[float, ...]
    counts: list[int]
    sum: float = 0.0

    def add(self, value: float) -> None:
        """One observation."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.sum += value


def _observations(name: str) -> Observations:
    edges = BY_NAME[f"{PREFIX}processor_{name}"].edges
    return Observations(edges, [0] * (len(edges) + 1))


@dataclass(slots=True)
class Telemetry:
    """A recorder that keeps what it is told, for the exposition. Keys are those of the catalogue's process families."""

    configuration: str = ""  # fingerprint of the settings
    totals: Counter[str] = field(default_factory=Counter)
    values: dict[str, dict[LabelSet, float]] = field(default_factory=dict)
    histograms: dict[str, Observations] = field(default_factory=dict)
    rounds: dict[str, dict[int, int]] = field(default_factory=dict)  # by part and partition: when it went round last (ms)

    def __post_init__(self) -> None:
        self.histograms = {name: _observations(name) for name in ("event_lag_seconds", "step_seconds", "loop_lag_seconds")}
        self.values = {name: {} for name in _OF_PARTITIONS}
        self.values["clock_parted"] = {(): 0}
        self.values["exposition_seconds"] = {(): 0.0}
        self.values |= {"kpi_cpu_seconds_total": {(): 0.0}, "kpi_published_end_timestamp_seconds": {(): 0.0}, "kpi_epoch": {}}
        self.values["heartbeat_timestamp_seconds"] = {}
        self.rounds = {part: {} for part in PARTS}
        self.values["kpi_partials_ignored_total"] = {(reason,): 0 for reason in Ignored}
        self.values["build_info"] = {(__version__, self.configuration, flavour()): 1}

    def step_committed(self, *, seconds: float) -> None:
        """See Recorder."""
        self.totals["steps_total"] += 1
        self.histograms["step_seconds"].add(seconds)

    def step_failed(self) -> None:
        """See Recorder."""
        self.totals["step_failures_total"] += 1

    def event_applied(self, partition: int, *, event_at_ms: int, now_ms: int) -> None:
        """See Recorder."""
        self.values["last_event_timestamp_seconds"][str(partition),] = event_at_ms / 1000
        self.histograms["event_lag_seconds"].add(max(now_ms - event_at_ms, 0) / 1000)

    def engine_failed(self) -> None:
        """See Recorder."""
        self.totals["engine_errors_total"] += 1

    def taken_over(self, partition: int, *, seconds: float) -> None:
        """See Recorder."""
        self.totals["takeovers_total"] += 1
        self.values["recovery_seconds"][str(partition),] = seconds
        self.values["last_event_timestamp_seconds"].setdefault((str(partition),), 0.0)
        self.values["replaying"].setdefault((str(partition),), 0)

    def replaying(self, partition: int, flag: bool) -> None:
        """See Recorder."""
        self.values["replaying"][str(partition),] = int(flag)

    def running(self, partition: int, flag: bool) -> None:
        """See Recorder."""
        self.values["partition_running"][str(partition),] = int(flag)

    def clock_parted(self, flag: bool) -> None:
        """See Recorder."""
        self.values["clock_parted"][()] = int(flag)

    def partition_lost(self, partition: int) -> None:
        """See Recorder."""
        for name in _OF_PARTITIONS:
            self.values[name].pop((str(partition),), None)

    def rebalanced(self) -> None:
        """See Recorder."""
        self.totals["rebalances_total"] += 1

    def loop_lagged(self, seconds: float) -> None:
        """See Recorder."""
        self.histograms["loop_lag_seconds"].add(seconds)

    def exposition_rendered(self, seconds: float) -> None:
        """See Recorder."""
        self.values["exposition_seconds"][()] = seconds

    def kpi_failed(self) -> None:
        """See Recorder."""
        self.totals["kpi_failures_total"] += 1

    def kpi_worked(self, *, seconds: float) -> None:
        """See Recorder."""
        self.values["kpi_cpu_seconds_total"][()] += seconds

    def kpi_given_out(self, *, end_at_ms: int, complete: bool) -> None:
        """See Recorder."""
        self.totals["kpi_publications_total"] += 1
        self.totals["kpi_publications_incomplete_total"] += not complete
        newest = self.values["kpi_published_end_timestamp_seconds"]
        newest[()] = max(newest[()], end_at_ms / 1000)

    def kpi_partials_ignored(self, reason: Ignored, count: int) -> None:
        """See Recorder."""
        self.values["kpi_partials_ignored_total"][reason,] += count

    def kpis_published(self, records: int) -> None:
        """See Recorder."""
        self.totals["kpis_published_total"] += records

    def went_round(self, part: str, number: int, *, now_ms: int) -> None:
        """See Recorder."""
        self.rounds[part][number] = now_ms

    def _heartbeat(self, part: str, owned: Iterable[int]) -> None:
        """That of the slowest partition that is still ours and has gone round at all."""
        self.rounds[part] = {number: at for number in owned if (at := self.rounds[part].get(number)) is not None}
        beats = self.values["heartbeat_timestamp_seconds"]
        beats.pop((part,), None)
        if self.rounds[part]:
            beats[part,] = min(self.rounds[part].values()) / 1000

    def progress(self, partitions: Iterable[Progress]) -> None:
        """How far each owned partition is from the present. To be told before each rendering."""
        partitions = list(partitions)
        self._heartbeat(TICKET_PART, [each.partition for each in partitions])
        told = [((str(each.partition),), each) for each in partitions]
        self.values["recovered_ratio"] = {labels: each.recovered for labels, each in told}
        self.values["lag_records"] = {labels: each.unread for labels, each in told if each.recovered == 1}
        self.values["lag_seconds"] = {labels: each.behind for labels, each in told if each.recovered == 1}

    def kpi_partitions(self, owned: Iterable[tuple[int, int]]) -> None:
        """The partitions of the KPI stage that are ours at this instant, with their epochs. To be told before each rendering."""
        owned = list(owned)
        self._heartbeat(KPI_PART, [number for number, _ in owned])
        self.values["kpi_epoch"] = {(str(number),): epoch for number, epoch in owned}
