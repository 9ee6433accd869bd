"""A transaction that ends by itself, in the background, is the broker's doing: no event may be blamed for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from processor.stream.committer import Committer, Transaction
from processor.stream.connection import aiokafka_settings
from processor.stream.failpoints import Failpoints
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment

TopicName = Callable[[str], str]


async def test_a_producer_that_is_fenced_between_two_sends_fails_as_one_that_is_fenced_at_the_end(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("fenced"), tmp_path)
    await asyncio.to_thread(deployment.create_topics)
    config, connection = deployment.config, aiokafka_settings(deployment.config.kafka)
    first, second = (Committer(config, connection, 0, Failpoints("", "")) for _ in range(2))
    await first.start()
    await first.commit(Transaction(b"{}", {}))
    await second.start()
    producer: Any = first._producer

    def slowly() -> Any:
        yield 0, b"key", b"value"
        # what is sent by now is refused in the background; the next send comes behind that
        producer._txn_manager.error_transaction(KafkaError("fenced"))
        yield 0, b"key", b"value"

    with pytest.raises(KafkaError):
        await first.commit(Transaction(b"{}", {}, partials=slowly()))
    await second.commit(Transaction(b"{}", {}))
    for committer in (first, second):
        await committer.stop()
