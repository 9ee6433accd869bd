"""The numbers of one instant as JSON, in a form in which two processes that read the same log must agree exactly; and their comparison.

Only net values are in it: gross ones depend on how the events were cut into steps. Nothing is folded into `other` and zeros are left out,
so neither the configuration's known values nor the order in which values were seen can make a difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import isinf
from typing import Any

from processor.core.facts import LEDGER_MODULUS
from processor.core.outputs import View
from processor.export.catalogue import BY_NAME
from processor.export.collector import bucket_edges, label_text
from processor.export.family import PARTITION, Family
from processor.export.kpi_gauges import Number
from processor.export.labels import LabelSet
from processor.export.measures import raw_tables

FORMAT = 1

Metrics = dict[str, dict[str, Number]]  # family -> labels as text, without partition -> value


class SnapshotError(ValueError):
    """A file that is no snapshot, or one of another format."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value in which two snapshots differ. `labels` is empty for what is not a metric."""

    where: str
    labels: str
    first: Any
    second: Any

    def __str__(self) -> str:
        name = f"{self.where}{{{self.labels}}}" if self.labels else self.where
        return f"{name}: {self.first} and {self.second}"


# -- taking one -------------------------------------------------------------------------------------------------------------------


def snapshot(
    views: Sequence[View],
    applied: Mapping[int, int] | None,
    group_bys: Sequence[LabelSet],
    rekeyed: Mapping[int, tuple[int, int]] | None = None,
) -> dict[str, Any]:
    """All numbers of these views. `applied` is the offset of the last record applied, per partition (-1: none).

    It is None where there are no offsets. `group_bys` are those of the settings with which the views were made. `rekeyed` is up to
    where each partition has read what others hand over, and how much is known to follow; replays have all of it.
    """
    return {
        "format": FORMAT,
        "partitions": {
            str(view.partition): {
                "applied": None if applied is None else applied.get(view.partition, -1),
                "stream_time": view.stream_time,
                "timer_time": view.timer_time,
                **(dict(zip(("rekeyed_applied", "rekeyed_unread"), rekeyed[view.partition], strict=True)) if rekeyed else {}),
                "digest": f"{view.digest:032x}",
                "ledger_count": view.ledger_count,
                "postponed": view.postponed,
            }
            for view in sorted(views, key=lambda view: view.partition)
        },
        "window_end": min((view.window_end for view in views), default=0),
        "digest": digest(views),
        "ledger_count": sum(view.ledger_count for view in views),
        "metrics": metrics(views, group_bys),
    }


def unread(taken: Mapping[str, Any]) -> int:
    """How much was on its way from one partition to another when this was taken, as far as the worker knew; a replay has all of it."""
    return _over_partitions(taken, "rekeyed_unread")


def postponed(taken: Mapping[str, Any]) -> int:
    """How many tickets, contacts and others had deadlines before timer time that waited for the rest of the log; in a replay none."""
    return _over_partitions(taken, "postponed")


def _over_partitions(taken: Mapping[str, Any], name: str) -> int:
    """The sum of what some of them may say."""
    return sum(partition.get(name, 0) for partition in taken["partitions"].values())


def digest(views: Iterable[View]) -> str:
    """The ledger digest of all partitions: the sum of the hashes of all net facts modulo 2^128."""
    return f"{sum(view.digest for view in views) % LEDGER_MODULUS:032x}"


def metrics(views: Iterable[View], group_bys: Sequence[LabelSet]) -> Metrics:
    """Every family that is not operational, net, over all partitions. Histograms come as _bucket (cumulative), _sum and _count."""
    found: Metrics = {}
    for table in raw_tables(views, group_bys):
        family = table.family
        if family.operational or (family.gross and not family.retracted and family.source == "counts"):
            continue
        name, sign = _net_name(family), -1 if family.retracted else 1
        for labels, number in table.numbers:
            _put(found.setdefault(name, {}), _text(family, labels), sign * number, family)
        for labels, (counts, total) in table.histograms:
            text = _text(family, labels)
            cumulative = list(accumulate(counts))
            buckets = found.setdefault(f"{name}_bucket", {})
            for edge, count in zip(bucket_edges(family), cumulative, strict=True):
                _put(buckets, f'{text},le="{edge}"', sign * count, family)
            _put(found.setdefault(f"{name}_sum", {}), text, sign * total, family)
            _put(found.setdefault(f"{name}_count", {}), text, sign * cumulative[-1], family)
    return {name: kept for name, values in sorted(found.items()) if (kept := _tidy(values))}


def _net_name(family: Family) -> str:
    """The family that a twin belongs to."""
    if not family.retracted:
        return family.name
    return f"{family.name.removesuffix('_retracted_total')}_total" if family.kind == "counter" else family.name.removesuffix("_retracted")


def _text(family: Family, labels: LabelSet) -> str:
    names = family.label_names
    return _written(names[:-1], labels[:-1]) if names and names[-1] == PARTITION else _written(names, labels)


@lru_cache(maxsize=200_000)  # the same labels are written for each snapshot, and for many families
def _written(names: LabelSet, labels: LabelSet) -> str:
    return label_text(names, labels)


def _put(values: dict[str, Number], text: str, number: Number, family: Family) -> None:
    present = values.get(text)
    if present is None:
        values[text] = number
    elif family.merge == "sum":
        values[text] = present + number
    else:
        values[text] = min(present, number) if family.merge == "min" else max(present, number)


def _tidy(values: dict[str, Number]) -> dict[str, Number]:
    """Without zeros and what there is none of. Sums of seconds are whole milliseconds again, whatever the order of the addition."""
    rounded = ((text, round(number, 3) if isinstance(number, float) and not isinf(number) else number) for text, number in values.items())
    return {text: number for text, number in sorted(rounded) if number and not isinf(number)}


# -- comparing --------------------------------------------------------------------------------------------------------------------

_OF_A_PARTITION = ("applied", "stream_time", "timer_time", "digest", "ledger_count")
# What follows from how events were dealt out to partitions, not from the events.
_DEALT_OUT = frozenset({"support_processor_events_consumed_total", "support_processor_events_control_total"})


def compare(first: Mapping[str, Any], second: Mapping[str, Any], *, partitions: bool = True) -> list[Difference]:
    """Everything in which two snapshots differ: metrics, ledger, and the partitions unless the logs were dealt out differently."""
    for each in (first, second):
        check_format(each)
    differences = [Difference(name, "", first[name], second[name]) for name in ("digest", "ledger_count") if first[name] != second[name]]
    if partitions:
        differences += _compare_partitions(first["partitions"], second["partitions"])
    for name in sorted({*first["metrics"], *second["metrics"]}):
        if partitions or name not in _DEALT_OUT:
            differences += _compare_values(name, first["metrics"].get(name, {}), second["metrics"].get(name, {}))
    return differences


def check_format(document: Any) -> None:
    """Raises SnapshotError if this is not a snapshot that this version understands."""
    if not isinstance(document, Mapping) or "partitions" not in document or "metrics" not in document:
        raise SnapshotError("not a snapshot; take one from a worker's /snapshot")
    if document.get("format") != FORMAT:
        found = document.get("format")
        raise SnapshotError(f"a snapshot of format {found}, this version reads {FORMAT}; compare with the version that took it")


def _compare_partitions(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    differences = []
    for number in sorted({*first, *second}, key=int):
        mine, others = first.get(number), second.get(number)
        if mine is None or others is None:
            differences.append(Difference(f"partition {number}", "", mine and "there", others and "there"))
            continue
        pairs = ((name, mine[name], others[name]) for name in _OF_A_PARTITION)
        differences += [Difference(f"partition {number} {name}", "", a, b) for name, a, b in pairs if a != b and None not in (a, b)]
    return differences


def _compare_values(name: str, first: Mapping[str, Number], second: Mapping[str, Number]) -> list[Difference]:
    return [
        Difference(name, labels, first.get(labels, 0), second.get(labels, 0))
        for labels in sorted({*first, *second})
        if first.get(labels, 0) != second.get(labels, 0)
    ]


# -- comparing with what must be --------------------------------------------------------------------------------------------------

_LABELLED = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})?")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def compare_truth(truth: Mapping[str, Any], taken: Mapping[str, Any]) -> list[Difference]:
    """In what a snapshot differs from totals known by construction: {"families": {'name{label="value"}': number}}.

    A family named with fewer labels than it has means the sum over the others. `first` is the truth. Raises SnapshotError for a truth that
    says nothing, since it would agree with everything.
    """
    check_format(taken)
    families = truth.get("families")
    if not isinstance(families, Mapping) or not families:
        raise SnapshotError("not a truth: it has no families; `ticket-kpis generate --truth FILE` writes one")
    differences = []
    for written, expected in sorted(families.items()):
        found = total(taken["metrics"], written)
        if round(float(found), 3) != round(float(expected), 3):
            differences.append(Difference(written, "", expected, found))
    return differences


def total(found: Mapping[str, Mapping[str, Number]], written: str) -> Number:
    """The sum of a family, written as `name` or `name{label="value"}`, over all its label sets that have these labels."""
    match = _LABELLED.fullmatch(written)
    if match is None:
        raise SnapshotError(f'{written}: write name or name{{label="value"}}')
    name = match["name"]
    _check_name(name)
    wanted = set(_LABEL.findall(match["labels"] or ""))
    return sum(number for labels, number in found.get(name, {}).items() if wanted <= set(_LABEL.findall(labels)))


def _check_name(name: str) -> None:
    if name not in BY_NAME and re.sub(r"_(bucket|sum|count)$", "", name) not in BY_NAME:
        raise SnapshotError(f"{name} is not in the catalogue of metrics")
