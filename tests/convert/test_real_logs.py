"""The shipped mappings on the public logs they were written for. The logs are no part of the project; without them these tests skip."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from processor.convert.converter import Converter, Result
from processor.convert.mapping import load_mapping
from processor.convert.table import Table
from tests.convert.test_mapping import MAPPINGS

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CALLS = DATA / "bank_calls" / "february.txt.gz"
INCIDENTS = DATA / "volvo_incidents" / "volvo_incidents.csv.gz"
SOLVED = {"solved", "closed"}
SHORT_MS = 5000

pytestmark = pytest.mark.real_data


def convert(log: Path, mapping_name: str) -> Result:
    if not log.exists():
        pytest.skip(f"the real log {log.name} is not here")
    mapping = load_mapping(MAPPINGS / mapping_name)
    return Converter(mapping).convert(Table(log, mapping.input, mapping.columns()).rows())


@pytest.fixture(scope="module")
def calls() -> Result:
    return convert(CALLS, "calls.yaml")


@pytest.fixture(scope="module")
def incidents() -> Result:
    return convert(INCIDENTS, "incidents.yaml")


def test_calls_offered_answered_abandoned_and_waits(calls: Result) -> None:
    oracle = json.loads((CALLS.parent / "oracle.json").read_text())["months"]["february"]["total"]
    times: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for event in calls.events:
        times[event.key][event.kind] = event.occurred_at
    offered = [call for call in times.values() if {"contact.queued", "contact.accepted"} & call.keys()]
    answered = [call for call in offered if "contact.accepted" in call]
    waits = [call["contact.accepted"] - call.get("contact.queued", call["contact.accepted"]) for call in answered]
    left = [call["contact.abandoned"] - call["contact.queued"] for call in offered if "contact.abandoned" in call]
    assert len(offered) == oracle["answered"] + oracle["abandoned_in_queue"] == 31_125
    assert len(waits) == oracle["answered"] == 27_162
    assert sum(wait > SHORT_MS for wait in left) == 3_689
    assert sum(wait <= SHORT_MS for wait in left) == 274
    assert sum(waits) == oracle["wait_answered_seconds"] * 1000 == 1_107_485_000
    assert sum(wait <= 20_000 for wait in waits) == oracle["answered_within_20s"] == 16_210
    assert calls.by_type["contact.queued"] == oracle["queued"]
    assert len(times) == oracle["offered"]  # the oracle's word for every call that rang
    talk = sum(json.loads(event.value)["data"].get("talk_seconds", 0) for event in calls.events if event.kind == "contact.ended")
    assert talk == oracle["handle_seconds"]


def test_no_call_ends_before_it_is_accepted(calls: Result) -> None:
    ended: set[str] = set()
    for event in calls.events:
        assert event.kind not in {"contact.accepted", "contact.abandoned"} or event.key not in ended
        if event.kind == "contact.ended":
            ended.add(event.key)


def test_calls_left_out_and_dropped(calls: Result) -> None:
    assert (calls.rows, calls.left_out, len(calls.dropped)) == (33_344, 278, 0)
    outcomes: Counter[str] = Counter(json.loads(event.value)["data"]["outcome"] for event in calls.events if event.kind == "contact.ended")
    assert outcomes == {"handled": 27_112, "dropped": 1_941}  # 50 answered calls have no end of service


def test_incidents_created_solved_reopened_and_open(incidents: Result) -> None:
    oracle = json.loads((INCIDENTS.parent / "oracle.json").read_text())
    status: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for event in incidents.events:
        data: dict[str, Any] = json.loads(event.value)["data"]
        if event.kind == "ticket.created":
            counts["created"] += 1
            counts["solved"] += data["status"] in SOLVED
        elif event.kind == "ticket.status_changed":
            was, now = status[event.key] in SOLVED, data["status"] in SOLVED
            counts["solved"] += now and not was
            counts["reopened"] += was and not now
            counts["in_call"] += bool(data["first_contact_resolved"])
        if "status" in data:
            status[event.key] = data["status"]
    assert not incidents.dropped
    assert counts["created"] == oracle["cases"] == 7_554
    assert counts["reopened"] == oracle["reopens"] == 580
    assert counts["solved"] == 8_126
    assert sum(now not in SOLVED for now in status.values()) == 8
