"""One truth for every reader: what any number of workers publishes on any number of partitions is what a replay of the log says.

For each deployment: every record of the topic of KPIs, for every W; the gauges of the last W, by whichever worker owns the segment; the
digest of the ledger. What was compared is printed as a table.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from processor.codec.times import format_time, parse_time
from processor.compile import compile_settings
from processor.config import Config
from processor.core.facts import LEDGER_MODULUS
from processor.core.settings import HOUR_MS
from processor.export.collector import Exporter
from processor.export.kpi_gauges import MIN_OBSERVATIONS
from processor.replay import Replay
from processor.replay.kpis import ReplayedKpis
from processor.synthetic.generate import generate
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, Worker, caught_up, ends_of, until
from tests.kafka.events import addressed, event

pytestmark = pytest.mark.kafka

TopicName = Callable[[str], str]
START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
HOURS = 4
EVENTS = 3000
REPORT_MINUTES = 5
IN_ORDER, AS_GENERATED = "in order", "as generated"  # the second with late, double and broken records
DEPLOYMENTS = ((1, 2, IN_ORDER), (4, 2, AS_GENERATED), (4, 3, IN_ORDER), (16, 3, IN_ORDER))  # partitions, workers, log
GAUGES = ("support_window_", "support_kpi_")

Kpis = dict[tuple[str, str], dict[str, Any]]  # (key, W) -> what is said of them


class Log(NamedTuple):
    """Lines in the order of arrival, and the instant to which a control event moves all clocks behind them."""

    lines: list[bytes]
    end: int


class Compared(NamedTuple):
    """A line of the table."""

    log: str
    partitions: int
    workers: int
    ends: int
    records: int
    gauges: int
    facts: int


class Replayed(NamedTuple):
    """What the replay says."""

    kpis: Kpis
    gauges: dict[str, float]
    digest: int
    facts: int


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[Compared]]:
    lines: list[Compared] = []
    yield lines
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        writer = request.config.get_terminal_writer()
        writer.line()
        writer.line("  ".join(f"{name:>12}" for name in Compared._fields))
        for each in lines:
            writer.line("  ".join(f"{value!s:>12}" for value in each))


def log_of(config: Config, *, in_order: bool) -> Log:
    """Hand-overs, contacts and clocks of all kinds."""
    made = generate(compile_settings(config), events=EVENTS, seed=11, start=START, duration=HOURS * HOUR_MS, faults=not in_order)
    lines = sorted(made.lines, key=lambda line: str(orjson.loads(line)["time"])) if in_order else made.lines
    return Log(lines, parse_time(made.truth["clock_advanced_at"]))


def records_of(log: Log, partitions: int) -> list[Sent]:
    """The records, and a control event for every partition."""
    advanced = event("control.clock_advanced", log.end, at=format_time(log.end))
    return [*(addressed(line, partitions) for line in log.lines), *((number, None, advanced) for number in range(partitions))]


def replayed(config: Config, log: list[Sent], partitions: int) -> Replayed:
    """The same records through the same engines, without Kafka."""
    found: Kpis = {}
    settings = compile_settings(config)

    def put(key: bytes, value: bytes | None) -> None:
        if value is not None:
            found.update([said(key, value)])

    kpis = ReplayedKpis(config, settings, lambda: partitions, put)
    replay = Replay(config, settings=settings, partitions=partitions, report_every_minutes=REPORT_MINUTES, on_report=kpis.report)
    capture = [_captured(number, record) for number, record in enumerate(log)]
    replay.feed_lines(capture)
    replay.step()
    for number, engine in replay.engines.items():
        kpis.take_levels(number, engine)
    text = Exporter(config).render([], None, kpis.views()).decode()
    views = replay.views()
    assert all(each["complete"] for each in found.values())
    digest = sum(view.digest for view in views) % LEDGER_MODULUS
    return Replayed(found, gauges_of(text), digest, sum(view.ledger_count for view in views))


def _captured(offset: int, record: Sent) -> bytes:
    partition, key, value = record
    fields = {"partition": partition, "offset": offset, "timestamp": 2 * START, "headers": []}
    encoded = {f"{name}_base64": b64encode(each).decode() for name, each in (("key", key), ("value", value)) if each is not None}
    return orjson.dumps(fields | encoded)


def said(key: bytes, value: bytes) -> tuple[tuple[str, str], dict[str, Any]]:
    """What a record says, without how it came about."""
    document = orjson.loads(value)
    told = {name: each for name, each in document["data"].items() if name not in ("epoch", "sequence")}
    return (key.decode(), document["time"]), told


def gauges_of(text: str) -> dict[str, float]:
    """The samples of the KPI stage's gauges, without what every worker serves as it is configured."""
    lines = (line for line in text.splitlines() if line.startswith(GAUGES) and 'partition="' not in line.replace("kpi_partition", ""))
    lines = (line for line in lines if not line.startswith(MIN_OBSERVATIONS))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def dealt_out(workers: list[Worker], partitions: int) -> bool:
    """Whether each worker runs a part of the KPI stage: what comes in the middle of a rebalance is summed up in its newest W."""
    owned = [re.findall(r"kpis: owns (\d+) of", each.log())[-1:] for each in workers]
    if sum(int(number) for each in owned for number in each) != partitions or ["0"] in owned or [] in owned:
        return False
    return all((answer := each.get("/readyz")) and answer.body == b"ready\n" for each in workers)


def served(workers: list[Worker], wanted: dict[str, float]) -> dict[str, float] | None:
    """The gauges of all workers; None where two serve the same one, or one is missing."""
    merged: dict[str, float] = {}
    for worker in workers:
        answer = worker.get("/metrics")
        found = gauges_of(answer.body.decode()) if answer else {}
        if found.keys() & merged.keys():
            return None
        merged |= found
    return merged if merged.keys() == wanted.keys() else None


@pytest.mark.parametrize(("partitions", "workers", "order"), DEPLOYMENTS)
def test_workers_publish_what_a_replay_says(
    broker: Broker, topic_name: TopicName, tmp_path: Path, table: list[Compared], partitions: int, workers: int, order: str
) -> None:
    kpis = {"backfill_minutes": REPORT_MINUTES}
    deployment = Deployment(broker.bootstrap, topic_name("truth"), tmp_path, partitions=partitions, kpis=kpis).create_topics()
    records = records_of(log := log_of(deployment.config, in_order=order == IN_ORDER), partitions)
    want = replayed(deployment.config, records, partitions)
    with ExitStack() as stack:
        running = [stack.enter_context(deployment.worker(f"worker-{number}")) for number in range(workers)]
        until("the KPI stage is dealt out and runs", lambda: dealt_out(running, deployment.config.topics.kpi_partitions))
        deployment.send(records)
        # Answering keeps workers from working: they are asked seldom, and have time.
        asking: dict[str, float] = {"seconds": 180, "every": 1}
        taken = until("all is applied", lambda: caught_up(ends_of(records, partitions), *running), **asking)
        until("the last W is published", lambda: want.kpis.keys() <= _published(deployment.read("kpis")).keys(), **asking)
        assert until("each gauge is served once", lambda: served(running, want.gauges), **asking) == want.gauges
        found = _published(deployment.read("kpis"))
    assert different(found, want.kpis) == []
    shown = [partition for each in taken for partition in each["partitions"].values()]
    assert sum(int(each["digest"], 16) for each in shown) % LEDGER_MODULUS == want.digest
    ends = len({end for _, end in found})
    assert ends > 3
    assert len(want.gauges) > 500
    table.append(Compared(order, partitions, workers, ends, len(found), len(want.gauges), want.facts))
    assert log.end == parse_time(max(end for _, end in found))


def different(found: Kpis, wanted: Kpis) -> list[tuple[str, str, list[str]]]:
    """What is not the same: key, W, names of the fields or KPIs."""
    differences = []
    for name in sorted(found.keys() | wanted.keys()):
        one, other = found.get(name, {}), wanted.get(name, {})
        fields = [field for field in one.keys() | other.keys() if field != "kpis" and one.get(field) != other.get(field)]
        one_kpis, other_kpis = one.get("kpis", {}), other.get("kpis", {})
        fields += [f"{kpi}: {one_kpis.get(kpi)} {other_kpis.get(kpi)}" for kpi in one_kpis if one_kpis[kpi] != other_kpis.get(kpi)]
        if fields:
            differences.append((*name, fields))
    return differences


def _published(records: list[Any]) -> Kpis:
    return dict(said(record.key, record.value) for record in records if record.value is not None)


def test_the_number_of_partitions_changes_no_number() -> None:
    config = Config.model_validate({"worker": {"clock": "log"}})
    log = log_of(config, in_order=True)
    found = [replayed(config, records_of(log, partitions), partitions) for partitions in (1, 4, 16)]
    assert len({(each.digest, each.facts) for each in found}) == 1
    ends = [{end for _, end in each.kpis} for each in found]
    assert ends[0] >= ends[1] >= ends[2] > set()  # a partition without events for long leaves minutes out
    for each in found:
        shared = {end for _, end in each.kpis} & ends[0]
        assert each.kpis == {key: told for key, told in found[0].kpis.items() if key[1] in shared}
        assert each.gauges == found[0].gauges
