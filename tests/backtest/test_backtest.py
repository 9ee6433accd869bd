"""What would have fired over logs of which one knows: a surge is paged when it must be, quiet days are not, and bad input is said."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from processor.backtest.findings import PAGES, SAME
from processor.cli.backtest_tables import WIDE, render
from processor.cli.options import PAPER_WIDTH
from processor.codec.times import format_time, parse_time
from processor.core.settings import MS
from tests.backtest.calls import MONDAY, calls, found, run, written
from tests.deploy.conftest import load_yaml

# Pages from the third caller on who gives up within ten minutes, if it goes on for two.
RULES = """
groups:
  - name: calls
    rules:
      - {record: "support:contacts_abandoned_total:max", expr: "max without (instance, pod) (support_contacts_abandoned_total)"}
      - record: "job_queue:support_contacts_abandoned:increase10m"
        expr: "sum by (job, queue) (increase(support:contacts_abandoned_total:max[10m]))"
      - alert: Abandoned
        expr: 'job_queue:support_contacts_abandoned:increase10m > 2.5'
        for: 2m
        keep_firing_for: 5m
        labels: {severity: critical, alert_kind: kpi, alert_family: abandonment}
        annotations: {summary: "Callers give up."}
      - alert: Abandoned
        expr: 'job_queue:support_contacts_abandoned:increase10m > 0.5'
        labels: {severity: warning, alert_kind: kpi, alert_family: abandonment}
      - {alert: Down, expr: 'absent(support_processor_build_info)', labels: {severity: critical, alert_kind: processor}}
"""
CONFIG = {
    "segments": {"known": {"channel": ["phone"], "queue": ["sales"]}},
    "policies": [{"id": "calls", "targets": {"queue_wait": "30s"}}],
}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yml"
    path.write_text(RULES)
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def minute(text: str) -> float:
    """Minutes since the log began."""
    return (parse_time(text) - MONDAY.timestamp() * MS) / 60_000


def told(document: dict[str, Any], severity: str) -> list[dict[str, Any]]:
    return [each for each in document["fired"] if each["severity"] == severity]


def test_a_surge_is_paged_when_it_must_be_and_is_over_when_it_is(tmp_path: Path, rules: Path, config: Path) -> None:
    document = found(written(tmp_path, calls(120, [range(60, 75)])), tmp_path, "--rules", rules, "--config", config)
    (page,), (warning,) = told(document, "critical"), told(document, "warning")
    # The callers of minute 60 give up within it, so the sample of minute 61 has two and that of 62 four; two minutes later it is a page.
    assert (minute(page["held_since"]), minute(page["fired_at"])) == (62, 64)
    # The last gave up within minute 74. The window that ends at 82 still has the steps of 73 and 74, and then come five minutes of grace.
    assert 87 <= minute(page["ended_at"]) <= 90
    assert page["seconds"] == (minute(page["ended_at"]) - 64) * 60
    assert (page["alert"], page["labels"], page["summary"]) == ("Abandoned", {"queue": "sales"}, "Callers give up.")
    assert minute(warning["fired_at"]) == 61
    assert 0 < warning["inhibited_seconds"] < warning["seconds"]
    assert document["not_in_a_log"] == ["Down"]
    assert document["never_fired"] == []


def test_how_early_a_page_is_is_told_by_the_first_breach_after_it(tmp_path: Path, rules: Path, config: Path) -> None:
    document = found(written(tmp_path, calls(120, [range(60, 75)])), tmp_path, "--rules", rules, "--config", config)
    (page,) = told(document, "critical")
    assert document["breaches"] == 30  # everybody who gave up had waited for longer than 30 s
    assert document["first_breach_at"] == format_time(round((MONDAY + timedelta(minutes=60, seconds=30)).timestamp() * MS))
    assert page["breaches_in_the_hour_before"] == 8
    assert page["breaches_while_firing"] == 22
    assert page["early_seconds"] == 30
    assert page["first_breach_after"] == format_time(round((MONDAY + timedelta(minutes=64, seconds=30)).timestamp() * MS))


def test_nothing_fires_over_a_quiet_log(tmp_path: Path, config: Path) -> None:
    """With the rules that the configuration makes."""
    document = found(written(tmp_path, calls(300)), tmp_path, "--config", config)
    assert document["fired"] == []
    assert document["days_paged"] == []
    assert document["days_paged_ratio"] == 0
    (day,) = document["days"]
    assert (day["date"], day["contacts_offered"], day["abandoned_ratio"]) == ("2026-11-16", 600, 0)


def test_the_generated_rules_page_when_callers_give_up_for_an_hour(tmp_path: Path, config: Path) -> None:
    document = found(written(tmp_path, calls(300, [range(120, 240)])), tmp_path, "--config", config)
    pages = [each for each in told(document, "critical") if each["alert"] == "SupportAbandonmentHigh"]
    assert len(pages) == 1
    assert 120 < minute(pages[0]["fired_at"]) < 200
    assert document["days_paged"] == ["2026-11-16"]


def test_a_series_under_its_recorded_name_is_what_prometheus_would_have_recorded(tmp_path: Path, rules: Path, config: Path) -> None:
    log = written(tmp_path, calls(120, [range(60, 75)]))
    short = found(log, tmp_path, "--rules", rules, "--config", config)
    rules.write_text(RULES.replace("max without (instance, pod) (", "max without (pod, instance) ("))
    computed = found(log, tmp_path, "--rules", rules, "--config", config)
    assert computed["fired"] == short["fired"]


def test_the_number_of_partitions_makes_no_difference(tmp_path: Path, rules: Path, config: Path) -> None:
    log = written(tmp_path, calls(120, [range(60, 75)]))
    alone, several = (found(log, tmp_path, "--rules", rules, "--config", config, "--partitions", n) for n in ("1", "3"))
    assert several["fired"] == alone["fired"]
    assert several["days"] == alone["days"]


def test_what_lies_before_since_counts_and_is_not_evaluated(tmp_path: Path, rules: Path, config: Path) -> None:
    log = written(tmp_path, calls(120, [range(20, 30), range(80, 90)]))
    part = ("--since", "2026-11-16T09:00:00Z", "--until", "2026-11-16T09:40:00Z")
    document = found(log, tmp_path, "--rules", rules, "--config", config, *part)
    assert [minute(page["fired_at"]) for page in told(document, "critical")] == [84]
    assert (document["from"], document["until"]) == ("2026-11-16T09:00:00.000Z", "2026-11-16T09:40:00.000Z")
    (day,) = document["days"]
    assert (day["contacts_offered"], day["contacts_abandoned"]) == (80, 20)  # of the 40 minutes
    assert document["breaches"] == day["breaches"] == 20


def test_a_part_may_be_told_by_days_of_the_reporting_zone(tmp_path: Path, rules: Path) -> None:
    log = written(tmp_path, calls(60, [range(20, 30)], start=datetime(2026, 11, 15, 22, 45, tzinfo=UTC)))  # over midnight in Berlin
    berlin = tmp_path / "berlin.json"
    berlin.write_text(json.dumps(CONFIG | {"reporting_zone": "Europe/Berlin"}), encoding="utf-8")
    whole = ("--rules", rules, "--config", berlin)
    by_day = found(log, tmp_path, *whole, "--since", "2026-11-15", "--until", "2026-11-15")
    by_instant = found(log, tmp_path, *whole, "--since", "2026-11-14T23:00:00Z", "--until", "2026-11-15T23:00:00Z")
    assert by_day | {"took_seconds": ()} == by_instant | {"took_seconds": ()}
    assert by_day["breaches"] == 0  # those of the surge are of the next day
    assert found(log, tmp_path, *whole, "--since", "2026-11-16")["breaches"] == 20


def test_what_fires_already_when_a_part_begins_has_its_own_beginning_and_is_no_page_of_it(
    tmp_path: Path, rules: Path, config: Path,
) -> None:  # fmt: skip
    """The surge of minutes 50 to 59 is over when the part begins, but the page goes on; that of minute 5 is forgotten."""
    log = written(tmp_path, calls(120, [range(5, 10), range(50, 60)]))
    whole = ("--rules", rules, "--config", config)
    later = (*whole, "--since", "2026-11-16T09:01:00Z")
    _, page = told(found(log, tmp_path, *whole), "critical")
    part = found(log, tmp_path, *later)
    assert (minute(page["held_since"]), minute(page["fired_at"]), page["fired_already"]) == (52, 54, False)
    assert told(part, "critical") == [{**page, "fired_already": True}]
    assert (part["pages"], part["first_page_at"], part["days_paged"], part["never_fired"]) == (0, None, [], [])
    assert [(day["pages"], day["warnings"], day["breaches"]) for day in part["days"]] == [(0, 0, 0)]
    said = run(log, *later).output
    for words in ("Mon 16 Nov 08:54", "0 and 1 from before", "Nobody would have been paged.", "no page or warning: Abandoned."):
        assert words in said, said


def test_what_is_pending_when_a_part_begins_fires_when_it_must(tmp_path: Path, rules: Path, config: Path) -> None:
    log = written(tmp_path, calls(120, [range(50, 60)]))
    part = found(log, tmp_path, "--rules", rules, "--config", config, "--since", "2026-11-16T08:53:00Z")
    (page,) = told(part, "critical")
    assert (minute(page["held_since"]), minute(page["fired_at"]), page["fired_already"], part["pages"]) == (52, 54, False, 1)


def test_the_breaches_of_the_days_are_cut_as_their_sum_is(tmp_path: Path, rules: Path, config: Path) -> None:
    """Two each minute, from ten minutes before midnight to ten minutes after it."""
    log = written(tmp_path, calls(20, [range(20)], start=MONDAY.replace(hour=23, minute=50)))
    for begin, end, breaches in (("16T23:55", "17T00:05", [10, 10]), ("17T00:00", "17T00:04", [8]), ("16T23:52", "17T00:00", [16])):
        part = ("--since", f"2026-11-{begin}:00Z", "--until", f"2026-11-{end}:00Z")
        document = found(log, tmp_path, "--rules", rules, "--config", config, *part)
        assert [day["breaches"] for day in document["days"]] == [day["contacts_offered"] for day in document["days"]] == breaches
        assert document["breaches"] == sum(breaches)


def test_labels_that_a_rule_adds_say_what_it_is_about(tmp_path: Path, rules: Path, config: Path) -> None:
    rules.write_text(RULES.replace("{severity: critical,", "{severity: critical, clock: queue_wait, window: 10m,"))
    log = written(tmp_path, calls(90, [range(60, 75)]))
    (page,) = told(found(log, tmp_path, "--rules", rules, "--config", config), "critical")
    assert page["labels"] == {"clock": "queue_wait", "queue": "sales", "window": "10m"}


def test_the_tables_say_who_was_paged_when_and_why(tmp_path: Path, rules: Path, config: Path) -> None:
    result = run(written(tmp_path, calls(120, [range(60, 75)])), "--rules", rules, "--config", config, "--all")
    assert result.exit_code == 0, result.output
    days = "Paged on 1 of 1 days (100.0 %), 1 times."
    for words in ("Abandoned", "queue sales", "Mon 16 Nov 09:04", days, "Not evaluated", "inhibited by a page"):
        assert words in result.output, result.output


def test_a_narrow_terminal_shows_the_names_of_alerts_whole(tmp_path: Path, rules: Path, config: Path) -> None:
    name = "SupportBacklogInvariantBroken"
    rules.write_text(RULES.replace("alert: Abandoned", f"alert: {name}"))
    document = found(written(tmp_path, calls(120, [range(60, 75)])), tmp_path, "--rules", rules, "--config", config)
    for width in (80, WIDE, PAPER_WIDTH):
        console = Console(width=width, file=StringIO(), record=True)
        render(document, "UTC", console, everything=True)
        lines = console.export_text().splitlines()
        assert sum(name in line for line in lines) == 5  # the page, the warning, both by alert, the day
        assert max(map(len, lines)) <= width or width > WIDE
        assert ("Callers give up." in "\n".join(lines)) == (width >= WIDE)


# -- bad input ---------------------------------------------------------------------------------------------------------------------


def refused(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output


def test_an_empty_log_and_one_without_events_are_refused(tmp_path: Path) -> None:
    assert "the log is empty" in refused(written(tmp_path, []))
    assert "is an event (malformed_json 2)" in refused(written(tmp_path, [b"id;name\n", b"1;2\n"]))


def test_one_ticket_alone_is_a_quiet_log(tmp_path: Path) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "/desk", "type": "support.ticket.created", "time": "2026-11-16T08:00:00Z",
        "subject": "T-1", "partitionkey": "T-1", "data": {"ticket_id": "T-1", "channel": "email", "direction": "inbound"},
    }  # fmt: skip
    document = found(written(tmp_path, [json.dumps(event).encode() + b"\n"]), tmp_path)
    assert document["fired"] == []
    assert document["rejected"] == 0
    assert [day["tickets_created"] for day in document["days"]] == [1]


def test_a_log_of_more_days_than_fit_says_how_to_choose(tmp_path: Path) -> None:
    lines = [*calls(1), *calls(1, start=MONDAY + timedelta(days=400))]
    assert "--since and --until" in refused(written(tmp_path, lines))


def test_a_part_in_which_nothing_lies_is_refused(tmp_path: Path) -> None:
    assert "within --since and --until" in refused(written(tmp_path, calls(5)), "--since", "2027-01-01T00:00:00Z")


def test_a_part_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    part = ("--since", "2026-11-17T00:00:00Z", "--until", "2026-11-16T00:00:00Z")
    assert "--since is after --until" in refused(written(tmp_path, calls(5)), *part)


def test_where_prometheus_is_missing_it_says_how_to_get_it(tmp_path: Path) -> None:
    said = refused(written(tmp_path, calls(5)), "--prometheus", tmp_path)
    assert f"promtool is not in {tmp_path}" in said
    assert "--prometheus FOLDER" in said


def test_rules_that_prometheus_refuses_are_told_with_its_words(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: A, expr: 'sum by (support_backlog_tickets', labels: {severity: critical}}]}]")
    assert "Prometheus refuses sum by" in refused(written(tmp_path, calls(5)), "--rules", rules)


def test_rejected_records_are_counted_and_fail_only_when_asked(tmp_path: Path, rules: Path) -> None:
    log = written(tmp_path, [*calls(5), b"not an event\n"])
    assert found(log, tmp_path, "--rules", rules)["rejected"] == 1
    assert run(log, "--rules", rules, "--strict").exit_code == 1


def test_what_is_inhibited_is_what_alertmanager_is_told_to_inhibit() -> None:
    rules = load_yaml("deploy/alertmanager/alertmanager.yml")["inhibit_rules"]
    (equal,) = [rule["equal"] for rule in rules if rule["source_matchers"] == [f'severity = "{PAGES}"']]
    assert tuple(equal) == SAME
