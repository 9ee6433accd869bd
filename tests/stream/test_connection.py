"""Reaching the broker: settings in the clients' words, passwords from outside the file, patience with bounds."""

from __future__ import annotations

import socket
import threading
import time
from itertools import islice
from pathlib import Path

import pytest

from processor.config.service import PASSWORD_VARIABLE, Kafka, Security
from processor.stream.connection import BrokerUnreachableError, admin_client, kafka_python_settings, pauses


def nobody_listens() -> Kafka:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Kafka(bootstrap_servers=[f"127.0.0.1:{probe.getsockname()[1]}"])


def test_a_plain_broker_needs_an_address_and_a_name() -> None:
    assert kafka_python_settings(Kafka()) == {
        "bootstrap_servers": ["localhost:9092"], "client_id": "ticket-kpis", "security_protocol": "PLAINTEXT"}


def test_the_password_comes_from_the_file_that_the_configuration_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    (tmp_path / "password").write_text("secret\n")
    security = Security(protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", username="me", password_file=tmp_path / "password")
    settings = kafka_python_settings(Kafka(security=security))
    assert settings["sasl_plain_password"] == "secret"
    assert settings["sasl_mechanism"] == "SCRAM-SHA-512"
    assert settings["ssl_context"].check_hostname


def test_pauses_double_up_to_a_limit() -> None:
    assert list(islice(pauses(), 8)) == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]


def test_no_broker_is_told_with_address_and_reason_and_tried_again_within_the_bound() -> None:
    kafka = nobody_listens()
    told: list[tuple[str, float]] = []
    started = time.monotonic()
    with (
        pytest.raises(BrokerUnreachableError, match="connection refused"),
        admin_client(kafka, wait_seconds=1.5, notify=lambda problem, pause: told.append((problem, pause))),
    ):
        pytest.fail("there is no broker")
    assert time.monotonic() - started < 4
    assert told
    assert kafka.bootstrap_servers[0] in told[0][0]


def test_an_attempt_that_fails_leaves_no_thread_behind() -> None:
    """A worker may wait for its broker for days."""
    before = set(threading.enumerate())
    with pytest.raises(BrokerUnreachableError), admin_client(nobody_listens(), wait_seconds=1):
        pass
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive(), thread


@pytest.mark.parametrize(("wait_seconds", "advised"), [(0, False), (0.1, True)])
def test_only_who_waits_is_told_how_to_wait_longer(wait_seconds: float, advised: bool) -> None:
    """Who does not wait tries again by itself, and has no such option."""
    with pytest.raises(BrokerUnreachableError) as told, admin_client(nobody_listens(), wait_seconds=wait_seconds):
        pass
    assert ("--wait SECONDS" in str(told.value)) is advised
