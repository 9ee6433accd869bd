"""When a partition may be taken over, and what is said when it may not: each refusal names what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, UnknownTopicOrPartitionError
from aiokafka.structs import OffsetAndTimestamp

from processor.codec.state import STATE_VERSION, encode_marker
from processor.compile import compile_settings
from processor.config import Config
from processor.core.engine import Engine
from processor.stream import takeover
from processor.stream.failpoints import Failpoints
from processor.stream.refusals import (
    Log,
    RefusedError,
    check_fresh,
    check_marker,
    check_rekeyed,
    check_whole,
    read_marker,
    unreadable,
)
from processor.stream.state_topic import StoredState
from processor.stream.takeover import Taken, take_over
from processor.versions import stamp

SOURCE = TopicPartition("support.events.v1", 0)
REKEYED = TopicPartition("support.rekeyed.v1", 0)
CONFIG = Config()
RESET = "ticket-kpis topics reset-state"
EXPORT, IMPORT = "ticket-kpis state export", "ticket-kpis state import"


def marker(**changes: Any) -> dict[str, Any]:
    """A marker at offset 41, as a partition with 4 partitions writes it."""
    settings = compile_settings(CONFIG)
    applied = {SOURCE.topic: 41, REKEYED.topic: 17}
    usual = {"application_id": CONFIG.application_id, "partition": 0, "partitions": 4, "applied": applied, "epoch": 3}
    usual |= {"newest_appended_at": 5, "appended_at": 7}
    return usual | {"settings": stamp(settings, 0)} | Engine(settings).marker() | changes


def refusal_of_marker(log: Log, **changes: Any) -> str:
    with pytest.raises(RefusedError) as refused:
        check_marker(CONFIG, SOURCE, log, marker(**changes), 4)
    return str(refused.value)


def refusal_without_marker(log: Log, stored: StoredState, *, from_log_start: bool = False) -> str:
    with pytest.raises(RefusedError) as refused:
        check_fresh(SOURCE, log, stored, from_log_start=from_log_start)
    return str(refused.value)


@pytest.mark.parametrize("committed", [None, 0])
def test_an_empty_state_may_begin_at_the_beginning_of_the_log(committed: int | None) -> None:
    check_fresh(SOURCE, Log(0, 1000, committed), StoredState(), from_log_start=False)


@pytest.mark.parametrize(("first", "end", "committed"), [(0, 42, 42), (42, 42, None), (0, 1000, 40), (7, 1000, 42)])
def test_a_marker_within_the_log_may_go_on(first: int, end: int, committed: int | None) -> None:
    check_marker(CONFIG, SOURCE, Log(first, end, committed), marker(), 4)


def test_a_log_that_has_lost_its_beginning_needs_the_word_of_a_person() -> None:
    told = refusal_without_marker(Log(7, 1000, None), StoredState())
    assert "begins at offset 7" in told
    assert "ticket-kpis worker --from-log-start" in told
    check_fresh(SOURCE, Log(7, 1000, None), StoredState(), from_log_start=True)


@pytest.mark.parametrize(("first", "from_log_start"), [(0, False), (0, True), (7, True)])
def test_a_lost_state_is_told_from_a_new_one_by_the_groups_offset(first: int, *, from_log_start: bool) -> None:
    """Also by a worker that was once allowed to begin without one, and still is."""
    told = refusal_without_marker(Log(first, 1000, 42), StoredState(), from_log_start=from_log_start)
    assert "committed offset 42" in told
    assert "the state was lost" in told
    assert RESET in told
    assert IMPORT in told


@pytest.mark.parametrize("from_log_start", [False, True])
def test_records_without_a_marker_are_not_ours(*, from_log_start: bool) -> None:
    told = refusal_without_marker(Log(0, 1000, None), StoredState(records={b"k": b"{}"}), from_log_start=from_log_start)
    assert "no marker" in told
    assert RESET in told


@pytest.mark.parametrize(
    ("log", "changes", "words"),
    [
        (Log(43, 1000, 42), {}, ("the log begins at 43", "goes on at 42", RESET)),
        (Log(0, 41, None), {}, ("the log ends at 41", "topics.events", EXPORT, IMPORT)),
        (Log(0, 1000, 43), {}, ("committed 43", "newest state was lost", RESET, IMPORT)),
        (Log(0, 1000, 42), {"application_id": "another"}, ("'another'", "application_id", "topics.state", EXPORT, IMPORT)),
        (Log(0, 1000, 42), {"partition": 3}, ("that of partition 3", "Put them back", EXPORT, IMPORT, RESET)),
        (Log(0, 1000, 42), {"partitions": 8}, ("8 partitions", "has 4", "Go back to 8", EXPORT, IMPORT, RESET)),
        (Log(0, 1000, 42), {"applied": {"old.events": 41, REKEYED.topic: 17}}, ("old.events", "topics.events")),
    ],
)
def test_a_marker_that_does_not_fit_the_log_is_refused(log: Log, changes: dict[str, Any], words: tuple[str, ...]) -> None:
    told = refusal_of_marker(log, **changes)
    assert f"{SOURCE.topic}-{SOURCE.partition}" in told
    for word in words:
        assert word in told


@pytest.mark.parametrize(
    ("log", "applied", "words"),
    [
        (Log(19, 1000, 18), {}, ("the log begins at 19", "goes on at 18", "deleted unread", RESET)),
        (Log(0, 17, None), {}, ("the log ends at 17", "topics.rekeyed")),
        (Log(0, 1000, 19), {}, ("committed 19", "newest state was lost", RESET)),
        (Log(0, 1000, 18), {SOURCE.topic: 41, "old.rekeyed": 17}, ("old.rekeyed", "topics.rekeyed")),
    ],
)
def test_a_marker_that_does_not_fit_what_is_re_keyed_is_refused(log: Log, applied: dict[str, int], words: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError) as refused:
        check_rekeyed(REKEYED, log, marker(**({"applied": applied} if applied else {})))
    for word in (f"{REKEYED.topic}-{REKEYED.partition}", *words):
        assert word in str(refused.value)


def test_a_marker_goes_on_behind_what_it_has_applied_and_one_of_before_begins_at_the_beginning() -> None:
    assert check_rekeyed(REKEYED, Log(0, 1000, 18), marker()) == 17
    assert check_rekeyed(REKEYED, Log(5, 1000, None), marker(applied={SOURCE.topic: 41})) == 4


class FakeConsumer:
    """A consumer of logs from 0 to 1000, of which the group has committed what the marker says."""

    def __init__(self, rekeyed_partitions: int = 4) -> None:
        self._rekeyed_partitions = rekeyed_partitions

    found_at: tuple[int, int] | None = (40, 7)  # offset and time of the first record that was appended at 7 or later

    async def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, OffsetAndTimestamp | None]:
        assert times == {SOURCE: 7}
        return {SOURCE: None if self.found_at is None else OffsetAndTimestamp(*self.found_at)}

    def partitions_for_topic(self, topic: str) -> set[int]:
        assert topic == REKEYED.topic
        return set(range(self._rekeyed_partitions))

    async def beginning_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(sources, 0)

    async def end_offsets(self, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(sources, 1000)

    async def committed(self, source: TopicPartition) -> int:
        return 42 if source == SOURCE else 18


async def taken(monkeypatch: pytest.MonkeyPatch, stored: StoredState, rekeyed_partitions: int = 4) -> Taken:
    async def read(*_: object, **__: object) -> StoredState:
        return stored

    monkeypatch.setattr(takeover, "read_state", read)
    settings = compile_settings(CONFIG)
    return await take_over(CONFIG, settings, {}, FakeConsumer(rekeyed_partitions), SOURCE, 4, Failpoints(""), from_log_start=False)


async def test_how_far_a_takeover_has_come_is_told_while_the_state_is_read_and_put_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    engine = Engine(compile_settings(CONFIG))
    records = {f"c|[{number}]".encode(): b"{}" for number in range(4000)}

    async def read(*_: object, share: Callable[[float], None]) -> StoredState:
        share(0.5)
        share(1.0)
        return StoredState(encode_marker(marker()), records, 1)

    def restore(_: Engine, __: object, decoded: Iterator[object]) -> Iterator[int]:
        for number, _record in enumerate(decoded, 1):
            if number % 1000 == 0:
                yield number

    monkeypatch.setattr(takeover, "read_state", read)
    monkeypatch.setattr(Engine, "restore", restore)
    consumer: Any = FakeConsumer()
    await take_over(CONFIG, engine.settings, {}, consumer, SOURCE, 4, Failpoints(""), told.append, from_log_start=False)
    assert told == pytest.approx([0.3, 0.6, 0.7, 0.8, 0.9, 1.0])


async def test_a_state_that_a_disk_has_changed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(*_: object, **__: object) -> StoredState:
        raise CorruptRecordException("support.state.v1-1: the batch at offset 4 is damaged")

    monkeypatch.setattr(takeover, "read_state", read)
    consumer: Any = FakeConsumer()
    with pytest.raises(RefusedError, match=r"the batch at offset 4 is damaged: its checksum is wrong.*reset-state.*state import"):
        await take_over(CONFIG, compile_settings(CONFIG), {}, consumer, SOURCE, 4, Failpoints(""), from_log_start=False)


async def test_a_takeover_goes_on_behind_the_marker_in_the_next_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    result = await taken(monkeypatch, StoredState(encode_marker(marker(digest=f"{7:032x}", ledger_count=1)), {}, 1))
    assert (result.applied, result.rekeyed_applied, result.epoch, result.newest_appended_at) == (41, 17, 4, 5)
    assert (result.engine.digest, result.engine.ledger_count) == (7, 1)


def test_a_marker_of_before_there_were_such_marks_is_taken_on_trust() -> None:
    old = marker()
    del old["partition"]
    check_marker(CONFIG, SOURCE, Log(0, 1000, 42), old, 4)


def test_a_state_topic_that_has_lost_its_beginning_is_refused() -> None:
    check_whole(CONFIG, SOURCE, StoredState(begin=0))
    words = ("begins at offset 5", "ticket-kpis topics verify", RESET, IMPORT)
    with pytest.raises(RefusedError, match=".*".join(words)):
        check_whole(CONFIG, SOURCE, StoredState(begin=5))


@pytest.mark.parametrize("found", [None, (0, 8), (42, 7), (41, 9)])
async def test_where_the_brokers_clocks_differ_the_record_itself_tells_that_the_log_is_the_same(
    found: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def appended(_: object, source: TopicPartition, offset: int) -> int:
        assert (source, offset) == (SOURCE, 41)
        return 7

    monkeypatch.setattr(FakeConsumer, "found_at", found)
    monkeypatch.setattr(takeover, "appended", appended)
    assert (await taken(monkeypatch, StoredState(encode_marker(marker()), {}, 1))).applied == 41


@pytest.mark.parametrize("appended_at", [None, 6, 8])
async def test_a_log_that_was_made_anew_is_refused_though_it_is_as_long(appended_at: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def appended(*_: object) -> int | None:
        return appended_at

    monkeypatch.setattr(FakeConsumer, "found_at", (0, 8))
    monkeypatch.setattr(takeover, "appended", appended)
    with pytest.raises(RefusedError, match=rf"the record at offset 41 is not.*made anew.*topics.events.*{EXPORT}.*{IMPORT}.*{RESET}"):
        await taken(monkeypatch, StoredState(encode_marker(marker()), {}, 1))


async def test_where_the_applied_record_has_expired_or_its_time_is_not_known_nothing_is_compared(monkeypatch: Any) -> None:
    monkeypatch.setattr(FakeConsumer, "found_at", None)
    assert (await taken(monkeypatch, StoredState(encode_marker(marker(appended_at=0)), {}, 1))).applied == 41

    async def beginning(_: object, sources: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {source: 42 if source == SOURCE else 0 for source in sources}

    monkeypatch.setattr(FakeConsumer, "beginning_offsets", beginning)
    assert (await taken(monkeypatch, StoredState(encode_marker(marker()), {}, 1))).applied == 41


@pytest.mark.parametrize("value", [b"", b"hello", b"[1, 2]", b"7"])
def test_a_marker_that_is_none_is_refused(value: bytes) -> None:
    with pytest.raises(RefusedError, match=rf"{RESET}.*{IMPORT}"):
        read_marker(SOURCE, value)


@pytest.mark.parametrize("part", ["application_id", "applied", "epoch", "settings", "digest", "timer_time"])
def test_a_marker_that_lacks_something_is_refused(part: str) -> None:
    torn = marker()
    del torn[part]
    with pytest.raises(RefusedError, match=rf"lacks {part}.*{RESET}.*{IMPORT}"):
        read_marker(SOURCE, encode_marker(torn))


def test_a_record_that_cannot_be_read_is_told_from_a_version_that_is_gone() -> None:
    assert "Put that version back" in str(unreadable(SOURCE, LookupError("policy gold is in use")))
    told = str(unreadable(SOURCE, KeyError("status")))
    assert "KeyError: 'status'" in told
    assert RESET in told


@pytest.mark.parametrize(
    ("key", "value"),
    [(b"zzz", b"{}"), (b"h|t|T-1", b"not json"), (b"h|q|T-1", b"[null,null,0]"), (b"\xff", b"1"), (b"h|t|T-1", b"{}"), (b"e|t|T-1", b"[]")],
)
async def test_a_record_that_is_none_of_ours_is_refused(key: bytes, value: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match=rf"the state cannot be read.*somebody else wrote it.*{RESET}"):
        await taken(monkeypatch, StoredState(encode_marker(marker()), {key: value}, 1))


@pytest.mark.parametrize("partitions", [3, 5])
async def test_a_re_keyed_topic_with_other_partitions_than_the_events_is_refused(monkeypatch: pytest.MonkeyPatch, partitions: int) -> None:
    with pytest.raises(RefusedError, match=rf"has {partitions} partitions, that of the events has 4.*ticket-kpis topics verify"):
        await taken(monkeypatch, StoredState(), partitions)


async def test_a_re_keyed_topic_of_which_a_broker_has_not_heard_yet_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its start a broker may know no topic for a moment; a refusal would ask people to mend what is in order."""
    with pytest.raises(UnknownTopicOrPartitionError):
        await taken(monkeypatch, StoredState(), 0)


async def test_a_state_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = orjson.dumps(orjson.loads(encode_marker(marker())) | {"state_version": STATE_VERSION + 1})
    with pytest.raises(RefusedError, match=rf"state version {STATE_VERSION + 1} is unknown to this release.*{RESET}"):
        await taken(monkeypatch, StoredState(foreign, {}, 1))


async def test_a_state_that_refers_to_a_policy_that_is_gone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def restore(*_: object) -> None:
        raise LookupError("policy 'gold' version 2 is in use by a running clock but not in the configuration")

    monkeypatch.setattr(Engine, "restore", restore)
    with pytest.raises(RefusedError, match=r"'gold' version 2 .* Put that version back into the configuration"):
        await taken(monkeypatch, StoredState(encode_marker(marker()), {}, 1))
