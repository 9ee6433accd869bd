"""When a partition may not be taken over, and what to do then: state that would lie is refused, each time with the command that repairs it.

Everything here compares what is known and asks nobody. deploy/runbook.md has a table of all refusals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from processor.codec.state import decode_marker
from processor.codec.times import format_time
from processor.config import Config
from processor.core.settings import Settings
from processor.stream.state_topic import StoredState
from processor.versions import objections


class RefusedError(Exception):
    """The partition cannot be taken over. The message says why and which command repairs it."""


@dataclass(frozen=True, slots=True)
class Log:
    """The offsets of an input topic at takeover: first there is, end, and what the group committed (None = nothing)."""

    first: int
    end: int
    committed: int | None


_START_OVER = "start over from the log with `ticket-kpis topics reset-state`."
_MOVE = "move it with `ticket-kpis state export` there and `ticket-kpis state import` here"
_RESTORE = "`ticket-kpis topics reset-state` starts over from the log, and `ticket-kpis state import` after it from an exported state"

# What every release has written into its markers.
_PARTS = ("application_id", "partitions", "applied", "epoch", "newest_appended_at", "settings", "stream_time", "timer_time", "digest")


def _name(source: TopicPartition) -> str:
    return f"{source.topic}-{source.partition}"


def check_whole(config: Config, source: TopicPartition, stored: StoredState) -> None:
    """Is the state topic there from its beginning? Compaction leaves the beginning where it is; what deletes moves it."""
    if stored.begin > 0:
        raise RefusedError(
            f"{_name(source)}: the state topic {config.topics.state} begins at offset {stored.begin}: records were deleted from it, "
            f"and the state has holes. Its cleanup.policy must be compact (`ticket-kpis topics verify`). {_RESTORE}."
        )


def read_marker(source: TopicPartition, value: bytes) -> dict[str, Any]:
    """The marker, if this release can read it."""
    name = _name(source)
    try:
        marker = decode_marker(value)
    except orjson.JSONDecodeError as error:
        raise RefusedError(f"{name}: the marker of the state is none of ours ({error}). Check topics.state. {_RESTORE}.") from error
    except ValueError as error:
        raise RefusedError(f"{name}: {error}. Run the release that wrote it or a later one, or {_START_OVER}") from error
    except Exception as error:
        raise unreadable(source, error) from error
    if missing := [part for part in _PARTS if part not in marker]:
        raise RefusedError(f"{name}: the marker of the state lacks {', '.join(missing)}. Check topics.state. {_RESTORE}.")
    return marker


def unreadable(source: TopicPartition, error: Exception) -> RefusedError:
    """What is said when the engine cannot be made from the state."""
    if type(error) is LookupError:  # as the engine raises it on purpose; others of its kind are accidents
        return RefusedError(f"{_name(source)}: {error.args[0]}. Put that version back into the configuration.")
    what = f"{type(error).__name__}: {error}"
    return RefusedError(f"{_name(source)}: the state cannot be read ({what}): a record is damaged, or somebody else wrote it. {_RESTORE}.")


def damaged(source: TopicPartition, error: Exception) -> RefusedError:
    """What is said where the bytes of the state are not those that were written."""
    repair = f"Restore that replica of the topic from another one; else {_RESTORE}"
    return RefusedError(f"{_name(source)}: {error}: its checksum is wrong. {repair}.")


def check_counts(consumer: AIOKafkaConsumer, rekeyed: TopicPartition, partitions: int) -> None:
    """Do both inputs have the same partitions? Raises UnknownTopicOrPartitionError where a broker that has just started cannot tell yet."""
    found = len(consumer.partitions_for_topic(rekeyed.topic) or ())
    if not found:
        raise UnknownTopicOrPartitionError(rekeyed.topic)
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
    if log.committed:
        raise RefusedError(
            f"{name}: the group has committed offset {log.committed} but the state topic is empty: the state was lost. "
            f"If the log still begins at 0, {_RESTORE}; else only an exported state or the state topic itself brings it back, "
            "or a new beginning where the log begins now: `reset-state`, then `ticket-kpis worker --from-log-start`."
        )
    if log.first > 0 and not from_log_start:
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
    if marker.get("partition", source.partition) != source.partition:
        raise RefusedError(
            f"{name}: the state is that of partition {marker['partition']}: records were copied to another partition. "
            f"Put them back where they were, or {_MOVE}, or {_START_OVER}"
        )
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


def check_same_log(source: TopicPartition, applied: int, appended_at: int, found: int | None, setting: str) -> None:
    """Is the log the one that the state was made from? `found` is when the record at `applied` was appended (ms); None = there is none."""
    if found == appended_at:
        return
    raise RefusedError(
        f"{_name(source)}: the record at offset {applied} is not the state's, which was appended at {format_time(appended_at)}: "
        f"the topic was made anew or restored from elsewhere. Check {setting}; to go on with another log, {_MOVE}; or {_START_OVER}"
    )


def check_settings(source: TopicPartition, settings: Settings, marker: dict[str, Any]) -> None:
    """May this configuration go on with the state, or would it contradict what is stored?"""
    problems = objections(marker["settings"], settings, max(marker["stream_time"], marker["timer_time"]))
    if problems:
        name = _name(source)
        raise RefusedError(f"{name}: the configuration does not fit the state: {'; '.join(problems)}. Mend that, or {_START_OVER}")
