"""The page of a report: readable by a browser, the numbers of the document, what comes from a log is escaped, and no data yet."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from processor.cli.replay import command
from processor.config import Config, loads
from processor.core.kpis import DEFINITIONS
from processor.core.settings import DAY_MS, HOUR_MS
from processor.core.told import recording
from processor.explain.words import when_in
from processor.replay import Replay
from processor.replay.breaches import SHOWN, Breaches
from processor.replay.following import Following
from processor.replay.telling import told
from processor.report.page.executives import VERDICTS
from processor.report.page.pictures import HEADLINES, PICTURED
from processor.report.page.render import TEMPLATES, About, render
from processor.report.page.texts import value_text
from tests.replay.logs import SMALL_CONFIG, START, event, generated
from tests.replay.logs import told as morning
from tests.report.reading_pages import Page
from tests.report.story import report_of

HOSTILE = "<script>alert('x')</script>\"&amp;"


def made(lines: list[bytes], config: Config = SMALL_CONFIG, partitions: int = 1, at: int | None = None) -> dict[str, Any]:
    """The document that `replay --html` makes."""
    following, breaches = Following(config.reporting_zone), Breaches()
    replay = Replay(config, partitions=partitions, following=following, engine=recording(breaches))
    replay.feed_lines(lines)
    replay.finish(at)
    document = report_of(replay, config, more=told(replay, following, breaches, when_in(config.reporting_zone)))
    assert orjson.dumps(document), "numbers that JSON has"
    return document


def page_of(document: dict[str, Any], *, log: str = "events.jsonl", made_at: int = START + DAY_MS) -> Page:
    return Page(render(document, About(log, made_at, "UTC", 30)))


@cache
def generated_document() -> dict[str, Any]:
    return made(generated().lines, Config(), partitions=3)


@cache
def generated_page() -> Page:
    return page_of(generated_document())


# -- what is on it --------------------------------------------------------------------------------------------------------------------


def test_it_asks_for_nothing_from_anywhere_and_runs_nothing() -> None:
    page = generated_page()
    assert not {"script", "link", "img", "iframe", "object"} & page.tags.keys()
    assert not [name for _, attributes in page.attributes for name in attributes if name.startswith("on") or name in ("src", "srcset")]
    assert all(attributes["href"].startswith("#") for _, attributes in page.attributes if "href" in attributes)
    assert not re.search(r"url\(|@import", page.html)
    policy = next(attributes["content"] for _, attributes in page.attributes if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'")


def test_it_is_small() -> None:
    assert len(generated_page().html) < 500_000


def test_it_speaks_to_three_audiences() -> None:
    page = generated_page()
    sections = [attributes["class"] for tag, attributes in page.attributes if tag == "section"]
    assert sections == ["executives", "supervisors", "agents", "definitions", "input"]
    for audience in ("executives", "supervisors", "agents"):
        assert f"For {audience}" in page.texts("span")
        assert f"for-{audience}" in page.ids


def test_every_picture_has_a_name_a_description_and_a_table() -> None:
    page = generated_page()
    pictures = [attributes for tag, attributes in page.attributes if tag == "svg" and attributes["class"] == "chart"]
    assert len(pictures) >= 12
    assert all(each["role"] == "img" and len(each["aria-labelledby"].split()) == 2 for each in pictures)
    others = [attributes for tag, attributes in page.attributes if tag == "svg" and attributes["class"] != "chart"]
    assert all(each["aria-hidden"] == "true" for each in others)
    assert page.html.count("<summary>As a table</summary>") == len(pictures)


def test_the_head_says_of_what_and_when() -> None:
    document = generated_document()
    page = page_of(document, made_at=START + 30 * DAY_MS)
    for said in ("events.jsonl", "Mon 2 Mar 2026 08:", "(UTC)", document["digest"], f"{document['events']['accepted']:,}"):
        assert said in page.text
    assert "older than this report" in page.text
    assert "older than this report" not in page_of(document).text


def test_every_kpi_that_is_named_is_defined() -> None:
    page = generated_page()
    named = {attributes["href"] for tag, attributes in page.attributes if tag == "a" and attributes.get("class") == "kpi"}
    assert {"#kpi-csat", "#kpi-first_response", "#kpi-service_level", "#kpi-backlog_tickets"} <= named
    for href in named:
        name = href.removeprefix("#kpi-")
        assert DEFINITIONS[name].text in page.text
        assert DEFINITIONS[name].rule in page.text


# -- the same numbers -----------------------------------------------------------------------------------------------------------------


def test_its_numbers_are_those_of_the_document() -> None:
    """Of each goal, each headline, each chart, each segment, each breach."""
    document = generated_document()
    text = generated_page().text
    for goal in document["goals"]:
        assert f"{value_text(goal['value'], goal['unit'])} goal:" in text, goal
    recent = {each["kpi"]: each for each in document["recent"]["kpis"]}
    for name in HEADLINES:
        if name in recent:
            assert value_text(recent[name]["value"], recent[name]["unit"]) in text, name
    cells = generated_page().texts("td")
    for series in document["over_time"]["kpis"]:
        if series["kpi"] in PICTURED and series["kind"] != "duration":
            shown = [value_text(value, series["unit"]) for value in series["values"]]
            assert set(shown) <= set(cells), series["kpi"]
    assert f"{document['breaches']['total']:,} in the whole log" in text
    for each in document["longest"]["open"]:
        assert each["ticket"] in text


def test_over_time_adds_up_to_the_whole() -> None:
    document = generated_document()
    whole = {each["kpi"]: each for group in document["kpi_groups"] for each in group["kpis"]}
    series = {each["kpi"]: each for each in document["over_time"]["kpis"]}
    for name in ("tickets_created", "tickets_solved", "contacts_offered", "contacts_answered", "contacts_abandoned"):
        assert sum(series[name]["values"]) == whole[name]["value"] > 0
    for name in ("first_response", "csat", "service_level", "queue_wait_sla_compliance"):
        assert sum(series[name]["n"]) == whole[name]["n"] > 0
    assert series["backlog_tickets"]["values"][-1] == document["kpis"]["backlog"]["now"]
    assert document["breaches"]["total"] == sum(row["breached"] for row in document["kpis"]["sla"])


@pytest.mark.parametrize("partitions", [1, 5])
def test_the_page_does_not_depend_on_the_partitions(partitions: int) -> None:
    document, other = generated_document(), made(generated().lines, Config(), partitions=partitions)
    for part in ("over_time", "recent", "goals", "longest", "waiting_now", "breaches", "hours_of_week", "first_event"):
        assert other[part] == document[part], part


# -- what comes from outside ----------------------------------------------------------------------------------------------------------


def test_what_comes_from_a_log_is_text_and_nothing_else() -> None:
    lines = [
        event(0, "ticket.created", ticket_id=HOSTILE, channel="email", priority="urgent", group=HOSTILE, topic=HOSTILE),
        event(1, "ticket.created", ticket_id="T-2", channel="email", group="</td></table><b>", topic="\u202e{{ 7 * 7 }}"),
        event(2, "contact.queued", contact_id=HOSTILE, channel="phone", queue=HOSTILE),
        event(300, "ticket.status_changed", ticket_id="T-2", status="solved"),
        event(301, "ticket.created", ticket_id="T-3", channel="<svg/onload=alert(1)>"),
    ]
    page = page_of(made(lines), log="<img src=x onerror=alert(1)>.jsonl")
    assert HOSTILE in page.text
    assert "{{ 7 * 7 }}" in page.text
    assert "<img src=x onerror=alert(1)>.jsonl" in page.text
    assert "</td></table><b>" in page.text
    assert not {"script", "img"} & page.tags.keys()


def test_examples_of_rejected_events_are_escaped() -> None:
    document = made(morning()) | {"rejected": {"malformed_json": 3}, "rejected_examples": {"malformed_json": [HOSTILE] * 9}}
    page = page_of(document)
    assert page.texts("code").count(HOSTILE) == 3
    assert "malformed_json" in page.texts("b")


# -- little or nothing ----------------------------------------------------------------------------------------------------------------


def test_without_any_event_it_says_so() -> None:
    page = page_of(made([], Config()))
    assert "No data yet." in page.text
    assert "nan" not in page.text.lower().split()
    assert page.tags["figure"] == 0
    assert VERDICTS["unknown"][1] in page.text
    assert "No clock breached." in page.text


def test_one_ticket_alone() -> None:
    page = page_of(made([event(0, "ticket.created", ticket_id="T-1", channel="email")]))
    assert "No data yet." not in page.text
    assert "T-1" in page.text
    assert page.tags["figure"] >= 2
    assert "no answer yet" in page.text


def test_a_backlog_that_never_drains_is_no_number_but_a_word() -> None:
    targets = "[{kpi: backlog_drain, target: 8h, direction: at_most}, {kpi: backlog_growth, target: 0, direction: at_most}]"
    config = loads(f"kpis: {{min_n: 1, targets: {targets}}}".encode(), "drain")
    lines = [event(60 * number, "ticket.created", ticket_id=f"T-{number}", channel="email") for number in range(6)]
    document = made(lines, config)
    series = {each["kpi"]: each for each in document["over_time"]["kpis"]}
    assert "+Inf" in series["backlog_drain"]["values"]
    assert [(goal["value"], goal["verdict"]) for goal in document["goals"]] == [("+Inf", "missed"), (None, "unknown")]
    assert "never goal: at most 8 h" in page_of(document).text


# -- limits ---------------------------------------------------------------------------------------------------------------------------


def test_what_is_left_out_is_told() -> None:
    named = [(number, f"{number:03}") for number in range(90)]
    lines = [event(number / 10, "ticket.created", ticket_id=f"T-{name}", channel="email", group=f"G-{name}") for number, name in named]
    document = made(lines, at=START + 10 * HOUR_MS)
    assert (document["breaches"]["total"], len(document["breaches"]["shown"]), document["breaches"]["left_out"]) == (180, SHOWN, 130)
    page = page_of(document)
    for said in ("130 are left out", "70 more wait and are left out", "70 more unsolved tickets are left out", "left out here"):
        assert said in page.text, said


# -- as a command ---------------------------------------------------------------------------------------------------------------------


def run(*arguments: object) -> Any:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_command_writes_the_page_and_prints_the_report(tmp_path: Path) -> None:
    log, html = tmp_path / "events.jsonl", tmp_path / "report.html"
    log.write_bytes(b"\n".join(morning()) + b"\n")
    result = run(log, "--html", html)
    assert result.exit_code == 0, result.output
    assert "First response" in result.stdout
    page = Page(html.read_text(encoding="utf-8"))
    plain, told_all = orjson.loads(run(log, "--json").stdout), orjson.loads(run(log, "--json", "--html", html).stdout)
    assert plain["digest"] in page.text
    assert told_all.pop("breaches")["total"] > 0
    changing = ("seconds", "records_per_second")
    assert {key: value for key, value in plain.items() if key not in changing} == {
        key: value for key, value in told_all.items() if key not in changing
    }
    piped = run(log, "--html", "-")
    assert piped.stdout.startswith("<!doctype html>")
    assert run(log, "--html", "-", "--json").exit_code == 2


def test_the_page_has_the_comparison_that_was_asked_for(tmp_path: Path) -> None:
    log, html, config = tmp_path / "events.jsonl", tmp_path / "report.html", tmp_path / "config.yaml"
    log.write_bytes(b"\n".join(morning()) + b"\n")
    config.write_text("policies: [{id: strict, targets: {first_response: 1s}}]\n", encoding="utf-8")
    assert run(log, "--html", html, "--what-if", config).exit_code == 0
    text = Page(html.read_text(encoding="utf-8")).text
    assert "What would other targets or hours have meant?" in text
    assert re.search(r"first_response breached 0 \d \+\d", text)
    run(log, "--html", html)
    assert "What would other targets" not in Page(html.read_text(encoding="utf-8")).text


def test_the_command_has_a_page_for_an_empty_log(tmp_path: Path) -> None:
    log, html = tmp_path / "empty.jsonl", tmp_path / "report.html"
    log.write_bytes(b"")
    result = run(log, "--html", html)
    assert result.exit_code == 0, result.output
    assert "No data yet." in Page(html.read_text(encoding="utf-8")).text


# -- to be seen -----------------------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_lines_stand_out_in_both_themes(theme: int) -> None:
    """4.5 for what is to be read, 3 for what is to be seen."""
    blocks = re.findall(r":root \{(.*?)\}", (TEMPLATES / "style.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    colours = dict(re.findall(r"--([\w]+): (#[0-9a-f]{6})", blocks[theme]))
    for name in ("ink", "muted", "accent", "goal", "good", "near", "bad", "s1", "s2", "s3"):
        for ground in ("page", "card"):
            low, high = sorted((luminance(colours[name]), luminance(colours[ground])))
            assert (high + 0.05) / (low + 0.05) >= (3 if name.startswith("s") else 4.5), (name, ground)
