"""State in, exposition text out: against a golden file, against the client library, and before anything has happened."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from processor.config import Config
from processor.core.levels import Key
from processor.core.outputs import View
from processor.core.rows import CellKey, Row
from processor.core.windows import WINDOWS
from processor.export.catalogue import TICKET_PART
from processor.export.collector import Exporter, empty_view
from processor.export.labels import LABEL_VALUES_MAX, OTHER
from processor.export.progress import Progress
from processor.export.telemetry import NoRecorder, Recorder, Telemetry
from processor.replay import Replay
from tests.replay.logs import SMALL_CONFIG, generated, told

GOLDEN = Path(__file__).parent / "golden" / "morning.txt"  # UPDATE_GOLDEN=1 writes it anew

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def morning() -> list[View]:
    replay = Replay(SMALL_CONFIG)
    replay.feed_lines(told())
    replay.finish()
    return replay.views()


def samples(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(found: Samples, name: str, **labels: str) -> float:
    return sum(value for (each, having), value in found.items() if each == name and labels.items() <= dict(having).items())


def without_zeros(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#") or not line.endswith((" 0", " 0.0"))]


def test_the_morning_is_served_as_written_down() -> None:
    lines = without_zeros(Exporter(SMALL_CONFIG).render(morning()).decode())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_the_text_says_what_the_client_library_says() -> None:
    telemetry = Telemetry(configuration="abc")
    record(telemetry)
    views = morning()
    exporter = Exporter(SMALL_CONFIG, lambda: (views, telemetry))
    ours, theirs = exporter.render(views, telemetry).decode(), generate_latest(exporter.registry()).decode()
    assert samples(ours) == samples(theirs)
    assert len(samples(ours)) > 1000
    assert [line for line in ours.splitlines() if line.startswith("#")] == [line for line in theirs.splitlines() if line.startswith("#")]


def test_what_is_known_is_there_as_zero_before_it_happens() -> None:
    found = samples(Exporter(SMALL_CONFIG).render([empty_view()], Telemetry()).decode())
    zero = dict.fromkeys(
        [
            ("support_tickets_created_total", (("channel", "email"), ("group", "billing"), ("partition", "0"), ("priority", "urgent"))),
            ("support_sla_clocks_breached_total", (("clock", "queue_wait"), ("partition", "0"), ("policy", "calls"), ("priority", "none"))),
            ("support_contacts_abandoned_retracted_total", (("channel", "phone"), ("partition", "0"), ("queue", "hotline"))),
            ("support_processor_events_invalid_total", (("partition", "0"), ("reason", "malformed_json"))),
            ("support_first_response_seconds_bucket", (("channel", "email"), ("group", "none"), ("le", "5.0"), ("partition", "0"))),
            ("support_processor_engine_errors_total", ()),
        ],
        0.0,
    )
    assert zero.items() <= found.items()
    assert total(found, "support_window_observations", by="total", window="5m") == 0


def test_nothing_known_disappears_and_no_counter_falls_while_a_log_is_read() -> None:
    exporter, replay = Exporter(Config()), Replay(Config())
    before: Samples = {}
    lines = generated().lines
    for start in range(0, len(lines), 500):
        replay.feed_lines(lines[start : start + 500])
        after = samples(exporter.render(replay.views()).decode())
        # Of windows what was taken back altogether goes away: a clock that was cancelled, and then answered by a call.
        gone = {key for key in before if key not in after}
        assert all(name.startswith("support_window_obser") and dict(labels)["kpi"].endswith("_cancelled") for name, labels in gone)
        assert not [key for key, value in before.items() if key[0].endswith(("_total", "_count", "_bucket")) and after[key] < value]
        before = after
    assert before


def test_the_sum_over_all_labels_is_what_happened() -> None:
    replay = Replay(Config(), partitions=3)
    replay.feed_lines(generated().lines)
    replay.finish()
    found = samples(Exporter(Config()).render(replay.views()).decode())
    created = total(found, "support_tickets_created_total") - total(found, "support_tickets_created_retracted_total")
    assert created == generated().truth["families"]["support_tickets_created_total"]
    entered, left = (
        total(found, f"support_backlog_{way}_total") - total(found, f"support_backlog_{way}_retracted_total") for way in ("entered", "left")
    )
    assert entered - left == total(found, "support_backlog_tickets") == total(found, "support_backlog_age_tickets") > 0
    assert total(found, "support_backlog_identity_error_tickets") == 0


def with_groups(names: Iterable[str]) -> View:
    cells: dict[CellKey, Row] = {("ticket", "email", name, "normal"): {"tickets_created": 1} for name in names}
    levels: dict[Key, int] = {("backlog", "open", ("email", "normal", name, "none", "none", "none")): 1 for name in names}
    return replace(empty_view(), cells=cells, levels=levels)


def test_unknown_values_beyond_the_limit_are_other_and_stay_where_they_are() -> None:
    exporter = Exporter(Config())
    early, late = [f"early-{number}" for number in range(LABEL_VALUES_MAX)], [f"a-{number}" for number in range(5)]
    first = samples(exporter.render([with_groups(early)]).decode())
    assert total(first, "support_tickets_created_total", group=OTHER) == 0
    second = samples(exporter.render([with_groups([*late, *early])]).decode())
    assert total(second, "support_tickets_created_total", group=OTHER) == len(late)
    assert total(second, "support_backlog_tickets", group=OTHER) == len(late)
    assert total(second, "support_tickets_created_total") == len(early) + len(late)
    assert {key: second[key] for key in first if "group" in dict(key[1])} == {key: first[key] for key in first if "group" in dict(key[1])}


def test_label_values_that_need_escaping_survive() -> None:
    odd = 'a"b\\c\nd'
    found = samples(Exporter(Config()).render([with_groups([odd])]).decode())
    assert total(found, "support_tickets_created_total", group=odd) == 1


def record(recorder: Recorder) -> None:
    recorder.taken_over(0, seconds=0.5)
    recorder.event_applied(0, event_at_ms=1000, now_ms=3500)
    recorder.step_committed(seconds=0.02)
    recorder.step_failed()
    recorder.engine_failed()
    recorder.replaying(0, True)
    recorder.loop_lagged(0.004)
    recorder.exposition_rendered(0.01)


def test_the_recorder_tells_what_it_was_told_until_the_partition_is_lost() -> None:
    telemetry = Telemetry()
    record(telemetry)
    record(NoRecorder())
    found = samples(Exporter(SMALL_CONFIG).render([], telemetry).decode())
    told_of = {
        "support_processor_replaying": 1, "support_processor_steps_total": 1, "support_processor_step_failures_total": 1,
        "support_processor_engine_errors_total": 1, "support_processor_takeovers_total": 1, "support_processor_recovery_seconds": 0.5,
        "support_processor_event_lag_seconds_sum": 2.5, "support_processor_step_seconds_count": 1,
        "support_processor_loop_lag_seconds_sum": 0.004, "support_processor_last_event_timestamp_seconds": 1,
        "support_processor_build_info": 1,
    }  # fmt: skip
    assert {name: total(found, name) for name in told_of} == told_of
    telemetry.partition_lost(0)
    assert not [key for key in samples(Exporter(SMALL_CONFIG).render([], telemetry).decode()) if ("partition", "0") in key[1]]


def test_how_many_values_are_shown_as_other_is_told() -> None:
    exporter = Exporter(Config())
    exporter.render([with_groups([f"group-{number}" for number in range(LABEL_VALUES_MAX + 7)])])
    found = samples(exporter.render([]).decode())
    assert total(found, "support_processor_label_values_folded", dimension="group") == 7
    assert total(found, "support_processor_label_values_folded", dimension="topic") == 0


def test_the_heartbeat_is_that_of_the_slowest_partition_that_is_ours() -> None:
    telemetry = Telemetry()
    for partition, now_ms in ((0, 9000), (1, 5000), (2, 1000)):
        telemetry.went_round(TICKET_PART, partition, now_ms=now_ms)
    telemetry.progress([Progress(partition, 1.0) for partition in (0, 1, 3)])
    telemetry.kpi_partitions([(0, 1)])
    found = samples(Exporter(SMALL_CONFIG).render([], telemetry).decode())
    assert {dict(labels)["part"]: number for (name, labels), number in found.items() if "heartbeat" in name} == {"ticket": 5.0}


def test_a_calendar_is_open_by_timer_time_and_nobody_knows_before_the_first_event() -> None:
    exporter = Exporter(SMALL_CONFIG)
    monday_ten, sunday = 1_772_442_000_000, 1_772_355_600_000
    for now, opened in ((monday_ten, {"office": 1.0}), (sunday, {"office": 0.0}), (0, {})):
        found = samples(exporter.render([replace(empty_view(), timer_time=now), empty_view(1)]).decode())
        assert {dict(labels)["calendar"]: number for (name, labels), number in found.items() if name == "support_calendar_open"} == opened


def test_arrivals_are_told_by_topic_and_stay_as_zero() -> None:
    index = Config().segments.group_bys.index(["topic"])
    rows: dict[str, dict[tuple[int, tuple[str, ...]], Row]] = {
        "1h": {(index, ("login",)): {"tickets_created": 3}},
        "7d": {(index, ("login",)): {"tickets_created": 9}, (index, ("bug",)): {}},
    }
    view = replace(empty_view(), windows={name: rows.get(name, {}) for name in WINDOWS})
    found = samples(Exporter(Config()).render([view, replace(view, partition=1)]).decode())
    assert (total(found, "support_arrivals_tickets", topic="login"), total(found, "support_arrivals_tickets", topic="bug")) == (6, 0)
