"""How the KPIs of a segment's window stand in a record: each with what it rests on, rounded. Schema: support.kpis.v1.

Most of what the KPI stage does is this, for every KPI of every segment and window at every full minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from processor.core.histogram import EDGES_SECONDS, LADDER_VERSION
from processor.core.kpi_statistics import Measure, Numbered, Timed
from processor.core.kpis import PLAIN, QUANTILES, definition_of

ABOVE: Final = "+Inf"  # the edge above the ladder, as text: JSON has no infinity
EDGES: Final = (*[str(edge) for edge in EDGES_SECONDS], ABOVE)
_INFINITE: Final = float("inf")
_SECONDS_DIGITS: Final = 6  # of quantiles and means; the sums below them are exact to the millisecond
_SPREAD: Final = (*QUANTILES, "max")


def kpis_document(found: Mapping[str, Measure], min_n: int) -> dict[str, dict[str, Any]]:
    """By the names of the KPIs. `min_n` observations make a value that says something."""
    document: dict[str, dict[str, Any]] = {}
    for name, measure in found.items():
        definition = definition_of(name)
        if definition is None or definition.kind in PLAIN:
            document[name] = {"value": _rounded(measure.value), "n": measure.n}
        else:
            document[name] = _divided(measure, min_n)
    return document


def _divided(measure: Measure, min_n: int) -> dict[str, Any]:
    written: dict[str, Any] = {
        "value": _rounded(measure.value),
        "n": measure.n,
        "low_n": measure.n < min_n,
        "numerator": _rounded(measure.numerator),
        "denominator": _rounded(measure.denominator),
    }
    if measure.estimated:
        written["estimated"] = True
    if measure.share:
        low, high = measure.interval or (None, None)
        written["low"], written["high"] = _rounded(low), _rounded(high)
    if measure.spread is not None:
        stats = measure.stats()
        for each in _SPREAD:
            written[each] = _rounded(stats.get(each))
    if measure.timed is not None:
        written["histogram"] = _histogram(measure.timed)
    if measure.numbered is not None:
        written["counts"] = _counts(measure.numbered)
    return written


def _counts(numbered: Numbered) -> dict[str, int]:
    """How often each number occurred; those that did not are left out."""
    return {str(number): count for number, count in enumerate(numbered.counts, start=numbered.lowest) if count}


def _histogram(timed: Timed) -> dict[str, Any]:
    """Counts by the upper edge of their bucket, in seconds as text; not cumulative, empty buckets left out."""
    buckets: dict[str, int] = {}
    for index, count in enumerate(timed.counts):
        if count:
            buckets[EDGES[index]] = count
    return {"ladder": LADDER_VERSION, "buckets": buckets}


def _rounded(value: object) -> object:
    if not isinstance(value, float):
        return value
    return ABOVE if value == _INFINITE else round(value, _SECONDS_DIGITS)
