"""Whatever is written to the events topic: counted, set aside with its reason, and the worker goes on with everything else."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from processor.core.events import Reason
from processor.export.snapshot import compare
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, caught_up, ends_of, until
from tests.kafka.events import created, event, keyed, reply, status
from tests.kafka.offline import expected, headers

TopicName = Callable[[str], str]
NOW = time.time_ns() // 1_000_000 - 60_000
HOUR = 3_600_000
PARTITIONS = 2
TAIL_MAX = 64


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that must be refused."""

    reason: Reason
    record: Sent


def raw(value: bytes) -> Sent:
    """Bytes with a key that is somebody's."""
    return keyed("T-good-1", value, PARTITIONS)


def changed(ticket: str, **fields: Any) -> Sent:
    """A creation, its envelope changed; None takes a field away."""
    document = orjson.loads(created(ticket, NOW)) | fields
    return keyed(ticket, orjson.dumps({name: value for name, value in document.items() if value is not None}), PARTITIONS)


def elsewhere(record: Sent) -> Sent:
    """The same record on the partition where it does not belong."""
    return 1 - record[0], record[1], record[2]


def bad_records() -> list[Bad]:
    """At least one record for each reason that input can have."""
    fine = created("T-x", NOW)
    return [
        Bad(Reason.TOMBSTONE, keyed("T-good-1", None, PARTITIONS)),
        Bad(Reason.PAYLOAD_TOO_LARGE, keyed("T-large", created("T-large", NOW, tags=["x" * 3000]), PARTITIONS)),
        Bad(Reason.PAYLOAD_TOO_LARGE, raw(b"\xff" * 900_000)),
        Bad(Reason.INVALID_ENCODING, raw(fine.decode().encode("utf-16"))),
        Bad(Reason.INVALID_ENCODING, raw(fine.decode().encode("utf-16-be"))),
        Bad(Reason.INVALID_ENCODING, raw(created("T-x", NOW, topic="Rückgabe").decode().encode("latin-1"))),
        Bad(Reason.INVALID_ENCODING, raw(b"\xef\xbb\xbf" + fine)),
        Bad(Reason.MALFORMED_JSON, raw(fine[:-1])),
        Bad(Reason.MALFORMED_JSON, raw(b"")),
        Bad(Reason.MALFORMED_JSON, raw(b'{"n": NaN}')),
        Bad(Reason.MALFORMED_JSON, raw(b"[" * 1999)),
        Bad(Reason.NOT_AN_OBJECT, raw(b"[]")),
        Bad(Reason.NOT_AN_OBJECT, raw(b"null")),
        Bad(Reason.MISSING_FIELD, changed("T-x", id=None)),
        Bad(Reason.MISSING_FIELD, changed("T-x", data={"ticket_id": "T-x"})),
        Bad(Reason.WRONG_TYPE, changed("T-x", data=[])),
        Bad(Reason.WRONG_TYPE, changed("T-x", data={"ticket_id": 7, "channel": "email"})),
        Bad(Reason.INVALID_VALUE, changed("T-x", specversion="0.3")),
        Bad(Reason.INVALID_VALUE, changed("T-x", data={"ticket_id": "T-x", "channel": "pigeon"})),
        Bad(Reason.INVALID_TIME, changed("T-x", time="yesterday")),
        Bad(Reason.INVALID_TIME, changed("T-x", time="2026-02-30T00:00:00Z")),
        Bad(Reason.TIME_OUT_OF_RANGE, changed("T-x", time="0001-01-01T00:00:00Z")),
        Bad(Reason.TIME_OUT_OF_RANGE, changed("T-x", time="9999-12-31T23:59:59Z")),
        Bad(Reason.AHEAD_OF_LOG, changed("T-x", time="2049-01-01T00:00:00Z")),
        Bad(Reason.AHEAD_OF_LOG, (0, None, event("control.clock_advanced", NOW, at="2049-01-01T00:00:00.000Z"))),
        Bad(Reason.UNKNOWN_TYPE, changed("T-x", type="support.ticket.exploded")),
        Bad(Reason.NULL_KEY, (0, None, fine)),
        Bad(Reason.KEY_MISMATCH, keyed("T-other", fine, PARTITIONS)),
        Bad(Reason.WRONG_PARTITION, elsewhere(keyed("T-x", fine, PARTITIONS))),
        Bad(Reason.TOO_LATE, keyed("T-late", created("T-late", NOW - 30 * HOUR), PARTITIONS)),
        Bad(Reason.BEYOND_TAIL, keyed("T-long", reply("T-long", NOW - HOUR + 1), PARTITIONS)),
        Bad(Reason.CONFLICTING_DUPLICATE, keyed("T-good-1", created("T-good-1", NOW, id="twice", priority="urgent"), PARTITIONS)),
    ]


def good_records() -> list[Sent]:
    """Tickets on both partitions, one of them with more events than a tail holds, and a duplicate."""
    records = [keyed("T-good-1", created("T-good-1", NOW, id="twice"), PARTITIONS)] * 2
    for number in range(2, 20):
        ticket = f"T-good-{number}"
        records += [keyed(ticket, value, PARTITIONS) for value in (created(ticket, NOW), status(ticket, NOW + 1, "solved"))]
    long = [created("T-long", NOW - HOUR), *(reply("T-long", NOW - HOUR + 1000 * number) for number in range(1, TAIL_MAX + 10))]
    return [*records, *(keyed("T-long", value, PARTITIONS) for value in long)]


def test_every_bad_record_is_set_aside_with_its_reason_and_nothing_else_is_lost(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(
        broker.bootstrap, topic_name("bad"), tmp_path, worker={"max_event_bytes": 2000}, limits={"tail_max": TAIL_MAX}
    ).create_topics()
    bad, good = bad_records(), good_records()
    assert {item.reason for item in bad} == set(Reason) - {Reason.ENGINE_ERROR}
    last = [keyed(f"T-last-{number}", created(f"T-last-{number}", NOW + 2), PARTITIONS) for number in range(20)]
    log = [*good, *(item.record for item in bad), *last]
    deployment.send(log, compression_type="gzip")
    with deployment.worker() as worker:
        (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), worker))
        counted = worker.samples("support_processor_events_invalid_total")
        assert worker.ready()
    want = expected(deployment.config, deployment.read("events"))
    assert compare(want.of(range(PARTITIONS)), taken) == []
    tickets = {key for _, key, value in [*good, *last]}
    assert sum(view.open_tickets for view in want.views) == len(tickets) - 18  # solved ones
    reasons = Counter(str(item.reason) for item in bad)
    assert {reason: sum(n for labels, n in counted.items() if f'reason="{reason}"' in labels) for reason in reasons} == reasons
    assert sum(counted.values()) == len(bad)
    letters = deployment.read("rejected")
    assert Counter(header["reason"].decode() for header in headers(letters)) == reasons
    assert_untouched(letters, deployment.read("events"))


def assert_untouched(letters: list[Any], events: list[Any]) -> None:
    """Each letter names a record of the events topic, and has its key and its bytes."""
    source = {(record.partition, record.offset): record for record in events}
    for letter, header in zip(letters, headers(letters), strict=True):
        place = int(header["partition"]), int(header["offset"])
        record = source.pop(place)
        assert header["topic"].decode() == record.topic
        assert header["detail"]
        assert letter.partition == record.partition
        assert (letter.key, letter.value) == (record.key, record.value)


def test_what_no_topic_could_hold_is_set_aside_by_its_hash(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("bomb"), tmp_path).create_topics()
    bomb = b" " * 20_000_000
    log = [(0, b"T-x", bomb), (0, bomb, b"{}"), keyed("T-good", created("T-good", NOW), PARTITIONS)]
    deployment.send(log, compression_type="gzip", max_request_size=30_000_000)
    with deployment.worker() as worker:
        (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), worker))
    want = expected(deployment.config, deployment.read("events"))
    assert compare(want.of(range(PARTITIONS)), taken) == []
    assert sum(view.open_tickets for view in want.views) == 1
    large, long_key = deployment.read("rejected")
    for letter, reason in ((large, Reason.PAYLOAD_TOO_LARGE), (long_key, Reason.MISSING_FIELD)):
        assert dict(letter.headers)["reason"].decode() == reason
    assert (large.key, large.value, dict(large.headers)["sha256"]) == (b"T-x", None, sha256(bomb).hexdigest().encode())
    assert (long_key.key, long_key.value) == (None, b"{}")


def test_a_record_of_our_own_that_cannot_be_read_is_set_aside_and_counts_among_no_events(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("own"), tmp_path).create_topics()
    foreign = [(0, b"T-x", b"{}"), (1, None, b"\xff"), (1, b"T-x", None), (0, None, b'{"source": 0, "heartbeat": "soon"}')]
    log = good_records()
    deployment.send_to("rekeyed", foreign)
    deployment.send(log)
    with deployment.worker() as worker:
        (taken,) = until("it has caught up", lambda: caught_up(ends_of(log), worker))
        assert worker.samples("support_processor_engine_errors_total") == {"": len(foreign)}
        assert worker.ready()
    assert compare(expected(deployment.config, deployment.read("events")).of(range(PARTITIONS)), taken) == []
    letters = deployment.read("rejected")
    assert {header["reason"].decode() for header in headers(letters)} == {Reason.ENGINE_ERROR}
    places = [
        (letter.partition, letter.key, letter.value, header["topic"].decode())
        for letter, header in zip(letters, headers(letters), strict=True)
    ]
    assert sorted(places, key=str) == sorted([(*sent, deployment.config.topics.rekeyed) for sent in foreign], key=str)
