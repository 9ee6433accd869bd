"""One deployment for one test: topics and an application id of its own, workers as real processes, and what they must come to.

Waiting is always for a condition. What a worker must show is computed from the topic itself by `offline`: the same engine, no Kafka.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from tempfile import gettempdir
from types import TracebackType
from typing import IO, Any, Self, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import orjson
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient

from processor.config import Config, load
from processor.config.service import TOPIC_ROLES
from processor.stream.connection import admin_client
from processor.stream.failpoints import POINTS, VARIABLE
from processor.stream.topics import create_topics, specs

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "processor.cli.main", "worker"]
PATIENCE_SECONDS = 60.0  # for anything; machines that run tests are busy
POLL_SECONDS = 0.02
DECIDED_SECONDS = 5.0  # for a transaction that is about to end; one that was left open stays so for longer
SERVER_PORTS = range(20_000, 32_000)  # below those that systems give to outgoing connections
LOCKS = Path(gettempdir()) / f"ticket-kpis-ports-{os.getuid()}"  # a folder of each user

_reserved: list[IO[str]] = []  # locks last as long as their files are open

Found = TypeVar("Found")
Sent = tuple[int, bytes | None, bytes | None]  # partition, key, value


def until(what: str, ask: Callable[[], Found | None], *, seconds: float = PATIENCE_SECONDS, every: float = POLL_SECONDS) -> Found:
    """The first answer that is not falsy. `every` so many seconds it is asked for: rarely, where answering keeps from working."""
    give_up = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < give_up, f"after {seconds} s still waiting until {what}"
        time.sleep(every)
    return answer


def free_port() -> int:
    """A port that nobody listens on, and that nobody is given before somebody does: no outgoing connection, and no other test.

    What it is for starts later. So the port is ours for the life of this process: a lock on a file says so to the others.
    """
    LOCKS.mkdir(exist_ok=True)
    while True:
        port = SystemRandom().choice(SERVER_PORTS)
        lock = (LOCKS / str(port)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            lock.close()
            continue
        _reserved.append(lock)
        return port


class Deployment:
    """Topics of one application. `sections` of the configuration override what suits a test: short steps, short sessions, log time."""

    def __init__(self, bootstrap: str, name: str, directory: Path, *, partitions: int = 2, **sections: Any) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.bootstrap = bootstrap
        self.document: dict[str, Any] = {
            "application_id": name,
            "kafka": {"bootstrap_servers": [bootstrap]},
            "topics": {role: f"{name}-{role}" for role in TOPIC_ROLES} | {"partitions": partitions},
            "http": {"host": "127.0.0.1"},
            "limits": {"quiet_max": 5},
            "worker": {
                "clock": "log",
                "step_events_max": 300,
                "session_timeout_seconds": 2,
                "transaction_timeout_seconds": 10,
                "snapshot_ms": 20,
            },
        }
        for section, values in sections.items():
            self.document[section] = self.document.get(section, {}) | values if isinstance(values, dict) else values
        self.config = self._load("config", free_port())

    def reload(self) -> None:
        """Take over what was changed in `document`."""
        self.config = self._load("config", free_port())

    def configure(self, name: str) -> int:
        """Write the configuration of a worker. Returns its port."""
        port = free_port()
        self._load(name, port)
        return port

    def _load(self, name: str, port: int) -> Config:
        path = self.directory / f"{name}.yaml"
        path.write_text(yaml.safe_dump(self.document | {"http": self.document["http"] | {"port": port}}), encoding="utf-8")
        return load(path)

    def create_topics(self) -> Self:
        """As `ticket-kpis topics create`."""
        with self.admin() as admin:
            create_topics(admin, specs(self.config.topics))
        return self

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """Who may do anything to the broker."""
        with admin_client(self.config.kafka, wait_seconds=PATIENCE_SECONDS) as admin:
            yield admin

    def make_anew(self, role: str) -> None:
        """Delete a topic with everything in it, and make it again."""
        topic = getattr(self.config.topics, role)
        with self.admin() as admin:
            admin.delete_topics([topic])
            until("the topic is gone", lambda: topic not in admin.list_topics())
            create_topics(admin, specs(self.config.topics))

    def worker(self, name: str = "worker", *options: str, failpoint: str = "") -> Worker:
        """A worker process that is starting."""
        return Worker(self, name, self.configure(name), options, failpoint)

    def rekeyed_ends(self) -> dict[int, int]:
        """The end of each partition of the re-keyed topic, for those who read what is committed."""
        topics = self.config.topics
        return asyncio.run(ends_of_topic(self.bootstrap, topics.rekeyed, topics.partitions))

    def send(self, records: Iterable[Sent], **producer_settings: Any) -> None:
        """Append records to the events topic; returns when the broker has them."""
        self.send_to("events", records, **producer_settings)

    def send_to(self, role: str, records: Iterable[Sent], **producer_settings: Any) -> None:
        """Append records to a topic, as anybody could."""
        asyncio.run(_send(self.bootstrap, getattr(self.config.topics, role), list(records), producer_settings))

    def read(self, role: str) -> list[Any]:
        """All committed records of a topic, partition by partition."""
        topics = self.config.topics
        partitions = next(spec.partitions for spec in specs(topics) if spec.role == role)
        return asyncio.run(_read(self.bootstrap, getattr(topics, role), partitions))


async def _send(bootstrap: str, topic: str, records: list[Sent], settings: dict[str, Any]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, **{"linger_ms": 5} | settings)
    await producer.start()
    try:
        sent = [await producer.send(topic, key=key, value=value, partition=partition) for partition, key, value in records]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def ends_of_topic(bootstrap: str, topic: str, partitions: int, isolation_level: str = "read_committed") -> dict[int, int]:
    """The end of each partition, for those who read at that isolation level."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation_level)
    await consumer.start()
    try:
        ends = await consumer.end_offsets([TopicPartition(topic, number) for number in range(partitions)])
        return {source.partition: end for source, end in ends.items()}
    finally:
        await consumer.stop()


async def _decided(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """The ends once everything that is there now has been committed or aborted.

    A broker acknowledges a commit before it lets readers see it. Of what somebody has left open who died nobody waits for the end.
    """
    loop = asyncio.get_running_loop()
    written, until = await ends_of_topic(bootstrap, topic, partitions, "read_uncommitted"), loop.time() + DECIDED_SECONDS
    while True:
        ends = await ends_of_topic(bootstrap, topic, partitions)
        if all(ends[number] >= end for number, end in written.items()) or loop.time() > until:
            return ends


async def _read(bootstrap: str, topic: str, partitions: int) -> list[Any]:
    ends = await _decided(bootstrap, topic, partitions)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    try:
        sources = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(sources)
        records = []
        for source in sources:
            await consumer.seek_to_beginning(source)
            while await consumer.position(source) < ends[source.partition]:
                for batch in (await consumer.getmany(source, timeout_ms=500)).values():
                    records += batch
        return records
    finally:
        await consumer.stop()


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP path said."""

    status: int
    body: bytes


class Worker:
    """`ticket-kpis worker` as a process of its own. A context manager: it is killed at the end if it still runs."""

    def __init__(self, deployment: Deployment, name: str, port: int, options: Iterable[str], failpoint: str) -> None:
        self.deployment = deployment
        self.port = port
        directory = deployment.directory
        self.log_path = directory / f"{name}.log"
        self._log = self.log_path.open("ab")
        self._options, self._failpoint = options, failpoint
        self.process = self.begin(directory / f"{name}.yaml")

    def begin(self, config: Path) -> Any:
        """The process."""
        call = [*COMMAND, "--config", str(config), *self._options]
        environment = {**os.environ, VARIABLE: self._failpoint}
        return subprocess.Popen(call, cwd=ROOT, env=environment, stdout=self._log, stderr=self._log)

    def second(self) -> Worker:
        """What the second process of `--processes 2` answers: the next port is its own. The process is the same command."""
        other = copy(self)
        other.port += 1
        return other

    def get(self, path: str) -> Answer | None:
        """What `path` answers; None while nobody listens."""
        assert self.process.poll() is None, f"the worker has ended with exit code {self.process.returncode}"
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
                return Answer(response.status, response.read())
        except HTTPError as error:
            return Answer(error.code, error.read())
        except (URLError, ConnectionError, TimeoutError):
            return None

    def snapshot(self) -> dict[str, Any]:
        """What it shows; empty while it shows nothing."""
        answer = self.get("/snapshot")
        return orjson.loads(answer.body) if answer and answer.status == 200 else {}

    def samples(self, family: str) -> dict[str, float]:
        """The samples of one name at /metrics, by their labels as text."""
        answer = self.get("/metrics")
        lines = answer.body.decode().splitlines() if answer else []
        found = (line.rsplit(" ", 1) for line in lines if line.startswith((f"{family} ", f"{family}{{")))
        return {name.removeprefix(family): float(value) for name, value in found}

    def ready(self) -> bool:
        """Whether it says that all it owns is running."""
        answer = self.get("/readyz")
        return answer is not None and answer.status == 200

    def applied(self) -> dict[int, int]:
        """Offset of the last applied record for each partition that it shows."""
        partitions = self.snapshot().get("partitions", {})
        return {int(number): shown["applied"] for number, shown in partitions.items()}

    def tell(self, number: signal.Signals) -> None:
        """As kill(1)."""
        self.process.send_signal(number)

    def stopped(self) -> bool:
        """Whether SIGSTOP holds it (the state letter behind the name in /proc)."""
        state = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        return state == "T"

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.tell(number)
        return self.exit_code()

    def exit_code(self) -> int:
        """Wait for the end."""
        return int(self.process.wait(PATIENCE_SECONDS))

    def log(self) -> str:
        """What it said so far, and workers of the same name before it."""
        return self.log_path.read_text(encoding="utf-8")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self._log.close()
        if error is not None:
            error.add_note(f"--- log of the worker ---\n{self.log()[-6000:]}")


def caught_up(ends: dict[int, int], *workers: Worker) -> list[dict[str, Any]] | None:
    """The snapshots of workers that together show each partition exactly once, with everything applied; None until then.

    Everything is: the events up to `ends`, and what is re-keyed up to an end that the broker tells before and after: nobody has handed
    anything over meanwhile.
    """
    if not _shown(ends, workers):
        return None
    rekeyed_ends = workers[0].deployment.rekeyed_ends()
    snapshots = _shown(ends, workers)
    for taken in snapshots or ():
        for number, partition in taken["partitions"].items():
            if partition["rekeyed_unread"] or partition["rekeyed_applied"] + 1 < rekeyed_ends[int(number)]:
                return None
    return snapshots if workers[0].deployment.rekeyed_ends() == rekeyed_ends else None


def _shown(ends: dict[int, int], workers: Iterable[Worker]) -> list[dict[str, Any]] | None:
    shown: Counter[int] = Counter()
    snapshots = [worker.snapshot() for worker in workers]
    for taken in snapshots:
        for number, partition in taken.get("partitions", {}).items():
            if partition["applied"] + 1 < ends[int(number)]:
                return None
            shown[int(number)] += 1
    return snapshots if shown == Counter(ends.keys()) else None


def failpoints() -> list[str]:
    """Each place of a step, and then, since before there is some state none is read, of a takeover. What else there is needs more."""
    steps, takeovers = ([point for point in POINTS if point.startswith(stage)] for stage in ("step.", "takeover."))
    return [*(f"{point}:5" for point in steps), *(f"{point}:2" for point in takeovers)]


def ends_of(log: Iterable[Sent], partitions: int = 2) -> dict[int, int]:
    """The end offset of each partition once the log is sent."""
    sent = Counter(partition for partition, _, _ in log)
    return {number: sent[number] for number in range(partitions)}
