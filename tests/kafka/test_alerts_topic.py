"""The topic of alerts on a real broker: what is written is there, what cannot be is refused within seconds, and it goes on by itself."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from processor.config.service import Kafka
from processor.paging.payload import News
from processor.paging.record import record_of
from processor.paging.writing import ACKNOWLEDGED_SECONDS, AlertsTopic, NotWrittenError, TooLargeError
from processor.stream.topics import create_topics, specs
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, until
from tests.kafka.in_process import until as eventually

TopicName = Callable[[str], str]
LABELS = {"alertname": "SupportBacklogGrowing", "alert_kind": "kpi", "group": "billing"}


def record(number: int) -> tuple[bytes, bytes]:
    news = News("firing", f"f{number}", 1_795_252_443_120, None, LABELS, {}, "", "topic", "{}")
    return record_of(news, None)


async def test_a_topic_that_comes_later_is_found_and_a_broker_that_stands_still_is_waited_for_in_vain(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("alerts"), tmp_path)
    config = deployment.config
    async with AlertsTopic(config.kafka, config.topics.alerts) as topic:
        await eventually("it says what is missing", lambda: "`ticket-kpis topics create` makes it" in topic.problem)
        with pytest.raises(NotWrittenError, match="there is no topic"):
            await topic.write(*record(1))
        await asyncio.to_thread(deployment.create_topics)
        await eventually("it is found", lambda: not topic.problem)
        await topic.write(*record(1))
        with pytest.raises(TooLargeError, match="more than Kafka takes"):
            await topic.write(b"f2", b"x" * 2_000_000)
        broker.tell(signal.SIGSTOP)
        try:
            took = await _until_written(topic, there=False)  # it may take a moment until all of the broker stands still
        finally:
            broker.tell(signal.SIGCONT)
        assert took < ACKNOWLEDGED_SECONDS + 5
        assert topic.failure
        await _until_written(topic, there=True)
        assert topic.failure == ""
    written = [json.loads(each.value) for each in await asyncio.to_thread(deployment.read, "alerts")]
    assert {each["partitionkey"] for each in written} >= {"f1", "f4"}


async def _until_written(topic: AlertsTopic, *, there: bool) -> float:
    """Write until that succeeds, or fails; returns how many seconds the last attempt took."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(60):
        while True:
            began, succeeded = loop.time(), True
            try:
                await topic.write(*record(4))
            except NotWrittenError:
                succeeded = False
            if succeeded == there:
                return loop.time() - began


async def test_without_a_broker_nothing_is_written_and_the_reason_is_told() -> None:
    async with AlertsTopic(Kafka(bootstrap_servers=["127.0.0.1:1"]), "alerts") as topic:
        assert "looking for a broker at 127.0.0.1:1" in topic.problem
        await eventually("it has tried", lambda: "connection refused" in topic.problem)
        with pytest.raises(NotWrittenError, match="no Kafka broker"):
            await topic.write(*record(1))


def test_a_worker_does_its_work_without_the_topic_of_alerts(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("without"), tmp_path)
    with deployment.admin() as admin:
        create_topics(admin, [spec for spec in specs(deployment.config.topics) if spec.role != "alerts"])
    with deployment.worker() as worker:
        until("it is ready", worker.ready)
