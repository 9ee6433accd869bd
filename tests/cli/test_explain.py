"""`ticket-kpis explain` as support analysts and scripts use it."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from processor.cli.explain import command
from processor.codec.envelope import cloud_event, encode
from processor.codec.times import parse_time
from processor.core.settings import MINUTE_MS
from processor.schemas_path import schemas_path

START = parse_time("2026-03-02T08:00:00Z")  # a Monday
CONFIG = """
reporting_zone: Europe/Berlin
calendars: {office: {zone: UTC, hours: {mon: "08:00-18:00", tue: "08:00-18:00"}}}
policies:
  - {id: standard, effective_from: 2026-01-01, calendar: office, targets: {first_response: 30m, resolution: 8h}}
"""
ANSWER = json.loads((schemas_path() / "examples/support.explanation.v1/as_it_was.json").read_text())


def event(minute: float, kind: str, ticket: str = "T-1", **data: Any) -> bytes:
    number = f"{kind}-{minute:g}"
    fields = {"ticket_id": ticket, **data}
    return encode(cloud_event(kind=kind, id=number, source="/desk", occurred_at_ms=START + round(minute * MINUTE_MS), data=fields))


LOG = [
    event(0, "ticket.created", channel="email"),
    event(1, "ticket.created", "T-2", channel="email"),
    event(60, "message.added", message_id="M-1", author={"type": "agent", "id": "A-17"}),
    event(70, "ticket.status_changed", status="pending"),
    event(100, "ticket.status_changed", status="solved"),
    event(20, "message.added", message_id="M-0", author={"type": "agent", "id": "A-17"}),  # late
    event(3000, "ticket.created", "SUP-7", channel="web"),
    event(101, "message.added", message_id="M-2", author={"type": "customer"}),  # much too late
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(LOG) + b"\n")
    return path


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], input=stdin)


def document(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    made: dict[str, Any] = json.loads(result.stdout)
    Draft202012Validator(json.loads((schemas_path() / "support.explanation.v1.schema.json").read_text())).validate(made)
    return made


def test_it_tells_why_in_words_and_in_local_time(log: Path, config: Path) -> None:
    result = run("T-1", log, "--config", config)
    assert result.exit_code == 0, result.output
    for said in (
        "Times are in Europe/Berlin",
        "T-1: solved",
        "first_response 1: in time",
        "policy standard, version 1, in force since Thu 2026-01-01 00:00:00; target 30 min in the open hours of office",
        "fulfilled Mon 2026-03-02 09:20:00 by message.added agent, public (id message.added-20, /desk)",
        "clock.breached first_response, taken back when this came: message.added agent, public (id message.added-20",
        "stood still, after ticket.status_changed pending",
        "Resolved at the first contact: yes",
        "line 8: too_late",
    ):
        assert said in result.output, said
    assert "A-17" not in result.output


def test_the_same_for_programs(log: Path, config: Path) -> None:
    made = document("T-1", log, "--config", config)
    assert [(each["clock"], each["verdict"]) for each in made["clocks"]] == [("first_response", "in_time"), ("resolution", "in_time")]
    assert {each["kind"] for each in made["corrections"]} >= {"clock.breached", "ticket.first_responded"}
    assert made["rejected"][0] | {"detail": ""} == {
        "where": "line 8", "reason": "too_late", "detail": "", "type": "support.message.added", "id": "message.added-101",
        "source": "/desk", "time": "2026-03-02T09:41:00.000Z",
    }  # fmt: skip


def test_one_clock_and_one_instant(log: Path, config: Path) -> None:
    result = run("T-1", log, "--config", config, "--clock", "resolution")
    assert "resolution 1" in result.output
    assert "first_response" not in result.output
    made = document("T-1", log, "--config", config, "--at", "2026-03-02T09:15:00Z", "--clock", "resolution")
    assert [(each["clock"], each["state"]) for each in made["clocks"]] == [("resolution", "paused")]
    assert made["as_of"] == "2026-03-02T09:15:00.000Z"
    missing = run("T-1", log, "--config", config, "--clock", "update")
    assert (missing.exit_code, "no policy that applied to it has a target" in missing.stderr) == (2, True)


def test_timers_run_on_where_a_later_instant_is_asked_for(log: Path, config: Path) -> None:
    made = document("T-2", log, "--config", config, "--at", "2026-03-10T12:00:00Z")
    assert [each["verdict"] for each in made["clocks"]] == ["breached", "breached"]
    assert made["clocks"][1]["breached"]["at"] == "2026-03-02T16:01:00.000Z"


def test_piped_compressed_and_dealt_out_logs_say_the_same(log: Path, config: Path, tmp_path: Path) -> None:
    compressed = tmp_path / "events.jsonl.gz"
    compressed.write_bytes(gzip.compress(log.read_bytes()))
    said = document("T-1", log, "--config", config)
    assert document("T-1", compressed, "--config", config) == said
    assert json.loads(run("T-1", "-", "--config", config, "--json", stdin=log.read_bytes()).stdout) == said
    assert document("T-1", log, "--config", config, "--partitions", 4)["clocks"] == said["clocks"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("t1",), "t1 is not among the 3 tickets of the log; similar: T-1"),
        (("zzzz",), "which have ids such as SUP-7"),
        (("T-1", "--clock", "queue_wait"), "Invalid value for '--clock'"),
        (("T-1", "--at", "noon"), "Invalid value for '--at'"),
        (("T-1", "--at", "2026-03-01T00:00:00Z"), "its first event is of 2026-03-02T08:00:00.000Z"),
        (("T-1", "--url", "http://localhost:1"), "give either a recorded LOG or the --url"),
    ],
)
def test_what_cannot_be_told_says_what_to_do(arguments: tuple[str, ...], said: str, log: Path) -> None:
    result = run(arguments[0], log, *arguments[1:])
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_a_contact_and_an_empty_log_are_told_apart_from_an_unknown_ticket(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    contact = {"contact_id": "C-1", "channel": "phone", "queue": "sales"}
    path.write_bytes(encode(cloud_event(kind="contact.queued", id="1", source="/s", occurred_at_ms=START, data=contact)) + b"\n")
    assert "C-1 is a contact" in run("C-1", path).stderr
    assert "the log has no tickets in its 1 records" in run("T-1", path).stderr


@contextmanager
def worker(status: int, body: bytes) -> Iterator[str]:
    """Something that answers as a worker does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *parts: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_workers_are_asked_until_one_has_the_ticket() -> None:
    elsewhere = json.dumps({"error": "another worker serves it", "reason": "elsewhere"}).encode()
    with worker(404, elsewhere) as first, worker(200, json.dumps(ANSWER).encode()) as second:
        assert document("T-1042", "--url", first, "--url", second) == ANSWER
        alone = run("T-1042", "--url", first)
        assert (alone.exit_code, "another worker serves it" in alone.stderr) == (2, True)


@pytest.mark.parametrize(("status", "body", "said"), [(200, b"<html>", "answers no JSON"), (404, b"404: Not Found", "answers 404")])
def test_something_else_than_a_worker_is_told(status: int, body: bytes, said: str) -> None:
    with worker(status, body) as url:
        assert said in run("T-1", "--url", url).stderr


def test_nobody_there_is_told() -> None:
    assert "is the worker running" in run("T-1", "--url", "http://127.0.0.1:9").stderr
    assert "an address such as" in run("T-1", "--url", "worker:9108").stderr
