"""KPIs as a consumer sees them, from the bytes of one record. Schema: support.kpis.v1; unknown fields and KPIs are no fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from processor.client.records import instant, opened
from processor.codec.envelope import parse_time
from processor.codec.facts import SOURCE
from processor.codec.kpis import ABOVE
from processor.core.kpis import PER_AGENT, QUANTILES
from processor.core.settings import DIMENSIONS
from processor.core.windows import WINDOWS
from processor.kpis import encode

Order = tuple[int, int, int]


class KpiKey(NamedTuple):
    """Which segment and window: names and values of the dimensions, () for the total."""

    by: tuple[str, ...]
    values: tuple[str, ...]
    window: str


@dataclass(frozen=True, slots=True)
class Durations:
    """What stands beside a mean: quantiles in seconds, None where nothing was observed, and the histogram they follow from.

    `max` is the upper edge of the longest one's bucket, infinite above the last edge. `buckets` are (upper edge, observations), not
    cumulative; those of one `ladder` can be added up over segments.
    """

    p50: float | None
    p75: float | None
    p90: float | None
    p95: float | None
    max: float | None
    ladder: int
    buckets: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What stands beside a mean of whole numbers: quantiles, None where nothing was observed, and how often each number occurred.

    `counts` are (number, how often), ascending; the highest that is told apart stands for those above it, too.
    """

    p50: float | None
    p75: float | None
    p90: float | None
    p95: float | None
    max: float | None
    counts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Kpi:
    """One value and how many observations it rests on. `value` is None where there were none; the mean in seconds of durations.

    `low` and `high` are the confidence interval of a ratio at 95 %. `low_n`: whether there were fewer observations than `kpis.min_n`;
    `estimated`: whether it rests on hours by plan, `kpis.scheduled_agents`.
    """

    value: float | None
    n: int
    numerator: float | None
    denominator: float | None
    durations: Durations | None
    numbers: Numbers | None = None
    low: float | None = None
    high: float | None = None
    low_n: bool = False
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class KpiWindow:
    """All KPIs of one segment over one window [start, until). `at_ms` is the minute W up to which every partition had come.

    `complete` is false where `missing_partitions` are not in it. Of two with one key the one with the greater `order` is right.
    """

    key: KpiKey
    start: datetime
    until: datetime
    at_ms: int
    epoch: int
    sequence: int
    complete: bool
    missing_partitions: tuple[int, ...]
    kpis: Mapping[str, Kpi]

    @property
    def order(self) -> Order:
        """Epoch, minute, and how often that was given out."""
        return self.epoch, self.at_ms, self.sequence

    @property
    def at(self) -> datetime:
        """`at_ms` as a time with a zone."""
        return instant(self.at_ms)

    @property
    def dimensions(self) -> dict[str, str]:
        """Value by name; empty for the total."""
        return dict(zip(self.key.by, self.key.values, strict=True))


def decode_kpis(value: bytes) -> KpiWindow:
    """The KPIs that a record's value holds. Raises `ValueError`, which names the field, for what is none."""
    document, data = opened(value, "no KPIs")
    if document.get("specversion") != "1.0" or document.get("type") != encode.TYPE:
        raise _wrong("type", f"not {encode.TYPE}, of CloudEvents 1.0")
    source = document.get("source")
    if not isinstance(source, str) or source.rpartition(SOURCE)[0] or not f"{source}/".startswith(f"{SOURCE}/"):
        raise _wrong("source", f"not {SOURCE}")
    missing = data.get("missing_partitions")
    if not isinstance(missing, list):
        raise _wrong("missing_partitions", "missing or not a list")
    if not isinstance(data.get("complete"), bool):
        raise _wrong("complete", "neither true nor false")
    return KpiWindow(
        key=_key(data),
        start=instant(_time(data, "from")),
        until=instant(_time(data, "until")),
        at_ms=_time(document, "time"),
        epoch=_whole(data, "epoch"),
        sequence=_whole(data, "sequence"),
        complete=data["complete"],
        missing_partitions=tuple(_whole({"missing_partitions": each}, "missing_partitions") for each in missing),
        kpis=MappingProxyType({name: _kpi(name, each) for name, each in _object(data, "kpis").items()}),
    )


def decode_key(key: bytes | None) -> KpiKey:
    """Segment and window of a record, also of one without a value. Raises `ValueError` for what is no such key."""
    (names, values), window = encode.decode_key(key)
    return _checked(KpiKey(names, values, window))


def _wrong(name: str, want: str) -> ValueError:
    return ValueError(f"no KPIs: {name} is {want}")


def _key(data: dict[str, Any]) -> KpiKey:
    names, dimensions = data.get("by"), _object(data, "dimensions")
    if not isinstance(names, list) or set(dimensions) != set(map(str, names)):
        raise _wrong("by", "missing, or not the names of `dimensions`")
    return _checked(KpiKey(tuple(names), tuple(dimensions[name] for name in names), data.get("window", "")))


def _checked(key: KpiKey) -> KpiKey:
    if key.window not in WINDOWS:
        raise _wrong("window", f"none of {', '.join(WINDOWS)}")
    if len(key.by) != len(key.values) or not set(key.by) <= {*DIMENSIONS, PER_AGENT} or len(set(key.by)) < len(key.by):
        raise _wrong("by", f"not a list of {', '.join((*DIMENSIONS, PER_AGENT))}, with a value for each")
    if not all(isinstance(value, str) for value in key.values):
        raise _wrong("dimensions", "not text")
    return key


def _object(part: dict[str, Any], name: str) -> dict[str, Any]:
    value = part.get(name)
    if not isinstance(value, dict):
        raise _wrong(name, "missing or not an object")
    return value


def _time(part: dict[str, Any], name: str) -> int:
    value = part.get(name)
    if not isinstance(value, str):
        raise _wrong(name, "missing or not a time as text")
    try:
        return parse_time(value)
    except ValueError as error:
        raise ValueError(f"no KPIs: {name}: {error}") from None


def _whole(part: dict[str, Any], name: str, path: str = "") -> int:
    value = part.get(name)
    if isinstance(value, float) and value.is_integer():  # 3.0 is a whole number in JSON
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _wrong(f"{path}{name}", "missing or not a whole number from 0")
    return value


def _number(part: dict[str, Any], name: str, path: str) -> float | None:
    """A key that is there with a number or null."""
    value = part.get(name, "")
    if value == ABOVE and name in {"max", "value"}:
        return float("inf")
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise _wrong(f"{path}{name}", "missing, or neither a number nor null")
    return value


def _kpi(name: str, part: Any) -> Kpi:
    path = f"{name}."
    if not isinstance(part, dict):
        raise _wrong(name, "not an object")
    divided = "denominator" in part
    return Kpi(
        value=_number(part, "value", path),
        n=_whole(part, "n", path),
        numerator=_number(part, "numerator", path) if divided else None,
        denominator=_number(part, "denominator", path) if divided else None,
        durations=_durations(part, path) if "histogram" in part else None,
        numbers=_numbers(part, path) if "counts" in part else None,
        low=_number(part, "low", path) if "low" in part else None,
        high=_number(part, "high", path) if "high" in part else None,
        low_n=part.get("low_n") is True,
        estimated=part.get("estimated") is True,
    )


def _numbers(part: dict[str, Any], path: str) -> Numbers:
    counts = _object(part, "counts")
    if not all(number.isdecimal() for number in counts):
        raise _wrong(f"{path}counts", "keyed by something that is no whole number")
    return Numbers(
        **{name: _number(part, name, path) for name in QUANTILES},
        max=_number(part, "max", path),
        counts=tuple(sorted((int(number), _whole(counts, number, path)) for number in counts)),
    )


def _durations(part: dict[str, Any], path: str) -> Durations:
    histogram = _object(part, "histogram")
    buckets = _object(histogram, "buckets")
    return Durations(
        **{name: _number(part, name, path) for name in QUANTILES},
        max=_number(part, "max", path),
        ladder=_whole(histogram, "ladder", path),
        buckets=tuple(sorted((_edge(edge, path), _whole(buckets, edge, path)) for edge in buckets)),
    )


def _edge(text: str, path: str) -> float:
    if text == ABOVE:
        return float("inf")
    if not text.isdecimal():
        raise _wrong(f"{path}buckets", "keyed by something that is no edge in seconds")
    return float(text)
