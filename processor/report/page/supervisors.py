"""For supervisors: KPIs over time, by hour of the week, and by group, channel, topic and queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from processor.core.kpis import COMPLIANCE, Kind, definition_of
from processor.report.numbers import duration, percent
from processor.report.page.charts import DAYS, Chart, Heat, Line, heat_map, svg
from processor.report.page.pictures import PICTURES, Drawn, Picture
from processor.report.page.scales import finite, places
from processor.report.page.texts import Times, number, sentence, stat_of, sure, tick, title_of, value_text
from processor.report.rendering_segments import KPIS, WINDOW

Document = dict[str, Any]
SEGMENTS_SHOWN = 12  # of each way in which the numbers are cut, the busiest
CROSSED_SHOWN = 12  # values of one cross
_AXIS_NAMES = 5
_STRIDES = {"hour": (1, 2, 3, 6, 12, 24), "day": (1, 2, 7, 14, 28), "week": (1, 2, 4, 8, 13)}
_CROSSED = {"first_response": "by how long the first response took", "clocks": "by whether a clock of the ticket breached",
            "channel": "by channel", "language": "by language", "topic": "by topic"}  # fmt: skip


def context(document: Document, times: Times, min_n: int) -> Document:
    """What the template shows."""
    figures = list(_figures(document, times, min_n))
    drawn = {figure["title"] for figure in figures}
    missing = [picture.title for picture in PICTURES if picture.title not in drawn and not picture.drawn[0].kpi.endswith(COMPLIANCE)]
    return {
        "figures": figures,
        "missing": sentence(missing),
        "left_out": _quiet(document["over_time"], times),
        "step": document["over_time"]["step"],
        "step_zone": times.zone if document["over_time"]["step"] == "hour" else "UTC",
        "heats": list(_heats(document["hours_of_week"], min_n)),
        "cuts": list(_cuts(document["segments"]["segments"])),
        "segments_left_out": document["segments"]["left_out"],
        "crosses": [_cross(each) for each in document["crosses"]],
        "patience": [_patience(each) for each in document["patience"] if each["queue"] is None],
    }


def _quiet(over_time: Document, times: Times) -> str:
    quiet = over_time["quiet_steps_left_out"]
    if quiet is None:
        return ""
    return f"{times.instant(quiet['from'])} to {times.instant(quiet['to'])}"


# -- over time ------------------------------------------------------------------------------------------------------------------------


def _figures(document: Document, times: Times, min_n: int) -> Iterator[Document]:
    over_time = document["over_time"]
    series = {each["kpi"]: each for each in over_time["kpis"]}
    recent = {each["kpi"]: each for each in document["recent"]["kpis"]}
    targets = {goal["kpi"]: goal for goal in document["goals"] if not goal["by"]}
    for picture in PICTURES:
        drawn = [each for each in picture.drawn if each.kpi in series]
        if drawn:
            yield _figure(replace_drawn(picture, drawn), series, targets.get(picture.target_of), recent, over_time, times, min_n)


def replace_drawn(picture: Picture, drawn: Sequence[Drawn]) -> Picture:
    """The picture of those that were observed."""
    return picture._replace(drawn=tuple(drawn))


def _figure(
    picture: Picture, series: Mapping[str, Document], goal: Document | None, recent: Mapping[str, Document], over_time: Document,
    times: Times, min_n: int,
) -> Document:  # fmt: skip
    starts, step = over_time["starts"], over_time["step"]
    if goal is not None and goal["stat"] not in {drawn.stat for drawn in picture.drawn}:
        picture = replace_drawn(picture, (*picture.drawn, Drawn(goal["kpi"], stat_of(goal["stat"]), goal["stat"])))
    unit = series[picture.drawn[0].kpi]["unit"]
    lines = [_line(series[drawn.kpi], drawn, min_n) for drawn in picture.drawn]
    names = [times.step(start, step) for start in starts]
    marked = {index: times.mark(starts[index], step) for index in places(len(starts), _AXIS_NAMES, _STRIDES[step])}
    chart = Chart(
        name=f"chart-{picture.drawn[0].kpi}", title=picture.title, description="", unit=unit, steps=names, marked=marked, lines=lines,
        show=lambda value: tick(value, unit), target=_target(goal, unit), unfinished=not all(over_time["complete"]), filled=picture.filled,
        from_zero=picture.from_zero,
    )  # fmt: skip
    return {
        "name": chart.name,
        "title": picture.title,
        "kpis": list(dict.fromkeys(drawn.kpi for drawn in picture.drawn)),
        "svg": svg(replace(chart, description=_description(chart, step))),
        "legend": [line.label for line in lines] if len(lines) > 1 else [],
        "newest": _newest(picture, recent),
        "few": any(any(line.few) for line in lines),
        "band": any(line.low for line in lines),
        "endless": any(value == float("inf") for line in lines for value in line.values),
        "columns": [line.label for line in lines] + (["n"] if "n" in series[picture.drawn[0].kpi] else []),
        "rows": list(_rows(picture, series, names)),
    }


def _line(series: Document, drawn: Drawn, min_n: int) -> Line:
    n = series.get("n", [])
    values = [number(each) for each in _values(series, drawn.stat)]
    few = [count < min_n and value is not None for count, value in zip(n, values, strict=False)]
    low, high = ([number(each) for each in series.get(key, [])] for key in ("low", "high"))
    return Line(drawn.label, values, few, low, high)


def _values(series: Document, stat: str) -> list[Any]:
    return list(series["values"] if stat in ("", "mean") else series.get(stat, [None] * len(series["values"])))


def _target(goal: Document | None, unit: str) -> tuple[float, str] | None:
    if goal is None:
        return None
    stat = f" ({stat_of(goal['stat'])})" if goal["stat"] else ""
    return goal["target"], f"goal {'≥' if goal['direction'] == 'at_least' else '≤'} {tick(goal['target'], unit)}{stat}"


def _description(chart: Chart, step: str) -> str:
    """For who cannot see it: from when to when, the lowest, the highest and the last value of each line."""
    told = []
    for line in chart.lines:
        known = [(value, name) for value, name in zip(line.values, chart.steps, strict=True) if value is not None]
        values = finite(value for value, _ in known)
        if values:
            at = dict(reversed(known))
            low, high = min(values), max(values)
            told.append(f"{line.label}: lowest {chart.show(low)} ({at[low]}), highest {chart.show(high)} ({at[high]}), "
                        f"last {chart.show(known[-1][0])}")  # fmt: skip
    goal = f" {chart.target[1]}." if chart.target else ""
    return f"By {step}, from {chart.steps[0]} to {chart.steps[-1]}. {'. '.join(told)}.{goal}"


def _newest(picture: Picture, recent: Mapping[str, Document]) -> str:
    """The values of the newest part, as text."""
    told = []
    for drawn in picture.drawn:
        each = recent.get(drawn.kpi)
        if each is None or each["value"] is None:
            continue
        value = each["value"] if drawn.stat in ("", "mean") else each.get(drawn.stat)
        text = f"{drawn.label} {value_text(value, each['unit'])}"
        if each.get("low") is not None:
            text += f" ({sure(each)})"
        told.append(text)
    ns = {recent[drawn.kpi]["n"] for drawn in picture.drawn if "low_n" in recent.get(drawn.kpi, {})}
    return " · ".join([*told, *(f"n {n:,}" for n in ns if told)])


def _rows(picture: Picture, series: Mapping[str, Document], names: Sequence[str]) -> Iterator[list[str]]:
    first = series[picture.drawn[0].kpi]
    columns = [(_values(series[drawn.kpi], drawn.stat), series[drawn.kpi]["unit"]) for drawn in picture.drawn]
    for index, name in enumerate(names):
        cells = [value_text(values[index], unit) for values, unit in columns]
        yield [name, *cells, *([f"{first['n'][index]:,}"] if "n" in first else [])]


# -- hours of the week ----------------------------------------------------------------------------------------------------------------


def _heats(found: Document, min_n: int) -> Iterator[Document]:
    hours = {(each["weekday"], each["hour"]): each for each in found["hours"]}
    arrived = {place: float(each["tickets_created"] + each["contacts_offered"]) for place, each in hours.items()}
    waited = {place: each["first_response"]["mean_seconds"] for place, each in hours.items() if each["first_response"]["n"]}
    missed = {place: 1 - each["service_level"]["value"] for place, each in hours.items() if each["service_level"]["value"] is not None}
    yield from _heat(
        "arrivals", "When work comes in", "tickets created, calls and chats offered", arrived, lambda value: f"{value:,.0f}", {}, min_n
    )
    counts = {place: each["first_response"]["n"] for place, each in hours.items()}
    yield from _heat("first-response", "When answers come late", "mean first response of the replies given then", waited, duration, counts,
                     min_n)  # fmt: skip
    counts = {place: each["service_level"]["n"] for place, each in hours.items()}
    yield from _heat("missed", "When callers wait too long", "calls and chats not answered in target", missed, percent, counts, min_n)


def _heat(
    name: str, title: str, what: str, values: Mapping[tuple[str, int], float], show: Callable[[float], str],
    counts: Mapping[tuple[str, int], int], min_n: int,
) -> Iterator[Document]:  # fmt: skip
    if not any(values.values()):
        return
    few = frozenset(place for place in values if counts and counts.get(place, 0) < min_n)
    tips = {
        place: f"{place[0].capitalize()} {place[1]:02}:00: {show(value)}" + (f", n {counts[place]:,}" if counts else "")
        for place, value in values.items()
    }
    sound = values.keys() - few or values.keys()
    peak = max(sound, key=lambda place: (values[place], -DAYS.index(place[0]), -place[1]))
    said = f"{what[:1].upper()}{what[1:]}, by hour of the week. Most: {tips[peak]}."
    hours = sorted({hour for _, hour in values})
    yield {
        "name": f"heat-{name}",
        "title": title,
        "what": what,
        "svg": heat_map(Heat(f"heat-{name}", title, said, values, tips, few)),
        "most": tips[peak],
        "few": bool(few),
        "columns": [f"{hour:02}" for hour in hours],
        "rows": [
            [day.capitalize(), *(show(values[day, hour]) if (day, hour) in values else "" for hour in hours)]
            for day in DAYS if any(place[0] == day for place in values)
        ],
    }  # fmt: skip


# -- by segment -----------------------------------------------------------------------------------------------------------------------


def _cuts(segments: Sequence[Document]) -> Iterator[Document]:
    cuts: dict[tuple[str, ...], list[tuple[str, Document]]] = {}
    for segment in segments:
        kpis = {kpi["kpi"]: kpi for period in segment["periods"] if period["period"] == WINDOW for kpi in period["kpis"]}
        if kpis:
            cuts.setdefault(tuple(segment["by"]), []).append((", ".join(segment["by"].values()), kpis))
    for names, found in cuts.items():
        columns = [name for name in KPIS if any(name in kpis for _, kpis in found)]
        if columns:
            rows = [_segment_row(value, kpis, columns) for value, kpis in found[:SEGMENTS_SHOWN]]
            most = max((row["volume"] for row in rows), default=0)
            yield {
                "title": sentence(names),
                "columns": [{"kpi": name, "title": KPIS[name]} for name in columns],
                "rows": [{**row, "part": round(100 * row["volume"] / most, 1) if most else 0} for row in rows],
                "left_out": max(len(found) - SEGMENTS_SHOWN, 0),
            }


def _segment_row(value: str, kpis: Mapping[str, Document], columns: Sequence[str]) -> Document:
    cells: list[Document | None] = []
    for name in columns:
        definition, each = definition_of(name), kpis.get(name)
        if definition is None or each is None:
            cells.append(None)
        else:
            few = bool(each.get("low_n")) and definition.kind not in (Kind.COUNT, Kind.LEVEL)
            cells.append({"text": value_text(each["value"], definition.unit), "few": few, "sure": sure(each)})
    volume = sum(kpis[name]["value"] or 0 for name in ("tickets_created", "contacts_offered") if name in kpis)
    return {"name": value, "cells": cells, "volume": max(volume, 0)}


def _cross(found: Document) -> Document:
    values = found["values"]
    return {
        "title": f"{title_of(found['kpi'])} {_CROSSED.get(found['by'], found['by'])}",
        "kpi": found["kpi"],
        "rows": [
            {"name": each["value"].replace("_", " "), "part": round(100 * min(max(each["ratio"], 0), 1), 1),
             "shown": percent(each["ratio"]), "sure": sure(each), "n": each["n"], "few": each["low_n"]}
            for each in values[:CROSSED_SHOWN]
        ],
        "left_out": max(len(values) - CROSSED_SHOWN, 0),
    }  # fmt: skip


def _patience(each: Document) -> Document:
    half = each["median_at_most_seconds"]
    return {"channel": each["channel"], "half": f"≤ {duration(half)}" if half is not None else "not known", "n": each["n"],
            "longer": [percent(each["longer_than"].get(edge)) for edge in ("20", "60", "300")]}  # fmt: skip
