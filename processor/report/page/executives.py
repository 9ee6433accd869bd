"""For executives: the goals against where they stand, a few numbers with their trend, and the calendar months."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from processor.boards.judging import State
from processor.core.kpis import definition_of
from processor.report import comparison, goals
from processor.report.page.charts import spark
from processor.report.page.pictures import HEADLINES
from processor.report.page.texts import number, sentence, stat_of, sure, title_of, value_text
from processor.report.rendering_times import PERIOD_KPIS

Document = dict[str, Any]
MONTHS_SHOWN = 6
# verdict -> sign and words, those of the boards: a colour alone says nothing to who does not see it
VERDICTS = {
    **{verdict: (state.value.icon, state.value.text) for verdict, state in (
        (goals.MET, State.MET), (goals.NEAR, State.NEAR), (goals.MISSED, State.MISSED), (goals.FEW, State.FEW),
    )},
    goals.UNKNOWN: ("-", "no data"),
}  # fmt: skip
TRENDS = {goals.BETTER: "better than before", goals.WORSE: "worse than before", goals.SAME: "no clear change", goals.UNKNOWN: ""}
# KPIs of which more is worse, or less is; of the others neither is good in itself.
_LESS_IS_BETTER = frozenset({"backlog_tickets", "first_response", "full_resolution", "abandonment"})
_MORE_IS_BETTER = frozenset({"sla_compliance_per_ticket", "service_level", "csat"})


def context(document: Document) -> Document:
    """What the template shows."""
    series = {each["kpi"]: each for each in document["over_time"]["kpis"]}
    found = [_goal(goal, series) for goal in document["goals"]]
    recent = document["recent"]
    told = {goal["kpi"] for goal in document["goals"] if not goal["by"]}
    headlines = [each for each in recent["kpis"] if each["kpi"] in HEADLINES and each["kpi"] not in told and _worth_a_tile(each)]
    return {
        "goals": found,
        "summary": _summary(document["goals"], recent["name"]),
        "tiles": [_tile(each, series) for each in headlines],
        "recent": recent,
        "months": _months(document["periods"]),
        "what_if": comparison.differing(document["what_if"]) if "what_if" in document else None,
    }


def _worth_a_tile(each: Document) -> bool:
    return bool(each["value"] is not None and (each["n"] or each["value"] or each["before"]))


def _summary(found: list[Document], window: str) -> str:
    if not found:
        return "No goals are configured: kpis.targets of the configuration names them."
    known = [goal for goal in found if goal["verdict"] not in (goals.UNKNOWN, goals.FEW)]
    without = len(found) - len(known)
    if not known:
        return "Too little was observed yet to say anything of a goal."
    met = sum(goal["verdict"] == goals.MET for goal in known)
    missed = [_name(goal) for goal in known if goal["verdict"] == goals.MISSED]
    text = f"{met} of {len(known)} goal{'s are' if len(known) > 1 else ' is'} met in {window}."
    text += f" Off target: {sentence(missed)}." if missed else ""
    return f"{text} Of {without} too little is known." if without else text


def _name(goal: Document) -> str:
    where = "".join(f", {value}" for value in goal["by"].values())
    return f"{title_of(goal['kpi'])}{where}"


def _goal(goal: Document, series: Mapping[str, Document]) -> Document:
    unit = goal["unit"]
    sign, word = VERDICTS[goal["verdict"]]
    drawn = series.get(goal["kpi"], {}) if not goal["by"] else {}
    wanted = f"{'at least' if goal['direction'] == 'at_least' else 'at most'} {value_text(goal['target'], unit)}"
    return {
        **goal,
        "title": _name(goal),
        "stat_word": stat_of(goal["stat"]),
        "sign": sign,
        "word": word,
        "shown": value_text(goal["value"], unit),
        "wanted": wanted,
        "before_shown": value_text(goal["before"], unit),
        "whole_shown": value_text(goal["whole_log"], unit),
        "trend_word": TRENDS[goal["trend"]],
        "sure": sure(goal),
        "spark": _spark(drawn, goal["stat"], goal["target"]),
    }


def _spark(drawn: Document, stat: str, target: float | None) -> Markup:
    values = drawn.get(stat if stat in drawn else "values", []) if stat in ("", "mean") or stat in drawn else []
    return spark([number(each) for each in values], target)


def _tile(each: Document, series: Mapping[str, Document]) -> Document:
    definition = definition_of(each["kpi"])
    unit = definition.unit if definition is not None else ""
    now, before = number(each["value"]), number(each["before"])
    change = ""
    if now is not None and before is not None and each["before"] is not None:
        change = "as before" if now == before else f"{'▲' if now > before else '▼'} from {value_text(each['before'], unit)}"
    return {
        "kpi": each["kpi"],
        "title": title_of(each["kpi"]),
        "shown": value_text(each["value"], unit),
        "change": change,
        "mood": _mood(each, now, before),
        "low_n": each.get("low_n", False),
        "n": each["n"],
        "spark": spark([number(value) for value in series.get(each["kpi"], {}).get("values", [])]),
    }


def _mood(each: Document, now: float | None, before: float | None) -> str:
    interval = (each["low"], each["high"]) if "low" in each else None
    if now is None or before is None or goals.unchanged(before, now, interval):
        return ""
    if each["kpi"] in _LESS_IS_BETTER:
        return goals.BETTER if now < before else goals.WORSE
    if each["kpi"] in _MORE_IS_BETTER:
        return goals.BETTER if now > before else goals.WORSE
    return ""


def _months(periods: list[Document]) -> Document:
    """The newest calendar months, a column each."""
    months = [each for each in periods if not each["period"].endswith("d") and "Q" not in each["period"]][-MONTHS_SHOWN:]
    found = [{kpi["kpi"]: kpi for kpi in each["kpis"]} for each in months]
    rows = []
    for name in PERIOD_KPIS:
        definition = definition_of(name)
        if definition is not None and any(name in kpis for kpis in found):
            cells = [
                {"text": value_text(kpis[name]["value"], definition.unit), "few": kpis[name].get("low_n", False)} if name in kpis else None
                for kpis in found
            ]
            rows.append({"kpi": name, "title": title_of(name), "cells": cells})
    return {"names": [{"name": each["period"], "complete": each["complete"]} for each in months], "rows": rows}
