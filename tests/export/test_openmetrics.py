"""The log as OpenMetrics: at minute W stands what happened before W, and the text is what the specification says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from processor.cli.replay import command
from processor.compile import compile_settings
from processor.core.outputs import Stated
from processor.core.settings import MINUTE_MS
from processor.export import openmetrics
from processor.export.openmetrics import FAMILIES_SHOWN, OpenMetricsError, known_families, write
from processor.replay import Replay
from tests.replay.logs import SMALL_CONFIG, START, event, generated, told

FIRST = START // 1000
LABEL = re.compile(r'(\w+)="([^"]*)"')
Samples = dict[tuple[str, frozenset[tuple[str, str]]], dict[int, float]]


def facts_of(lines: list[bytes]) -> tuple[list[Stated], int]:
    """The net facts of a log, details included, and how far its timers ran."""
    replay = Replay(SMALL_CONFIG, settings=replace(compile_settings(SMALL_CONFIG), facts_detail_all=True), keep_facts=True)
    replay.feed_lines(lines)
    replay.finish()
    return replay.net_facts(), replay.last_event_at()


def text_of(lines: list[bytes], **options: Any) -> str:
    facts, until = facts_of(lines)
    written = {"until": until, "hours": 48, **options}
    return b"".join(write(facts, SMALL_CONFIG, compile_settings(SMALL_CONFIG), **written)).decode()


def samples_of(text: str) -> Samples:
    """By name and labels, then by time. Every series stands in the order of time."""
    found: Samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            series, value, at = line.rsplit(" ", 2)
            name, _, labels = series.partition("{")
            values = found.setdefault((name, frozenset(LABEL.findall(labels))), {})
            assert int(at) > max(values, default=0)
            values[int(at)] = float(value)
    return found


def of(samples: Samples, name: str, **labels: str) -> dict[int, float]:
    return samples[name, frozenset(labels.items())]


def test_a_fact_counts_from_the_next_minute_on() -> None:
    """At a full minute W: not yet at W, which is the end of the minute before it."""
    lines = [
        event(0, "ticket.created", ticket_id="T-1", channel="email", priority="normal", group="billing"),
        event(2, "ticket.created", ticket_id="T-2", channel="email", priority="normal", group="billing"),
        event(2.5, "ticket.created", ticket_id="T-3", channel="email", priority="normal", group="billing"),
        event(4, "ticket.created", ticket_id="T-4", channel="email", priority="urgent", group="billing"),
    ]
    samples = samples_of(text_of(lines))
    labels = {"channel": "email", "group": "billing", "priority": "normal"}
    created = of(samples, "support_tickets_created_total", **labels)
    assert created == {FIRST + 60 * minute: value for minute, value in enumerate([0, 1, 1, 3, 3])}
    window = of(samples, "support_window_observations", kpi="tickets_created", window="5m", by="group", group="billing")
    assert window == created


def test_every_series_begins_with_the_first_minute_and_ends_with_the_last() -> None:
    """So that the first event of each is an increase."""
    samples = samples_of(text_of(told()))
    expected = set(range(FIRST, FIRST + 3601, 60))
    assert all(set(values) == expected for values in samples.values())
    assert len(samples) > 400


def test_a_histogram_is_whole_at_each_minute() -> None:
    samples = samples_of(text_of(told()))
    counts = of(samples, "support_first_response_seconds_count", channel="email", group="billing")
    seconds = of(samples, "support_first_response_seconds_sum", channel="email", group="billing")
    assert (counts[FIRST + 12 * 60], counts[FIRST + 13 * 60], counts[FIRST + 3600]) == (0, 1, 1)
    assert seconds[FIRST + 3600] == 720.0
    for at, count in counts.items():
        edges = [at_each for (name, labels), at_each in samples.items()
                 if name == "support_first_response_seconds_bucket" and ("group", "billing") in labels]  # fmt: skip
        assert (len(edges), max(each[at] for each in edges)) == (23, count)


def test_what_was_taken_back_was_never_there() -> None:
    """A late event that proves a ticket spam leaves no trace of its solution, at no minute."""
    lines = told()
    spam = event(41, "ticket.marked_as_spam", ticket_id="T-answered")
    with_spam, without = samples_of(text_of([*lines, spam])), samples_of(text_of(lines))
    assert max(max(values.values()) for (name, _), values in without.items() if name == "support_tickets_solved_total") == 1
    assert not any(sum(values.values()) for (name, _), values in with_spam.items() if name == "support_tickets_solved_total")
    assert not any("retracted" in name for name, _ in without)


def test_fewer_hours_are_the_end_of_the_same() -> None:
    lines = generated().lines
    names = ("support_tickets_created_total", "support_speed_of_answer_seconds", "support_window_observations")
    families = known_families(names)
    whole, end = (samples_of(text_of(lines, hours=hours, families=families)) for hours in (5, 2))
    assert {name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") for name, _ in end} == set(names)
    compared = 0
    for series, values in end.items():
        assert len(values) == 121
        for at, value in values.items():
            assert whole[series][at] == pytest.approx(value)
            compared += value > 0
    assert compared > 5000


def test_families_are_not_interleaved_and_the_end_is_marked() -> None:
    lines = text_of(told()).splitlines()
    assert lines[-1] == "# EOF"
    headers = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert headers == [family.base_name for family in FAMILIES_SHOWN]
    family = ""
    for line in lines[:-1]:
        family = line.split()[2] if line.startswith("# ") else family
        assert line.startswith((f"# HELP {family} ", f"# TYPE {family} ", f"{family}_", f"{family}{{"))


def test_the_text_is_openmetrics() -> None:
    """By the client library's strict parser, a minute at a time: of a histogram it forgets all but one sample of any later minute."""
    families = samples = 0
    for minute in (0, 13, 60):
        text = text_of([line for line in told() if b"T-new" not in line], until=START + minute * MINUTE_MS, hours=1)
        kept = [line for line in text.splitlines() if line.startswith("#") or line.endswith(f" {FIRST + minute * 60}")]
        for family in text_string_to_metric_families("\n".join([*kept, ""])):  # type: ignore[no-untyped-call]
            families += 1
            samples += len(family.samples)
    assert families == 3 * len(FAMILIES_SHOWN)
    assert samples > 1400


def test_an_empty_log_has_no_samples() -> None:
    text = b"".join(write([], SMALL_CONFIG, compile_settings(SMALL_CONFIG), until=START, hours=1)).decode()
    assert [name for name, _ in samples_of(text) if "window" not in name] == []
    assert text.endswith("# EOF\n")


def test_too_many_samples_are_refused_before_the_first_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmetrics, "SAMPLES_MAX", 10_000)
    facts, until = facts_of(told())
    written: Iterator[bytes] = write(facts, SMALL_CONFIG, compile_settings(SMALL_CONFIG), until=until, hours=1)
    with pytest.raises(OpenMetricsError, match=r"samples, more than 10,000: take fewer hours"):
        next(written)


def test_a_refused_text_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openmetrics, "SAMPLES_MAX", 10_000)
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\n".join(told()))
    refused = run(log, "--openmetrics", tmp_path / "metrics.txt")
    assert (refused.exit_code, "take fewer hours, or some of the families" in refused.stderr) == (2, True)
    assert not (tmp_path / "metrics.txt").exists()


def test_the_values_at_the_end_are_those_of_the_exposition(tmp_path: Path) -> None:
    """Up to the last full minute: so on a log that ends at one."""
    log, text, exposition = tmp_path / "log.jsonl", tmp_path / "metrics.txt", tmp_path / "exposition.txt"
    end = event(36 * 60 + 5, "ticket.created", ticket_id="T-last", channel="email")
    log.write_bytes(b"\n".join([*generated().lines, end]))
    result = run(log, "--openmetrics", text, "--exposition", exposition, "--openmetrics-family", "support_window_observations",
                 "--openmetrics-hours", 1)  # fmt: skip
    assert result.exit_code == 0, result.output
    at = FIRST + (36 * 60 + 5) * 60
    written = {labels: values[at] for (_, labels), values in samples_of(text.read_text()).items()}
    served = dict[frozenset[tuple[str, str]], float]()
    for line in exposition.read_text().splitlines():
        name, _, rest = line.partition("{")
        if name == "support_window_observations":
            labels, _, value = rest.rpartition("} ")
            pairs = {tuple(pair.split("=", 1)) for pair in labels.replace('"', "").split(",")}
            served[frozenset((key, word) for key, word in pairs if key != "partition")] = float(value)
    assert len(served) > 500
    assert {labels: value for labels, value in served.items() if value} == {labels: value for labels, value in written.items() if value}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_the_command_refuses_what_is_not_there_and_writes_the_facts_as_ever(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(b"\n".join(told()))
    refused = run(log, "--openmetrics", tmp_path / "x", "--openmetrics-family", "support_nonsense")
    assert (refused.exit_code, "no such family: support_nonsense. There are support_tickets_created_total," in refused.output) == (2, True)
    assert "only one output" in run(log, "--openmetrics", "-", "--json").output
    plain, beside = tmp_path / "plain", tmp_path / "beside"
    one, other = run(log, "--facts", plain, "--json"), run(log, "--facts", beside, "--openmetrics", tmp_path / "x", "--json")
    assert plain.read_bytes() == beside.read_bytes()
    assert one.stdout.partition('"seconds"')[0] == other.stdout.partition('"seconds"')[0]
    assert run(log, "--openmetrics", "-").stdout.endswith("# EOF\n")


