"""The report, the topic of KPIs and the numbers of each agent say of one morning what can be counted by hand."""

from __future__ import annotations

from io import StringIO

import orjson
import pytest
from rich.console import Console

from processor.client import KpiWindow, decode_kpis
from processor.compile import compile_settings
from processor.core.facts import pseudonym
from processor.core.kpis import DEFINITIONS, GROUPS
from processor.export.snapshot import compare
from processor.replay import Replay
from processor.replay.kpis import ReplayedKpis
from processor.report import groups
from processor.report.rendering import render
from tests.report.story import CONFIG, kpis_of, line, replayed, report_of

DAY_MINUTES = 1440
# name -> value, n; of the whole morning
MORNING: dict[str, tuple[float, int]] = {
    "first_response": (600, 3), "reply": (600, 3), "first_resolution": (1200, 3), "requester_wait": (1200, 3), "interactions": (1, 3),
    "csat": (0.6667, 3), "csat_response": (1, 3), "fcr": (1, 3), "fcr_provisional": (1, 3), "survey_delay": (300, 3),
    "abandonment": (0.3333, 3), "missed_call": (0.3333, 3), "speed_of_answer": (30, 2), "handle_time": (330, 2), "talk_time": (240, 2),
    "hold_time": (30, 2), "wrap_up_time": (60, 2), "tickets_per_agent": (1.5, 2), "agents_active": (2, 2), "tickets_per_hour": (1.5, 3),
    "occupancy": (0.5, 8), "kb_users": (2, 2), "kb_efficiency": (0.2857, 7), "kb_bounce": (1, 2), "customers": (3, 3),
    "cost_per_ticket_eur": (30, 3), "backlog_tickets": (2, 2), "sla_compliance_per_ticket": (1, 3), "withdrawn": (0, 5),
    "surveys_negative": (1, 1), "open_tickets_per_agent_online": (24, 2),
}  # fmt: skip


@pytest.mark.parametrize("partitions", [1, 3])
def test_every_kpi_of_the_morning(partitions: int) -> None:
    found = report_of(replayed(partitions))
    assert [group["group"] for group in found["kpi_groups"]] == list(GROUPS)
    kpis = kpis_of(found)
    assert set(kpis) == {*DEFINITIONS, "cost_per_ticket_eur"}
    assert {name: (kpis[name]["value"], kpis[name]["n"]) for name in MORNING} == MORNING
    assert kpis["csat"]["low"] == pytest.approx(0.2077, abs=1e-3)
    assert kpis["csat"]["high"] == pytest.approx(0.9385, abs=1e-3)
    assert (kpis["csat"]["low_n"], kpis["speed_of_answer"]["low_n"]) == (False, True)  # kpis.min_n is 3 here
    assert "low_n" not in kpis["tickets_created"]
    assert kpis["backlog_drain"]["value"] == "+Inf"
    assert orjson.dumps(found)


@pytest.mark.parametrize("partitions", [1, 3])
def test_paces_of_the_backlog_end_where_the_log_ends(partitions: int) -> None:
    """Yesterday two tickets; today one more and none solved, in a minute that is not over: half as many again."""
    replay = Replay(CONFIG, partitions=partitions)
    minutes = {1: -2 * DAY_MINUTES, 2: -DAY_MINUTES - 1, 3: 7.0, 4: 7.1}
    lines = [
        line(number, "ticket.created", at, f"T-{number}", ticket_id=f"T-{number}", channel="email", priority="normal", status="new")
        for number, at in minutes.items()
    ]
    replay.feed_lines([*lines, line(5, "ticket.status_changed", 7.2, "T-4", ticket_id="T-4", status="solved")])
    replay.finish()
    assert not replay.refused, replay.refused
    kpis = kpis_of(report_of(replay))
    assert kpis["backlog_tickets"]["value"] == 3
    assert kpis["backlog_growth"]["value"] == 0.5
    assert kpis["backlog_work_off"]["value"] == 3 * 86_400
    assert kpis["backlog_drain"]["value"] == "+Inf"


def test_a_terminal_tells_quantiles_that_hold_for_few_and_what_was_rejected(replayed_few: Replay) -> None:
    """One reply after 50 minutes: inside its bucket the median would be 45, which nobody waited."""
    text = StringIO()
    render(report_of(replayed_few), Console(file=text, width=200))
    lines = text.getvalue().splitlines()
    assert lines[0].startswith("3 records (1 of them rejected, see the end)")
    first = next(line.split() for line in lines if line.startswith(" first_response  "))
    assert " ".join(first) == "first_response 50 min ≤ 1 h ≤ 1 h 1 few"


@pytest.fixture
def replayed_few() -> Replay:
    """One ticket with one reply, and a line that is none."""
    replay = Replay(CONFIG)
    author = {"type": "agent", "id": "A-1"}
    replay.feed_lines([
        line(1, "ticket.created", 0, "T-1", ticket_id="T-1", channel="email", priority="normal", status="new"),
        b"oops",
        line(2, "message.added", 50, "T-1", ticket_id="T-1", message_id="M-1", author=author, visibility="public"),
    ])  # fmt: skip
    replay.finish()
    return replay


def test_those_who_wait_are_in_the_median_of_the_first_response() -> None:
    found = report_of(replayed())["waiting_included"]
    assert (found["first_response"]["n"], found["first_response"]["censored"]) == (3, 2)
    assert found["first_response"]["median_at_most_seconds"] == 600
    assert found["patience"] == found["patience_by_channel"]["phone"]
    assert (found["patience"]["n"], found["patience"]["censored"], found["patience"]["median_at_most_seconds"]) == (1, 2, 120)


def test_customers_by_month_and_quarter_go_back_from_the_present() -> None:
    october, november, january = 20_000, 20_040, 20_100
    days = {
        october: {"customers_acquired": 100},
        november: {"customers_acquired": 5, "customers_churned": 10},
        january: {"customers_churned": 19},
    }
    view = replayed(1).views()[0]
    now = view.__class__(**{name: getattr(view, name) for name in view.__dataclass_fields__} | {"levels": {("customers", 1): 76}})
    found = groups.customers([now], days)
    flows = [(each["start"], each["won"], each["lost"], each["end"]) for each in found[:3]]
    assert flows == [(0, 100, 0, 100), (100, 5, 10, 95), (95, 0, 19, 76)]
    assert [each["retention"] for each in found[:3]] == [None, 0.9, 0.8]
    assert [each["churn"] for each in found[:3]] == [None, 0.1, 0.2]
    assert sum("-Q" in each["period"] for each in found) == 2


def published(partitions: int) -> dict[tuple[tuple[str, ...], tuple[str, ...], str], KpiWindow]:
    records: dict[bytes, bytes | None] = {}
    stage = ReplayedKpis(CONFIG, compile_settings(CONFIG), lambda: partitions, records.__setitem__)
    replayed(partitions, report_every_minutes=60, on_report=stage.report)
    found = [decode_kpis(value) for value in records.values() if value is not None]
    return {(each.key.by, each.key.values, each.key.window): each for each in found}


@pytest.mark.parametrize("partitions", [1, 3])
def test_the_topic_has_the_numbers_of_each_agent_where_they_are_asked_for(partitions: int) -> None:
    found = published(partitions)
    one, other = (found[("agent",), (pseudonym(agent),), "today"].kpis for agent in ("A-1", "A-2"))
    assert (one["tickets_completed"].value, other["tickets_completed"].value) == (2, 1)
    assert (one["tickets_per_hour"].value, other["tickets_per_hour"].value) == (2.0, 1.0)
    assert (other["handle_time"].value, other["occupancy"].value) == (330.0, 0.5)
    assert "handle_time" not in one
    assert (one["csat"].value, other["csat"].value) == (1.0, 0.0)  # of the agent who solved it
    assert "abandonment" not in one
    total = found[(), (), "today"].kpis
    assert (total["agents_active"].value, total["tickets_per_agent"].value) == (2, 1.5)
    assert (total["retention"].value, total["customers"].value) == (None, 3)
    group = found[("group",), ("billing",), "today"].kpis
    assert (group["agents_active"].value, group["tickets_per_agent"].value, group["csat"].numerator) == (2, 1.5, 2)
    assert group["csat"].low is not None
    assert not {"kb_users", "abandonment"} & set(group)


def test_snapshots_name_no_agent_and_agree_whatever_the_partitions() -> None:
    one, three = replayed(1).snapshot(), replayed(3).snapshot()
    assert compare(one, three, partitions=False) == []
    text = orjson.dumps(one).decode()
    assert pseudonym("A-1") not in text
    assert 'by="agent"' not in text
    states = {f'group="billing",state="{state}"': 3600.0 for state in ("available", "busy")}
    assert one["metrics"]["support_agent_state_seconds_total"] == states
    assert one["metrics"]["support_operating_cost_total"] == {'currency="EUR"': 90.0}
    assert one["metrics"]["support_customers"] == {"": 3}
    assert one["metrics"]["support_csat_satisfied_total"] == {'group="billing"': 2}
