"""The KPIs of a row: every one that a segment can have, with its value and what that rests on.

`kpi_table` says what each is, `kpi_readings` how it follows from a row, `kpi_statistics` what stands behind a value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from processor.core.dimensions import PER_AGENT
from processor.core.kpi_counts import CLOCK_COUNTED, COUNTED, GROUPS
from processor.core.kpi_definitions import PLAIN, Definition, Kind, Row
from processor.core.kpi_readings import DEFAULT_RULES, Rules, Window
from processor.core.kpi_statistics import NO_EDGE, QUANTILES, STATS, Measure, Numbered, Timed, quantile, wilson
from processor.core.kpi_table import COMPLIANCE, COST_PER_TICKET, TABLE, cost_per_ticket
from processor.core.postings_of_others import CURRENCIES
from processor.core.rows import Row as NetRow

__all__ = [
    "CLOCK_COUNTED", "COMPLIANCE", "COST_PER_TICKET", "COUNTED", "DEFINITIONS", "GROUPS", "NO_EDGE", "PER_AGENT", "PLAIN", "QUANTILES",
    "STATS", "Definition", "Kind", "Measure", "Numbered", "Rules", "Timed", "definition_of", "measures", "observed", "quantile", "wilson",
]  # fmt: skip

# Without the costs per ticket, of which there is one for each currency: see `definition_of`.
DEFINITIONS: dict[str, Definition] = {definition.name: definition for definition, _ in TABLE}
_COSTS: dict[str, Row] = {f"cost:{currency}": cost_per_ticket(currency) for currency in sorted(CURRENCIES)}
_BY_NAME = DEFINITIONS | {definition.name: definition for definition, _ in _COSTS.values()}

# Kinds that are read from the row alone; others know the backlog, or how long agents were to work.
_FROM_ROWS = frozenset({Kind.COUNT, Kind.RATIO, Kind.BALANCE, Kind.DURATION, Kind.NUMBER})


def definition_of(name: str) -> Definition | None:
    """What the KPI of that name is, costs per ticket included."""
    return _BY_NAME.get(name)


def measures(
    names: Collection[str], row: NetRow, backlog: int, seconds: float = 0, rules: Rules = DEFAULT_RULES, scheduled: float = 0.0
) -> dict[str, Measure]:
    """Every KPI that a segment by these dimensions can have, from its net row over a window and its backlog at the end of it.

    `seconds` is the length of the window, which rates of the backlog and of agents need, `scheduled` how long agents were to work in it by
    plan. Costs per ticket are there where there are costs.
    """
    return _read(names, Window(row, backlog, seconds, rules, scheduled), [line for _, line in _table(frozenset(names))])


def observed(
    names: Collection[str], row: NetRow, backlog: int, seconds: float = 0, rules: Rules = DEFAULT_RULES, scheduled: float = 0.0
) -> dict[str, Measure]:
    """The same without what was not observed. Only the total names every KPI: most segments have few of them, and there are many."""
    if not names:
        return measures(names, row, backlog, seconds, rules, scheduled)
    window = Window(row, backlog, seconds, rules, scheduled)
    found = _read(names, window, _table_of(frozenset(names), frozenset([key.partition(":")[0] for key in window.sums])))
    return {name: each for name, each in found.items() if each.n or each.value or each.numerator}


def _read(names: Collection[str], window: Window, table: Iterable[Row]) -> dict[str, Measure]:
    found = {definition.name: reading(window) for definition, reading in table}
    if window["cost"]:
        for key in sorted(window.row):
            if key in _COSTS:
                definition, reading = _COSTS[key]
                if definition.applies_to(names):
                    found[definition.name] = reading(window)
    return found


@lru_cache(maxsize=256)  # as many as there are group-bys
def _table(names: frozenset[str]) -> tuple[tuple[frozenset[str] | None, Row], ...]:
    """The rows of the table, each with the families without which there is nothing to read; None where there may be all the same."""
    return tuple((_families(line[0]), line) for line in TABLE if line[0].applies_to(names))


@lru_cache(maxsize=1024)  # most segments have much the same from window to window
def _table_of(names: frozenset[str], present: frozenset[str]) -> tuple[Row, ...]:
    """The rows of the table that have something to read in a row of these families."""
    return tuple(line for families, line in _table(names) if families is None or not families.isdisjoint(present))


def _families(definition: Definition) -> frozenset[str] | None:
    if definition.kind not in _FROM_ROWS:
        return None
    return frozenset(key.partition(":")[0] for key in definition.keys) or None
