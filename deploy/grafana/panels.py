"""Panels and variables of Grafana, from tiles and panels of the boards. How something looks is decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from grafana_foundation_sdk.builders import common as build_common
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import heatmap, prometheus, stat, table, text, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, units
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import text as text_model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from processor.boards import promql
from processor.boards.board import Board, Tile
from processor.boards.judging import ARROWS, STALE_SECONDS, State
from processor.boards.readings import Series
from processor.boards.working import Panel, Query
from processor.core.windows import WINDOWS
from processor.export.kpi_gauges import COMPLETE, END

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
UNITS = {
    "seconds": units.Seconds,
    "ratio": units.PercentUnit,
    "events per second": units.CountsPerSecond,
    "flag": units.NoUnit,
    "points": units.NoUnit,
    "number": units.NoUnit,
}  # all others are counts
NO_DATA = "no data"
LABEL_VALUES = 1  # the kind of a variable's query
NEVER_SECONDS = 1e12  # what is infinite
YES_NO = {1: "✔ yes", 0: "✖ no"}
OPEN_CLOSED = {1: "✔ open", 0: "⏸ closed"}

AnyPanel = Builder[model.Panel]


# -- variables ----------------------------------------------------------------------------------------------------------------------


def variables(names: tuple[str, ...]) -> Iterator[Builder[model.VariableModel]]:
    """The data source, the job, and of the others those that are named: in this order."""
    yield build.DatasourceVariable("datasource").label("Data source").type("prometheus")
    yield _values("job", "Job", "support_processor_build_info", ".+", with_job=False)
    series = {
        "group": "support_backlog_tickets",
        "channel": "support_tickets_created_total",
        "priority": "support_backlog_tickets",
        "instance": "support_processor_build_info",
    }
    for name in names:
        if name == "window":
            options = [model.VariableOption(text=window, value=window, selected=window == "24h") for window in WINDOWS]
            current = model.VariableOption(text="24h", value="24h", selected=True)
            yield build.CustomVariable("window").label("Window").values(",".join(WINDOWS)).options(options).current(current)
        else:
            # An instance is always there; a dimension may be empty, and then is still among all.
            yield _values(name, name.capitalize(), series[name], ".+" if name == "instance" else ".*")


def _values(name: str, label: str, series: str, everything: str, *, with_job: bool = True) -> build.QueryVariable:
    selector = f'{series}{{job=~"$job"}}' if with_job else series
    return (
        build.QueryVariable(name)
        .label(label)
        .query({"query": f"label_values({selector}, {name})", "refId": name, "qryType": LABEL_VALUES})
        .datasource(SOURCE)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(everything)
        .current(model.VariableOption(text=["All"], value=["$__all"], selected=True))
    )


def firing() -> build.AnnotationQuery:
    """Marks in the charts for the time in which an alert fires, by its name in the runbook."""
    loud = 'ALERTS{job=~"$job", alertstate="firing", severity=~"critical|warning"}'
    return build.AnnotationQuery().name("Alerts").datasource(SOURCE).enable(True).icon_color(State.MISSED.value.color).expr(loud)


# -- queries ------------------------------------------------------------------------------------------------------------------------


def _now(expr: str, legend: str, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(letter).instant().datasource(SOURCE)


def _over_time(query: Query, letter: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.legend).ref_id(letter).range().datasource(SOURCE)


def _letters() -> Iterator[str]:
    return iter("ABCDEFGH")


# -- the wall -----------------------------------------------------------------------------------------------------------------------


def heading(board: Board, width: int) -> AnyPanel:
    """The board's name, since a kiosk hides Grafana's own."""
    return words(board.question, f"# {board.title}\n{board.question}", width).height(3)


def words(description: str, content: str, width: int) -> text.Panel:
    """Text without a frame."""
    panel = text.Panel().title("").description(description).mode(text_model.TextMode.MARKDOWN).content(content)
    return panel.transparent(True).span(width).height(8)


def state_of_data(width: int) -> Iterator[AnyPanel]:
    """Up to when the numbers go, how old that is, and whether they are all in."""
    end = f"min by (job) ({promql.once(END)}) * 1000"
    yield _small("Numbers until", "The minute of event time up to which every partition was added up.", width).with_target(
        _now(end, "event time", "A")
    ).unit(units.DatetimeLocalNotToday)
    old = model.Threshold(value=STALE_SECONDS, color=State.STALE.value.color)
    steps = build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([model.Threshold(value=None, color="text"), old])
    yield _small("Age", f"How old the numbers are. Above {STALE_SECONDS // 60} minutes every tile is grey.", width).with_target(
        _now(promql.age(), "behind", "A")
    ).unit(units.Seconds).decimals(0).thresholds(steps).color_mode(common.BigValueColorMode.BACKGROUND)
    complete = promql.promql(Series(COMPLETE, merge="min"))
    yield _small("All partitions in", "Whether every partition has reported the minute shown.", width).with_target(
        _now(complete, "reported", "A")
    ).unit(units.NoUnit).mappings([_worded(YES_NO)])
    calendars = promql.promql(Series("support_calendar_open"), by="calendar")
    told = "Which calendars are open now. Targets in business hours stand still while theirs is closed."
    yield _small("Calendars", told, width).with_target(_now(calendars, "{{calendar}}", "A")).unit(units.NoUnit).mappings(
        [_worded(OPEN_CLOSED)]
    ).no_value("always open")


def big(tile: Tile, board: Board, width: int) -> stat.Panel:
    """The number, coloured by how it stands, with an icon and words that say the same."""
    title = tile.title if tile.limit is None else f"{tile.title} (at {'least' if tile.better == 'up' else 'most'} {_limit(tile)})"
    panel = (
        stat.Panel()
        .title(title)
        .description(tile.description)
        .datasource(SOURCE)
        .with_target(_now(promql.judged(tile, board), f"{{{{{promql.STATE}}}}}", "A"))
        .unit(_unit(tile.unit))
        .no_value(NO_DATA)
        .mappings(_mappings(tile.unit))
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(State.FREE.value.color))
        .color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(build_common.ReduceDataOptions().calcs(["lastNotNull"]))
        .span(width)
        .height(7)
    )
    if tile.unit in ("ratio", "seconds"):
        panel = panel.decimals(1)
    for state in State:
        fixed = model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": state.value.color})
        panel = panel.override_by_name(state.value.label, [fixed])
    return panel


def beside(tile: Tile, width: int) -> AnyPanel:
    """What it ought to be, how much it rests on, and whether it rises."""
    goal, few = promql.target(tile), promql.observations(tile.reading)
    told = [word for word, there in (("target", goal), ("observations", few), ("trend", True)) if there]
    panel = _small(f"{tile.title}: {', '.join(told)}", "What the number above ought to be, what it rests on, and where it goes.", width)
    letters = _letters()
    if goal:
        panel = panel.with_target(_now(goal, "target", next(letters)))
        unit = model.DynamicConfigValue(id_val="unit", value=_unit(tile.unit))
        panel = panel.override_by_name("target", [unit])
    if few:
        panel = panel.with_target(_now(few, "n", next(letters)))
    panel = panel.with_target(_now(promql.trend(tile), "trend", next(letters)))
    arrows = model.DynamicConfigValue(id_val="mappings", value=[_worded(ARROWS)])
    return panel.override_by_name("trend", [arrows]).unit(units.Short).no_value("no target")


def _small(title: str, description: str, width: int) -> stat.Panel:
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .no_value(NO_DATA)
        .color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
        .thresholds(build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps([model.Threshold(value=None, color="text")]))
        .color_mode(common.BigValueColorMode.VALUE)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE_AND_NAME)
        .orientation(common.VizOrientation.VERTICAL)
        .reduce_options(build_common.ReduceDataOptions().calcs(["lastNotNull"]))
        .span(width)
        .height(3)
    )


def _limit(tile: Tile) -> str:
    assert tile.limit is not None, "asked of tiles with a limit"
    return f"{tile.limit / 60:g} min" if tile.unit == "seconds" else f"{tile.limit:g}"


def _unit(unit: str) -> str:
    return UNITS.get(unit, units.Short)


def _mappings(unit: str) -> list[model.ValueMapping]:
    if unit == "flag":
        return [_worded(YES_NO)]
    if unit == "seconds":
        never = model.ValueMappingResult(text="never", index=0)
        return [model.RangeMap(options=model.DashboardRangeMapOptions(from_val=NEVER_SECONDS, to=None, result=never))]
    return []


def _worded(words: dict[int, str]) -> model.ValueMap:
    return model.ValueMap(
        options={str(value): model.ValueMappingResult(text=word, index=index) for index, (value, word) in enumerate(words.items())}
    )


# -- the working version ------------------------------------------------------------------------------------------------------------


def number(tile: Tile, board: Board, width: int) -> AnyPanel:
    """A tile where people work with it: its question as the title, the same colour."""
    return big(tile, board, width).title(tile.question).height(5)


def chart(panel: Panel, width: int) -> AnyPanel:
    """A panel of `working`."""
    made: timeseries.Panel | heatmap.Panel | table.Panel
    if panel.kind == "heatmap":
        made = heatmap.Panel().calculate(False)
    elif panel.kind == "table":
        made = table.Panel()
    else:
        made = timeseries.Panel().line_width(2).fill_opacity(30 if panel.kind == "stacked" else 0)
        if panel.kind == "stacked":
            made = made.stacking(build_common.StackingConfig().mode(common.StackingMode.NORMAL))
        if panel.unit == "ratio":
            made = made.axis_soft_min(0).axis_soft_max(1)
    made = made.title(panel.question).description(panel.description).datasource(SOURCE).unit(_unit(panel.unit)).span(width).height(8)
    for query, letter in zip(panel.queries, _letters(), strict=False):
        if panel.kind == "table":
            made = made.with_target(_now(query.expr, query.legend, letter).format(PromQueryFormat.TABLE))
        elif panel.kind == "heatmap":
            made = made.with_target(_over_time(query, letter).format(PromQueryFormat.HEATMAP))
        else:
            made = made.with_target(_over_time(query, letter))
    return made
