"""Snapshots: equal logs give equal ones, and whatever differs is found."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import orjson
import pytest

from processor.config import Config
from processor.export.catalogue import BY_NAME, compared
from processor.export.snapshot import Difference, SnapshotError, compare, compare_truth, total
from processor.replay import Replay
from tests.replay.logs import START, generated, told

MINUTE_MS = 60_000


def taken(lines: list[bytes], partitions: int = 1) -> dict[str, Any]:
    replay = Replay(Config(), partitions=partitions)
    replay.feed_lines(lines)
    replay.finish(START + 70 * MINUTE_MS)
    return orjson.loads(orjson.dumps(replay.snapshot()))  # type: ignore[no-any-return]


def test_the_same_log_gives_the_same_snapshot_whatever_the_order_within_lateness() -> None:
    events = told()
    differences = compare(taken(events), taken(list(reversed(events))))
    assert not differences


def test_one_event_more_is_found_in_the_digest_and_in_its_families() -> None:
    found = {difference.where for difference in compare(taken(told()), taken(told()[:-1]))}
    assert {"digest", "ledger_count", "partition 0 digest", "support_tickets_created_total", "support_backlog_tickets"} <= found
    assert {"support_window_observations", "support_backlog_entered_total", "support_processor_watermark_timestamp_seconds"} <= found


@pytest.mark.parametrize("family", sorted(taken(told())["metrics"]))
def test_a_changed_number_is_found_in_every_family(family: str) -> None:
    first = taken(told())
    second = deepcopy(first)
    labels = next(iter(second["metrics"][family]))
    second["metrics"][family][labels] += 1
    assert compare(first, second) == [
        Difference(family, labels, first["metrics"][family][labels], second["metrics"][family][labels])
    ]
    del second["metrics"][family]
    assert {difference.where for difference in compare(first, second)} == {family}


def test_only_net_and_exact_families_are_in_it() -> None:
    for name in taken(told())["metrics"]:
        family = BY_NAME.get(name) or BY_NAME[name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")]
        assert not family.operational
        assert not family.retracted
        assert compared(family) or f"{family.base_name}_retracted" in {each.base_name for each in BY_NAME.values()}


def test_zero_and_absent_are_the_same() -> None:
    first = taken(told())
    second = deepcopy(first)
    second["metrics"]["support_tickets_merged_total"] = {'channel="email"': 0}
    assert not compare(first, second)


def test_positions_and_clocks_of_partitions_are_compared_unless_the_log_was_dealt_out_otherwise() -> None:
    first = taken(told())
    second = deepcopy(first)
    second["partitions"]["0"] |= {"applied": 3, "timer_time": 5}
    assert [difference.where for difference in compare(first, second)] == ["partition 0 timer_time"]  # no offset in the first: not compared
    first["partitions"]["0"]["applied"] = 2
    assert [difference.where for difference in compare(first, second)] == ["partition 0 applied", "partition 0 timer_time"]
    del second["partitions"]["0"]
    assert [difference.where for difference in compare(first, second)] == ["partition 0"]
    assert not compare(first, second, partitions=False)


def test_the_truth_of_a_generated_log_holds_and_a_wrong_one_does_not() -> None:
    log = generated()
    replay = Replay(Config(), partitions=3)
    replay.feed_lines(log.lines)
    replay.finish(max(engine.stream_time for engine in replay.engines.values()) + 60 * MINUTE_MS)
    snapshot = replay.snapshot()
    truth = {"families": {name: number for name, number in log.truth["families"].items() if "sla" not in name and "full" not in name}}
    assert not compare_truth(truth, snapshot)
    for name, number in truth["families"].items():
        assert [difference.where for difference in compare_truth({"families": {**truth["families"], name: number + 1}}, snapshot)] == [name]


def test_a_family_with_fewer_labels_is_the_sum_over_the_others() -> None:
    left = {'channel="a,b",reason="solved"': 2, 'channel="c",reason="solved"': 3, 'channel="c",reason="merged"': 4}
    metrics = {"support_backlog_left_total": left}
    assert total(metrics, "support_backlog_left_total") == 9
    assert total(metrics, 'support_backlog_left_total{reason="solved"}') == 5
    assert total(metrics, 'support_backlog_left_total{channel="c",reason="solved"}') == 3
    assert total(metrics, "support_processor_events_late_total") == 0


@pytest.mark.parametrize("truth", [{}, {"families": {}}, {"families": {"support_nonsense_total": 1}}, {"families": {"tickets created": 1}}])
def test_a_truth_that_says_nothing_or_nonsense_is_refused(truth: dict[str, Any]) -> None:
    with pytest.raises(SnapshotError):
        compare_truth(truth, taken(told()))


@pytest.mark.parametrize("document", [[], {}, {"partitions": {}, "metrics": {}}, {"format": 2, "partitions": {}, "metrics": {}}])
def test_what_is_no_snapshot_of_this_format_is_refused(document: Any) -> None:
    with pytest.raises(SnapshotError, match="snapshot"):
        compare(document, taken(told()))
