"""How the processor is run: Kafka, topics, worker, HTTP. Of these only the admission rules (see compile) decide a number."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from processor.config.faults import Fault
from processor.config.values import Section

PASSWORD_VARIABLE = "TICKET_KPIS_KAFKA_PASSWORD"  # noqa: S105 - the name of the variable, not a secret
TopicName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,249}$")]
PORT_MAX = 65_535
SERVER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^\s,:/@]+):\d{1,5}")


def _address(what: str) -> Callable[[str], str]:
    def checked(value: str) -> str:
        if not SERVER.fullmatch(value) or int(value.rpartition(":")[2]) > PORT_MAX:
            raise ValueError(f'not a {what}: write "host:port", one {what} in each entry of the list')
        return value

    return checked


Server = Annotated[str, AfterValidator(_address("broker"))]
Peer = Annotated[str, AfterValidator(_address("worker"))]


class Security(Section):
    """How to reach a protected broker. The password itself never stands in the file."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="What the listener of the broker speaks."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = Field(
        default=None, description="How to log in, with a SASL protocol: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    username: str | None = Field(default=None, description="Who logs in, with a SASL protocol.")
    password_file: Path | None = Field(
        default=None,
        description=f"A file that holds the password and nothing else. The environment variable {PASSWORD_VARIABLE} goes before it.",
    )
    ssl_ca_file: Path | None = Field(
        default=None, description="PEM file of the authority that signed the broker's certificate; without it the system's."
    )

    def read_password(self) -> SecretStr | None:
        """The password from the environment or the file, read when it is needed and kept nowhere."""
        if value := os.environ.get(PASSWORD_VARIABLE):
            return SecretStr(value)
        if self.password_file is None:
            return None
        return SecretStr(self.password_file.read_text(encoding="utf-8").rstrip("\r\n"))

    def faults(self, path: str) -> Iterator[Fault]:
        """What does not fit together."""
        if self.protocol.startswith("SASL"):
            for name in ("sasl_mechanism", "username"):
                if not getattr(self, name):
                    yield Fault(f"{path}.{name}", f"{self.protocol} needs it")
            if self.password_file is None and not os.environ.get(PASSWORD_VARIABLE):
                yield Fault(f"{path}.password_file", f"{self.protocol} needs a password: name a file here or set {PASSWORD_VARIABLE}")
        for name in ("password_file", "ssl_ca_file"):
            file = getattr(self, name)
            if file is not None and not os.access(file, os.R_OK):
                yield Fault(f"{path}.{name}", f"cannot read {file}")
        if self.ssl_ca_file is not None and "SSL" not in self.protocol.split("_"):
            yield Fault(f"{path}.ssl_ca_file", f"{self.protocol} does not encrypt; use SSL or SASL_SSL")


class Kafka(Section):
    """The cluster."""

    bootstrap_servers: list[Server] = Field(
        default=["localhost:9092"], min_length=1, description="host:port of one or more brokers to begin with."
    )
    client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = Field(
        default="ticket-kpis", description="How the processor calls itself in the broker's logs and quotas."
    )
    security: Security = Field(default_factory=Security, description="Encryption and login.")


TOPIC_ROLES = ("events", "facts", "rejected", "state", "rekeyed", "partials", "kpis", "alerts")
WORKER_ROLES = TOPIC_ROLES[:-1]  # a worker runs without the topic of `ticket-kpis alerts`


class Topics(Section):
    """What the topics are called and how `topics create` makes them."""

    events: TopicName = Field(default="support.events.v1", description="Canonical events, keyed by the entity's id. Input.")
    facts: TopicName = Field(default="support.facts.v1", description="What was concluded from them. Output, exactly once.")
    rejected: TopicName = Field(
        default="support.rejected.v1", description="Records that could not be used, with the reason. Output, exactly once."
    )
    state: TopicName = Field(default="support.state.v1", description="State of the partitions. Internal, compacted.")
    rekeyed: TopicName = Field(
        default="support.rekeyed.v1", description="What one entity hands to another, such as the wait of a merged ticket. Internal."
    )
    partials: TopicName = Field(
        default="support.partials.v1", description="What each partition reports of each minute, to be added up. Internal, compacted."
    )
    kpis: TopicName = Field(default="support.kpis.v1", description="KPIs of all partitions together, by segment and window. Output.")
    alerts: TopicName = Field(default="support.alerts.v1", description="Alerts with evidence, written by `ticket-kpis alerts`. Output.")
    partitions: int = Field(
        default=4, ge=1, le=10_000, description="Partitions of each topic. Cannot be changed later without a new state."
    )
    kpi_partitions: int = Field(
        default=4, ge=1, le=1000, description="Partitions of partials and kpis: over so many parts the workers share the adding up."
    )
    replication: int = Field(default=1, ge=1, le=100, description="Copies of each partition; 3 in production.")

    def faults(self, path: str) -> Iterator[Fault]:
        """Topics may not share a name."""
        seen: dict[str, str] = {}
        for field in TOPIC_ROLES:
            name = getattr(self, field)
            if name in seen:
                yield Fault(f"{path}.{field}", f"{name} is already the topic of {seen[name]}")
            seen.setdefault(name, field)


class Worker(Section):
    """The process that reads, folds and answers."""

    clock: Literal["live", "log"] = Field(
        default="live",
        description="What moves timers: live = events and the wall clock; log = events alone (backfills, demonstrations, tests).",
    )
    step_events_max: int = Field(default=4000, ge=1, le=1_000_000, description="At most so many events go into one transaction.")
    step_ms_max: int = Field(
        default=150,
        ge=1,
        le=60_000,
        description="At most so many milliseconds are spent folding before a transaction; with a backlog 600, unless this is more.",
    )
    session_timeout_seconds: int = Field(
        default=30, ge=1, le=3600, description="After so long without a sign of life another worker takes over."
    )
    transaction_timeout_seconds: int = Field(
        default=15,
        ge=1,
        le=900,
        description="An unfinished transaction is aborted after this; until then it holds back every reader of the topics.",
    )
    snapshot_ms: int = Field(default=200, ge=10, le=60_000, description="How often what /metrics serves may be renewed.")
    engine_errors_max: int = Field(
        default=10, ge=0, description="A partition stops loudly after so many events on which the engine itself failed."
    )
    backfill_after_minutes: int = Field(
        default=10,
        ge=1,
        description="While the newest event was older than this when it was appended, a live clock behaves as log. Deadlines that it had "
        "passed before such events came wait until the log has passed them.",
    )
    partitioner: Literal["murmur2", "any"] = Field(
        default="murmur2",
        description="How producers place records; others are rejected as wrong_partition. any switches the check off; what tickets hand to "
        "each other then reaches only those that lie where murmur2 would have placed them.",
    )
    max_event_bytes: int = Field(
        default=1_000_000, ge=1000, le=100_000_000, description="Larger records are rejected as payload_too_large."
    )
    event_type_prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]*$")] = Field(
        default="", description='Reverse-DNS prefix that may stand before "support." in event types, such as "com.example.".'
    )
    unknown_types: Literal["dead_letter", "skip"] = Field(
        default="dead_letter", description="What happens to events of undocumented types."
    )

    def faults(self, path: str) -> Iterator[Fault]:
        """A step must end well before its transaction does."""
        if self.step_ms_max * 2 > self.transaction_timeout_seconds * 1000:
            yield Fault(
                f"{path}.step_ms_max", "must be at most half of transaction_timeout_seconds, or steps are aborted before they can commit"
            )
        if self.event_type_prefix and not self.event_type_prefix.endswith("."):
            yield Fault(f"{path}.event_type_prefix", f'must end in a dot: "{self.event_type_prefix}."')


class DeadLetter(Section):
    """What a rejected record leaves behind."""

    payload: Literal["full", "hash"] = Field(
        default="full", description="full = the untouched bytes; hash = their SHA-256, where bytes may hold private data."
    )


class Facts(Section):
    """How much is written to the facts topic."""

    detail: Literal["outcomes", "all"] = Field(
        default="outcomes",
        description="outcomes = how clocks ended, with their segments of time; all = each start, pause and resume as well.",
    )
    agents: bool = Field(default=False, description="Whether facts name the agent, by a pseudonym.")


class Http(Section):
    """Where /metrics, /healthz, /readyz, /snapshot and /wall are served."""

    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - Prometheus comes from another machine
        min_length=1,
        description="Address to listen on; 127.0.0.1 for this machine alone.",
    )
    port: int = Field(default=9108, ge=0, le=PORT_MAX, description="Port to listen on; 0 takes a free one.")
    peers: list[Peer] = Field(
        default_factory=list,
        description="host:port of the other workers, whom /wall asks for the deadlines and the health of their partitions; its own may be"
        " among them. A name that stands for several addresses stands for all of them. With --processes they know each other.",
    )
