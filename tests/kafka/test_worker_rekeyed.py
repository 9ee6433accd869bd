"""What crosses partitions: waits of merged tickets and answers on the phone, through workers that die anywhere; and what is reported."""

from __future__ import annotations

import functools
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from processor.codec.envelope import format_time
from processor.codec.partials import LevelsPartial, WindowsPartial, decode_partial
from processor.codec.rekeyed import decode_rekeyed
from processor.core.outputs import Rekeyed
from processor.core.settings import MINUTE_MS
from processor.export.snapshot import compare
from processor.replay import Replay
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, Worker, caught_up, ends_of, failpoints, until
from tests.kafka.events import created, event, keyed, reply, status
from tests.kafka.offline import Expected, expected, written_facts

TopicName = Callable[[str], str]
START = 1_767_603_600_000  # 2026-01-05T09:00:00Z, a Monday
DESK: dict[str, Any] = {
    "calendars": {"office": {"zone": "UTC", "hours": {"mon": "08:00-18:00"}}},
    "policies": [{"id": "standard", "calendar": "office", "targets": {"first_response": "30m", "resolution": "8h"}}],
}


def life(number: int, at: int, random: Random, *, handed_on: bool) -> list[tuple[int, str, bytes]]:
    """Two tickets and a contact that have to do with each other, as (time, key, event): merged, answered on the phone, or both undone."""
    first, second, third, contact = f"T-{number}-a", f"T-{number}-b", f"T-{number}-c", f"C-{number}"
    told = [
        (at, first, created(first, at, channel=random.choice(("email", "web")))),
        (at + 60_000, second, created(second, at + 60_000, priority=random.choice(("normal", "urgent")))),
        (at + 120_000, third, created(third, at + 120_000)),
    ]

    def then(minutes: int, key: str, make: Callable[[int], bytes]) -> None:
        when = at + minutes * MINUTE_MS
        told.append((when, key, make(when)))

    def merge(minutes: int, source: str, target: str, kind: str = "ticket.merged") -> None:
        then(minutes, source, lambda when: event(kind, when, ticket_id=source, merged_into=target))

    merge(4, first, second)
    if handed_on and number % 3 == 0:
        merge(6, second, third)
    if number % 4 == 0:  # and taken back
        merge(9, first, second, "ticket.unmerged")
    if number % 2 == 0:
        begin = {"contact_id": contact, "channel": "phone", "queue": "hotline", "ticket_id": second}
        then(11, contact, lambda when: event("contact.queued", when, **begin))
        then(12, contact, lambda when: event("contact.accepted", when, contact_id=contact, agent_id="A-1"))
    then(45 if number % 5 else 20, second, lambda when: reply(second, when))
    then(50, third, lambda when: reply(third, when))
    then(60, second, lambda when: status(second, when, "solved"))
    return told


def lives(count: int, partitions: int, seed: int, *, shuffled: bool, handed_on: bool) -> list[Sent]:
    """The log of so many, a new one every minute; some of it twice, and out of order where nobody asks what was known when."""
    random = Random(seed)
    told = sorted(item for number in range(count) for item in life(number, START + number * MINUTE_MS, random, handed_on=handed_on))
    if shuffled:
        told += random.choices(told, k=count)
        told.sort(key=lambda item: item[0] + random.randint(0, 20 * MINUTE_MS))
    end = told[-1][0] + 90 * MINUTE_MS
    log = [keyed(key, value, partitions) for _, key, value in told]
    return [*log, *((partition, None, event("control.clock_advanced", end - 1, at=format_time(end))) for partition in range(partitions))]


def handed_over(deployment: Deployment) -> Counter[tuple[str, int, int]]:
    """What went through the re-keyed topic, net: (kind, from, to) -> how often."""
    found: Counter[tuple[str, int, int]] = Counter()
    for record in deployment.read("rekeyed"):
        source, said = decode_rekeyed(record.value, record.key)
        if isinstance(said, Rekeyed):
            found[said.kind, source, record.partition] += said.sign
    return found


def replayed(deployment: Deployment, taken: dict[str, Any]) -> dict[str, Any]:
    """The snapshot of a replay of the topic up to where this one was taken."""
    timers = {int(number): partition["timer_time"] for number, partition in taken["partitions"].items()}
    applied = {int(number): partition["applied"] for number, partition in taken["partitions"].items()}
    replay = Replay(deployment.config, until=applied, timers_until=timers)
    replay.captured = True
    for record in deployment.read("events"):
        replay.feed(record.value, record.key, record.partition, record.offset, record.timestamp)
    replay.finish(timers)
    return replay.snapshot()


def assert_as_offline(deployment: Deployment, *each: dict[str, Any]) -> Expected:
    """Snapshots and net facts are those of the engines alone, and of a replay, for each worker by itself."""
    want = expected(deployment.config, deployment.read("events"), report_every_minutes=deployment.config.kpis.backfill_minutes)
    assert not want.rejected
    for taken in each:
        assert compare(want.of(int(number) for number in taken["partitions"]), taken) == []
        assert compare(replayed(deployment, taken), taken) == []
    facts = written_facts(deployment.read("facts"))
    assert set(facts.values()) == {1}
    assert facts == want.facts
    return want


def test_what_crosses_partitions_survives_a_kill_at_every_failpoint(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    short = {"step_events_max": 40, "session_timeout_seconds": 1}
    deployment = Deployment(broker.bootstrap, topic_name("cross"), tmp_path, worker=short, **DESK).create_topics()
    log = lives(150, 2, 3, shuffled=True, handed_on=True)
    deployment.send(log)
    for failpoint in failpoints():
        with deployment.worker(failpoint=failpoint) as worker:
            assert worker.exit_code() == -signal.SIGKILL
    with deployment.worker() as worker:
        (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), worker))
    want = assert_as_offline(deployment, taken)
    net = handed_over(deployment)
    assert want.handed_over > 200
    for kind in ("ticket.wait_handed", "ticket.wait_withdrawn", "ticket.contact_answered"):
        assert net[kind, 0, 1] > 0
        assert net[kind, 1, 0] > 0


def test_two_applications_that_share_internal_topics_leave_out_what_the_other_writes(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    one = Deployment(broker.bootstrap, topic_name("one"), tmp_path / "one", **DESK).create_topics()
    other = Deployment(broker.bootstrap, topic_name("other"), tmp_path / "other", **DESK)
    for role in ("rekeyed", "partials"):
        other.document["topics"][role] = getattr(one.config.topics, role)
    other.reload()
    other.create_topics()
    logs = [lives(40, 2, 3, shuffled=True, handed_on=True), lives(60, 2, 4, shuffled=True, handed_on=True)]
    with one.worker() as first, other.worker() as second:
        for deployment, log in zip((one, other), logs, strict=True):
            deployment.send(log)
        for deployment, worker, log in zip((one, other), (first, second), logs, strict=True):
            (taken,) = until("it has caught up", functools.partial(caught_up, ends_of(log), worker))
            assert assert_as_offline(deployment, taken).handed_over > 20
            assert worker.samples("support_processor_engine_errors_total")[""] > 0
            assert not worker.samples("support_processor_kpi_partials_ignored_total").get('{reason="foreign"}')
    told = {dict(letter.headers)["detail"] for letter in one.read("rejected")}
    assert told == {f"an internal record: written by application {other.config.application_id!r}: each needs topics of its own".encode()}


def reported(deployment: Deployment) -> tuple[dict[tuple[int, int], Any], dict[int, Any]]:
    """What the topic of partials says in the end: windows and backlog by (partition, end), levels by partition; all segments together."""
    partials = [decode_partial(record.value) for record in deployment.read("partials")]
    newest: dict[tuple[Any, ...], tuple[int, int]] = {}
    for partial in partials:
        key = _key(partial)
        newest[key] = max(newest.get(key, (0, 0)), (partial.epoch, partial.sequence))
    windows: dict[tuple[int, int], Any] = {}
    levels: dict[int, Any] = {}
    for partial in partials:
        if newest[_key(partial)] != (partial.epoch, partial.sequence):
            continue
        if isinstance(partial, WindowsPartial):
            windows.setdefault((partial.partition, partial.end), {}).update(partial.segments)
        else:
            levels.setdefault(partial.partition, {}).update(partial.segments)
    return windows, levels


def _key(partial: WindowsPartial | LevelsPartial) -> tuple[Any, ...]:
    return (partial.partition, partial.end) if isinstance(partial, WindowsPartial) else (partial.partition,)


def as_reported(want: Expected) -> dict[tuple[int, int], Any]:
    """The same of the engines alone."""
    names = want.settings.group_bys
    return {
        place: {
            (names[segment[0]], segment[1]): (report.windows.get(segment, {}), report.backlog.get(segment, 0))
            for segment in report.windows.keys() | report.backlog.keys()
        }
        for place, report in want.reports.items()
    }


@pytest.mark.parametrize(("workers", "partitions"), [(1, 2), (2, 2), (2, 5)])
def test_partials_are_those_of_the_engines_alone_for_every_minute(
    workers: int, partitions: int, broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    each_minute: dict[str, Any] = {"kpis": {"backfill_minutes": 1}, "worker": {"step_events_max": 60}}
    deployment = Deployment(broker.bootstrap, topic_name("partials"), tmp_path, partitions=partitions, **each_minute, **DESK)
    deployment.create_topics()
    log = lives(90, partitions, 5, shuffled=False, handed_on=False)
    with ExitStack() as stack:
        running = [stack.enter_context(deployment.worker(f"worker-{number}")) for number in range(workers)]
        until("all have a share", lambda: _shared_out(running, partitions))
        deployment.send(log)
        each = until("they have caught up", lambda: caught_up(ends_of(log, partitions), *running))
        want = assert_as_offline(deployment, *each)
        until("the last levels are told, a second after others at most", lambda: reported(deployment)[1] == want.levels())
    windows, levels = reported(deployment)
    wanted = as_reported(want)
    assert {end for _, end in wanted} == {end for _, end in windows}
    assert len(wanted) > partitions * 100
    assert list(_differences(wanted, windows)) == []
    assert levels == want.levels()
    assert any(row.get("first_response:count", 0) or any("first_response" in key for key in row) for row in _rows(windows))


def _rows(windows: dict[tuple[int, int], Any]) -> list[dict[str, int]]:
    return [row for segments in windows.values() for rows, _ in segments.values() for row in rows.values()]


def _shared_out(workers: list[Worker], partitions: int) -> bool:
    shares = [len(worker.applied()) for worker in workers]
    return sum(shares) == partitions and min(shares) > 0


def _differences(wanted: dict[tuple[int, int], Any], found: dict[tuple[int, int], Any]) -> Iterator[tuple[Any, ...]]:
    """Every number in which two sets of reports differ, with where it stands."""
    for place in sorted(wanted.keys() | found.keys()):
        some, others = wanted.get(place, {}), found.get(place, {})
        for segment in sorted(some.keys() | others.keys()):
            (rows, backlog), (other_rows, other_backlog) = some.get(segment, ({}, 0)), others.get(segment, ({}, 0))
            if backlog != other_backlog:
                yield place, segment, "backlog", backlog, other_backlog
            for window in sorted(rows.keys() | other_rows.keys()):
                row, other = rows.get(window, {}), other_rows.get(window, {})
                for key in sorted(row.keys() | other.keys()):
                    if row.get(key, 0) != other.get(key, 0):
                        yield place, segment, window, key, row.get(key, 0), other.get(key, 0)
