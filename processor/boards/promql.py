"""The same readings as PromQL, for dashboards.

Where a partition or a segment moves, two workers may serve it until the next scrape: `max without (instance, pod)` comes before anything is
added up, so that nothing is counted twice. What is read from Prometheus is one series for each job.
"""

from __future__ import annotations

from processor.boards.board import Board, Tile
from processor.boards.judging import NEAR, STALE_SECONDS, STEADY, TREND_MINUTES, State
from processor.boards.readings import Kpi, Level, Reading, Series
from processor.core.kpis import COST_PER_TICKET, Definition, Kind, definition_of
from processor.export.catalogue import BY_NAME
from processor.export.kpi_families import family_of, gauged
from processor.export.kpi_gauges import END, LEVEL, MIN_OBSERVATIONS, OBSERVATIONS, TARGET, TOTAL

JOB = 'job=~"$job"'
COUNTS = "support_window_observations"
STATE = "state"  # the label in which `judged` says how a number stands
DIRECTIONS = {"up": "at_least", "down": "at_most"}
_FLOW = (("backlog_entered", "+"), ("backlog_left", "-"))


def selected(family: str, *matchers: tuple[str, str], job: str = JOB) -> str:
    """The family's series with these labels."""
    told = ", ".join([job, *(f'{name}="{value}"' for name, value in matchers)])
    return f"{family}{{{told}}}"


def once(family: str, *matchers: tuple[str, str], job: str = JOB) -> str:
    """The same, each once whoever serves it."""
    return f"max without (instance, pod) ({selected(family, *matchers, job=job)})"


def promql(reading: Reading, *, by: str = "", job: str = JOB) -> str:
    """The number of the total; with `by`, the name of a dimension, of each of its values. Labels: the job and that dimension."""
    labels = f"job, {by}" if by else "job"
    if isinstance(reading, Kpi):
        return _kpi(reading, by or TOTAL, labels, job)
    if isinstance(reading, Level):
        return _largest(labels, LEVEL, ("level", reading.name), ("by", by or TOTAL), job=job)
    return _series(reading, labels, job)


def observations(reading: Reading, *, job: str = JOB) -> str:
    """What a KPI rests on; empty where it is a plain number."""
    definition = definition_of(reading.name) if isinstance(reading, Kpi) else None
    if not isinstance(reading, Kpi) or definition is None or not gauged(definition):
        return ""
    return _largest("job", OBSERVATIONS, ("kpi", definition.name), ("window", reading.window), ("by", TOTAL), job=job)


def target(tile: Tile, *, job: str = JOB) -> str:
    """What it ought to be, from the configuration; empty where that is fixed or nothing. There may be none in the configuration."""
    if not tile.target or not tile.better:
        return ""
    stat = tile.reading.stat if isinstance(tile.reading, Kpi) else ""
    chosen = (("kpi", tile.target), ("stat", stat), ("direction", DIRECTIONS[tile.better]), ("by", TOTAL))
    return _largest("job", TARGET, *chosen, job=job)


def age(*, job: str = JOB) -> str:
    """Seconds since the minute up to which everything was added up."""
    return promql(Series(END, form="since"), job=job)


def trend(tile: Tile, *, job: str = JOB) -> str:
    """1 where it has risen within a quarter of an hour by a fiftieth of itself or more, -1 where it has fallen, else 0.

    What is infinite, such as the next deadline where there is none, has no trend.
    """
    value = promql(tile.reading, job=job)
    steps = f"deriv(({value} < +Inf)[{TREND_MINUTES}m:]) * {TREND_MINUTES * 60} / clamp_min({STEADY:g} * abs({value}), 1e-9)"
    return f"clamp(round({steps}), -1, 1)"


def judged(tile: Tile, board: Board, *, job: str = JOB) -> str:
    """The number with a label that says how it stands: the first of the states that applies, as `judging.judge` does it."""
    value = promql(tile.reading, job=job)
    few, goal = observations(tile.reading, job=job), target(tile, job=job)
    states: list[tuple[State, str]] = []
    if board.dated:  # what tells that the numbers are old is no less true then
        states.append((State.STALE, f"{value} and on (job) ({age(job=job)} > {STALE_SECONDS})"))
    if few:
        least = _largest("job", MIN_OBSERVATIONS, job=job)
        states.append((State.FEW, f"{value} and on (job) ({few} < on (job) {least})"))
    if goal or tile.limit is not None:
        states += _against(value, tile, goal)
    states.append((State.FREE, value))
    return "\nor on (job) ".join(f'label_replace({found}, "{STATE}", "{state.value.label}", "", "")' for state, found in states)


def _against(value: str, tile: Tile, goal: str) -> list[tuple[State, str]]:
    keeps = ">=" if tile.better == "up" else "<="
    if not goal:
        assert tile.limit is not None, "judged tiles have a target or a limit"
        sign = -1 if tile.better == "up" else 1
        near = tile.limit + sign * NEAR * abs(tile.limit)
        return [(State.MET, f"{value} {keeps} {tile.limit:g}"), (State.NEAR, f"{value} {keeps} {near:g}"), (State.MISSED, value)]
    slack = "-" if tile.better == "up" else "+"
    return [
        (State.MET, f"{value} {keeps} on (job) {goal}"),
        (State.NEAR, f"{value} {keeps} on (job) ({goal} {slack} {NEAR:g} * abs({goal}))"),
        (State.MISSED, f"{value} and on (job) {goal}"),
    ]


def _largest(labels: str, family: str, *matchers: tuple[str, str], job: str) -> str:
    """For what has one owner: the newest is as good as any while it moves, and nothing is added up."""
    return f"max by ({labels}) ({selected(family, *matchers, job=job)})"


def _kpi(reading: Kpi, by: str, labels: str, job: str) -> str:
    definition = definition_of(reading.name)
    assert definition is not None, f"{reading.name} is no KPI"
    where = (("window", reading.window), ("by", by))
    if definition.name == "backlog_net_flow":
        return " ".join(f"{sign} {_count(name, where, labels, job)}" for name, sign in _FLOW).removeprefix("+ ")
    if not gauged(definition):
        return _count(definition.name, where, labels, job)
    return _largest(labels, family_of(definition), *_chosen(definition, reading), *where, job=job)


def _chosen(definition: Definition, reading: Kpi) -> tuple[tuple[str, str], ...]:
    if definition.kind in (Kind.DURATION, Kind.NUMBER):
        return (("stat", reading.stat or "mean"),)
    if definition.clock:
        return (("clock", definition.clock),)
    return (("currency", definition.unit),) if definition.name.startswith(COST_PER_TICKET) else ()


def _count(name: str, where: tuple[tuple[str, str], ...], labels: str, job: str) -> str:
    return f"sum by ({labels}) ({once(COUNTS, ('kpi', name), *where, job=job)})"


def _series(reading: Series, labels: str, job: str) -> str:
    family = BY_NAME[reading.family]
    raw = once(reading.family, *reading.labels, job=job)
    if reading.form == "since":
        return f"clamp_min(time() - {reading.merge or 'min'} by ({labels}) ({raw}), 0)"
    if reading.form == "until":
        return f"clamp_min({reading.merge or 'min'} by ({labels}) ({raw}) - time(), 0)"
    if reading.form == "size":
        return f"{reading.merge} by ({labels}) (abs({raw}))"
    return f"{reading.merge or family.merge} by ({labels}) ({raw})"
