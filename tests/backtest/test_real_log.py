"""A month of a bank's calls, backtested with the shipped example. The log is no part of the project; without it this skips.

Of the alerts those that page, which is all that is asked here: with the warnings the same takes four times as long.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from processor.alerting import rule_files
from processor.backtest.findings import PAGES
from processor.config import load
from tests.backtest.calls import found
from tests.convert.test_real_logs import CALLS, convert
from tests.deploy.conftest import ROOT

pytestmark = pytest.mark.real_data
EXAMPLE = ROOT / "deploy/examples/call-centre.yaml"


def abandoned_shares() -> dict[str, float]:
    """Of each day, by those who counted the log by hand: who gave up in the queue, of all who reached it or an agent."""
    days = json.loads((CALLS.parent / "oracle.json").read_text())["months"]["february"]["by_day"]
    return {
        f"19{day[:2]}-{day[2:4]}-{day[4:]}": of["abandoned_in_queue"] / (of["answered"] + of["abandoned_in_queue"])
        for day, of in days.items()
    }


def pages_alone(folder: Path) -> Path:
    """The generated rules without the alerts that do not page."""
    for name, text in rule_files(load(EXAMPLE)).items():
        document = yaml.safe_load(text)
        for group in document["groups"]:
            group["rules"] = [rule for rule in group["rules"] if "record" in rule or rule["labels"]["severity"] == PAGES]
        (folder / name).write_text(yaml.safe_dump(document))
    return folder


@pytest.fixture(scope="module")
def february(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    calls = convert(CALLS, "calls.yaml")
    folder = tmp_path_factory.mktemp("february")
    log = folder / "calls.jsonl"
    log.write_bytes(b"".join(event.value + b"\n" for event in calls.events))
    return found(log, folder, "--config", EXAMPLE, "--rules", pages_alone(folder))


def test_the_worst_day_is_paged_ordinary_days_are_not_and_pages_are_rare(february: dict[str, Any]) -> None:
    shares = abandoned_shares()
    by_share = sorted(shares, key=lambda day: shares[day])
    assert len(february["days"]) == len(shares) == 28
    assert by_share[-1] in february["days_paged"]
    for median in by_share[13:15]:
        assert median not in february["days_paged"]
    assert 1 <= len(february["days_paged"]) <= len(shares) / 4


def test_the_days_are_those_of_the_oracle(february: dict[str, Any]) -> None:
    """But for calls over midnight, which belong to the day on which they came and to that on which they were given up."""
    days = json.loads((CALLS.parent / "oracle.json").read_text())["months"]["february"]["by_day"]
    for day in february["days"]:
        of = days[day["date"].replace("-", "")[2:]]
        assert abs(day["contacts_offered"] - of["answered"] - of["abandoned_in_queue"]) <= 2
        assert abs(day["contacts_abandoned"] + day["contacts_short_abandoned"] - of["abandoned_in_queue"]) <= 2
    assert sum(day["contacts_offered"] for day in february["days"]) == 31_125
    assert sum(day["contacts_abandoned"] for day in february["days"]) == 3_689
