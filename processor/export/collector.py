"""Families of metrics for Prometheus: as objects of the client library, and as text.

`Exporter.render` writes the text itself: it runs several times a second beside the fold, and takes a tenth of the time that the library
needs for the same lines. A test holds both forms together. Nothing is registered globally and nothing is kept between two calls but the
list of label values shown by name, and the beginnings of lines that were written before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.utils import floatToGoString

from processor.config import Config
from processor.core.histogram import EDGES_SECONDS
from processor.core.outputs import View
from processor.core.windows import WINDOWS
from processor.export.catalogue import FAMILIES, SLA_VERBS
from processor.export.family import Family
from processor.export.kpi_families import BASIC_COUNTS, BASIC_TIMES
from processor.export.kpi_gauges import KpiGauges, samples_max
from processor.export.kpi_view import KpiView
from processor.export.labels import Folding, LabelSet, known_label_sets
from processor.export.measures import Table, tables
from processor.export.telemetry import Telemetry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PREFIXES_MAX = 200_000  # remembered beginnings of lines



def go_float(number: float) -> str:
    """A float as Go, and so Prometheus, writes it: 5.0, 7.776e+06, +Inf."""
    text: str = floatToGoString(number)  # type: ignore[no-untyped-call]
    return text


_LADDER = (*(go_float(edge) for edge in EDGES_SECONDS), "+Inf")


class Exporter:
    """Turns views into metrics, one per process; of `families` and of KPIs over `kpi_windows` alone, where they are named.

    `read` gives the views and telemetry of the moment to a registry that collects.
    """

    def __init__(
        self, config: Config, read: Callable[[], tuple[list[View], Telemetry | None]] = lambda: ([], None), *,
        families: Collection[Family] = FAMILIES, kpi_windows: Collection[str] = tuple(WINDOWS),
    ) -> None:  # fmt: skip
        self.known = known_label_sets(config)
        self.folding = Folding(self.known.values)
        self._read, self._families = read, families
        self._kpi_gauges = KpiGauges(
            config, self.known, None if families is FAMILIES else {family.name for family in families}, kpi_windows
        )
        self._prefixes: dict[tuple[str, LabelSet], str] = {}
        self._bucket_prefixes: dict[tuple[str, LabelSet], tuple[str, ...]] = {}
        self._headers = {family.name: _header(family) for family in FAMILIES}

    # -- for the client library ---------------------------------------------------------------------------------------------------

    def collect(self) -> Iterator[Metric]:
        """The collector's interface of prometheus_client."""
        return self.families(*self._read())

    def describe(self) -> Iterator[Metric]:
        """Names and types without samples."""
        return (Metric(family.base_name, family.help, family.kind) for family in FAMILIES)

    def registry(self) -> CollectorRegistry:
        """A registry of its own that serves this exporter."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return registry

    def families(self, views: Iterable[View], telemetry: Telemetry | None = None, kpis: Sequence[KpiView] = ()) -> Iterator[Metric]:
        """Every family as an object of the client library."""
        for table in self.tables(views, telemetry, kpis):
            family = table.family
            metric = Metric(family.base_name, family.help, family.kind)
            names = family.label_names
            for labels, number in table.numbers:
                metric.add_sample(family.name, _shown(names, labels), float(number))
            for labels, (counts, total) in table.histograms:
                shown = _shown(names, labels)
                cumulative = list(accumulate(counts))
                for edge, count in zip(bucket_edges(family), cumulative, strict=True):
                    metric.add_sample(f"{family.name}_bucket", {**shown, "le": edge}, count)
                metric.add_sample(f"{family.name}_sum", shown, total)
                metric.add_sample(f"{family.name}_count", shown, cumulative[-1])
            yield metric

    # -- as text ------------------------------------------------------------------------------------------------------------------

    def render(self, views: Iterable[View], telemetry: Telemetry | None = None, kpis: Sequence[KpiView] = ()) -> bytes:
        """The exposition in text format 0.0.4. `kpis` are the partitions of the KPI stage that this process owns now."""
        if len(self._prefixes) + 25 * len(self._bucket_prefixes) > PREFIXES_MAX:
            self._prefixes.clear()
            self._bucket_prefixes.clear()
        lines: list[str] = []
        for table in self.tables(views, telemetry, kpis):
            lines.append(self._headers[table.family.name])
            self._numbers(table, lines)
            self._histograms(table, lines)
        return "".join(lines).encode()

    def tables(self, views: Iterable[View], telemetry: Telemetry | None, kpis: Sequence[KpiView] = ()) -> Iterator[Table]:
        """The samples before they are text."""
        return tables(views, telemetry, self.known, self.folding, self._kpi_gauges.samples(kpis, self.folding), self._families)

    def _numbers(self, table: Table, lines: list[str]) -> None:
        prefixes, name, names = self._prefixes, table.family.name, table.family.label_names
        for labels, number in table.numbers:
            prefix = prefixes.get((name, labels))
            if prefix is None:
                prefix = prefixes[name, labels] = _prefix(name, names, labels)
            lines.append(f"{prefix}{number}\n" if type(number) is int else f"{prefix}{go_float(number)}\n")

    def _histograms(self, table: Table, lines: list[str]) -> None:
        family = table.family
        for labels, (counts, total) in table.histograms:
            prefixes = self._bucket_prefixes.get((family.name, labels))
            if prefixes is None:
                prefixes = self._bucket_prefixes[family.name, labels] = _histogram_prefixes(family, labels)
            cumulative = list(accumulate(counts))
            lines += [f"{prefix}{count}\n" for prefix, count in zip(prefixes, cumulative, strict=False)]
            lines.append(f"{prefixes[-2]}{go_float(total)}\n{prefixes[-1]}{cumulative[-1]}\n")


def _header(family: Family) -> str:
    told = family.help.replace("\\", r"\\").replace("\n", r"\n")
    return f"# HELP {family.name} {told}\n# TYPE {family.name} {family.kind}\n"


def _shown(names: LabelSet, labels: LabelSet) -> dict[str, str]:
    """Labels by name; an empty value is the same as none, and is left out."""
    return {name: value for name, value in zip(names, labels, strict=True) if value}


def escape(value: str) -> str:
    """A label value as it stands between quotes."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def label_text(names: LabelSet, labels: LabelSet, *more: str) -> str:
    """name="value",... without braces; `more` are parts already written."""
    return ",".join([*(f'{name}="{escape(value)}"' for name, value in zip(names, labels, strict=True) if value), *more])


def _prefix(name: str, names: LabelSet, labels: LabelSet, *more: str) -> str:
    text = label_text(names, labels, *more)
    return f"{name}{{{text}}} " if text else f"{name} "


def bucket_edges(family: Family) -> tuple[str, ...]:
    """The values of `le`."""
    return (*(go_float(edge) for edge in family.edges), "+Inf") if family.edges else _LADDER


def _histogram_prefixes(family: Family, labels: LabelSet) -> tuple[str, ...]:
    names = family.label_names
    buckets = (_prefix(f"{family.name}_bucket", names, labels, f'le="{edge}"') for edge in bucket_edges(family))
    return (*buckets, _prefix(f"{family.name}_sum", names, labels), _prefix(f"{family.name}_count", names, labels))


def estimate_samples(config: Config) -> int:
    """See `catalogue.estimate_samples`."""
    exporter = Exporter(config)
    per_partition = sum(_samples(table) for table in tables([empty_view()], None, exporter.known, exporter.folding, {}))
    known = config.segments.known
    sizes = {name: len(getattr(known, name)) + 1 for name in type(known).model_fields}
    segments = 0
    for group_by in config.segments.windows:
        size = 1
        for name in group_by:
            size *= sizes[name]
        segments += size if group_by else 0
    clocks = len({clock for clock, *_ in exporter.known.clocks}) * len(SLA_VERBS)
    # A segment is of tickets or of contacts, hardly of both.
    per_segment = len(WINDOWS) * (len(BASIC_COUNTS) + 2 * len(BASIC_TIMES) + clocks) // 2
    process = sum(_samples(table) for table in tables([], Telemetry(), exporter.known, exporter.folding, {}))
    return config.topics.partitions * (per_partition + segments * per_segment) + process + samples_max(config)


def _samples(table: Table) -> int:
    return len(table.numbers) + len(table.histograms) * (len(bucket_edges(table.family)) + 2)


def empty_view(partition: int = 0) -> View:
    """The view of a partition that has seen nothing."""
    return View(partition, 0, 0, 0, 0, {}, {}, {name: {} for name in WINDOWS}, 0, {}, 0, 0)

