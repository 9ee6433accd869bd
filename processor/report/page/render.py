"""The page of a report: one file without scripts and without requests, for three audiences.

Whatever comes from the log, ids, names of groups, examples of rejected events, is text to the template, which escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from processor import __version__
from processor.codec.times import format_time, parse_time
from processor.report.page import agents, definitions, executives, supervisors
from processor.report.page.texts import Times, span

Document = dict[str, Any]
TEMPLATES = Path(__file__).with_name("templates")
EXAMPLES_MAX = 3  # of one reason for a rejection
OLD_SECONDS = 86_400  # a log that ended longer ago is said to be old


@dataclass(frozen=True, slots=True)
class About:
    """What the document does not say: the name of the log, when the page is made, in which zone, and below which n a value is marked."""

    log: str
    made_at_ms: int
    zone: str
    min_n: int


def render(document: Document, about: About) -> str:
    """The whole page of a document that `replay` made with `over_time`, `recent`, `goals`, `waiting_now` and `breaches`."""
    times = Times(about.zone)
    context = {
        "about": about,
        "version": __version__,
        "head": _head(document, about, times),
        "executives": executives.context(document),
        "supervisors": supervisors.context(document, times, about.min_n),
        "agents": agents.context(document, times),
        "rejected": [
            {"reason": reason, "count": count, "examples": document["rejected_examples"].get(reason, [])[:EXAMPLES_MAX]}
            for reason, count in document["rejected"].items()
        ],
    }
    context["definitions"] = definitions.context(_shown(context))
    return _environment().get_template("report.html").render(context)


def _head(document: Document, about: About, times: Times) -> Document:
    events, last = document["events"], document["last_event"]
    age = (about.made_at_ms - parse_time(last)) / 1000 if last else None
    return {
        "first": times.instant(document["first_event"]),
        "last": times.instant(last),
        "timers": times.instant(document["timers_until"]) if document["timers_until"] != last else "",
        "made": times.instant(format_time(about.made_at_ms)),
        "age": span(age) if age is not None else "",
        "old": age is not None and age > OLD_SECONDS,
        "events": events,
        "empty": not events["accepted"],
        "digest": document["digest"],
        "facts": document["ledger_count"],
        "partitions": document["partitions"],
    }


def _shown(context: Document) -> Iterator[str]:
    """The KPIs that are somewhere on the page."""
    yield from (goal["kpi"] for goal in context["executives"]["goals"])
    yield from (tile["kpi"] for tile in context["executives"]["tiles"])
    yield from (row["kpi"] for row in context["executives"]["months"]["rows"])
    yield from (kpi for figure in context["supervisors"]["figures"] for kpi in figure["kpis"])
    yield from (column["kpi"] for cut in context["supervisors"]["cuts"] for column in cut["columns"])
    yield from (cross["kpi"] for cross in context["supervisors"]["crosses"])


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.globals["style"] = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    environment.filters["thousands"] = "{:,}".format
    return environment
