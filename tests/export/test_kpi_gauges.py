"""Gauges of the KPI stage: what a view says is what is served, of owned partitions alone, and nothing where nothing was observed."""

from __future__ import annotations

import json
import math

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from processor.codec.partials import Place, place_of
from processor.config import Config, loads
from processor.core.kpi_counts import COUNTED
from processor.core.kpis import DEFINITIONS, STATS, Kind, measures
from processor.core.posting import NUMBERS
from processor.core.postings import HISTOGRAMS
from processor.core.postings_of_others import PRODUCTIVE_STATES
from processor.core.rows import Row
from processor.core.settings import CLOCKS
from processor.core.windows import WINDOWS
from processor.export.catalogue import BY_NAME, estimate_samples
from processor.export.collector import Exporter, empty_view
from processor.export.kpi_families import family_of, gauged
from processor.export.kpi_view import KpiView, Merged
from processor.export.labels import LABEL_VALUES_MAX
from processor.export.snapshot import snapshot
from processor.export.telemetry import Telemetry

TOTAL: Place = ((), ())
QUEUE: Place = (("queue",), ("hotline",))
END = 1_795_252_440_000
ROW: Row = {
    "contacts_offered": 12, "contacts_answered": 8, "contacts_answered_in_target": 6, "contacts_abandoned": 2,
    "contacts_short_abandoned": 2, "sla_measured:queue_wait": 10, "sla_breached:queue_wait": 4, "tickets_solved": 4, "tickets_reopened": 1,
    HISTOGRAMS["speed_of_answer"].buckets[3]: 8, HISTOGRAMS["speed_of_answer"].sum: 200_000,
}  # fmt: skip
CONFIG = loads(
    b"""
topics: {kpi_partitions: 2}
kpis:
  targets:
    - {kpi: service_level, target: 0.8, direction: at_least}
    - {kpi: speed_of_answer, stat: p90, dimensions: {queue: hotline}, target: 20s, direction: at_most}
    - {kpi: first_response, dimensions: {group: billing, channel: email}, target: 30m, direction: at_most}
""",
    "gauges",
)

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def view(*places: Place, number: int = 0, row: Row = ROW, complete: bool = True, backlog: int = 5) -> KpiView:
    segments = {place: Merged({"1h": row}, backlog) for place in places}
    return KpiView(number, END, complete, segments, {place: {"backlog": backlog, "contacts_waiting": 2} for place in places})


def served(*views: KpiView, exporter: Exporter | None = None) -> Samples:
    text = (exporter or Exporter(CONFIG)).render([], None, views).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if BY_NAME[sample.name].source == "kpi"
    }


def value(found: Samples, name: str, **labels: str) -> float:
    return found[f"support_{name}", tuple(sorted(labels.items()))]


def test_ratios_and_durations_come_with_what_they_rest_on() -> None:
    found = served(view(TOTAL, QUEUE))
    of_queue = {"window": "1h", "by": "queue", "queue": "hotline"}
    assert value(found, "window_service_level_ratio", **of_queue) == 0.6
    assert value(found, "window_abandonment_ratio", **of_queue) == 0.2
    assert value(found, "window_sla_compliance_ratio", clock="queue_wait", **of_queue) == 0.6
    assert value(found, "window_reopen_ratio", window="1h", by="total") == 0.25
    stats = {stat: value(found, "window_speed_of_answer_seconds", stat=stat, **of_queue) for stat in STATS}
    assert stats == {"mean": 25.0, "p50": 25.0, "p75": 27.5, "p90": 29.0, "p95": 29.5, "max": 30.0}
    for kpi, n in (("service_level", 10), ("abandonment", 10), ("queue_wait_sla_compliance", 10), ("speed_of_answer", 8)):
        assert value(found, "window_kpi_observations", kpi=kpi, **of_queue) == n


def test_where_nothing_was_observed_there_is_no_value_and_the_number_says_0() -> None:
    found = served(view(QUEUE))
    assert not [key for key in found if dict(key[1]).get("window") == "5m" and key[0] != "support_window_kpi_observations"]
    assert value(found, "window_kpi_observations", kpi="service_level", window="5m", by="queue", queue="hotline") == 0
    assert not any(math.isnan(each) for each in found.values())
    kpis = {dict(labels)["kpi"] for name, labels in found if name == "support_window_kpi_observations"}
    assert kpis == {"abandonment", "service_level", "queue_wait_sla_compliance", "speed_of_answer"}  # of which something was observed in 1h
    total = {dict(labels)["kpi"] for name, labels in served(view(TOTAL)) if name == "support_window_kpi_observations"}
    assert total == {name for name, each in DEFINITIONS.items() if gauged(each)}


def test_the_longest_above_the_ladder_is_infinite() -> None:
    keys = HISTOGRAMS["speed_of_answer"]
    found = served(view(QUEUE, row={keys.buckets[-1]: 1, keys.sum: 10**10}))
    assert value(found, "window_speed_of_answer_seconds", stat="max", window="1h", by="queue", queue="hotline") == math.inf
    assert value(found, "window_speed_of_answer_seconds", stat="p95", window="1h", by="queue", queue="hotline") == 7_776_000


def test_every_duration_and_ratio_has_its_family_and_help_warns_of_summing() -> None:
    families = {family_of(each) for each in DEFINITIONS.values() if gauged(each)}
    windows = {name for name, each in BY_NAME.items() if each.source == "kpi" and name.startswith("support_window_")}
    assert families == windows - {"support_window_kpi_observations", "support_window_complete", "support_window_cost_per_ticket"}
    assert {family_of(each) for each in DEFINITIONS.values() if each.kind in (Kind.DURATION, Kind.RATIO) and each.gauged} <= families
    for name in families | {"support_window_kpi_observations", "support_kpi_level", "support_kpi_target"}:
        assert "Tabular: do not sum" in BY_NAME[name].help
        assert "partition" not in BY_NAME[name].label_names


def test_each_part_of_the_stage_says_how_far_it_is_and_whether_all_have_reported() -> None:
    found = served(view(TOTAL, number=1), view(QUEUE, number=0, complete=False))
    assert [value(found, "window_complete", kpi_partition=number) for number in "01"] == [0, 1]
    assert value(found, "kpi_end_timestamp_seconds", kpi_partition="1") == END / 1000


def test_targets_are_served_by_the_owner_of_their_segment() -> None:
    owners = {place: place_of(*place, 2) for place in (TOTAL, QUEUE, (("channel", "group"), ("email", "billing")))}
    expected = {
        TOTAL: {"kpi": "service_level", "direction": "at_least", "by": "total"},
        QUEUE: {"kpi": "speed_of_answer", "stat": "p90", "direction": "at_most", "by": "queue", "queue": "hotline"},
        (("channel", "group"), ("email", "billing")): {
            "kpi": "first_response", "stat": "mean", "direction": "at_most", "by": "channel_group", "channel": "email", "group": "billing",
        },
    }  # fmt: skip
    for number in (0, 1):
        found = served(view(number=number))
        targets = [dict(labels) for name, labels in found if name == "support_kpi_target"]
        owned = [dict(sorted(expected[place].items())) for place, owner in owners.items() if owner == number]
        assert sorted(map(str, targets)) == sorted(map(str, owned))
    assert value(served(view(number=owners[QUEUE])), "kpi_target", **expected[QUEUE]) == 20


def test_levels_are_served_by_segment() -> None:
    found = served(view(TOTAL, QUEUE))
    assert value(found, "kpi_level", level="backlog", by="total") == 5
    assert value(found, "kpi_level", level="contacts_waiting", by="queue", queue="hotline") == 2


def test_a_level_that_is_down_to_nothing_is_0_and_not_away() -> None:
    empty = KpiView(0, END, True, {place: Merged({}, 0) for place in (TOTAL, QUEUE)}, {})
    found = {labels: each for (name, labels), each in served(empty).items() if name == "support_kpi_level"}
    levels = {(dict(labels)["level"], dict(labels)["by"]): each for labels, each in found.items()}
    of_total = [(level, "total") for level in ("backlog", "awaiting", "contacts_waiting", "agents_online", "overdue")]
    assert levels == dict.fromkeys([*of_total, ("contacts_waiting", "queue")], 0)


def test_only_the_group_bys_of_the_windows_are_served() -> None:
    found = served(view((("topic",), ("vpn",)), (("priority",), ("high",)), QUEUE))
    assert {dict(labels)["by"] for name, labels in found if name in ("support_window_kpi_observations", "support_kpi_level")} == {"queue"}


def test_what_is_owned_no_more_is_served_no_more() -> None:
    exporter = Exporter(CONFIG)
    owned = [view(TOTAL, number=0), view(QUEUE, number=1)]
    both = served(*owned, exporter=exporter)
    after = served(owned[1], exporter=exporter)
    assert after.items() < both.items()
    assert not [key for key in after if dict(key[1]).get("by") == "total" and key[0] != "support_kpi_target"]
    assert served(exporter=exporter) == {}


def test_a_new_minute_and_new_levels_replace_the_old_ones() -> None:
    exporter = Exporter(CONFIG)
    served(view(QUEUE), exporter=exporter)
    later = served(view(QUEUE, row={"contacts_answered": 1, "contacts_answered_in_target": 1}, backlog=6), exporter=exporter)
    assert value(later, "window_service_level_ratio", window="1h", by="queue", queue="hotline") == 1
    assert value(later, "kpi_level", level="backlog", by="queue", queue="hotline") == 6


def test_values_beyond_the_limit_are_left_out_since_nobody_has_the_whole_of_the_others() -> None:
    places: list[Place] = [(("queue",), (f"q{number:03}",)) for number in range(LABEL_VALUES_MAX + 5)]
    found = served(view(*places))
    queues = {dict(labels)["queue"] for name, labels in found if name == "support_window_service_level_ratio"}
    assert queues == {f"q{number:03}" for number in range(LABEL_VALUES_MAX)}


def test_the_text_says_what_the_client_library_says() -> None:
    exporter, views = Exporter(CONFIG), [view(TOTAL, QUEUE)]
    registry = Exporter(CONFIG, lambda: ([], None)).registry()
    theirs = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in exporter.families([], None, views)
        for sample in metric.samples
    }
    assert {key: each for key, each in theirs.items() if BY_NAME[key[0]].source == "kpi"} == served(*views)
    assert generate_latest(registry)


def test_snapshots_hold_what_partitions_count_and_not_what_the_stage_made_of_it() -> None:
    taken = snapshot([empty_view()], None, [()])
    assert not [name for name in taken["metrics"] if name in BY_NAME and BY_NAME[name].source == "kpi"]
    json.dumps(taken)


@pytest.mark.parametrize("config", [CONFIG, Config(), loads(b"segments: {known: {queue: [a, b, c], group: [d, e]}}", "known")])
def test_the_estimate_covers_every_known_segment_with_everything_in_it(config: Config) -> None:
    known = config.segments.known
    full: Row = {key: 1 for name in HISTOGRAMS for key in (HISTOGRAMS[name].buckets[2], HISTOGRAMS[name].sum)} | ROW
    full |= {f"sla_measured:{clock}": 3 for clock in ("first_response", "resolution", "queue_wait")}
    full |= {key: 9 for name, each in COUNTED.items() for key in ([f"{name}:{value}" for value in each.values] if each.by else [name])}
    full |= {key: 9 for keys in NUMBERS.values() for key in (keys.buckets[1], keys.sum)}
    full |= {f"agent_time:{state}": 9_000_000 for state in PRODUCTIVE_STATES} | {"kb_visitors": 3, "agents:00000000000000ff": 2}
    full |= {"contacts_offered": 99, "backlog_entered:created": 1, "customers": 9}
    absent = {clock for clock in CLOCKS if f"sla_measured:{clock}" not in full}
    values = {name: each for name, each in measures((), full, 200, 60).items() if DEFINITIONS[name].clock not in absent}
    assert {name for name, each in values.items() if each.value is None} == set()
    places = [TOTAL, *(((name,), (each,)) for name in ("channel", "group", "queue") for each in (*getattr(known, name), "none"))]
    segments = {place: Merged(dict.fromkeys(WINDOWS, full), 1) for place in dict.fromkeys(places)}
    levels = {place: dict.fromkeys(("backlog", "awaiting", "contacts_waiting"), 1) for place in segments}
    others = range(1, config.topics.kpi_partitions)
    views = [KpiView(0, END, True, segments, levels), *(KpiView(each, END, True, {}, {}) for each in others)]
    exporter = Exporter(config)
    text = exporter.render([empty_view(number) for number in range(config.topics.partitions)], Telemetry(), views).decode()
    samples = sum(not line.startswith("#") for line in text.splitlines())
    assert samples <= estimate_samples(config) < config.limits.samples_max
    assert samples > 1000


def test_what_is_kept_of_unchanged_windows_is_never_what_was() -> None:
    """One exporter over minutes in which some windows change and others do not serves what a new one would."""
    kept = Exporter(CONFIG)
    more = {**ROW, "contacts_answered": 9, "contacts_answered_in_target": 7}
    nothing: Row = {}
    minutes = ((ROW, ROW, 5), (more, ROW, 5), (more, ROW, 5), (more, more, 5), (ROW, more, 6), (nothing, more, 6))
    for step, (hour, day, backlog) in enumerate(minutes):
        shown = KpiView(0, END + step * 60_000, True, {TOTAL: Merged({"1h": hour, "24h": day}, backlog)}, {})
        assert served(shown, exporter=kept) == served(shown)


def test_an_exporter_of_some_families_and_windows_serves_those_as_all_do() -> None:
    family = BY_NAME["support_window_service_level_ratio"]
    some = served(view(TOTAL), exporter=Exporter(CONFIG, families=[family], kpi_windows=["1h"]))
    everything = {key: value for key, value in served(view(TOTAL)).items() if key[0] == family.name and ("window", "1h") in key[1]}
    assert some == everything
    assert some
