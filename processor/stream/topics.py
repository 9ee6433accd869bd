"""The topics: made from the specifications in schemas/topics/, and verified against them before a worker trusts them.

A specification speaks of the topic by its default name; what it is called here, and how many partitions and copies it has, is configured.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import GroupIdNotFoundError, KafkaError, TopicAlreadyExistsError, for_code

from processor.config.service import TOPIC_ROLES, Kafka, Topics
from processor.schemas_path import schemas_path
from processor.stream.connection import admin_client, pauses

AS_EVENTS = "as events"  # as many partitions as the events topic: entities keep their partition number from stage to stage
AS_KPIS = "as kpis"  # the partitions over which the KPI stage is shared


class State(StrEnum):
    """What `topics create` found or did."""

    CREATED = "created"
    EXISTS = "exists"


@dataclass(frozen=True, slots=True)
class Spec:
    """One topic as it must be. `role` is its field in the configuration's `topics` section."""

    role: str
    name: str
    partitions: int
    replication: int
    config: dict[str, str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One difference between a topic and its specification. `remedy` is what to do about it."""

    topic: str
    what: str
    wanted: str
    found: str
    remedy: str

    @property
    def refused(self) -> bool:
        """Whether a worker must not start. What only makes takeovers slower is told, and may be somebody's choice."""
        return self.what not in ONLY_SLOWER

    def __str__(self) -> str:
        verb = "must" if self.refused else "should"
        return f"{self.topic}: {self.what} is {self.found}, {verb} be {self.wanted}; {self.remedy}"


# When a topic is compacted: the later, the more a takeover has to read.
ONLY_SLOWER = frozenset({"min.cleanable.dirty.ratio", "segment.bytes", "segment.ms"})
AT_LEAST = frozenset({"delete.retention.ms", "max.message.bytes"})  # more does no harm


@cache
def _documents(folder: Path) -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml")))


def specs(topics: Topics, folder: Path | None = None) -> list[Spec]:
    """What the configuration wants, in the order of `TOPIC_ROLES`. Raises `ValueError` where a specification is missing."""
    by_default_name = {document["name"]: document for document in _documents(folder or schemas_path() / "topics")}
    wanted = []
    for role in TOPIC_ROLES:
        default_name = Topics.model_fields[role].default
        if default_name not in by_default_name:
            raise ValueError(f"schemas/topics has no specification of {default_name}")
        document = by_default_name[default_name]
        partitions = _partitions(topics, role, document["partitions"])
        config = {key: _text(value) for key, value in document["config"].items()}
        wanted.append(Spec(role, getattr(topics, role), partitions, topics.replication, config))
    return wanted


def _partitions(topics: Topics, role: str, wanted: object) -> int:
    if role == "events" or wanted == AS_EVENTS:
        return topics.partitions
    return topics.kpi_partitions if wanted == AS_KPIS else int(str(wanted))


def _text(value: object) -> str:
    """A setting as the broker writes it: false, not False."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def create_topics(admin: KafkaAdminClient, wanted: list[Spec]) -> dict[str, State]:
    """Make the topics that are not there, and leave those that are. Returns when all can be written to."""
    existing = set(admin.list_topics())
    report = {}
    for spec in wanted:
        report[spec.name] = State.EXISTS if spec.name in existing else _create(admin, spec)
    admin.wait_for_topics([spec.name for spec in wanted])
    return report


def _create(admin: KafkaAdminClient, spec: Spec) -> State:
    options = {"num_partitions": spec.partitions, "replication_factor": spec.replication, "configs": spec.config}
    try:
        admin.create_topics({spec.name: options})
    except TopicAlreadyExistsError:  # somebody else was quicker
        return State.EXISTS
    return State.CREATED


def require_stopped(admin: KafkaAdminClient, group: str, *, otherwise: str = "") -> None:
    """Raises ValueError while a worker of the group runs. `otherwise` is what can be done without stopping it."""
    if admin.describe_groups([group]).get(group, {}).get("members"):
        other = f", or {otherwise}" if otherwise else ""
        gone = "One that was killed, or has a name, counts until its session has ended: then wait for that"
        raise ValueError(f"the group {group} still has members: stop every worker first{other}. {gone}")


def strangers(admin: KafkaAdminClient, group: str, inputs: set[str]) -> set[str]:
    """Topics that members of the group read and we do not: another application has our id. Empty where nobody says."""
    with suppress(KafkaError):  # a new cluster has no coordinator yet, and so no members
        members = admin.describe_groups([group]).get(group, {}).get("members") or []
        told = [member["member_metadata"] for member in members]
        return {topic for metadata in told if isinstance(metadata, dict) for topic in metadata.get("topics", ())} - inputs
    return set()


def member_named(kafka: Kafka, group: str, instance: str) -> str:
    """The id of the group's member that has this name; empty where nobody has it. Waits for a broker as long as it takes."""
    with admin_client(kafka, wait_seconds=float("inf")) as admin:
        members = admin.describe_groups([group]).get(group, {}).get("members") or []
        return next((member["member_id"] for member in members if member.get("group_instance_id") == instance), "")


# What belongs together: the markers hold offsets of re-keyed, and partials carry the epochs of the markers.
STATE_ROLES = ("state", "rekeyed", "partials")


def reset_state(admin: KafkaAdminClient, wanted: list[Spec], group: str, *, wait_seconds: float = 30.0) -> None:
    """Delete the internal topics with everything in them, and the group's offsets; then make them again. No worker may be running.

    Raises KafkaError where the broker refuses, also because the group still has members.
    """
    require_stopped(admin, group)
    internal = [spec for spec in wanted if spec.role in STATE_ROLES]
    existing = set(admin.list_topics())
    if doomed := [spec.name for spec in internal if spec.name in existing]:
        admin.delete_topics(doomed)
    with suppress(GroupIdNotFoundError):
        admin.delete_groups([group])
    for spec in internal:
        _create_when_deleted(admin, spec, wait_seconds)
    admin.wait_for_topics([spec.name for spec in internal])


def _create_when_deleted(admin: KafkaAdminClient, spec: Spec, wait_seconds: float) -> None:
    give_up = time.monotonic() + wait_seconds
    for pause in pauses():
        if _create(admin, spec) is State.CREATED:  # exists = the deletion is not done yet
            return
        if time.monotonic() > give_up:
            raise ValueError(f"the broker has not deleted {spec.name} within {wait_seconds:.0f} s; run the command again")
        time.sleep(pause)


def verify_topics(admin: KafkaAdminClient, wanted: list[Spec]) -> list[Problem]:
    """Everything that differs from the specifications; empty when a worker may start."""
    found = {topic["name"]: topic for topic in admin.describe_topics([spec.name for spec in wanted])}
    there = [spec for spec in wanted if found.get(spec.name, {}).get("error_code") == 0]
    problems = [_missing(spec, found.get(spec.name)) for spec in wanted if spec not in there]
    configs = _configs(admin, there)
    for spec in there:
        problems += _layout_problems(spec, found[spec.name]["partitions"])
        problems += _config_problems(spec, configs[spec.name])
    return problems


def _missing(spec: Spec, topic: dict[str, Any] | None) -> Problem:
    code = topic["error_code"] if topic else 3
    found = "missing" if code == 3 else for_code(code).__name__
    return Problem(spec.name, "topic", "there", found, "run `ticket-kpis topics create`")


def _configs(admin: KafkaAdminClient, there: list[Spec]) -> dict[str, dict[str, str]]:
    if not there:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in there]
    described = admin.describe_configs(resources, config_filter="all")["topic"]
    return {name: {key: entry["value"] for key, entry in entries.items()} for name, entries in described.items()}


def _layout_problems(spec: Spec, partitions: list[dict[str, Any]]) -> Iterator[Problem]:
    if len(partitions) != spec.partitions:
        move = "move to new topics with `ticket-kpis state export` and `import`"
        remedy = f"a partition count never changes: set topics.partitions to it, or {move}"
        yield Problem(spec.name, "partition count", str(spec.partitions), str(len(partitions)), remedy)
    copies = min((len(partition["replica_nodes"]) for partition in partitions), default=0)
    if copies < spec.replication:
        yield Problem(spec.name, "replication", f"at least {spec.replication}", str(copies), "add replicas with kafka-reassign-partitions")


def _config_problems(spec: Spec, found: dict[str, str]) -> Iterator[Problem]:
    for key, value in spec.config.items():
        if found.get(key) != value and not (key in AT_LEAST and int(found.get(key) or 0) >= int(value)):
            command = f"kafka-configs --alter --entity-type topics --entity-name {spec.name} --add-config {key}={value}"
            yield Problem(spec.name, key, value, found.get(key, "unset"), f"alter it with {command}")
