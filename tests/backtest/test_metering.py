"""The samples of a backtest are what a worker serves, minute by minute, and only those that the rules ask for."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

from processor.alerting import rule_files
from processor.backtest.metering import Metering
from processor.backtest.rules import Rules, read_rules
from processor.backtest.series import INSTANCE, JOB, Series
from processor.config import Config
from processor.export.catalogue import BY_NAME
from processor.export.collector import Exporter
from tests.backtest.calls import MONDAY, calls

RULES = """
groups:
  - name: some
    rules:
      - {record: "support:contacts_offered_total:max", expr: "max without (instance, pod) (support_contacts_offered_total)"}
      - alert: Some
        expr: >-
          increase(support:contacts_offered_total:max[1h]) + support_speed_of_answer_seconds_bucket + support_contacts_waiting
          + support_window_service_level_ratio + support_kpi_level + support_window_observations
"""
LINE = re.compile(r"(?P<series>\S+) (?P<value>\S+) (?P<at>\d+)")


def metered(rules: Rules, lines: list[bytes]) -> tuple[Metering, list[str]]:
    metering = Metering(Config(), rules)
    metering.replay.feed_lines(lines)
    metering.finish()
    written = "".join(metering.series.text(metering.first, metering.last)).splitlines()
    assert written.pop() == "# EOF"
    return metering, written


def test_the_last_samples_are_what_a_worker_serves_then() -> None:
    metering, lines = metered(read_rules({"some.yml": RULES}), calls(30, [range(10, 20)]))
    last = f" {metering.last * 60}"
    written = {line.removesuffix(last) for line in lines if line.endswith(last)}
    kpis = metering._kpi_views()
    served = Exporter(Config()).render(metering.replay.views(), None, kpis).decode().splitlines()
    names = ("speed_of_answer_seconds_bucket", "contacts_waiting", "window_service_level_ratio", "kpi_level", "window_observations")
    told = re.compile(rf"support_({'|'.join(names)})[{{ ]")
    expected = {_labelled(line, f'job="{JOB}",instance="{INSTANCE}"') for line in served if told.match(line)}
    renamed = (line.replace("support_contacts_offered_total", "support:contacts_offered_total:max") for line in served
               if line.startswith("support_contacts_offered_total"))  # fmt: skip
    expected |= {_labelled(line, f'job="{JOB}"') for line in renamed}
    assert written == expected
    assert len(written) > 100


def _labelled(line: str, more: str) -> str:
    series, _, value = line.rpartition(" ")
    return f"{series.removesuffix('}')},{more}}} {value}" if series.endswith("}") else f"{series}{{{more}}} {value}"


def test_each_minute_has_one_sample_of_each_series_and_nights_have_them_too() -> None:
    rules = read_rules({"some.yml": RULES})
    night = calls(2, start=MONDAY + timedelta(hours=3))
    metering, lines = metered(rules, [*calls(5), *night])
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found)
    offered = [int(line["at"]) for line in found if line and line["series"].startswith("support:contacts_offered_total:max")]
    assert metering.first * 60 == MONDAY.timestamp() + 60
    minutes = range(metering.first * 60, metering.last * 60 + 1, 60)
    assert sorted(set(offered)) == list(minutes)
    assert len({(line["series"], line["at"]) for line in found if line}) == len(lines) == metering.series.samples


def test_what_never_changes_has_fewer_samples_and_is_never_out_of_sight() -> None:
    metering, lines = metered(read_rules({"some.yml": RULES}), calls(30))
    waiting = [int(line.split()[2]) // 60 for line in lines if line.startswith('support_kpi_level{level="backlog",by="total"')]
    assert (waiting[0], waiting[-1]) == (metering.first, metering.last)
    assert max(later - earlier for earlier, later in pairwise(waiting)) == 4


def test_what_is_gone_for_a_while_has_no_sample_then() -> None:
    family = BY_NAME["support_contacts_waiting"]
    series = Series({family.name: [family.name]}, {family.name})
    for minute in (1, 2, 3, 6, 7):
        series.note(minute, family, [(("phone", "sales", "0"), 1)])
    assert [line.split()[2] for line in "".join(series.text(1, 8)).splitlines()[:-1]] == ["60", "120", "180", "360", "420"]


def test_a_late_event_counts_when_it_came() -> None:
    """The one of minute 1 comes after the one of minute 4: samples before that do not have it."""
    lines = calls(5, each_minute=1)
    offered = [line for line in lines if b"queued" in line]
    _, written = metered(read_rules({"some.yml": RULES}), [offered[0], offered[2], offered[4], offered[1]])
    series = 'support:contacts_offered_total:max{channel="phone",queue="sales"'
    counts = [line.split()[1] for line in written if line.startswith(series)]
    assert counts == ["1", "1", "2", "2", "4"]


def test_the_generated_rules_find_every_series_that_they_need() -> None:
    """What they name a worker serves, or it is recorded: nothing is silent because nobody wrote it down."""
    rules = read_rules(rule_files(Config()))
    metering, _ = metered(rules, calls(5))
    served = {family.name for family in metering.families} | {
        f"{family.name}_{part}" for family in metering.families if family.kind == "histogram" for part in ("bucket", "sum", "count")
    }
    recorded = {rule.name for level in rules.levels for rule in level} | rules.renamed.keys()
    named = {name for name in rules.names if name.startswith("support_") or ":" in name}
    assert named - served - recorded == set()
    assert set(rules.renamed.values()) <= served
