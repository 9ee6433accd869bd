"""The dashboards are those that the boards make, nothing overlaps, and the rules of Grafana's dashboard linter hold."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import build
from processor.boards.judging import State
from processor.boards.tables import BOARDS
from processor.boards.working import PANELS
from processor.export.catalogue import BY_NAME
from tests.deploy.conftest import ROOT, Run, load_yaml, rules
from tests.deploy.dashboards import FOLDER, PATHS, asked, document, filled, name_of, panels

CHANGED = "run `python -m deploy.grafana.build` in the checkout and commit what it writes"
VARIABLES = {"datasource", "job", "window", "group", "channel", "priority", "instance"}
UNITS = {"none", "short", "s", "percentunit", "cps", "dateTimeAsLocalNoDateIfToday"}  # of those that the linter knows
RATE = re.compile(r"\b(rate|increase|irate|delta|deriv)\(\s*([a-z_:]+)[^\[]*\[([^\]]*)\]")
every_dashboard = pytest.mark.parametrize("path", PATHS, ids=name_of)


def variables(path: Path) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in document(path)["templating"]["list"]}


def targets(path: Path) -> list[dict[str, Any]]:
    return [target for panel in panels(path) for target in panel["targets"]]


def excluded(path: Path) -> dict[str, str]:
    """Rules of the linter that the folder is excused from, with the reasons."""
    exclusions = yaml.safe_load((path.parent / ".lint").read_text(encoding="utf-8"))["exclusions"]
    return {rule: told["reason"] for rule, told in exclusions.items()}


def test_what_is_committed_is_what_the_boards_make() -> None:
    made = dict(build.files())
    assert set(PATHS) == {path for path in made if path.is_relative_to(FOLDER)}, CHANGED
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.relative_to(ROOT)} is behind: {CHANGED}"


def test_each_board_has_a_wall_and_a_working_version() -> None:
    assert {name_of(path) for path in PATHS} == {f"{folder}/{board.name}" for board in BOARDS for folder in (build.WALL, build.WORKING)}
    assert PANELS.keys() == {board.name for board in BOARDS}
    assert len({document(path)["uid"] for path in PATHS}) == len(PATHS)


@every_dashboard
def test_panels_fit_into_the_grid_and_do_not_overlap(path: Path) -> None:
    places = [panel["gridPos"] for panel in document(path)["panels"]]
    for place in places:
        assert 0 <= place["x"] < place["x"] + place["w"] <= build.COLUMNS
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above, (one, other)
    if path.parent.name == build.WALL:
        assert max(place["y"] + place["h"] for place in places) <= 23, "a wall does not scroll"


@every_dashboard
def test_panels_ask_a_question_and_say_what_they_show(path: Path) -> None:
    for panel in panels(path):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert panel["targets"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        if path.parent.name == build.WORKING:
            assert panel["title"].endswith("?")


@every_dashboard
def test_the_source_and_the_job_can_be_chosen_and_nothing_else_is_edited(path: Path) -> None:
    board, chosen = document(path), variables(path)
    assert board["editable"] is False
    assert list(chosen)[:2] == ["datasource", "job"]
    assert (chosen["datasource"]["type"], chosen["datasource"]["query"], chosen["datasource"]["label"]) == (
        "datasource", "prometheus", "Data source",
    )  # fmt: skip
    job = chosen["job"]
    assert (job["label"], job["multi"], job["allValue"], job["datasource"]["uid"]) == ("Job", True, ".+", "${datasource}")
    for variable in chosen.values():
        if variable["type"] == "query":
            assert variable["refresh"] == 2, "values are asked for anew when the time changes"
    used = {name for target in targets(path) for name in re.findall(r"\$(\w+)", target["expr"])} - {"__rate_interval", "__range"}
    assert used | {"datasource"} == set(chosen) <= VARIABLES


@every_dashboard
def test_expressions_choose_the_job_and_rates_fit_the_scrapes(path: Path) -> None:
    for target in targets(path):
        expression = target["expr"]
        assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert "vector(" not in expression
        for matchers in re.findall(r"\{([^}]*)\}", expression):
            assert matchers.startswith('job=~"$job"'), expression
        for function, series, interval in RATE.findall(expression):
            if series.startswith("support"):
                assert interval in ("$__rate_interval", "$__range"), (function, expression)
                assert interval == "$__rate_interval" or function == "increase"
                recorded = series.startswith("support:")
                name = re.sub(r"_(bucket|sum|count)$", "", series)
                assert recorded or not (BY_NAME.get(series) or BY_NAME[name]).per_partition, f"{series}: a rate loses what partitions move"


@every_dashboard
def test_the_instance_is_chosen_where_it_matters_and_what_is_excluded_has_a_reason(path: Path) -> None:
    reasons = excluded(path)
    assert all(len(reason) > 20 for reason in reasons.values())
    if "instance" not in variables(path):
        assert {"template-instance-rule", "target-instance-rule"} <= reasons.keys()


@pytest.mark.parametrize("path", [path for path in PATHS if path.parent.name == build.WALL], ids=name_of)
def test_a_wall_has_few_numbers_a_colour_for_each_state_and_says_how_old_they_are(path: Path) -> None:
    board = document(path)
    large = [panel for panel in panels(path) if panel["gridPos"]["h"] >= 7]
    assert 3 <= len(large) <= 6
    for panel in large:
        colored = {each["matcher"]["options"]: each["properties"][0]["value"]["fixedColor"] for each in panel["fieldConfig"]["overrides"]}
        assert colored == {state.value.label: state.value.color for state in State}
        assert panel["options"]["textMode"] == "value_and_name", "the name says the state in words"
        assert panel["fieldConfig"]["defaults"]["noValue"]
    titles = [panel["title"] for panel in panels(path)]
    assert {"Numbers until", "Age", "All partitions in", "Calendars"} <= set(titles)
    assert board["refresh"] == "10s"
    assert build.WALL in board["tags"]


def test_alerts_lead_to_dashboards_that_are_there() -> None:
    """By the uid of the working version, and with the job chosen."""
    there = {document(path)["uid"] for path in PATHS if path.parent.name == build.WORKING}
    for rule in rules("alert"):
        uid, _, chosen = rule["annotations"]["dashboard_url"].rpartition("/")[2].partition("?")
        assert uid in there, rule["alert"]
        assert chosen.startswith("var-job=")
        (told,) = [panel for panel in document(FOLDER / f"{build.WORKING}/{uid}.json")["panels"] if panel["type"] == "text"]
        assert f"**{rule['alert']}**" in told["options"]["content"], CHANGED


def test_the_playlist_shows_the_walls_of_those_who_work_with_tickets() -> None:
    playlist = json.loads((ROOT / "deploy/grafana/playlist.json").read_text(encoding="utf-8"))
    (item,) = playlist["items"]
    assert item["type"] == "dashboard_by_tag"
    shown = {path.stem for path in PATHS if item["value"] in document(path)["tags"]}
    assert shown == {board.name for board in BOARDS if board.playlist} == {"queue-now", "sla-risk", "backlog-flow", "quality"}


def test_grafana_finds_the_folders_and_the_first_board() -> None:
    (provider,) = load_yaml("deploy/grafana/provisioning/dashboards/support.yml")["providers"]
    assert provider["options"]["foldersFromFilesStructure"]
    assert not provider["allowUiUpdates"]
    assert not provider["disableDeletion"]
    home = load_yaml("docker-compose.yml")["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (FOLDER / Path(home).relative_to(provider["options"]["path"])).exists()


@pytest.mark.parametrize("path", [path for path in PATHS if path.parent.name == build.WORKING], ids=name_of)
def test_charts_are_marked_where_alerts_fire(path: Path) -> None:
    (marks,) = document(path)["annotations"]["list"]
    assert marks["expr"].startswith('ALERTS{job=~"$job"')


def test_promtool_can_parse_every_expression(run: Run, tmp_path: Path) -> None:
    marks = {filled(each["expr"]) for path in PATHS for each in document(path)["annotations"].get("list", [])}
    texts = [*marks, *(each.expression for each in asked())]
    found = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(texts)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": found}]}))
    run("promtool", "check", "rules", "--lint=none", file)
