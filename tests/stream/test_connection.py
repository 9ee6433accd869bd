"""Reaching the broker: settings in the clients' words, passwords from outside the file, patience with bounds."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError

from processor.compile import compile_settings
from processor.config import Config
from processor.config.service import PASSWORD_VARIABLE, Kafka, Security
from processor.export.telemetry import NoRecorder
from processor.stream import connection, kpi_stage
from processor.stream.connection import BrokerUnreachableError, admin_client, broker_answers, kafka_python_settings, pauses
from processor.stream.kpi_stage import KpiStage


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


async def test_whoever_waits_for_a_broker_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [KafkaConnectionError("nobody"), OSError("no route"), None]
    closed: list[bool] = []

    class Client:
        """Finds a broker at the third attempt."""

        def __init__(self, **_: object) -> None:
            pass

        async def bootstrap(self) -> None:
            if (answer := answers.pop(0)) is not None:
                raise answer

        async def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(connection, "AIOKafkaClient", Client)
    monkeypatch.setattr(connection, "pauses", lambda: iter([0.0] * 3))
    await broker_answers({})
    assert not answers
    assert len(closed) == 3


async def test_without_a_broker_no_application_of_the_kpi_stage_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leaves a thread's loop and much more behind; a worker grew by two megabytes a minute while its broker was away."""
    back, asked, made = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def answers(_connection: object) -> None:
        asked.set()
        await back.wait()

    def app(*_: object) -> Any:
        made.set()
        raise RuntimeError("far enough")

    monkeypatch.setattr(kpi_stage, "broker_answers", answers)
    monkeypatch.setattr(kpi_stage, "KpiApp", app)
    stage = KpiStage(Config(), compile_settings(Config()), NoRecorder())
    await stage.start()
    async with asyncio.timeout(30):
        await asked.wait()
        assert not made.is_set()
        back.set()
        await made.wait()
    await stage.stop()
