"""Real logs, end to end: converted, replayed, and through Kafka and a worker, always with the totals that are known of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from processor.export.snapshot import compare, total
from tests.kafka.broker import Broker
from tests.kafka.deployment import ROOT, Deployment, caught_up, until

DATA = ROOT.parent / "shared" / "data"
END = "2012-06-01T00:00:00.000Z"  # after both logs: timers run up to here


@dataclass(frozen=True)
class Log:
    """A recorded log, how it is converted, and what it must come to."""

    path: str
    mapping: str
    totals: dict[str, int]


LOGS = {
    "bank calls": Log(
        "bank_calls/february.txt.gz",
        "calls.yaml",
        {
            "support_contacts_offered_total": 31_125,
            "support_contacts_answered_total": 27_162,
            "support_contacts_answered_in_target_total": 16_210,
            "support_contacts_abandoned_total": 3_689,
            "support_contacts_short_abandoned_total": 274,
            "support_speed_of_answer_seconds_sum": 1_107_485,
            "support_speed_of_answer_seconds_count": 27_162,
            "support_contacts_waiting": 0,
        },
    ),
    "incidents": Log(
        "volvo_incidents/volvo_incidents.csv.gz",
        "incidents.yaml",
        {
            "support_tickets_created_total": 7_554,
            "support_tickets_reopened_total": 580,
            "support_tickets_solved_total": 8_126,
            "support_backlog_tickets": 8,
            'support_backlog_entered_total{reason="created"}': 7_550,
            'support_backlog_entered_total{reason="reopened"}': 580,
        },
    ),
}


def command(*arguments: str) -> bytes:
    """Run `ticket-kpis`; returns its standard output."""
    call = [sys.executable, "-m", "processor.cli.main", *arguments]
    done: subprocess.CompletedProcess[bytes] = subprocess.run(call, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("name", LOGS)
def test_the_log_gives_its_known_totals_offline_and_through_kafka(
    name: str, broker: Broker, topic_name: Callable[[str], str], tmp_path: Path
) -> None:
    """Offline on one partition, through Kafka on two, and the captured topic replayed: all the same numbers."""
    log = LOGS[name]
    if not (DATA / log.path).exists():
        pytest.skip(f"the real logs are not here: no {DATA / log.path}")
    events, captured, offline = (tmp_path / word for word in ("events.jsonl", "capture.jsonl", "offline.json"))
    command("convert", "csv", str(DATA / log.path), "--mapping", f"deploy/mappings/{log.mapping}", "-o", str(events))
    command("replay", str(events), "--at", END, "--write-snapshot", str(offline))
    replayed = orjson.loads(offline.read_bytes())
    assert totals(replayed, log) == log.totals

    deployment = Deployment(broker.bootstrap, topic_name("real"), tmp_path, worker={"step_events_max": 4000}).create_topics()
    config = ["--config", str(tmp_path / "config.yaml")]
    command("send", str(events), "--advance-clock", END, *config)
    command("capture", "-o", str(captured), *config)
    ends = dict.fromkeys(range(deployment.config.topics.partitions), 0)
    for line in captured.read_bytes().splitlines():
        record = orjson.loads(line)
        ends[record["partition"]] = record["offset"] + 1
    with deployment.worker() as worker:
        [shown] = until("the worker has applied everything", lambda: caught_up(ends, worker), seconds=300, every=5)
    assert totals(shown, log) == log.totals
    # In Kafka the log has an event more, the one that moved the clock: stream time is its time.
    differences = compare(replayed, shown, partitions=False)
    assert [each for each in differences if each.where != "support_processor_watermark_timestamp_seconds"] == []
    live = tmp_path / "snapshot.json"
    live.write_bytes(orjson.dumps(shown))
    command("replay", str(captured), "--snapshot", str(live), *config)


def totals(snapshot: dict[str, Any], log: Log) -> dict[str, Any]:
    """The families of the log's totals, summed over all other labels."""
    return {family: total(snapshot["metrics"], family) for family in log.totals}
