"""The replay driver: what it is fed with and how it is cut makes no difference to the net numbers; what cannot be used is told apart."""

from __future__ import annotations

import orjson
import pytest

from processor.config import Config, loads
from processor.core.events import Reason
from processor.export.snapshot import compare, compare_truth
from processor.replay import Refused, Replay, ReplayError
from tests.replay.logs import SMALL_CONFIG, START, capture, event, generated, told

MINUTE_MS = 60_000
END = START + 100 * 60 * MINUTE_MS
LATE = {Reason.TOO_LATE}


def replayed(lines: list[bytes], partitions: int | None = None, config: Config | None = None, at: int | None = END) -> Replay:
    replay = Replay(config or Config(), partitions=partitions, keep_facts=True)
    replay.feed_lines(lines)
    replay.finish(at)
    return replay


@pytest.mark.parametrize("partitions", [2, 3, 7])
def test_the_number_of_partitions_changes_no_net_number_and_no_fact(partitions: int) -> None:
    log = generated()
    one, many = replayed(log.lines), replayed(log.lines, partitions)
    assert set(one.refused) == LATE
    assert one.refused == many.refused
    assert not compare(one.snapshot(), many.snapshot(), partitions=False)
    assert list(one.facts()) == list(many.facts())


def test_the_net_facts_are_those_of_the_digest() -> None:
    replay = replayed(generated().lines)
    numbers = [int(orjson.loads(fact)["id"], 16) for fact in replay.facts()]
    snapshot = replay.snapshot()
    assert (len(numbers), f"{sum(numbers) % (1 << 128):032x}") == (snapshot["ledger_count"], snapshot["digest"])
    assert numbers


def test_a_generated_log_gives_its_truth() -> None:
    log = generated()
    until = orjson.loads(event(0, "control.clock_advanced", at=log.truth["clock_advanced_at"]))
    replay = replayed([*log.lines, orjson.dumps({**until, "time": log.truth["last_event_at"]})], 4, at=None)
    assert not compare_truth(log.truth, replay.snapshot())


def test_a_log_twice_is_the_log_once() -> None:
    once, twice = replayed(told()), replayed([*told(), *told()])
    assert once.snapshot()["digest"] == twice.snapshot()["digest"]
    differences = compare(once.snapshot(), twice.snapshot())
    assert {difference.where for difference in differences} == {
        "support_processor_events_consumed_total",
        "support_processor_events_duplicate_total",
    }


@pytest.mark.parametrize("partitions", [1, 4])
def test_a_capture_of_the_log_gives_the_numbers_of_the_log(partitions: int) -> None:
    log = generated()
    bare, captured = replayed(log.lines, partitions), replayed(capture(log.lines, partitions), partitions)
    assert captured.captured
    assert not bare.captured
    assert not compare(bare.snapshot(), captured.snapshot())


def test_a_snapshot_is_reproduced_from_a_longer_capture() -> None:
    lines = capture(generated().lines, 4)
    worker = Replay(Config())
    worker.feed_lines(lines[:2500])
    worker.step()
    taken = worker.snapshot()
    applied = {int(number): of["applied"] for number, of in taken["partitions"].items()}
    timers = {int(number): of["timer_time"] for number, of in taken["partitions"].items()}
    again = Replay(Config(), until=applied, timers_until=timers)
    again.feed_lines(lines)
    again.finish(timers)
    assert not compare(taken, again.snapshot())
    further = Replay(Config(), until={**applied, 2: applied[2] + 1}, timers_until=timers)
    further.feed_lines(lines)
    further.finish(timers)
    assert "partition 2 applied" in {difference.where for difference in compare(taken, further.snapshot())}


def test_only_the_partitions_of_the_snapshot_are_replayed() -> None:
    replay = Replay(Config(), until={1: 10, 3: -1})
    replay.feed_lines(capture(generated().lines, 4))
    assert [view.partition for view in replay.views()] == [1, 3]
    assert replay.applied == {1: 10}


def test_timers_run_to_the_instant_asked_for_and_no_further() -> None:
    created = [event(0, "ticket.created", ticket_id="T-1", channel="email", priority="normal")]

    def breaches(minutes: float) -> int:
        replay = replayed(created, config=SMALL_CONFIG, at=START + round(minutes * MINUTE_MS))
        return int(sum(replay.snapshot()["metrics"].get("support_sla_clocks_breached_total", {}).values()))

    assert [breaches(minutes) for minutes in (0, 29.99, 30, 600)] == [0, 0, 1, 2]


def test_windows_end_at_the_last_event_where_nothing_else_is_asked_for() -> None:
    replay = replayed(told(), 3, at=None)
    assert {view.window_end for view in replay.views()} == {START + 60 * MINUTE_MS}


def test_every_refusal_is_counted_once_and_told_with_its_place() -> None:
    heard: list[Refused] = []
    replay = Replay(Config(), on_refused=heard.append)
    good = told()[0]
    nobody = event(1, "survey.sent", survey_id="S-1", survey="csat")
    conflicting = orjson.loads(good)
    conflicting["data"]["priority"] = "high"
    replay.feed_lines([good, b"\n", b"{bad\n", nobody, b"[]\n", orjson.dumps(conflicting), event(2, "ticket.nonsense", ticket_id="T")])
    first = [Reason.MALFORMED_JSON, Reason.MISSING_FIELD, Reason.NOT_AN_OBJECT]
    reasons = [*first, Reason.CONFLICTING_DUPLICATE, Reason.UNKNOWN_TYPE]
    assert sorted(refused.rejected.reason for refused in heard) == sorted(reasons)
    assert [refused.line for refused in heard if refused.rejected.reason is Reason.MALFORMED_JSON] == [3]
    assert replay.refused == dict.fromkeys(reasons, 1)
    (view,) = replay.views()
    counted = {key: count for key, count in view.counts.items() if key.startswith("rejected:")}
    assert counted == {f"rejected:{reason}": 1 for reason in reasons}
    assert "skipped" not in view.counts
    assert sum(replay.snapshot()["metrics"]["support_processor_events_consumed_total"].values()) == replay.records - 1  # the blank line


def test_records_of_a_capture_pass_the_same_door_as_in_the_worker() -> None:
    (line,) = capture(told()[:1], 4)
    record = orjson.loads(line)
    wrong = {**record, "partition": (record["partition"] + 1) % 4}
    early = {**record, "timestamp": START - 60_000}
    tombstone = {**record, "value": None}
    other_bytes = {**{key: value for key, value in record.items() if key != "value"}, "value_base64": "/w=="}
    keyless, otherwise = {**record, "key": None}, {**record, "key": "T"}
    replay = replayed([orjson.dumps(each) for each in (wrong, early, keyless, tombstone, other_bytes, otherwise)])
    assert replay.refused == dict.fromkeys(
        [Reason.WRONG_PARTITION, Reason.AHEAD_OF_LOG, Reason.NULL_KEY, Reason.TOMBSTONE, Reason.INVALID_ENCODING, Reason.KEY_MISMATCH], 1
    )


def test_unknown_types_are_skipped_where_the_configuration_says_so() -> None:
    replay = replayed([event(2, "ticket.nonsense", ticket_id="T")], config=loads(b"worker: {unknown_types: skip}", "test"), at=None)
    assert not replay.refused
    assert replay.engines[0].counts["skipped"] == 1


def test_a_capture_of_more_partitions_than_the_topic_has_is_refused() -> None:
    with pytest.raises(ReplayError, match="--partitions"):
        replayed(capture(generated().lines, 8))


def test_a_capture_that_was_cut_off_is_refused() -> None:
    lines = capture(told(), 4)
    with pytest.raises(ReplayError, match="line 2 is no captured record"):
        replayed([lines[0], lines[1][:-20]])


def test_days_add_up_to_the_totals() -> None:
    replay = replayed(generated().lines, 3)
    created = sum(row.get("tickets_created", 0) for row in replay.days().values())
    assert created == generated().truth["families"]["support_tickets_created_total"]
    assert len(replay.days()) >= 2
