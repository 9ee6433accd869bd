"""How these tests read topics: a transaction that is about to end is waited for, one that somebody has left open is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka import deployment as module
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, until

TopicName = Callable[[str], str]


@pytest.mark.parametrize("ends", [True, False])
async def test_what_is_about_to_be_committed_is_read(
    broker: Broker, topic_name: TopicName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    monkeypatch.setattr(module, "DECIDED_SECONDS", module.PATIENCE_SECONDS if ends else 0.5)
    asked = count_asking(monkeypatch)
    deployment = await asyncio.to_thread(Deployment(broker.bootstrap, topic_name("decided"), tmp_path).create_topics)
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id=topic_name("decider"))
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(deployment.config.topics.facts, b"stated", partition=0)
        reading = asyncio.create_task(asyncio.to_thread(deployment.read, "facts"))
        if ends:
            await asyncio.to_thread(until, "it has asked again", lambda: len(asked) > 2)
            assert not reading.done()
            await producer.commit_transaction()
        assert [record.value for record in await reading] == ([b"stated"] if ends else [])
        if not ends:
            await producer.abort_transaction()
    finally:
        await producer.stop()


def count_asking(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that grows with each time that the ends of a topic are asked for."""
    asked: list[str] = []
    ask = module.ends_of_topic

    async def asking(bootstrap: str, topic: str, *options: Any) -> dict[int, int]:
        asked.append(topic)
        return await ask(bootstrap, topic, *options)

    monkeypatch.setattr(module, "ends_of_topic", asking)
    return asked
