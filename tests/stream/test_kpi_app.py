"""What the Faust application of the KPI stage leaves out of Faust, and why it keeps no Faust table.

Should the two tests of Faust's store fail one day, a `faust.Table` is worth another look.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka.errors import KafkaError
from faust.stores.memory import Store

from processor.config import Config
from processor.config.service import Kafka
from processor.stream.kpi_app import KpiApp
from processor.stream.kpi_lease import Lease


class Nobody:
    """A listener that hears nothing."""

    def revoked(self) -> None: ...

    def assigned(self, numbers: object) -> None: ...

    def received(self, number: int, offset: int, key: bytes | None, value: bytes | None) -> None: ...


def app() -> KpiApp:
    return KpiApp(Config(application_id="help-desk"), Nobody(), Lease(30))


async def test_it_reads_the_partials_topic_alone_and_makes_no_topic() -> None:
    made = app()
    assert [sorted(agent.get_topic_names()) for agent in made.agents.values()] == [["support.partials.v1"]]
    assert not made.conf.topic_allow_declare
    assert made.group == made.conf.id == "help-desk-kpis"


async def test_no_leader_is_elected_and_nobody_waits_for_replies() -> None:
    made = app()
    started = [type(service).__name__ for service in made.boot_strategy.server()]
    assert "LeaderAssignor" not in started
    assert "ReplyConsumer" not in started
    assert "_Consumer" in started
    assert not [topic for topic in made.topics if "leader" in str(topic)]


def change(offset: int, key: str, value: str) -> Any:
    return SimpleNamespace(key=key, value=value, message=SimpleNamespace(offset=offset, partition=0, value=value))


def store() -> Store[str, str]:
    return Store("memory://", faust.App("table", autodiscover=False), SimpleNamespace(name="partials"))


async def test_faust_recovers_the_last_record_of_a_key_not_the_greatest() -> None:
    """A worker that was stopped beyond its session appends (epoch 1, W 10:00) behind (epoch 2, W 10:01) of the next owner."""
    recovered = store()
    recovered.apply_changelog_batch([change(0, "0|0|w", "2, 10:01"), change(1, "0|0|w", "1, 10:00")], to_key=str, to_value=str)
    assert recovered["0|0|w"] == "1, 10:00"


async def test_faust_keeps_what_was_written_for_partitions_that_are_gone() -> None:
    kept = store()
    kept["0|0|w"] = "of a partition that was ours"
    await kept.on_recovery_completed(set(), set())
    assert kept["0|0|w"]


async def test_a_broker_that_is_gone_when_the_consumer_starts_leaves_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The consumer's thread ends by itself, and its loop with it, before the application is stopped."""
    config = Config(application_id="help-desk", kafka=Kafka(bootstrap_servers=["127.0.0.1:1"]))
    thread = KpiApp(config, Nobody(), Lease(30)).consumer._new_consumer_thread()
    with pytest.raises(KafkaError):
        await thread.start()
    await asyncio.to_thread(thread._thread.join, 10)
    assert thread.thread_loop.is_closed()
    await asyncio.wait_for(thread.stop(), 10)
    assert "the consumer's thread ended" in caplog.text
    assert "Traceback" not in capfd.readouterr().err
