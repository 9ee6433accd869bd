"""Tickets per hour where nobody reports what agents do: hours by plan, marked, against numbers worked out by hand.

Windows end on Saturday, 2026-11-21, at 09:14 UTC, that of 24 hours at 09:00. The office is open on Fridays from 08:00 to 16:00, the weekend
shift works on Saturdays from 06:00 to 10:00.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from processor.client import Kpi, decode_kpis
from processor.codec.partials import Place
from processor.compile import compile_rules
from processor.config import ConfigError, loads
from processor.core.rows import Row
from processor.core.settings import HOUR_MS
from processor.export.kpi_view import Merged
from processor.kpis.combine import Combined
from processor.kpis.encode import encode_kpis, key_of
from processor.report.rendering_groups import group_tables
from processor.schemas_path import schemas_path
from tests.kpis.partials import TOTAL, W
from tests.report.story import kpis_of, replayed, report_of

CONFIG = loads(
    b"""
calendars:
  office: {zone: UTC, hours: {fri: "08:00-16:00"}}
  weekend: {zone: UTC, hours: {sat: "06:00-10:00"}}
kpis:
  scheduled_agents:
    - {group: support, calendar: office, agents: 2}
    - {group: support, calendar: weekend, agents: 1.5}
    - {group: billing, calendar: office, agents: 3}
    - {calendar: office, agents: 1}
""",
    "scheduled",
)
RULES = compile_rules(CONFIG)
SUPPORT: Place = (("group",), ("support",))
BILLING: Place = (("group",), ("billing",))
SOLVED: Row = {"tickets_solved_by_agents": 37}
VALIDATOR = Draft202012Validator(json.loads((schemas_path() / "support.kpis.v1.schema.json").read_text()))


def published(place: Place, window: str, row: Row) -> Mapping[str, Kpi]:
    combined = Combined(W, 0, True, (), {place: Merged({window: row}, 0)}, ())
    value = dict(encode_kpis(combined, 1, (W - 10 * HOUR_MS,), RULES))[key_of(place, window)]
    assert value is not None
    assert [fault.message for fault in VALIDATOR.iter_errors(json.loads(value))] == []
    return decode_kpis(value).kpis


@pytest.mark.parametrize(
    ("place", "window", "hours"),
    [
        (SUPPORT, "24h", 18.5),  # 2 x 7 h from Friday 09:00 on, 1.5 x 3 h on Saturday
        (BILLING, "24h", 21.0),  # 3 x 7 h
        (TOTAL, "24h", 46.5),  # and 1 x 7 h of somebody without a group
        (SUPPORT, "1h", 1.5),
        (TOTAL, "1h", 1.5),
        (SUPPORT, "5m", 0.125),
        (SUPPORT, "today", 4.85),  # 1.5 x 3 h 14 min
        (SUPPORT, "7d", 22.0),  # 2 x 8 h on Friday, 1.5 x 1 h on the Saturday before, 1.5 x 3 h
    ],
)
def test_hours_by_plan_stand_in_for_those_that_nobody_reports(place: Place, window: str, hours: float) -> None:
    found = published(place, window, SOLVED)["tickets_per_hour"]
    assert (found.n, found.numerator, found.denominator) == (37, 37, hours)
    assert found.value == pytest.approx(37 / hours, abs=1e-6)
    assert found.estimated


def test_nobody_was_to_work() -> None:
    found = published(BILLING, "1h", SOLVED)
    assert "tickets_per_hour" not in found or (found["tickets_per_hour"].value, found["tickets_per_hour"].estimated) == (None, False)


@pytest.mark.parametrize("place", [TOTAL, SUPPORT])
def test_what_is_observed_is_never_replaced(place: Place) -> None:
    row = {**SOLVED, "agent_time:busy": 37_000 * 3600}
    found = published(place, "24h", row)["tickets_per_hour"]
    assert (found.value, found.estimated) == (1.0, False)
    assert not [name for name, kpi in published(place, "24h", SOLVED).items() if kpi.estimated and name != "tickets_per_hour"]


@pytest.mark.parametrize("place", [(("channel", "group"), ("email", "support")), (("agent",), ("00000000000000ab",)), (("group",), ("x",))])
def test_of_other_segments_nobody_plans(place: Place) -> None:
    found = published(place, "24h", SOLVED).get("tickets_per_hour")
    assert found is None or (found.value, found.estimated) == (None, False)


def morning(*, with_states: bool) -> tuple[dict[str, Any], str]:
    config = loads(
        b'calendars: {early: {zone: UTC, hours: {sat: "07:00-09:00"}}}\nkpis: {scheduled_agents: [{calendar: early, agents: 3}]}\n', "early"
    )
    found = report_of(replayed(2, config, without="" if with_states else "agent.state_changed"), config)
    console = Console(width=200, record=True, file=StringIO())
    for table in group_tables(found):
        console.print(table)
    return kpis_of(found)["tickets_per_hour"], next(row for row in console.export_text().splitlines() if "tickets_per_hour" in row)


def test_the_report_marks_it_too() -> None:
    found, row = morning(with_states=False)
    assert (found["value"], found["n"], found["estimated"]) == (0.5, 3, True)  # three solved, three agents for two hours
    assert "estimated" in row
    found, row = morning(with_states=True)
    assert (found["value"], found["n"]) == (1.5, 3)
    assert "estimated" not in found
    assert "estimated" not in row


@pytest.mark.parametrize(
    ("shifts", "path"),
    [
        ("[{calendar: night, agents: 1}]", "kpis.scheduled_agents[0].calendar"),
        ("[{calendar: office, agents: 0}]", "kpis.scheduled_agents[0].agents"),
        ("[{agents: 1}]", "kpis.scheduled_agents[0].calendar"),
        ("[{group: a, calendar: office, agents: 1}, {group: a, calendar: office, agents: 2}]", "kpis.scheduled_agents[1]"),
    ],
)
def test_faults(shifts: str, path: str) -> None:
    text = f'calendars: {{office: {{zone: UTC, hours: {{fri: "08:00-16:00"}}}}}}\nkpis: {{scheduled_agents: {shifts}}}\n'
    with pytest.raises(ConfigError) as caught:
        loads(text.encode(), "faulty")
    assert [fault.path for fault in caught.value.faults] == [path]
