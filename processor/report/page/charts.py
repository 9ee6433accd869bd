"""Charts as inline SVG: lines over time with what they rest on, hours of the week as a heat map, and small lines for tiles.

Drawn so wide that they can be read on a telephone as they are. Colours come from the page's style, so they follow light and dark; what a
colour says a dash or a shape says, too. Each chart names itself and says in a sentence what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from markupsafe import Markup

from processor.report.page.scales import Scale, finite, marks

WIDTH, HEIGHT = 360, 190
_RIGHT, _TOP, _BOTTOM = 352, 12, 166
_CHAR = 6.4  # about the width of a character of an axis
DOTS_MAX = 40  # with more steps only those are dotted that rest on little
Show = Callable[[float | None], str]
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """Values by step, None where there is none. `few`: which of them rest on little; `low`, `high`: how sure each is."""

    label: str
    values: Sequence[float | None]
    few: Sequence[bool] = ()
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()

    def is_few(self, index: int) -> bool:
        """Whether a value rests on little."""
        return index < len(self.few) and self.few[index]


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn. `steps` name each step, `marked` are those named on the axis with a short name; `target` is drawn with its name."""

    name: str
    title: str
    description: str
    unit: str
    steps: Sequence[str]
    marked: Mapping[int, str]
    lines: Sequence[Line]
    show: Show
    target: tuple[float, str] | None = None
    unfinished: bool = False  # the last step is not over yet
    filled: bool = False
    from_zero: bool = True


@dataclass(slots=True)
class _Frame:
    """Where things are."""

    x: Scale
    y: Scale
    left: float
    parts: list[Markup] = field(default_factory=list)

    def add(self, text: str, **values: object) -> None:
        self.parts.append(Markup(text).format(**values))  # noqa: S704 - the text is ours, `format` escapes the values

    def place(self, index: int, value: float) -> Place:
        return self.x.at(index), self.y.at(value)


def svg(chart: Chart) -> Markup:
    """The picture; empty where there is nothing to draw."""
    drawn = finite(value for line in chart.lines for value in line.values)
    endless = any(value is not None and value == float("inf") for line in chart.lines for value in line.values)
    if not drawn and not endless:
        return Markup("")
    steps = marks([*drawn, *([chart.target[0]] if chart.target else [])], chart.unit, from_zero=chart.from_zero)
    left = 12 + _CHAR * max(len(chart.show(step)) for step in steps)
    last = max(len(chart.steps) - 1, 1)
    frame = _Frame(Scale(0, last, left + 4, _RIGHT - 4), Scale(steps[0], steps[-1], _BOTTOM, _TOP), left)
    if len(chart.steps) == 1:  # one step stands in the middle
        frame.x = Scale(-1, 1, left + 4, _RIGHT - 4)
    _axes(frame, chart, steps)
    for number, line in enumerate(chart.lines, 1):
        _band(frame, line, number)
        _line(frame, chart, line, number)
    _target(frame, chart)
    _tips(frame, chart)
    return _wrapped(chart.name, chart.title, chart.description, WIDTH, HEIGHT, frame.parts)


def _wrapped(name: str, title: str, description: str, width: float, height: float, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg class="chart" viewBox="0 0 {w:g} {h:g}" role="img" aria-labelledby="{n}-title {n}-desc">'
        '<title id="{n}-title">{t}</title><desc id="{n}-desc">{d}</desc>'
    ).format(w=width, h=height, n=name, t=title, d=description)
    return head + Markup("").join(parts) + Markup("</svg>")


def _axes(frame: _Frame, chart: Chart, steps: Sequence[float]) -> None:
    for step in steps:
        y = frame.y.at(step)
        frame.add('<path class="grid" d="M{l:.1f} {y:.1f}H{r}"/>', l=frame.left, y=y, r=_RIGHT)
        frame.add('<text class="tick" x="{x:.1f}" y="{y:.1f}" text-anchor="end">{t}</text>', x=frame.left - 5, y=y + 3.5,
                  t=chart.show(step))  # fmt: skip
    for index, text in chart.marked.items():
        x = frame.x.at(index)
        half = len(text) * _CHAR / 2
        frame.add('<path class="grid" d="M{x:.1f} {b}v4"/>', x=x, b=_BOTTOM)
        frame.add('<text class="tick" x="{x:.1f}" y="{y}" text-anchor="middle">{t}</text>',
                  x=min(max(x, half), WIDTH - half), y=_BOTTOM + 16, t=text)  # fmt: skip


def _runs(values: Sequence[float | None]) -> Iterator[list[int]]:
    """Indexes of values next to each other that can be drawn."""
    run: list[int] = []
    for index, value in enumerate(values):
        if value is not None and isfinite(value):
            run.append(index)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _path(points: Sequence[Place]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _band(frame: _Frame, line: Line, number: int) -> None:
    for run in _runs(line.low):
        highs = [(index, line.high[index]) for index in run]
        upper = [frame.place(index, high) for index, high in highs if high is not None]
        lower = [frame.place(index, line.low[index] or 0.0) for index in reversed(run)]
        if len(upper) > 1:
            frame.add('<path class="band s{n}" d="{d}Z"/>', n=number, d=_path(upper + lower))
        elif upper:  # one alone is a bar
            frame.add('<path class="reach s{n}" d="{d}"/>', n=number, d=_path([upper[0], lower[0]]))


def _line(frame: _Frame, chart: Chart, line: Line, number: int) -> None:
    last = len(line.values) - 1
    for run in _runs(line.values):
        points = [frame.place(index, line.values[index] or 0.0) for index in run]
        if chart.filled and number == 1 and len(points) > 1:
            base = frame.y.at(max(frame.y.low, 0.0))
            frame.add('<path class="band s1" d="{d}Z"/>', d=_path([*points, (points[-1][0], base), (points[0][0], base)]))
        ends_open = chart.unfinished and run[-1] == last and len(points) > 1
        if len(points) > 1:
            frame.add('<path class="line s{n}" d="{d}"/>', n=number, d=_path(points[:-1] if ends_open and len(points) > 2 else points))
        if ends_open and len(points) > 2:
            frame.add('<path class="line s{n} unfinished" d="{d}"/>', n=number, d=_path(points[-2:]))
        for index, (x, y) in zip(run, points, strict=True):
            few = line.is_few(index)
            if few or len(line.values) <= DOTS_MAX or len(run) == 1:
                frame.add('<circle class="dot s{n}{f}" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>', n=number, f=" few" if few else "", x=x, y=y,
                          r=2.4 if len(line.values) <= DOTS_MAX else 1.6)  # fmt: skip
    for index, value in enumerate(line.values):
        if value == float("inf"):
            frame.add('<path class="endless s{n}" d="M{x:.1f} {t}l4 7h-8z"/>', n=number, x=frame.x.at(index), t=_TOP)


def _target(frame: _Frame, chart: Chart) -> None:
    if chart.target is None:
        return
    value, text = chart.target
    y = frame.y.at(value)
    frame.add('<path class="target" d="M{l:.1f} {y:.1f}H{r}"/>', l=frame.left, y=y, r=_RIGHT)
    frame.add('<text class="target-name" x="{x}" y="{y:.1f}" text-anchor="end">{t}</text>', x=_RIGHT,
              y=y - 4 if y > _TOP + 14 else y + 12, t=text)  # fmt: skip


def _tips(frame: _Frame, chart: Chart) -> None:
    """What each step holds, for a pointer that rests on it."""
    width = (frame.x.end - frame.x.start) / max(len(chart.steps) - 1, 1)
    for index, step in enumerate(chart.steps):
        told = [f"{line.label} {_with_few(chart, line, index)}" for line in chart.lines]
        frame.add('<rect class="tip" x="{x:.1f}" y="{t}" width="{w:.1f}" height="{h}"><title>{s}: {v}</title></rect>',
                  x=frame.x.at(index) - width / 2, t=_TOP, w=width, h=_BOTTOM - _TOP, s=step, v=", ".join(told))  # fmt: skip


def _with_few(chart: Chart, line: Line, index: int) -> str:
    return chart.show(line.values[index]) + (" (few)" if line.is_few(index) else "")


# -- small ones -----------------------------------------------------------------------------------------------------------------------


def spark(values: Sequence[float | None], target: float | None = None) -> Markup:
    """A small line without any axis, beside a number that says what counts; for the eye alone."""
    drawn = finite(values)
    if len(drawn) < 2:
        return Markup("")
    known = [*drawn, *([target] if target is not None else [])]
    low, high = min(known), max(known)
    frame = _Frame(Scale(0, len(values) - 1, 3, 117), Scale(low, high if high > low else low + 1, 33, 4), 0)
    if target is not None:
        frame.add('<path class="target" d="M0 {y:.1f}H120"/>', y=frame.y.at(target))
    for run in _runs(values):
        points = [frame.place(index, values[index] or 0.0) for index in run]
        if len(points) > 1:
            frame.add('<path class="line s1" d="{d}"/>', d=_path(points))
        else:
            frame.add('<circle class="dot s1" cx="{x:.1f}" cy="{y:.1f}" r="1.6"/>', x=points[0][0], y=points[0][1])
    head = Markup('<svg class="spark" viewBox="0 0 120 37" preserveAspectRatio="xMinYMid" aria-hidden="true">')
    return head + Markup("").join(frame.parts) + Markup("</svg>")


# -- hours of the week ----------------------------------------------------------------------------------------------------------------

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CELL_WIDTH, _CELL_HEIGHT, _HEAT_LEFT, _HEAT_TOP = 13.2, 17.0, 34.0, 16.0
_FAINTEST = 0.1


@dataclass(frozen=True, slots=True)
class Heat:
    """A value by (day, hour); `tips` say what each rests on, `few` are those that rest on little."""

    name: str
    title: str
    description: str
    values: Mapping[tuple[str, int], float]
    tips: Mapping[tuple[str, int], str]
    few: frozenset[tuple[str, int]] = frozenset()


def heat_map(heat: Heat) -> Markup:
    """Days down, hours across: the darker, the more. Small squares rest on little, empty ones on nothing."""
    frame = _Frame(Scale(0, 24, _HEAT_LEFT, _HEAT_LEFT + 24 * _CELL_WIDTH), Scale(0, 7, _HEAT_TOP, _HEAT_TOP + 7 * _CELL_HEIGHT), 0)
    sound = finite(value for place, value in heat.values.items() if place not in heat.few)  # a few extremes shall not make all else pale
    highest = max(sound or finite(heat.values.values()), default=0.0)
    for hour in range(0, 24, 3):
        frame.add('<text class="tick" x="{x:.1f}" y="11" text-anchor="middle">{h:02}</text>', x=frame.x.at(hour) + _CELL_WIDTH / 2, h=hour)
    for row, day in enumerate(DAYS):
        y = frame.y.at(row)
        frame.add('<text class="tick" x="{x}" y="{y:.1f}" text-anchor="end">{d}</text>', x=_HEAT_LEFT - 5, y=y + 12, d=day.capitalize())
        for hour in range(24):
            _cell(frame, heat, (day, hour), frame.x.at(hour), y, highest)
    return _wrapped(heat.name, heat.title, heat.description, WIDTH, _HEAT_TOP + 7 * _CELL_HEIGHT + 3, frame.parts)


def _cell(frame: _Frame, heat: Heat, place: tuple[str, int], x: float, y: float, highest: float) -> None:
    value = heat.values.get(place)
    width, height, inset = _CELL_WIDTH - 1.4, _CELL_HEIGHT - 1.4, 4.2 if place in heat.few else 0.0
    if value is None or not isfinite(value):
        frame.add('<rect class="nothing" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>', x=x, y=y, w=width, h=height)
        return
    part = min(value / highest, 1.0) if highest > 0 else 0.0
    frame.add('<g><title>{tip}</title><rect class="nothing" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}"/>',
              tip=heat.tips[place], x=x, y=y, w=width, h=height)  # fmt: skip
    frame.add('<rect class="heat" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill-opacity="{o:.2f}"/></g>', x=x + inset,
              y=y + inset, w=width - 2 * inset, h=height - 2 * inset, o=_FAINTEST + (1 - _FAINTEST) * max(part, 0.0))  # fmt: skip

