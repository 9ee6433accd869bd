"""What rows say of the total and of each configured segment over long periods, added up over the partitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from processor.core.business_hours import NEVER
from processor.core.dimensions import AGENT_GROUP_BY
from processor.core.engine import Engine
from processor.core.kpi_readings import DEFAULT_RULES, Rules
from processor.core.outputs import View
from processor.core.rows import MINUTE, TIER_MINUTES, Row, Rows, add_row
from processor.core.settings import DIMENSIONS, MINUTE_MS
from processor.report.history import TOTAL, History
from processor.report.periods import Period, net_flow
from processor.report.segments import By, Summed
from processor.report.together import level_of, stock_of

_DAY_MINUTES = 1440


def segment_sums(engines: Iterable[Engine], views: Iterable[View], periods: Sequence[Period]) -> dict[By, dict[str, Summed]]:
    """By segment and period: the sums of its days, and how many of its tickets were unsolved at its end. No agent is a segment."""
    found: dict[By, dict[str, Summed]] = {}
    first_end = min((period.until for period in periods), default=0)
    for engine, view in zip(engines, views, strict=True):
        segments = _segments(engine)
        backlogs = _backlogs(engine.rows.group_bys, view)
        for by in segments.values():
            told = found.setdefault(by, {period.name: Summed() for period in periods})
            for summed in told.values():
                summed.backlog += backlogs[by]
        for day, number, row in rows_by_day(engine.rows, segments.keys()):
            told = found[segments[number]]
            flow = net_flow(row) if day >= first_end else 0
            for period in periods:
                if day >= period.until:
                    told[period.name].backlog -= flow
                elif day >= period.first:
                    add_row(told[period.name].row, row, 1)
    return found


def _segments(engine: Engine) -> dict[int, By]:
    """By their numbers; without the total, which is told apart by nothing."""
    group_bys = engine.rows.group_bys
    named = ((number, group_bys[index], values) for number, (index, values) in enumerate(engine.rows.segments))
    return {number: tuple(zip(names, values, strict=True)) for number, names, values in named if names and names != AGENT_GROUP_BY}


def rows_by_day(rows: Rows, numbers: AbstractSet[int], minutes: int = _DAY_MINUTES) -> Iterator[tuple[int, int, Row]]:
    """(day since 1970, number of the segment, row) of all rows of these segments. `minutes`: of something shorter than days, such as 60."""
    for tier, width in TIER_MINUTES.items():
        for index, segments in rows.tiers[tier].items():
            for number in segments.keys() & numbers:
                yield index * width // minutes, number, segments[number]


def last_day(engines: Collection[Engine]) -> Row:
    """Net sums of the total over the 24 hours that end with the last minute, though it is not over: levels of now go with these."""
    found: Row = {}
    end = max((engine.timer_time for engine in engines), default=0) // MINUTE_MS + 1
    for engine in engines:
        total = engine.rows.segment_id(engine.rows.total)
        for segments in engine.rows.tiers[MINUTE].between(end - _DAY_MINUTES, NEVER):
            add_row(found, segments.get(total, {}), 1)
    return found


def history(
    engines: Iterable[Engine], views: Sequence[View], minutes: int, wanted: Collection[By], rules: Rules = DEFAULT_RULES
) -> History:  # fmt: skip
    """The rows of the total and of the wanted segments, for so many minutes each. The dimensions of a wanted one are in order."""
    rows: dict[By, dict[int, Row]] = {TOTAL: {}}
    backlog: Counter[By] = Counter({TOTAL: level_of(views, "backlog")})
    for engine, view in zip(engines, views, strict=True):
        segments = {number: by for number, by in _all_segments(engine) if by == TOTAL or by in wanted}
        for by, count in _backlogs(engine.rows.group_bys, view).items():
            if by and _in_order(by) in wanted:
                backlog[_in_order(by)] += count
        for index, number, row in rows_by_day(engine.rows, segments.keys(), minutes):
            add_row(rows.setdefault(segments[number], {}).setdefault(index, {}), row, 1)
    end = max((view.timer_time for view in views), default=0)
    return History(minutes, end, rows, backlog, stock_of(views), rules)


def _all_segments(engine: Engine) -> Iterator[tuple[int, By]]:
    group_bys = engine.rows.group_bys
    for number, (index, values) in enumerate(engine.rows.segments):
        if group_bys[index] != AGENT_GROUP_BY:
            yield number, _in_order(tuple(zip(group_bys[index], values, strict=True)))


def _in_order(by: By) -> By:
    return tuple(sorted(by))


def _backlogs(group_bys: Iterable[Sequence[str]], view: View) -> Counter[By]:
    """Unsolved tickets of each segment by now."""
    found: Counter[By] = Counter()
    for key, count in view.levels.items():
        if key[0] == "backlog":
            values = dict(zip(DIMENSIONS, key[2], strict=True))
            for names in group_bys:
                if values.keys() >= set(names):
                    found[tuple((name, values[name]) for name in names)] += count
    return found
