"""Every expression of every dashboard, asked of a real Prometheus that scrapes a real worker; and boards say what a replay says.

The log is generated, always the same, and moved in time so that it ends now. Its end is made so that there is something to see: contacts
that wait, a ticket that is due soon, more solved than came in. Prometheus has seen the worker before the first event.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from processor.alerting import rule_files
from processor.boards import promql
from processor.boards.board import Board, Tile
from processor.boards.judging import State, judge
from processor.boards.readings import Kpi, Level, Series
from processor.boards.tables import BOARDS
from processor.cli.replay import command as replay
from processor.codec.times import format_time, parse_time
from processor.compile import compile_settings
from processor.config import Config
from processor.core.kpis import definition_of
from processor.core.settings import HOUR_MS, MINUTE_MS
from processor.export.catalogue import BY_NAME
from processor.synthetic.generate import generate
from processor.wall_clock import WallClock
from tests.deploy.dashboards import Asked, asked, choices
from tests.deploy.prometheus import Answer, Scraping
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, caught_up, ends_of, until
from tests.kafka.events import addressed, created, event, status

pytestmark = pytest.mark.kafka

JOB = "ticket-kpis"
PARTITIONS = 2
EVENTS, HOURS = 4000, 30
MADE_AT = 1_767_600_000_000  # 2026-01-05T08:00:00Z, a Monday: in office hours, and so is the end
SOLVED_AT_LAST = 50  # more than the backlog has grown in a day ...
QUARTER_MS = 20 * MINUTE_MS  # ... and long enough ago to be in windows of a day, which end with a quarter of an hour
WAITING = 3
ENOUGH_SECONDS = 90
CHOSEN = {"rate_interval": "10m"}  # as long as the test may take
TIME = re.compile(rb'"time":"([^"]+)"')

Samples = list[tuple[dict[str, str], float]]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay of the same log says: KPIs of the total by window, and samples by family."""

    end: int
    kpis: dict[str, dict[str, Any]]
    samples: dict[str, Samples]


@dataclass(frozen=True, slots=True)
class Watched:
    """A worker that has read everything, Prometheus that watches it, and what a replay says."""

    config: Config
    prometheus: Scraping
    replayed: Replayed


# -- the log ----------------------------------------------------------------------------------------------------------------------


def sections(now: int) -> dict[str, Any]:
    """Every tile has a target. It is noon in the zone of the reports, so `today` has hours in it."""
    zone = f"Etc/GMT{now // HOUR_MS % 24 - 12:+d}"  # the sign is that of POSIX: GMT-2 is two hours ahead
    tiles = [tile for board in BOARDS for tile in board.tiles if tile.target]
    targets = {(tile.target, getattr(tile.reading, "stat", "")): promql.DIRECTIONS[tile.better] for tile in tiles}
    return {
        "reporting_zone": zone,
        "segments": {
            "known": {"group": ["billing", "technical"], "queue": ["hotline"], "topic": ["login"]},
            "group_bys": [[], ["channel"], ["group"], ["topic"], ["queue"]],
            "windows": [[], ["channel"], ["group"], ["queue"]],
        },
        "calendars": {"always": {"zone": "UTC", "hours": dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")}},
        "policies": [
            {"id": "calls", "match": {"channel": ["phone", "chat"]}, "targets": {"queue_wait": "20s"}},
            {"id": "standard", "targets": {"first_response": "30m", "resolution": "8h"}},
        ],
        "first_contact": {"repeat_window": "2h"},
        "kpis": {"min_n": 10, "targets": [_target(kpi, stat, direction) for (kpi, stat), direction in targets.items()]},
    }  # fmt: skip


def _target(kpi: str, stat: str, direction: str) -> dict[str, Any]:
    definition = definition_of(kpi)
    assert definition is not None
    told = {"kpi": kpi, "direction": direction, "target": "30m" if definition.unit == "seconds" else 0.5}
    return told | ({"stat": stat} if stat else {})


def log_until(now: int, config: Config) -> list[bytes]:
    """The generated lines, moved so that they end a minute ago, and what makes the end worth seeing."""
    made = generate(compile_settings(config), events=EVENTS, seed=5, start=MADE_AT, duration=HOURS * HOUR_MS).lines
    moved_by = now - MINUTE_MS - (MADE_AT + HOURS * HOUR_MS)
    lines = [TIME.sub(lambda found: b'"time":"%s"' % format_time(parse_time(found[1].decode()) + moved_by).encode(), line) for line in made]
    at = now - MINUTE_MS // 2
    last = [status(ticket, now - QUARTER_MS, "solved") for ticket in unsolved(lines)[:SOLVED_AT_LAST]]
    last += [event("contact.queued", at, contact_id=f"C-LAST-{number}", channel="phone", queue="hotline") for number in range(WAITING)]
    last += [created("T-SOON", now - QUARTER_MS, group="technical"), created("T-LAST", at, group="billing")]
    last += [event("control.clock_advanced", now, at=format_time(now))]
    return lines + last


def unsolved(lines: list[bytes]) -> list[str]:
    """Tickets whose last status is none of the solved ones, the oldest first."""
    found: dict[str, bool] = {}
    for line in lines:
        document = orjson.loads(line)
        kind, data = document["type"].removeprefix("support."), document["data"]
        if kind == "ticket.created":
            found.setdefault(data["ticket_id"], True)
        elif kind == "ticket.status_changed" and data["ticket_id"] in found:
            found[data["ticket_id"]] = data["status"] not in ("solved", "closed")
        elif kind in ("ticket.merged", "ticket.deleted", "ticket.marked_as_spam"):
            found.pop(data.get("ticket_id", ""), None)
    return [ticket for ticket, still in found.items() if still]


# -- the run ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def watched(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory = tmp_path_factory.mktemp("dashboards")
    now = WallClock().now() // MINUTE_MS * MINUTE_MS
    deployment = Deployment(broker.bootstrap, f"dashboards-{now}", directory, partitions=PARTITIONS, **sections(now)).create_topics()
    lines = log_until(now, deployment.config)
    replayed = replay_of(lines, directory)
    records = [addressed(line, PARTITIONS) for line in lines[:-1]]
    records += [(number, None, lines[-1]) for number in range(PARTITIONS)]
    with deployment.worker() as worker, scraping(worker, directory / "prometheus") as prometheus:
        until("it runs", worker.ready, seconds=ENOUGH_SECONDS)
        until("Prometheus has seen it", lambda: prometheus.instant("support:processor_events_consumed_total:max"), seconds=ENOUGH_SECONDS)
        deployment.send(records)
        until("all is applied", lambda: caught_up(ends_of(records, PARTITIONS), worker), seconds=ENOUGH_SECONDS, every=0.5)
        until("Prometheus has seen the last minute", lambda: ended(prometheus) == replayed.end / 1000, seconds=ENOUGH_SECONDS, every=0.5)
        yield Watched(deployment.config, prometheus, replayed)


def ended(prometheus: Scraping) -> float:
    """Up to when Prometheus has seen the numbers."""
    return next((each.value for each in prometheus.instant("min(support_kpi_end_timestamp_seconds)")), 0)


def scraping(worker: Worker, directory: Path) -> Scraping:
    """Prometheus with the rules as they are delivered, only quicker."""
    directory.mkdir()
    for name, text in rule_files(Config(), time_scale=15).items():
        (directory / name).write_text(text, encoding="utf-8")
    target = {"job_name": JOB, "scrape_interval": "5s", "scrape_timeout": "5s",
              "static_configs": [{"targets": [f"127.0.0.1:{worker.port}"]}]}  # fmt: skip
    configuration = {"global": {"evaluation_interval": "1s"}, "rule_files": ["series.yml"], "scrape_configs": [target]}
    return Scraping(directory, configuration)


def replay_of(lines: list[bytes], directory: Path) -> Replayed:
    """The same log through `ticket-kpis replay`."""
    log, kpis, exposition = directory / "log.jsonl", directory / "kpis.jsonl", directory / "exposition.txt"
    log.write_bytes(b"\n".join(lines) + b"\n")
    arguments = [log, "--config", directory / "config.yaml", "--partitions", PARTITIONS, "--kpis", kpis, "--exposition", exposition]
    done = CliRunner().invoke(replay, [str(argument) for argument in arguments])
    assert done.exit_code == 0, done.output
    last: dict[str, dict[str, Any]] = {}
    for line in kpis.read_bytes().splitlines():
        document = orjson.loads(line)
        if not document["data"]["by"]:
            last[document["data"]["window"]] = document
    (end,) = {parse_time(document["time"]) for document in last.values()}
    samples: dict[str, Samples] = {}
    for family in text_string_to_metric_families(exposition.read_text(encoding="utf-8")):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return Replayed(end, {window: document["data"]["kpis"] for window, document in last.items()}, samples)


# -- every expression -------------------------------------------------------------------------------------------------------------


def answered(prometheus: Scraping, each: Asked) -> bool:
    """Whether a series comes back that is a number."""
    return any(math.isfinite(found.value) for found in prometheus.instant(each.expression))


def test_every_expression_of_every_dashboard_answers_with_a_number(watched: Watched) -> None:
    everything = list(asked(**CHOSEN))
    names = set(BY_NAME) | {f"{name}_{part}" for name in BY_NAME for part in ("bucket", "sum", "count")}
    for each in everything:
        assert names & set(re.findall(r"support[_:]\w+", each.expression.replace("support:", "support_"))), each
    silent = everything

    def all_answer() -> bool:
        nonlocal silent
        silent = [each for each in silent if not answered(watched.prometheus, each)]
        return not silent

    try:
        until("every expression answers", all_answer, seconds=ENOUGH_SECONDS, every=1)
    except AssertionError:
        pytest.fail("\n".join(f"{each.id}: {each.expression}" for each in silent))
    assert len(everything) > 150


def test_every_variable_has_something_to_choose(watched: Watched) -> None:
    found = {label: watched.prometheus.instant(f"count by ({label}) ({series})") for series, label in set(choices())}
    assert found.keys() == {"job", "group", "channel", "priority", "instance"}
    for label, offered in found.items():
        assert any(each.labels.get(label) for each in offered), label


# -- the same as a replay ---------------------------------------------------------------------------------------------------------


def expected(tile: Tile, replayed: Replayed, at: float) -> float:
    """What a replay says of the tile, by the topic of KPIs and by the exposition; not by PromQL."""
    reading = tile.reading
    if isinstance(reading, Kpi):
        found = replayed.kpis[reading.window][reading.name]
        return float(found["value"] if reading.stat in ("", "mean") else found[reading.stat])
    if isinstance(reading, Level):
        (level,) = (value for labels, value in replayed.samples["support_kpi_level"]
                    if labels["level"] == reading.name and labels["by"] == "total")  # fmt: skip
        return level
    chosen = dict(reading.labels).items()
    values = [value for labels, value in replayed.samples[reading.family] if chosen <= labels.items()]
    if reading.form == "since":
        return max(at - min(values), 0)
    if reading.form == "until":
        return max(min(values) - at, 0)
    if reading.form == "size":
        return max(map(abs, values))
    merge = reading.merge or BY_NAME[reading.family].merge
    return sum(values) if merge == "sum" else min(values) if merge == "min" else max(values)


def shown(prometheus: Scraping, expression: str, at: float) -> Answer | None:
    """The one series of an expression, if there is an expression."""
    found = [] if not expression else prometheus.instant(expression.replace("$job", JOB), at)
    assert len(found) <= 1, expression
    return found[0] if found else None


def of_the_process(tile: Tile) -> bool:
    """What a replay, which has no process, cannot know."""
    return isinstance(tile.reading, Series) and BY_NAME[tile.reading.family].operational


def differences(board: Board, watched: Watched, at: float) -> list[tuple[str, Any, Any]]:
    """Tiles that do not say what a replay says."""
    found = []
    for tile in board.tiles:
        if not of_the_process(tile):
            answer = shown(watched.prometheus, promql.promql(tile.reading), at)
            want = expected(tile, watched.replayed, at)
            if answer is None or not math.isclose(answer.value, want, rel_tol=1e-6, abs_tol=2e-3):
                found.append((tile.name, answer, want))
    return found


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_every_tile_of_a_board_says_what_a_replay_says(watched: Watched, board: Board) -> None:
    assert sum(not of_the_process(tile) for tile in board.tiles) >= 3
    clock = WallClock()

    def equal() -> bool:  # levels come up to a second after the minute
        return not differences(board, watched, clock.now() / 1000)

    try:
        until("all are equal", equal, seconds=30, every=1)
    except AssertionError:
        pytest.fail(str(differences(board, watched, clock.now() / 1000)))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_prometheus_judges_a_tile_as_the_worker_does(watched: Watched, board: Board) -> None:
    at = WallClock().now() / 1000
    age = at - watched.replayed.end / 1000 if board.dated else 0
    seen = set()
    for tile in board.tiles:
        answer = shown(watched.prometheus, promql.judged(tile, board), at)
        assert answer is not None, tile.name
        few, goal = (shown(watched.prometheus, each, at) for each in (promql.observations(tile.reading), promql.target(tile)))
        target = tile.limit if goal is None else goal.value
        n = None if few is None else int(few.value)
        state = judge(answer.value, better=tile.better, target=target, n=n, min_n=watched.config.kpis.min_n, age_seconds=age)
        assert answer.labels[promql.STATE] == state.value.label, (tile.name, answer, target, n)
        seen.add(state)
    assert seen - {State.FREE}
