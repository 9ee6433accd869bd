"""How to reach the broker: the `kafka` section of the configuration in the words of both client libraries, and waiting for a broker.

aiokafka serves the worker, `send` and `capture`; kafka-python administers topics. Passwords are read when a client is made, and not kept.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import faust
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from kafka import KafkaAdminClient
from kafka.errors import KafkaConnectionError, KafkaTimeoutError

from processor.config.service import Kafka
from processor.stream.compression import compress_quickly
from processor.stream.empty_batches import read_over_empty_batches
from processor.stream.lost_brokers import outlive_lost_brokers

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 10.0
ATTEMPT_SECONDS = 1.0  # at least; the library itself knocks several times in it

Notify = Callable[[str, float], None]  # what is wrong, seconds until the next attempt


class BrokerUnreachableError(Exception):
    """No broker answered in time. The message names each address with the reason, and what to look at."""


def kafka_python_settings(kafka: Kafka) -> dict[str, Any]:
    """Keyword arguments for clients of kafka-python."""
    settings: dict[str, Any] = {
        "bootstrap_servers": list(kafka.bootstrap_servers),
        "client_id": kafka.client_id,
        "security_protocol": kafka.security.protocol,
    }
    if "SSL" in kafka.security.protocol.split("_"):
        settings["ssl_context"] = _ssl_context(kafka)
    return settings | _login(kafka)


def aiokafka_settings(kafka: Kafka) -> dict[str, Any]:
    """Keyword arguments for clients of aiokafka; by luck nearly the same words."""
    read_over_empty_batches()  # none is made without these
    outlive_lost_brokers()
    compress_quickly()
    return kafka_python_settings(kafka)


def faust_credentials(kafka: Kafka) -> faust.auth.Credentials | None:
    """The same for Faust's own connection; None where the broker asks for nothing."""
    protocol = kafka.security.protocol
    context = _ssl_context(kafka) if "SSL" in protocol.split("_") else None
    if protocol.startswith("SASL"):
        login = _login(kafka)
        return faust.SASLCredentials(
            username=login["sasl_plain_username"],
            password=login["sasl_plain_password"],
            mechanism=login["sasl_mechanism"],
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None


def _ssl_context(kafka: Kafka) -> ssl.SSLContext:
    """Certificates and host names are always checked."""
    return ssl.create_default_context(cafile=str(kafka.security.ssl_ca_file) if kafka.security.ssl_ca_file else None)


def _login(kafka: Kafka) -> dict[str, Any]:
    if not kafka.security.protocol.startswith("SASL"):
        return {}
    password = kafka.security.read_password()
    return {
        "sasl_mechanism": kafka.security.sasl_mechanism,
        "sasl_plain_username": kafka.security.username,
        "sasl_plain_password": password.get_secret_value() if password else "",
    }


def pauses() -> Iterator[float]:
    """Seconds between attempts: doubling up to a limit, so that a short outage is short and a long one costs little."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def silent(_problem: str, _pause_seconds: float) -> None:
    """A `Notify` for those who do not care."""


async def broker_answers(connection: Mapping[str, Any]) -> None:
    """Wait until one does, however long it takes. A client that is made for that and closed again is all that it costs."""
    for pause in pauses():
        client = AIOKafkaClient(**connection)
        try:
            await client.bootstrap()
        except (KafkaError, OSError):
            await asyncio.sleep(pause)
        else:
            return
        finally:
            await client.close()


@contextmanager
def admin_client(kafka: Kafka, *, wait_seconds: float, notify: Notify = silent) -> Iterator[KafkaAdminClient]:
    """A client for topics, once a broker answers. Tries for `wait_seconds` (at least once), then raises `BrokerUnreachableError`."""
    give_up = time.monotonic() + wait_seconds
    hint = " --wait SECONDS waits longer." if wait_seconds else ""  # who does not wait tries again by itself
    client = None
    pause = pauses()
    while client is None:
        client = _attempt(kafka, give_up, next(pause), notify, hint)
    try:
        yield client
    finally:
        client.close()


class _Admin(KafkaAdminClient):
    """A client that leaves no thread behind when its first connection fails: the library's own goes on trying, unreachable for anybody."""

    def __init__(self, **settings: Any) -> None:
        self._closed = False  # or `close` would do nothing
        try:
            super().__init__(**settings)
        except BaseException:
            with suppress(AttributeError):  # it failed before there was anything to close
                self.close()
            raise


def _attempt(kafka: Kafka, give_up: float, pause: float, notify: Notify, hint: str) -> KafkaAdminClient | None:
    """A client, or None after a pause."""
    attempt_seconds = max(ATTEMPT_SECONDS, pause)
    with _quiet("kafka"):
        try:
            return _Admin(**kafka_python_settings(kafka), bootstrap_timeout_ms=int(1000 * attempt_seconds))
        except (KafkaConnectionError, KafkaTimeoutError):
            _report(kafka, give_up, pause, notify, hint)
    time.sleep(pause)
    return None


async def partitions_of(kafka: Kafka, topic: str, *, wait_seconds: float, notify: Notify = silent) -> list[int]:
    """The numbers of a topic's partitions, ascending; empty when there is no such topic. Waits for a broker as `admin_client` does."""

    def ask() -> list[int]:
        with admin_client(kafka, wait_seconds=wait_seconds, notify=notify) as admin:
            return sorted(part["partition_index"] for found in admin.describe_topics([topic]) for part in found["partitions"])

    return await asyncio.to_thread(ask)


def _report(kafka: Kafka, give_up: float, pause: float, notify: Notify, hint: str) -> None:
    """Give up when the next attempt would come too late; else tell that there will be one."""
    problem = "; ".join(f"{server}: {reason or 'connects, but does not answer as Kafka'}" for server, reason in _probe(kafka))
    if time.monotonic() + pause > give_up:
        raise BrokerUnreachableError(
            f"no Kafka broker ({problem}). Is it running, and is kafka.bootstrap_servers right?{hint}")
    notify(f"no Kafka broker yet ({problem})", pause)


def _probe(kafka: Kafka) -> list[tuple[str, str | None]]:
    """For each address why it takes no connection; None where it does."""
    return [(server, _refusal(server)) for server in kafka.bootstrap_servers]


def _refusal(server: str) -> str | None:
    host, _, port = server.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
    except OSError as error:
        return (error.strerror or str(error) or type(error).__name__).lower()
    return None


@contextmanager
def _quiet(logger_name: str) -> Iterator[None]:
    """Client libraries log each failed connection; here one message says it all."""
    logger = logging.getLogger(logger_name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
