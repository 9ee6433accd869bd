"""The six boards say only what the processor knows, and a number is judged by one rule."""

from __future__ import annotations

import pytest

from processor.boards.board import WALL_TILES_MAX, Better, Board, Tile
from processor.boards.judging import State, judge
from processor.boards.promql import promql
from processor.boards.readings import Kpi, Level, Series
from processor.boards.tables import BOARDS
from processor.core.kpi_statistics import STATS
from processor.core.kpis import Kind, definition_of
from processor.core.windows import WINDOWS
from processor.export.catalogue import BY_NAME
from processor.export.kpi_gauges import LEVEL_OF_ALL, LEVELS
from tests.boards.cases import CASES, MIN_N

TILES = [pytest.param(board, tile, id=f"{board.name}-{tile.name}") for board in BOARDS for tile in board.tiles]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_a_wall_has_few_numbers_and_each_has_a_name_of_its_own(board: Board) -> None:
    assert 3 <= len(board.wall) <= WALL_TILES_MAX
    assert len({tile.name for tile in board.tiles}) == len(board.tiles)
    assert board.question.endswith("?")


def test_the_boards_are_the_six() -> None:
    assert [board.name for board in BOARDS] == ["queue-now", "sla-risk", "backlog-flow", "quality", "goals", "processor-health"]


@pytest.mark.parametrize(("board", "tile"), TILES)
def test_a_tile_reads_what_there_is(board: Board, tile: Tile) -> None:
    assert tile.question.endswith("?")
    assert tile.description.endswith(".")
    assert tile.better or (not tile.target and tile.limit is None), "a target is on one side of the number"
    assert len(tile.title) <= 30, "it is read from five metres"
    reading = tile.reading
    if isinstance(reading, Kpi):
        definition = definition_of(reading.name)
        assert definition is not None
        assert reading.window in WINDOWS
        assert (reading.stat in STATS) == (definition.kind in (Kind.DURATION, Kind.NUMBER))
        assert tile.target in ("", reading.name)
        assert tile.unit == definition.unit
    elif isinstance(reading, Level):
        assert reading.name in {*LEVELS, LEVEL_OF_ALL}
    else:
        assert isinstance(reading, Series)
        family = BY_NAME[reading.family]
        assert family.kind == "gauge"
        assert {name for name, _ in reading.labels} <= set(family.label_names)
        assert (reading.form in ("since", "until")) == reading.family.endswith("_timestamp_seconds")
    assert "support_" in promql(reading)
    assert board.dated or board.audience == "operators"


@pytest.mark.parametrize(("value", "better", "target", "n", "age", "state"), CASES)
def test_a_number_is_judged_by_its_target_unless_it_is_old_or_rests_on_little(
    value: float | None, better: Better, target: float | None, n: int | None, age: float, state: State
) -> None:
    assert judge(value, better=better, target=target, n=n, min_n=MIN_N, age_seconds=age) is state


def test_every_state_has_an_icon_a_text_and_a_colour_of_its_own() -> None:
    for of in ("icon", "text", "color"):
        assert len({getattr(state.value, of) for state in State}) == len(State)
