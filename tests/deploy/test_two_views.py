"""The two views of the numbers agree: what PromQL computes from counters and histograms in a real Prometheus is what the windows say.

A recorded log of 27 hours with all kinds of facts in it goes through `replay --openmetrics` and promtool into a Prometheus. There, at every
minute and for every series: `x - x offset 1h` equals the window, exactly; `increase(x[1h])` is within an observation and a sixtieth of it;
`histogram_quantile` over the difference of buckets is the quantile that the KPI stage gives for the same window.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from click.testing import CliRunner

from processor.cli.replay import command
from processor.compile import compile_settings
from processor.config import loads
from processor.core.facts import CONTENT_FIELDS
from processor.core.kpis import measures
from processor.core.rows import add_row
from processor.core.settings import FIRST_RESPONSE, HOUR_MS, QUEUE_WAIT, RESOLUTION
from processor.export.openmetrics import minutes
from processor.replay import Replay
from processor.synthetic.generate import generate
from tests.deploy.prometheus import Prometheus
from tests.replay.logs import START

CONFIG = b"""
segments:
  known: {channel: [email, chat, phone], priority: [normal, urgent], group: [billing, technical], queue: [hotline]}
  group_bys: [[], [channel], [group], [priority], [queue]]
  windows: [[], [channel], [group], [priority], [queue]]
calendars:
  office: {zone: UTC, hours: {mon: "08:00-18:00", tue: "08:00-18:00"}}
policies:
  - {id: calls, match: {channel: [phone, chat]}, targets: {queue_wait: 20s}}
  - {id: standard, calendar: office, targets: {first_response: 30m, resolution: 8h}}
first_contact: {repeat_window: 2h}
"""
HOURS = 27
NEVER_SAID = {"organization.counted"}  # the generated customers are told one by one
PARTITIONS = 3
QUARTER = 900

TICKETS, CONTACTS = ((), ("channel",), ("group",), ("priority",)), ((), ("channel",), ("queue",))
TICKET_HISTOGRAMS = ((), ("channel",), ("group",))
COUNTERS = {
    **{f"tickets_{name}": TICKETS for name in ("created", "solved", "reopened", "adopted", "merged", "discarded", "restored")},
    **{f"contacts_{name}": CONTACTS for name in ("offered", "answered", "answered_in_target", "abandoned", "short_abandoned")},
}
HISTOGRAMS = {
    "first_response": TICKET_HISTOGRAMS, "first_response_business": TICKET_HISTOGRAMS, "first_resolution": TICKET_HISTOGRAMS,
    "speed_of_answer": CONTACTS, "time_to_abandon": CONTACTS,
}  # fmt: skip
# What segments do not have in the windows of partitions, and the total does.
MORE_COUNTERS = ("tickets_completed", "tickets_first_outgoing", "tickets_sla_measured", "contacts_initiated", "contacts_handled")
MORE_HISTOGRAMS = {"next_response": "next_response", "requester_wait": "requester_wait", "handle_time": "handle"}
MEASURED = (FIRST_RESPONSE, RESOLUTION, QUEUE_WAIT)  # the clocks that the policies above have
VERBS = ("started", "measured", "breached", "cancelled")
FAMILIES = (
    *(f"support_{name}_total" for name in (*COUNTERS, "backlog_entered", "backlog_left")),
    *(f"support_{name}_seconds" for name in HISTOGRAMS),
    *(f"support_{name}_total" for name in MORE_COUNTERS),
    *(f"support_{name}_seconds" for name in MORE_HISTOGRAMS.values()),
    *(f"support_sla_clocks_{verb}_total" for verb in VERBS),
    *("support_window_observations", "support_window_observed_seconds"),
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Something that both views know: as a query over counters, and as the windows' KPIs, added up by their signs."""

    name: str
    counted: str  # with {} where the series' time goes: nothing, an offset, ...
    kpis: tuple[tuple[int, str], ...]
    by: tuple[str, ...]
    seconds: bool = False


def pairs() -> Iterator[Pair]:
    for name, bys in COUNTERS.items():
        yield from (Pair(name, f"support_{name}_total{{}}", ((1, name),), by) for by in bys)
    for name, bys in HISTOGRAMS.items():
        yield from (Pair(name, f"support_{name}_seconds_count{{}}", ((1, name),), by) for by in bys)
        yield from (Pair(f"{name} seconds", f"support_{name}_seconds_sum{{}}", ((1, name),), by, seconds=True) for by in bys)
    for name in MORE_COUNTERS:
        yield Pair(name, f"support_{name}_total{{}}", ((1, name),), ())
    for name, shown in MORE_HISTOGRAMS.items():
        yield Pair(f"{name} seconds", f"support_{shown}_seconds_sum{{}}", ((1, name),), (), seconds=True)
    for clock in MEASURED:
        for verb in VERBS:
            counted, kpi = f'support_sla_clocks_{verb}_total{{{{clock="{clock}"}}}}{{}}', f"{clock}_clocks_{verb}"
            yield from (Pair(kpi, counted, ((1, kpi),), by) for by in (((), ("priority",)) if clock != "queue_wait" else ((),)))
    # A move within a channel is one of the cells, which have groups, and none of the channel: both sides only agree about the difference.
    flow = ((1, "backlog_entered"), (-1, "backlog_left"))
    for by in TICKETS:
        yield Pair("net flow", "", flow, by)


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    settings = compile_settings(loads(CONFIG, "views"))
    return generate(settings, events=6000, seed=7, start=START, duration=HOURS * HOUR_MS).lines


@pytest.fixture(scope="module")
def replay(lines: list[bytes]) -> Replay:
    """The log, replayed. It has each kind of fact but the steps of clocks, which count nothing."""
    config = loads(CONFIG, "views")
    settings = replace(compile_settings(config), facts_detail_all=True)
    replay = Replay(config, settings=settings, partitions=PARTITIONS, keep_facts=True)
    replay.feed_lines(lines)
    replay.finish()
    kinds = {kind for kind in CONTENT_FIELDS if not kind.startswith("clock.")} - NEVER_SAID
    assert {stated.fact.kind for stated in replay.net_facts()} >= kinds
    assert sum(engine.counts["corrections"] for engine in replay.engines.values()) > 0
    return replay


@pytest.fixture(scope="module")
def prometheus(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("prometheus")
    log, config, text = directory / "log.jsonl", directory / "config.yaml", directory / "metrics.txt"
    config.write_bytes(CONFIG)
    log.write_bytes(b"\n".join(lines) + b"\n")
    options = [part for family in FAMILIES for part in ("--openmetrics-family", family)]
    arguments = [log, "--config", config, "--partitions", PARTITIONS, "--openmetrics", text, "--openmetrics-hours", 48, *options]
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    with Prometheus(text, directory) as server:
        text.unlink()  # hundreds of megabytes
        yield server


@pytest.fixture(scope="module")
def span(prometheus: Prometheus) -> tuple[int, int]:
    """The first and the last minute that have samples, in seconds."""
    begin, end = START // 1000 - 7200, START // 1000 + HOURS * 3600 + 7200
    (sampled,) = prometheus.range("max(timestamp(support_tickets_created_total))", (), begin, end).values()
    return int(min(sampled.values())), int(max(sampled.values()))


def summed(pair: Pair, when: str) -> str:
    by = ",".join(pair.by)
    if pair.counted:
        return f"sum by ({by}) ({pair.counted.format(when)})"
    return f"(sum by ({by}) (support_backlog_entered_total{when}) - sum by ({by}) (support_backlog_left_total{when}))"


def window(prometheus: Prometheus, pair: Pair, name: str, first: int, last: int, step: int = 60) -> dict[tuple[str, ...], dict[int, float]]:
    """What the windows of that name say."""
    family = "support_window_observed_seconds" if pair.seconds else "support_window_observations"
    total: dict[tuple[str, ...], dict[int, float]] = {}
    for sign, kpi in pair.kpis:
        selector = f'{family}{{kpi="{kpi}",window="{name}",by="{"_".join(pair.by) or "total"}"}}'
        for labels, values in prometheus.range(selector, pair.by, first, last, step).items():
            into = total.setdefault(labels, {})
            for at, value in values.items():
                into[at] = into.get(at, 0) + sign * value
    return total


Agrees = Callable[[float, float], bool]


def compared(
    first: dict[tuple[str, ...], dict[int, float]], second: dict[tuple[str, ...], dict[int, float]], agrees: Agrees, what: object
) -> tuple[int, int]:
    """How many values were compared, and how many of them were not 0. A series that only one side has must be 0 throughout."""
    count = told = 0
    for labels in first.keys() | second.keys():
        one, other = first.get(labels, {}), second.get(labels, {})
        assert not one or not other or one.keys() == other.keys(), (what, labels)
        for at in one.keys() | other.keys():
            values = one.get(at, 0.0), other.get(at, 0.0)
            assert agrees(*values), (what, labels, at, values)
            count += 1
            told += values[1] != 0
    return count, told


def exactly(pair: Pair) -> Agrees:
    """Counts are equal. Seconds are sums of milliseconds, of which a float keeps 15 digits."""
    return (lambda one, other: math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-6)) if pair.seconds else (lambda one, other: one == other)


def tell(what: str) -> None:
    """How much was compared, for `pytest -s`; the least that it must be is asserted."""
    sys.stdout.write(f"\n  compared: {what}")


def total_of(counts: list[tuple[int, int]]) -> tuple[int, int]:
    assert all(count for count, _ in counts), "nothing was compared"
    return sum(count for count, _ in counts), sum(told for _, told in counts)


@pytest.mark.parametrize(("name", "offset", "step"), [("5m", "5m", 60), ("1h", "1h", 60), ("24h", "24h", QUARTER)])
def test_what_has_been_added_since_is_the_window(
    prometheus: Prometheus, span: tuple[int, int], name: str, offset: str, step: int
) -> None:
    length = {"5m": 300, "1h": 3600, "24h": 86_400}[name]
    first, last = -(-(span[0] + length) // step) * step, span[1] // step * step
    counts = []
    for pair in pairs():
        added = prometheus.range(f"{summed(pair, '')} - {summed(pair, f' offset {offset}')}", pair.by, first, last, step)
        counts.append(compared(added, window(prometheus, pair, name, first, last, step), exactly(pair), (name, pair)))
    count, told = total_of(counts)
    tell(f"{name}: {count:,} values of {len(counts)} queries, {told:,} of them not 0")
    assert count > (3000 if name == "24h" else 300_000)
    assert all(told for _, told in counts), "a query gives nothing but 0"


def test_today_begins_at_midnight(prometheus: Prometheus, span: tuple[int, int]) -> None:
    midnight = -(-span[0] // 86_400) * 86_400
    counts = []
    for pair in pairs():
        added = prometheus.range(f"{summed(pair, '')} - {summed(pair, f' @ {midnight}')}", pair.by, midnight, span[1])
        counts.append(compared(added, window(prometheus, pair, "today", midnight, span[1]), exactly(pair), ("today", pair)))
    count, _ = total_of(counts)
    tell(f"{count:,} values of {len(counts)} queries")
    assert count > 100_000


@pytest.mark.parametrize("name", ["24h", "7d"])
def test_long_windows_end_at_the_quarter_of_an_hour_before(prometheus: Prometheus, span: tuple[int, int], name: str) -> None:
    """In the first day both hold everything since the log began."""
    first, last = -(-span[0] // QUARTER) * QUARTER, min(span[0] + 86_400, span[1])
    counts = []
    for pair in pairs():
        since = prometheus.range(summed(pair, ""), pair.by, first, last, QUARTER)
        held = {labels: {at: values[at // QUARTER * QUARTER] for at in range(first, last + 1, 60)} for labels, values in since.items()}
        counts.append(compared(held, window(prometheus, pair, name, first, last), exactly(pair), (name, pair)))
    count, _ = total_of(counts)
    tell(f"{name}: {count:,} values of {len(counts)} queries")
    assert count > 300_000


def test_an_increase_is_within_an_observation_and_a_sixtieth(prometheus: Prometheus, span: tuple[int, int]) -> None:
    """The range may miss the minute at its edge, and what is extrapolated for it is not what happened there."""
    first, last = span[0] + 3600, span[1]
    counts = []
    for pair in pairs():
        if pair.counted and not pair.seconds:
            increase = prometheus.range(f"sum by ({','.join(pair.by)}) (increase({pair.counted.format('[1h]')}))", pair.by, first, last)
            near = lambda one, other: abs(one - other) <= 1 + other / 60  # noqa: E731
            counts.append(compared(increase, window(prometheus, pair, "1h", first, last), near, ("increase", pair)))
    count, told = total_of(counts)
    tell(f"{count:,} values of {len(counts)} queries, {told:,} of them not 0")
    assert count > 300_000
    assert told > count / 100


def test_quantiles_of_the_buckets_are_those_of_the_kpi_stage(
    prometheus: Prometheus, replay: Replay, span: tuple[int, int]
) -> None:
    """Where nothing was observed Prometheus says NaN and a KPI has no value."""
    first, last = span[0] + 3600, span[1]
    group_bys = replay.settings.group_bys
    asked = {
        (kpi, by, share, stat): prometheus.range(
            f"histogram_quantile({share}, sum by (le,{','.join(by)}) (support_{kpi}_seconds_bucket) "
            f"- sum by (le,{','.join(by)}) (support_{kpi}_seconds_bucket offset 1h))",
            by, first, last,
        )
        for kpi, bys in HISTOGRAMS.items()
        for by in bys
        for stat, share in (("p50", 0.5), ("p90", 0.9), ("p95", 0.95))
    }  # fmt: skip
    count = values = 0
    for minute, view in minutes(replay.net_facts(), replay.settings, first // 60, last // 60):
        stats = {
            (kpi, names, labels): measure.stats()
            for (index, labels), row in view.windows["1h"].items()
            for names in [group_bys[index]]
            for kpi, measure in measures(names, row, 0).items()
            if kpi in HISTOGRAMS
        }
        for (kpi, by, _, stat), found in asked.items():
            for labels, series in found.items():
                expected = stats.get((kpi, by, labels), {}).get(stat, math.nan)
                got = series.get(minute * 60, math.nan)
                equal = math.isclose(got, expected, rel_tol=1e-9) or (math.isnan(got) and math.isnan(expected))
                assert equal, (kpi, by, labels, minute, got, expected)
                count, values = count + 1, values + (not math.isnan(got))
    tell(f"{count:,} quantiles of {len(asked)} queries, {values:,} of them not NaN")
    assert values > 20_000


def test_the_last_windows_are_those_of_the_engines(replay: Replay) -> None:
    """What is loaded is not another computation than the workers': at the end both are the same sums, added up over partitions."""
    views = replay.views()
    (end,) = {view.window_end for view in views}
    *_, (minute, last) = minutes(replay.net_facts(), replay.settings, end // 60_000 - 1, end // 60_000)
    assert minute * 60_000 == end
    for name, segments in last.windows.items():
        merged: dict[object, dict[str, int]] = {}
        for view in views:
            for segment, row in view.windows[name].items():
                add_row(merged.setdefault(segment, {}), row, 1)
        assert {segment: row for segment, row in merged.items() if row} == segments
        assert segments or name == "5m"
