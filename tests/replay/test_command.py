"""`ticket-kpis replay` as people and scripts use it."""

from __future__ import annotations

import gzip
import re
from os import mkfifo
from pathlib import Path
from threading import Thread

import orjson
import pytest
from click.testing import CliRunner, Result

from processor.cli.replay import command
from processor.codec.times import format_time
from processor.config import Config
from processor.replay import Replay
from tests.replay.logs import START, capture, generated, told

HOUR_MS = 3_600_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(told()) + b"\n")
    return path


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], input=stdin)


def digest_of(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return str(orjson.loads(result.stdout)["digest"])


def test_the_report_tells_the_four_headlines_and_the_digest(log: Path) -> None:
    result = run(log)
    assert result.exit_code == 0
    for said in ("First response", "4 unsolved", "33.3 %", "1 of 3 (offered - short)", "SLA compliance", "By day", "digest", "hotline"):
        assert said in result.stdout
    assert digest_of(run(log, "--json")) in result.stdout


def test_what_entered_and_left_the_backlog_adds_up_to_it(log: Path) -> None:
    result = run(log)
    headlines = result.stdout.partition("Backlog")[2].partition("oldest of")[0]
    numbers = map(int, re.findall(r"(?:in|new|reopened|other|out|solved) (\d+)", headlines))
    entered, created, reopened, other, left, solved, elsewhere = numbers
    assert (entered, left) == (created + reopened + other, solved + elsewhere)
    assert entered - left == 4


def test_the_report_for_programs(log: Path) -> None:
    report = orjson.loads(run(log, "--json").stdout)
    assert report["events"] | {"corrections": 0} == {
        "consumed": 18, "accepted": 18, "duplicates": 0, "late": 0, "corrections": 0, "control": 0, "skipped": 0, "rejected": 0,
    }  # fmt: skip
    assert (report["kpis"]["first_response"]["n"], report["kpis"]["first_response"]["mean_seconds"]) == (2, 1830.0)
    assert report["kpis"]["first_response"]["median_at_most_seconds"] == 900
    assert report["kpis"]["backlog"]["now"] == 4
    assert report["kpis"]["abandonment"]["abandonment_ratio"] == 0.3333
    assert report["totals"]["support_tickets_created_total"] == 4
    assert report["days"][0]["created"] == 4


def test_plain_compressed_piped_and_split_logs_are_the_same_log(log: Path, tmp_path: Path) -> None:
    compressed = tmp_path / "events.jsonl.gz"
    compressed.write_bytes(gzip.compress(log.read_bytes()))
    folder = tmp_path / "parts"
    folder.mkdir()
    lines = log.read_bytes().splitlines(keepends=True)
    (folder / "1.jsonl").write_bytes(b"".join(lines[:7]))
    (folder / "2.jsonl.gz").write_bytes(gzip.compress(b"".join(lines[7:])))
    digests = {digest_of(run(source, "--json")) for source in (log, compressed, folder)}
    assert digests | {digest_of(run("-", "--json", stdin=log.read_bytes())), digest_of(run(log, "--json", "--partitions", 5))} == digests
    assert len(digests) == 1


def test_exposition_and_facts_go_to_files_or_to_standard_output(log: Path, tmp_path: Path) -> None:
    exposition, facts = tmp_path / "metrics.txt", tmp_path / "facts.jsonl"
    result = run(log, "--exposition", exposition, "--facts", facts, "--json")
    report = orjson.loads(result.stdout)
    assert b'support_backlog_tickets{status="open"' in exposition.read_bytes()
    assert b'support_window_first_response_seconds{stat="mean",window="1h",by="total"} ' in exposition.read_bytes()
    assert b'support_kpi_level{level="backlog",by="total"} 4\n' in exposition.read_bytes()
    assert len(facts.read_bytes().splitlines()) == report["ledger_count"]
    piped = run(log, "--exposition", "-")
    assert piped.stdout_bytes == exposition.read_bytes()
    both = run(log, "--exposition", "-", "--json")
    assert (both.exit_code, "only one output" in both.output) == (2, True)


def test_the_instant_decides_how_far_timers_run(log: Path) -> None:
    later = run(log, "--json", "--at", format_time(START + 48 * HOUR_MS))
    assert orjson.loads(later.stdout)["timers_until"] == format_time(START + 48 * HOUR_MS)
    assert digest_of(later) != digest_of(run(log, "--json"))
    assert run(log, "--at", "tomorrow").exit_code == 2


def test_rejected_records_are_told_listed_and_with_strict_the_exit_code(log: Path, tmp_path: Path) -> None:
    rejected = tmp_path / "rejected.jsonl"
    log.write_bytes(b"{bad\n" + log.read_bytes())
    result = run(log, "--rejected", rejected)
    assert result.exit_code == 0
    assert "malformed_json" in result.stdout
    (told_of,) = [orjson.loads(line) for line in rejected.read_bytes().splitlines()]
    assert (told_of["reason"], told_of["line"], told_of["value"]) == ("malformed_json", 1, "{bad")
    assert run(log, "--strict").exit_code == 1
    assert orjson.loads(run(log, "--json").stdout)["rejected"] == {"malformed_json": 1}


def test_a_snapshot_that_agrees_and_one_that_does_not(tmp_path: Path) -> None:
    lines = capture(generated().lines, 4)
    path, snapshot = tmp_path / "capture.jsonl", tmp_path / "snapshot.json"
    path.write_bytes(b"\n".join(lines))
    worker = Replay(Config())
    worker.feed_lines(lines[:3000])
    taken = worker.snapshot()
    snapshot.write_bytes(orjson.dumps(taken))
    agreed = run(path, "--snapshot", snapshot)
    assert agreed.exit_code == 0, agreed.output
    assert "equal" in agreed.stdout
    taken["metrics"]["support_tickets_created_total"]['channel="email",group="none",priority="low"'] = 123_456
    snapshot.write_bytes(orjson.dumps(taken))
    differing = run(path, "--snapshot", snapshot, "--json")
    assert differing.exit_code == 1
    assert "123456" in differing.stderr
    assert "support_tickets_created_total" in differing.stderr


def test_a_snapshot_with_something_on_the_way_is_to_be_taken_again(tmp_path: Path) -> None:
    lines = capture(generated().lines, 4)
    path, snapshot = tmp_path / "capture.jsonl", tmp_path / "snapshot.json"
    path.write_bytes(b"\n".join(lines))
    worker = Replay(Config())
    worker.feed_lines(lines[:3000])
    taken = worker.snapshot()
    for number in taken["partitions"]:
        taken["partitions"][number] |= {"rekeyed_applied": 7, "rekeyed_unread": int(number)}
    snapshot.write_bytes(orjson.dumps(taken))
    assert run(path, "--snapshot", snapshot).exit_code == 0  # what was on its way may change nothing
    taken["digest"] = "0" * 32
    snapshot.write_bytes(orjson.dumps(taken))
    result = run(path, "--snapshot", snapshot)
    assert result.exit_code == 1
    assert "6 records were on their way" in result.stdout
    assert "Take it again" in result.stdout
    for partition in taken["partitions"].values():
        partition |= {"rekeyed_unread": 0, "postponed": 2}
    snapshot.write_bytes(orjson.dumps(taken))
    told = " ".join(run(path, "--snapshot", snapshot).stdout.split())
    assert "8 tickets, contacts or agents had something due that waited" in told
    reached = max(partition["timer_time"] for partition in taken["partitions"].values())
    assert f"`send --advance-clock {format_time(reached)}`" in told


def test_a_file_in_a_folder_that_is_not_there_is_told_before_the_log_is_read(log: Path, tmp_path: Path) -> None:
    result = run(log, "--html", tmp_path / "reports" / "today.html")
    assert (result.exit_code, f"there is no folder {tmp_path / 'reports'}" in result.stderr) == (2, True)


def test_a_log_may_come_through_a_pipe_that_has_a_name(tmp_path: Path) -> None:
    pipe = tmp_path / "log"
    mkfifo(pipe)
    writer = Thread(target=pipe.write_bytes, args=(b"\n".join(generated().lines[:100]),))
    writer.start()
    result = run(pipe)
    writer.join()
    assert (result.exit_code, "100 records" in result.stdout) == (0, True)


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"format":1,"partitions":{"0":{"applied":null}},"metrics":{}}'])
def test_what_is_no_snapshot_of_a_worker_is_refused(log: Path, tmp_path: Path, content: bytes) -> None:
    snapshot = tmp_path / "snapshot.json"
    snapshot.write_bytes(content)
    result = run(log, "--snapshot", snapshot)
    assert (result.exit_code, "snapshot" in result.stderr) == (2, True)


def test_a_damaged_file_an_empty_folder_and_a_bad_configuration_are_told_without_a_traceback(log: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jsonl.gz"
    damaged.write_bytes(gzip.compress(log.read_bytes())[:-20])
    (tmp_path / "empty").mkdir()
    config = tmp_path / "config.yaml"
    config.write_text("time: {timer_delay: 5}\nnonsense: 1\n")
    for arguments, said in (
        ((damaged,), "damaged"),
        ((tmp_path / "empty",), "no files"),
        ((log, "--config", config), "nonsense"),
        ((tmp_path / "missing",), "does not exist"),
    ):
        result = run(*arguments)
        assert result.exit_code == 2
        assert said in result.stderr
        assert isinstance(result.exception, SystemExit)


def test_an_empty_log_has_a_report_too(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.touch()
    result = run(path)
    assert (result.exit_code, result.stderr) == (0, f"ticket-kpis: {path} has no records: is it the right one?\n")
    assert run(tmp_path).stderr.endswith("has no records in its files, events.jsonl: is it the right one?\n")
    assert run("-", stdin=b"").stderr == "ticket-kpis: standard input has no records: is it the right one?\n"
    assert orjson.loads(run(path, "--json").stdout)["ledger_count"] == 0


def test_the_kpis_of_every_reported_minute_and_of_the_end_can_be_written(log: Path, tmp_path: Path) -> None:
    path = tmp_path / "kpis.jsonl"
    report = orjson.loads(run(log, "--json", "--kpis", path, "--partitions", 3, "--at", format_time(START + 24 * HOUR_MS)).stdout)
    records = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    ends = sorted({record["time"] for record in records})
    assert len(ends) > 1
    assert all(record["type"] == "support.kpis.window" and record["data"]["complete"] for record in records)
    last = [record["data"] for record in records if record["time"] == ends[-1]]
    (total,) = (each for each in last if each["by"] == [] and each["window"] == "24h")
    assert total["kpis"]["backlog_tickets"]["value"] == report["kpis"]["backlog"]["now"] == 4


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("ticket,opened\n1,2026-01-01\n", encoding="utf-8")
    result = run(table)
    assert result.exit_code == 2
    assert f"{table}: none of the 2 records is an event (malformed_json 2); `ticket-kpis convert csv` reads tables" in result.stderr
