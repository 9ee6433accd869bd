"""The page that lists every series: written from the catalogue, so that it cannot fall behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from processor.core.events import CHANNELS, PRIORITIES
from processor.core.kpis import STATS
from processor.core.settings import CLOCKS, DIMENSIONS
from processor.core.windows import WINDOWS
from processor.export.catalogue import FAMILIES, IGNORED_PARTIALS
from processor.export.family import PARTITION, Family
from processor.export.kpi_gauges import LEVEL_OF_ALL, LEVELS
from processor.export.labels import FOLDED_COUNTED_MAX, FREE_DIMENSIONS, LABEL_VALUES_MAX

HEAD = """# Every series

Written by `ticket-kpis metrics > schemas/metrics.md`; a test fails where it is behind the code. `schemas/kpis.md` tells of the KPIs.

**Net and gross.** A *gross* series counts what was stated; what a late event, a discard or a reopening takes back is counted by its twin,
`X_retracted_total` of the counter `X_total`, `X_retracted` of the histogram `X`. Net is the difference, and depends on the log alone.
Everything else is *net*, or (*process*) tells of one process since it began, and is compared with nothing.

**Stability.** *stable*: name and labels stay, labels may be added. *experimental*: a later release may change it, and says so.

**Partitions and workers.** Series with the label `partition` are of one partition of the events topic, whoever owns it. When it moves, the
new owner's series begins while the old one's fades: take rates of the recorded `support:X:max` (`ticket-kpis rules`), never of the raw
series, and add up over `partition` (timestamps of the oldest: take the least; of the newest: the greatest). Those of all partitions
together come from whoever owns the segment: take the greatest over workers.

**How many.** `ticket-kpis check` counts the samples of a configuration before the start, against `limits.samples_max`.
"""

_FREE = f"free: those of `segments.known`, the first {LABEL_VALUES_MAX} others, and `other` for all the rest; `none` without one"
_SPOKEN: Mapping[str, str] = {
    "channel": ", ".join(CHANNELS), "priority": ", ".join(PRIORITIES), "clock": ", ".join(CLOCKS), "window": ", ".join(WINDOWS),
    "stat": ", ".join(STATS), **dict.fromkeys(FREE_DIMENSIONS, _FREE),
    "partition": "0 to one less than the partitions of the events topic",
    "kpi_partition": "0 to one less than the partitions of the topic of KPIs",
    "policy": "the ids of the policies that have been in use", "currency": "codes of ISO 4217 that came with costs",
    "by": "total, or the dimensions of a group_by of `segments.windows` joined with _; the labels of other dimensions are empty",
    "kpi": "names of schemas/kpis.md", "direction": "at_least, at_most",
    "goal": "a target of `kpis.targets`: KPI, stat and direction joined with _",
    "calendar": "names of `calendars`", "level": ", ".join((*LEVELS, LEVEL_OF_ALL)),
    "version": "that of the program", "configuration": "fingerprint of what decides numbers", "engine": "how it was built: compiled or not",
}  # fmt: skip
_OF_PARTIALS = "support_processor_kpi_partials_ignored_total"

_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Tickets": ("ticket", "tickets_by_group", "tickets_by_channel"),
    "Calls and chats": ("contact",),
    "SLA clocks": ("sla",),
    "Agents, knowledge base, customers, costs": ("agent", "person", "organization", "account"),
    "What there is now": ("level", "derived", "calendar"),
    "Windows of partitions": ("window",),
    "All partitions together": ("kpi",),
    "The processor": ("counts", "process", "labels"),
}


def metrics_page() -> str:
    """The page, as Markdown."""
    parts = [HEAD, "\n## Labels\n\n| label | values |\n|---|---|\n"]
    used = dict.fromkeys(name for family in FAMILIES for name in family.label_names)
    parts += [f"| `{name}` | {_SPOKEN[name]} |\n" for name in sorted(used) if name in _SPOKEN]
    parts.append(f"\nHow many values a dimension shows as `other` is a series, too, up to {FOLDED_COUNTED_MAX:,}.\n")
    for section, sources in _SECTIONS.items():
        parts.append(f"\n## {section}\n\n| series | type, unit | labels | counts | stability | definition |\n|---|---|---|---|---|---|\n")
        parts += [_row(family) for family in FAMILIES if family.source in sources and not family.retracted]
    return "".join(parts)


def _row(family: Family) -> str:
    labels = ", ".join(_labels(family)) or "-"
    told = family.help.removesuffix(" Gross: subtract the _retracted twin for the net.")
    counts = "process" if family.operational else "gross" if family.gross else "net"
    return f"| `{family.name}` | {family.kind}, {family.unit} | {labels} | {counts} | {family.stability} | {told.replace('|', '/')} |\n"


def _labels(family: Family) -> Iterator[str]:
    """Labels; those whose values only this family has, with the values. The dimensions of a segment together."""
    names = list(family.label_names)
    if set(DIMENSIONS) <= set(names):
        names = [name for name in names if name not in DIMENSIONS] + ["every dimension"]
    for name in names:
        values = _values(family, name)
        yield f"{name} ({', '.join(values)})" if values else name


def _values(family: Family, name: str) -> tuple[str, ...]:
    if family.name == _OF_PARTIALS:
        return tuple(dict.fromkeys(map(str, IGNORED_PARTIALS)))
    own = family.by or next((label for label in family.labels if label not in _SPOKEN and label not in DIMENSIONS), "")
    return tuple(map(str, family.values)) if name == own and name != PARTITION and name not in _SPOKEN else ()
