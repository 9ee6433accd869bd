"""Mistakes of ours: an event on which the engine, or what follows it, raises. It is tried twice, set aside, and takes nothing along."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processor.codec.facts import FactWriter
from processor.core.engine import Engine
from processor.core.events import Event, Reason
from processor.core.outputs import Rekeyed, Stated
from processor.stream import partition as module
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, ends_of
from tests.kafka.events import created, event, keyed, status
from tests.kafka.in_process import has_applied, running, until
from tests.kafka.offline import expected, headers, written_facts

TopicName = Callable[[str], str]
NOW = time.time_ns() // 1_000_000 - 60_000


def tickets(count: int, bad: set[int]) -> list[Sent]:
    """Two events each; the creation of the bad ones has a recognizable id."""
    log = []
    for number in range(count):
        ticket = f"T-{'bad' if number in bad else 'good'}-{number}"
        log += [keyed(ticket, created(ticket, NOW, id=ticket), 2), keyed(ticket, status(ticket, NOW + 1, "solved"), 2)]
    return log


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """An engine that raises on events whose id begins with T-bad, after it has half applied them; counts how often."""
    monkeypatch.setattr(module, "FIRST_RETRY_SECONDS", 0.05)
    counted: Counter[str] = Counter()
    original = Engine.apply

    def apply(engine: Engine, event: Event) -> Any:
        outcome = original(engine, event)
        if event.id.startswith("T-bad"):
            counted[event.id] += 1
            raise ZeroDivisionError(event.id)
        return outcome

    monkeypatch.setattr(Engine, "apply", apply)
    return counted


async def assert_set_aside(deployment: Deployment, names: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """These events are dead letters, and everything else is as if they had never been."""
    monkeypatch.undo()
    letters = await asyncio.to_thread(deployment.read, "rejected")
    assert {letter.value.split(b'"id":"')[1].split(b'"')[0].decode() for letter in letters} == names
    assert {header["reason"].decode() for header in headers(letters)} == {Reason.ENGINE_ERROR}
    places = {(int(header["partition"]), int(header["offset"])) for header in headers(letters)}
    events = await asyncio.to_thread(deployment.read, "events")
    want = expected(deployment.config, [record for record in events if (record.partition, record.offset) not in places])
    assert written_facts(await asyncio.to_thread(deployment.read, "facts")) == want.facts


async def test_an_event_on_which_the_engine_raises_twice_is_set_aside_alone(
    broker: Broker, topic_name: TopicName, tmp_path: Path, attempts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("fault"), tmp_path).create_topics()
    log = tickets(60, bad={20, 40})
    async with running(deployment, log) as runtime:
        await until("all is applied", lambda: has_applied(runtime, ends_of(log)))
        assert runtime.ready() == (True, [])
    assert attempts == {"T-bad-20": 2, "T-bad-40": 2}
    await assert_set_aside(deployment, {"T-bad-20", "T-bad-40"}, monkeypatch)


async def test_an_event_that_breaks_the_step_after_the_engine_is_found_and_set_aside(
    broker: Broker, topic_name: TopicName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("encoder"), tmp_path).create_topics()
    monkeypatch.setattr(module, "FIRST_RETRY_SECONDS", 0.05)

    class Writer:
        def __init__(self, *, agents: bool) -> None:
            self.writer = FactWriter(agents=agents)

        def record(self, stated: Stated) -> tuple[bytes, bytes]:
            if stated.cause == "T-bad-30":
                raise OverflowError
            return self.writer.record(stated)

    monkeypatch.setattr("processor.stream.outbox.FactWriter", Writer)
    log = tickets(60, bad={30})
    async with running(deployment, log) as runtime:
        await until("all is applied", lambda: has_applied(runtime, ends_of(log)))
        assert runtime.ready() == (True, [])
    await assert_set_aside(deployment, {"T-bad-30"}, monkeypatch)


async def test_what_was_handed_over_and_makes_the_engine_raise_is_set_aside_alone(
    broker: Broker, topic_name: TopicName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("handed"), tmp_path).create_topics()
    monkeypatch.setattr(module, "FIRST_RETRY_SECONDS", 0.05)
    attempts: Counter[str] = Counter()
    original = Engine.apply_rekeyed

    def apply_rekeyed(engine: Engine, handed: Rekeyed) -> None:
        attempts[handed.target] += 1
        if handed.target == "T-good-8":
            raise ZeroDivisionError(handed.target)
        original(engine, handed)

    monkeypatch.setattr(Engine, "apply_rekeyed", apply_rekeyed)
    log = tickets(10, bad=set())
    for number in range(0, 10, 2):
        source, target = f"T-merged-{number}", f"T-good-{number}"
        log += [
            keyed(source, value, 2)
            for value in (created(source, NOW), event("ticket.merged", NOW + 5, ticket_id=source, merged_into=target))
        ]
    async with running(deployment, log) as runtime:
        await until("all is applied and handed over", lambda: has_applied(runtime, ends_of(log)) and attempts.total() >= 6)
        await until("the bad one is set aside", lambda: runtime.ready()[0] and attempts["T-good-8"] == 2)
    monkeypatch.undo()
    (letter,) = await asyncio.to_thread(deployment.read, "rejected")
    assert letter.key == b"T-good-8"
    assert dict(letter.headers)["topic"].decode() == deployment.config.topics.rekeyed
    assert set(attempts) == {f"T-good-{number}" for number in range(0, 10, 2)}
    assert written_facts(await asyncio.to_thread(deployment.read, "facts"))


async def test_too_many_of_them_stop_their_partition_loudly_and_no_other(
    broker: Broker, topic_name: TopicName, tmp_path: Path, attempts: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("many"), tmp_path, worker={"engine_errors_max": 2}).create_topics()
    log = tickets(60, bad=set())
    bad = [(0, *sent[1:]) for sent in tickets(200, bad=set(range(200))) if sent[0] == 0]
    log += bad
    async with running(deployment, log) as runtime:
        await until("it has given up", lambda: any("stopped" in problem for problem in runtime.ready()[1]))
        await until("the other has all", lambda: has_applied(runtime, {1: ends_of(log)[1]}))
        ready, problems = runtime.ready()
        assert not ready
        (problem,) = problems
        assert "the engine failed on 3 events" in problem
        assert f"{deployment.config.topics.events}-0" in problem
        assert [shown.view.partition for shown in runtime.shown()] == [1]
    assert sorted(attempts.values()) == [2, 2, 2]
