"""The other side: Kafka Streams, exactly_once_v2, doing a far smaller job: decode, a state per ticket, counts per minute.

Its source lies outside this repository; without it this competitor is left out. It reads the events of tickets and their messages only.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from itertools import product
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import CoordinatorLoadInProgressError

from processor.stream.connection import admin_client
from tests.bench.loaded import Loaded, Speed, until_committed
from tests.kafka.deployment import until

POM = Path(__file__).with_name("kafka_streams_pom.xml")
GROUP = "kafka-streams-peer-"
NEVER_ENOUGH = 2**62  # events: it must not stop itself when it has seen the last one, but be stopped when that is committed
GUARANTEE = "exactly_once_v2"
Variant = tuple[int, int]  # threads, bytes of cache
VARIANTS: tuple[Variant, ...] = tuple(product((1, 2), (0, 10 * 1024 * 1024)))


def built(source: Path) -> list[str]:
    """The class path of the compiled peer; compiled, and its jars fetched by Maven, where the cache does not have it."""
    recipe = blake2b(source.read_bytes() + POM.read_bytes(), digest_size=6).hexdigest()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticket-kpis" / "bench" / f"kafka-streams-{recipe}"
    if not home.exists():
        partial = home.with_name(f"{home.name}.{os.getpid()}")
        shutil.rmtree(partial, ignore_errors=True)
        fetch = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={partial / 'libs'}"]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["javac", "-cp", f"{partial / 'libs'}/*", "-d", str(partial / "classes"), str(source)], check=True)
        partial.rename(home)
    return [f"{home / 'libs'}/*", str(home / "classes")]


def measure(loaded: Loaded, source: Path, variant: Variant) -> Speed:
    """One run over the events of tickets, from its first commit to its last."""
    with admin_client(loaded.kafka, wait_seconds=60) as admin:
        known = _groups(admin)
        with _running(loaded, source, variant) as process:

            def alive() -> None:
                assert process.poll() is None, f"Kafka Streams has ended: {_told(loaded)}"

            def group() -> str:
                alive()
                return next(iter(_groups(admin) - known), "")

            joined = until("Kafka Streams has joined", group)
            speed = asyncio.run(until_committed(loaded.bootstrap, loaded.tickets, joined, [process.pid], alive))
    loaded.delete(GROUP)
    return speed


@contextmanager
def _running(loaded: Loaded, source: Path, variant: Variant) -> Iterator[subprocess.Popen[bytes]]:
    threads, cache = variant
    temporary = loaded.folder / f"kafka-streams-{time.monotonic_ns()}"
    temporary.mkdir()
    call = ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-Xmx2g", f"-Djava.io.tmpdir={temporary}", "-cp",
            ":".join(built(source)), source.stem, loaded.bootstrap, loaded.tickets.name, str(NEVER_ENOUGH), GUARANTEE, str(threads),
            str(cache)]  # fmt: skip
    with (loaded.folder / "kafka-streams.log").open("ab") as log, subprocess.Popen(call, stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()


def _groups(admin: KafkaAdminClient) -> set[str]:
    try:
        return {group["group_id"] for group in admin.list_groups() if group["group_id"].startswith(GROUP)}
    except CoordinatorLoadInProgressError:  # the first group of a new broker
        return set()


def _told(loaded: Loaded) -> str:
    return (loaded.folder / "kafka-streams.log").read_text(encoding="utf-8")[-2000:]
