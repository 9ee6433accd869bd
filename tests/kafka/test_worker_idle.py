"""A worker that has nothing to fetch for a long time stays in its group."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState

from processor.stream import partition as module
from processor.stream.refusals import RefusedError
from processor.stream.takeover import Taken, take_over
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, ends_of
from tests.kafka.events import created, keyed
from tests.kafka.in_process import has_applied, running, until

TopicName = Callable[[str], str]
NOW = time.time_ns() // 1_000_000 - 60_000
A_DAY = 86_400.0


async def test_while_no_partition_can_be_taken_over_the_worker_stays_in_the_group(
    broker: Broker, topic_name: TopicName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer leaves a group in which it has not fetched for long, and joins it again when it fetches, which it cannot then."""
    deployment = await asyncio.to_thread(Deployment(broker.bootstrap, topic_name("idle"), tmp_path).create_topics)
    counted: Counter[str] = Counter()
    beat = GroupCoordinator._do_heartbeat

    async def heartbeat(coordinator: Any) -> Any:
        counted["heartbeats"] += 1
        return await beat(coordinator)

    async def refuse_at_first(*parts: Any, **options: Any) -> Taken:
        counted["attempts"] += 1
        if counted["heartbeats"] < 5:
            raise RefusedError("not yet")
        return await take_over(*parts, **options)

    monkeypatch.setattr(SubscriptionState, "fetcher_idle_time", property(lambda state: 0 if state._fetch_count else A_DAY))
    monkeypatch.setattr(GroupCoordinator, "_do_heartbeat", heartbeat)
    monkeypatch.setattr(module, "take_over", refuse_at_first)
    monkeypatch.setattr(module, "LONGEST_RETRY_SECONDS", 0.2)
    log = [keyed(f"T-{number}", created(f"T-{number}", NOW), 2) for number in range(20)]
    async with running(deployment, log) as runtime:
        await until("all is applied", lambda: has_applied(runtime, ends_of(log)))
        assert runtime.ready() == (True, [])
    assert counted["attempts"] > 2
