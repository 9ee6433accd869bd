"""Taking a partition over: fence the former owner, read the state, and refuse where going on would mean wrong numbers.

The order matters. After the fence no older write can commit, so what is read afterwards is final. The group's committed offset is only a
cross-check: the marker, written in the same transaction as the state, says where to go on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from processor.codec.state import decode_marker, decode_record
from processor.codec.upgrade import UPGRADED_FROM
from processor.config import Config
from processor.core.engine import Engine
from processor.core.settings import Settings
from processor.core.upgrading import catch_up
from processor.stream.failpoints import Failpoints
from processor.stream.state_topic import StoredState, read_state
from processor.versions import objections


class RefusedError(Exception):
    """The partition cannot be taken over. The message says why and which command repairs it."""


@dataclass(frozen=True, slots=True)
class Log:
    """The offsets of an input topic at takeover: first there is, end, and what the group committed (None = nothing)."""

    first: int
    end: int
    committed: int | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A partition ready to run."""

    engine: Engine
    applied: int
    rekeyed_applied: int
    rekeyed_end: int
    epoch: int
    newest_appended_at: int
    records_read: int


async def take_over(
    config: Config,
    settings: Settings,
    connection: dict[str, Any],
    consumer: AIOKafkaConsumer,
    source: TopicPartition,
    partitions: int,
    failpoints: Failpoints,
    *,
    from_log_start: bool,
) -> Taken:
    """Rebuild the partition's engine from the state topic. The caller has started the transactional producer before.

    Raises RefusedError. `from_log_start` allows a start without state although the log does not begin at 0.
    """
    rekeyed = TopicPartition(config.topics.rekeyed, source.partition)
    check_counts(consumer, rekeyed, partitions)
    log, own = await _offsets(consumer, source), await _offsets(consumer, rekeyed)
    stored = await read_state(connection, config.topics.state, source.partition)
    failpoints.reach("takeover.after_read")
    engine = Engine(settings, source.partition, partitions)
    if stored.marker is None:
        check_fresh(source, log, stored, from_log_start=from_log_start)
        check_fresh(rekeyed, own, stored, from_log_start=from_log_start)
        return Taken(engine, log.first - 1, own.first - 1, own.end, 1, 0, stored.read)
    try:
        marker = decode_marker(stored.marker)
    except ValueError as error:
        raise RefusedError(f"{_name(source)}: {error}. Run the release that wrote it or a later one, or {_START_OVER}") from error
    check_marker(config, source, log, marker, partitions)
    rekeyed_applied = check_rekeyed(rekeyed, own, marker)
    check_settings(source, settings, marker)
    try:
        for _ in engine.restore(marker, (decode_record(key, value) for key, value in stored.records.items())):
            await asyncio.sleep(0)  # heartbeats live on this loop
        if UPGRADED_FROM in marker:
            for _ in catch_up(engine, marker[UPGRADED_FROM]):
                await asyncio.sleep(0)
    except LookupError as error:
        raise RefusedError(f"{_name(source)}: {error.args[0]}. Put that version back into the configuration.") from error
    applied, newest_appended_at = marker["applied"][source.topic], marker["newest_appended_at"]
    return Taken(engine, applied, rekeyed_applied, own.end, marker["epoch"] + 1, newest_appended_at, stored.read)


_START_OVER = "start over from the log with `ticket-kpis topics reset-state`."
_MOVE = "move it with `ticket-kpis state export` there and `ticket-kpis state import` here"
_RESTORE = "`ticket-kpis topics reset-state` starts over from the log, and `ticket-kpis state import` after it from an exported state"


def _name(source: TopicPartition) -> str:
    return f"{source.topic}-{source.partition}"


def check_counts(consumer: AIOKafkaConsumer, rekeyed: TopicPartition, partitions: int) -> None:
    """Do both inputs have the same partitions?"""
    found = len(consumer.partitions_for_topic(rekeyed.topic) or ())
    if found != partitions:
        raise RefusedError(
            f"{_name(rekeyed)}: the topic has {found} partitions, that of the events has {partitions}; both must have as many. "
            "Check topics.events and topics.rekeyed with `ticket-kpis topics verify`."
        )


def check_fresh(source: TopicPartition, log: Log, stored: StoredState, *, from_log_start: bool) -> None:
    """There is no marker: is this really the beginning?"""
    name = _name(source)
    if stored.records:
        raise RefusedError(
            f"{name}: the state topic holds {len(stored.records)} records but no marker, so they are not ours. "
            f"Check topics.state, or {_START_OVER}"
        )
    if from_log_start:
        return
    if log.committed:
        raise RefusedError(
            f"{name}: the group has committed offset {log.committed} but the state topic is empty: the state was lost. "
            f"If the log still begins at 0, {_RESTORE}; else only an exported state or the state topic itself brings it back."
        )
    if log.first > 0:
        raise RefusedError(
            f"{name}: no state, and the log begins at offset {log.first}: what came before would be missing from every number. "
            "`ticket-kpis worker --from-log-start` starts from there on purpose."
        )


def check_marker(config: Config, source: TopicPartition, log: Log, marker: dict[str, Any], partitions: int) -> None:
    """There is a marker: does it belong to this log?"""
    name = _name(source)
    if marker["application_id"] != config.application_id:
        owner = f"the state belongs to application {marker['application_id']!r}"
        raise RefusedError(f"{name}: {owner}. Check application_id and topics.state, or {_MOVE}.")
    if marker["partitions"] != partitions:
        raise RefusedError(
            f"{name}: the state was made with {marker['partitions']} partitions, the topic has {partitions}: "
            f"tickets would be on the wrong one. Go back to {marker['partitions']}, or {_MOVE}, or {_START_OVER}"
        )
    if source.topic not in marker["applied"]:
        raise RefusedError(f"{name}: the state was made from {', '.join(marker['applied'])}. Check topics.events, or {_MOVE}.")
    _check_place(source, log, marker["applied"][source.topic] + 1, "topics.events")


def check_rekeyed(rekeyed: TopicPartition, log: Log, marker: dict[str, Any]) -> int:
    """The applied offset of the re-keyed topic, if the marker belongs to it. One of before there was such a topic knows none of it."""
    applied: dict[str, int] = marker["applied"]
    if len(applied) == 1:
        return log.first - 1
    if rekeyed.topic not in applied:
        raise RefusedError(f"{_name(rekeyed)}: the state was made from {', '.join(applied)}. Check topics.rekeyed.")
    _check_place(rekeyed, log, applied[rekeyed.topic] + 1, "topics.rekeyed")
    return applied[rekeyed.topic]


def _check_place(source: TopicPartition, log: Log, following: int, setting: str) -> None:
    """Is what follows the marker still there, and has nobody gone on further?"""
    name = _name(source)
    if following < log.first:
        raise RefusedError(
            f"{name}: the log begins at {log.first}, but the state goes on at {following}: records in between were deleted unread. "
            f"Restore them, or {_START_OVER}"
        )
    if following > log.end:
        shorter = f"the log ends at {log.end}, before the state's {following}: this is another log"
        raise RefusedError(f"{name}: {shorter}. Check {setting}; to go on with another log, {_MOVE}.")
    if log.committed is not None and log.committed > following:
        raise RefusedError(
            f"{name}: the group has committed {log.committed}, beyond the state's {following}: the newest state was lost. "
            f"Restore the state topic; else {_RESTORE}."
        )


def check_settings(source: TopicPartition, settings: Settings, marker: dict[str, Any]) -> None:
    """May this configuration go on with the state, or would it contradict what is stored?"""
    problems = objections(marker["settings"], settings, max(marker["stream_time"], marker["timer_time"]))
    if problems:
        name = _name(source)
        raise RefusedError(f"{name}: the configuration does not fit the state: {'; '.join(problems)}. Mend that, or {_START_OVER}")


async def _offsets(consumer: AIOKafkaConsumer, source: TopicPartition) -> Log:
    first = (await consumer.beginning_offsets([source]))[source]
    end = (await consumer.end_offsets([source]))[source]
    return Log(first, end, await consumer.committed(source))
