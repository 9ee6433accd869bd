"""`ticket-kpis state forget`: erase a person's id from the stored state, and tell where else it may lie and for how long."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from processor.codec.state import ENTITY_FORMS, decode_marker, decode_record, encode_marker
from processor.codec.times import format_time
from processor.config import Config
from processor.core.business_hours import NEVER
from processor.core.engine import Engine
from processor.core.settings import DAY_MS, HOUR_MS, Settings
from processor.core.sleep import look_at
from processor.state_tools.broker import Progress, stored_partition
from processor.state_tools.file import StoredPartition
from processor.state_tools.forgetting import PERSONS, Findings, forget
from processor.state_tools.writing import fenced
from processor.stream.committer import Transaction
from processor.stream.state_topic import unheard

FOREVER = -1


@dataclass(slots=True)
class Forgotten:
    """What was done in all partitions: what was erased and kept, how many records were written, and entities that have the id."""

    findings: Findings = field(default_factory=Findings)
    written: Counter[int] = field(default_factory=Counter)  # partition -> records
    leave: dict[str, str] = field(default_factory=dict)  # "ticket", "contact" and so on, no person -> when it leaves the state


@dataclass(frozen=True, slots=True)
class Place:
    """Where else an id may lie, and until when."""

    where: str
    what: str
    until: str


async def forget_everywhere(config: Config, settings: Settings, person: str, *, progress: Progress = unheard) -> Forgotten:
    """Erase the id from all partitions, each in a transaction of its owner. No worker may run."""
    done = Forgotten()
    for number in range(config.topics.partitions):
        async with fenced(config, number) as committer:  # first, so that nothing follows what is read
            partition = await stored_partition(config, number, progress=progress)
            if partition is None:
                continue
            found = forget(partition.records, person)
            done.findings.add(found)
            for kind in found.entities - PERSONS:
                done.leave[kind] = _leaves(settings, partition, kind, person)
            if found.changed:
                marker = decode_marker(orjson.dumps(partition.marker))
                written = encode_marker(marker | {"epoch": marker["epoch"] + 1})
                await committer.commit(Transaction(written, {}, records=iter(found.changed.items())))
                done.written[number] = len(found.changed)
    return done


def _leaves(settings: Settings, partition: StoredPartition, kind: str, key: str) -> str:
    """When an entity leaves the state, from its own records alone."""
    engine = Engine(settings, partition.number)
    own = [decode_record(name, value) for name, value in partition.records.items() if name.endswith(b"|" + key.encode())]
    mine = [(name, value) for name, value in own if name[0] in ENTITY_FORMS and name[1] == kind and name[-1] == key]
    try:
        for _ in engine.restore(decode_marker(orjson.dumps(partition.marker)), mine):
            pass
    except LookupError:  # of a policy that is gone: then a worker does not start either
        return "when it is long finished"
    entity = engine.entities[kind][key]
    gone_at = look_at(engine, entity).gone_at
    return "never while it is open" if gone_at == NEVER else f"after {format_time(gone_at + settings.allowed_lateness)}"


def places(config: Config, admin: KafkaAdminClient, entities: set[str]) -> list[Place]:
    """Where else it may lie. Retention is what the broker says."""
    topics = config.topics
    settings = _settings(admin, [topics.events, topics.facts, topics.rejected, topics.rekeyed, topics.state])
    letters = "whole records that were rejected" if config.dead_letter.payload == "full" else "keys of rejected records; values are hashed"
    found = [
        Place(topics.events, "the events as they were sent", _expiry(settings[topics.events])),
        Place(topics.rejected, letters, _expiry(settings[topics.rejected])),
        Place(topics.state, "records that were replaced now", _expiry(settings[topics.state])),
    ]
    if entities:
        found[1:1] = [
            Place(topics.facts, "what was concluded about it", _expiry(settings[topics.facts])),
            Place(topics.rekeyed, "what was handed to it, or by it", _expiry(settings[topics.rekeyed])),
        ]
    return [
        *found,
        Place("captures, exported and rebuilt states", "files and topics that you made", "when you delete them"),
        Place("what read these topics", "copies elsewhere, such as a data warehouse", "ask who owns them"),
    ]


def _settings(admin: KafkaAdminClient, topics: list[str]) -> dict[str, dict[str, str]]:
    described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics], config_filter="all")["topic"]
    return {topic: {key: entry["value"] for key, entry in described.get(topic, {}).items()} for topic in topics}


def _expiry(settings: dict[str, Any]) -> str:
    """When what is written now is gone from a topic, at the latest."""
    if not settings:
        return "there is no such topic"
    parts = []
    if "delete" in settings.get("cleanup.policy", "delete"):
        kept, segment = int(settings.get("retention.ms", FOREVER)), int(settings["segment.ms"])
        if kept < 0:
            parts.append("never: retention.ms is -1. Set it, or delete records with kafka-delete-records")
        else:
            parts.append(f"{_span(kept)} after the end of its segment, which is at most {_span(segment)} long")
    if "compact" in settings.get("cleanup.policy", ""):
        lag = int(settings.get("max.compaction.lag.ms", NEVER))
        sure = f"within {_span(lag)}" if lag < NEVER else "at a time that nobody can say: set max.compaction.lag.ms to bound it"
        parts.append(f"when the topic is compacted, {sure}")
    return " and ".join(parts)


def _span(ms: int) -> str:
    return f"{ms / DAY_MS:.3g} d" if ms >= DAY_MS else f"{ms / HOUR_MS:.3g} h"
