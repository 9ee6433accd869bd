"""Scales and charts: round numbers, and nothing that cannot be drawn gets into a picture."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.report.page.charts import Chart, Heat, Line, heat_map, spark, svg
from processor.report.page.scales import Scale, finite, marks, places
from processor.report.page.texts import number, tick
from tests.report.reading_pages import Page

UNITS = st.sampled_from(["seconds", "ratio", "tickets", "score", "points"])
ANY = st.one_of(st.none(), st.sampled_from([inf, nan]), st.floats(-1e9, 1e12), st.integers(-10, 10_000).map(float))


def chart(*lines: Line, unit: str = "tickets", target: tuple[float, str] | None = None, steps: int | None = None) -> Chart:
    names = [f"day {number}" for number in range(steps or len(lines[0].values))]
    marked = {0: names[0]} if names else {}
    return Chart("c", "Title & more", "What <it> shows", unit, names, marked, lines, lambda value: tick(value, unit), target)


def numbers_of(page: Page) -> list[str]:
    """Every coordinate of a picture."""
    named = ("d", "x", "y", "cx", "cy", "width")
    told = [value for _, attributes in page.attributes for name, value in attributes.items() if name in named]
    return [word for text in told for word in text.replace("M", " ").replace("L", " ").replace("H", " ").replace("Z", " ").split()]


@pytest.mark.parametrize(("values", "unit", "expected"), [
    ([3.0, 17.0], "tickets", [0, 5, 10, 15, 20]),
    ([1.0], "tickets", [0, 1]),
    ([0.0, 1200.0], "tickets", [0, 500, 1000, 1500]),
    ([600.0, 5000.0], "seconds", [0, 1800, 3600, 5400]),
    ([40 * 86_400.0], "seconds", [0, 864_000, 1_728_000, 2_592_000, 3_456_000]),
    ([0.83, 0.97], "ratio", [0, 0.5, 1]),
    ([], "tickets", [0, 1]),
    ([2.0, 6.5], "score", [1, 3, 5, 7]),
    ([-100.0, 20.0], "points", [-100, -50, 0, 50, 100]),
])  # fmt: skip
def test_axes_are_marked_at_round_numbers(values: list[float], unit: str, expected: list[float]) -> None:
    assert marks(values, unit) == pytest.approx(expected)


def test_a_share_need_not_begin_at_zero_but_has_room() -> None:
    assert marks([0.95, 0.95], "ratio", from_zero=False) == pytest.approx([0.85, 0.9, 0.95, 1])
    assert marks([1.0], "ratio", from_zero=False)[-1] == 1.0


@given(st.lists(st.floats(-1e7, 1e9), max_size=20), UNITS, st.booleans())
def test_axes_hold_all_values_and_never_have_many_marks(values: list[float], unit: str, from_zero: bool) -> None:
    if unit == "ratio":
        values = [abs(value) % 1 for value in values]
    found = marks(values, unit, from_zero=from_zero)
    assert 2 <= len(found) <= 8
    assert found == sorted(set(found))
    if values:
        slack = 1e-6 * max(1.0, *map(abs, values))
        assert found[0] <= min(values) + slack
        assert found[-1] >= max(values) - slack


def test_a_scale_keeps_what_lies_outside_at_its_edge() -> None:
    scale = Scale(0, 10, 100, 0)
    assert [scale.at(value) for value in (-5, 0, 2.5, 10, 99)] == [100, 100, 75, 0, 0]


def test_few_names_on_an_axis_whatever_its_length() -> None:
    assert places(24, 5, (1, 2, 3, 6, 12)) == [0, 6, 12, 18]
    assert places(0, 5) == []
    assert places(1, 5) == [0]
    assert all(len(places(length, 5, (1, 2, 7, 14))) <= 5 for length in range(400))


@settings(max_examples=40)
@given(st.lists(st.lists(ANY, min_size=1, max_size=30), min_size=1, max_size=3), UNITS, st.one_of(st.none(), st.floats(0, 100)))
def test_only_finite_places_are_drawn(columns: list[list[float | None]], unit: str, target: float | None) -> None:
    steps = max(map(len, columns))
    lines = [Line(f"line {number}", [*column, *[None] * (steps - len(column))]) for number, column in enumerate(columns)]
    drawn = svg(chart(*lines, unit=unit, target=(target, "goal") if target is not None else None, steps=steps))
    if drawn:
        assert not {"nan", "inf", "-inf"} & set(numbers_of(Page(drawn)))


def test_nothing_to_draw_is_no_picture() -> None:
    assert svg(chart(Line("a", [None, None, nan]))) == ""
    assert svg(chart(Line("a", []))) == ""
    assert spark([None, 3.0, None]) == ""
    assert finite([1.0, None, nan, inf]) == [1.0]


def test_one_point_stands_in_the_middle() -> None:
    page = Page(svg(chart(Line("a", [5.0]))))
    assert page.tags["circle"] == 1
    (dot,) = (attributes for tag, attributes in page.attributes if tag == "circle")
    assert 150 < float(dot["cx"]) < 230


def test_a_picture_has_a_name_and_says_what_it_shows() -> None:
    page = Page(svg(chart(Line("a", [1.0, 2.0]))))
    root = page.attributes[0][1]
    assert (root["role"], root["aria-labelledby"]) == ("img", "c-title c-desc")
    assert page.texts("desc") == ["What <it> shows"]
    assert page.texts("title")[0] == "Title & more"
    assert "day 1: a 2" in page.texts("title")


def test_gaps_stay_gaps_and_what_has_no_end_is_an_arrow_at_the_top() -> None:
    page = Page(svg(chart(Line("a", [1.0, 2.0, None, 4.0, 5.0, inf]))))
    assert sum(attributes.get("class") == "line s1" for _, attributes in page.attributes) == 2
    assert sum(attributes.get("class") == "endless s1" for _, attributes in page.attributes) == 1
    assert "day 2: a -" in page.texts("title")
    assert "day 5: a never" in page.texts("title")


def test_values_of_few_are_hollow_and_have_their_interval() -> None:
    line = Line("kept", [0.9, 0.8, 0.7], [False, True, False], [0.8, 0.5, None], [0.95, 0.9, None])
    page = Page(svg(chart(line, unit="ratio")))
    classes = [attributes.get("class") for _, attributes in page.attributes]
    assert (classes.count("dot s1 few"), classes.count("dot s1"), classes.count("band s1")) == (1, 2, 1)
    assert "day 1: kept 80 % (few)" in page.texts("title")


def test_the_darkest_hour_is_one_of_many_observations() -> None:
    values = {("mon", 9): 10.0, ("tue", 9): 5.0, ("sun", 3): 99.0}
    tips = {place: f"{place}" for place in values}
    page = Page(heat_map(Heat("h", "t", "d", values, tips, frozenset({("sun", 3)}))))
    shades = [attributes["fill-opacity"] for _, attributes in page.attributes if attributes.get("class") == "heat"]
    assert shades == ["1.00", "0.55", "1.00"]
    assert page.tags["rect"] == 7 * 24 + 3


def test_the_documents_infinity_is_a_number_again() -> None:
    assert [number(value) for value in ("+Inf", None, 3, 0.5)] == [inf, None, 3.0, 0.5]
    assert (tick(inf, "seconds"), tick(nan, "tickets"), tick(5400, "seconds")) == ("never", "-", "1.5 h")
    assert (tick(0.825, "ratio"), tick(1200, "tickets")) == ("82.5 %", "1,200")
