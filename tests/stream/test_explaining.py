"""What a worker answers to /explain: from the partition that owns the ticket, and never in the middle of a step."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition

from processor.codec.murmur2 import partition_of
from processor.compile import compile_settings
from processor.config import Config
from processor.core.engine import Engine
from processor.stream import explaining
from processor.stream.explaining import explain_ticket
from tests.scenarios.words import event_of

SETTINGS = compile_settings(Config())
AT = 1_772_442_000_000
TOTAL = 4


class FakePartition:
    """A partition with one ticket."""

    def __init__(self, number: int, *tickets: str) -> None:
        self.phase = "running"
        self.partitions = TOTAL
        self.between_steps = asyncio.Lock()
        self.engine = Engine(SETTINGS, number, TOTAL)
        for line, ticket in enumerate(tickets):
            self.engine.apply(event_of(AT, ticket, ["created"] if ticket.startswith("T") else ["queued"], line))


def owned(*numbers: int) -> Any:
    keys = ("T-1", "T-2", "T-3", "T-4", "T-5", "C-1")
    return {
        TopicPartition("events", number): FakePartition(number, *(key for key in keys if partition_of(key.encode(), TOTAL) == number))
        for number in numbers
    }


async def ask(partitions: Any, ticket: str, at: int | None = None) -> tuple[int, dict[str, Any]]:
    return await explain_ticket(Config(), SETTINGS, partitions, ticket, at)


async def test_the_owner_explains_and_others_say_who_does() -> None:
    home = partition_of(b"T-1", TOTAL)
    status, told = await ask(owned(*range(TOTAL)), "T-1")
    assert (status, told["ticket"], told["partition"]) == (200, "T-1", home)
    status, told = await ask(owned((home + 1) % TOTAL), "T-1")
    assert (status, told["reason"], told["partition"], told["partitions"]) == (404, "elsewhere", home, TOTAL)
    assert "another worker serves" in told["error"]


async def test_an_unknown_ticket_is_not_found_and_a_contact_is_told() -> None:
    status, told = await ask(owned(*range(TOTAL)), "T-999")
    assert (status, told["reason"]) == (404, "unknown")
    status, told = await ask(owned(*range(TOTAL)), "C-1")
    assert (status, "is a contact" in told["error"]) == (404, True)


@pytest.mark.parametrize("ticket", ["", "x" * 300])
async def test_no_ticket_is_a_bad_request(ticket: str) -> None:
    assert (await ask(owned(0), ticket))[0] == 400


async def test_an_instant_before_the_ticket_is_a_bad_request() -> None:
    status, told = await ask(owned(*range(TOTAL)), "T-1", AT - 1)
    assert (status, "first event" in told["error"]) == (400, True)


async def test_who_is_not_ready_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await ask({}, "T-1"))[0] == 503
    partitions = owned(*range(TOTAL))
    home = partitions[TopicPartition("events", partition_of(b"T-1", TOTAL))]
    home.phase = "starting"
    assert (await ask(partitions, "T-1"))[1]["reason"] == "starting"
    home.phase = "running"
    monkeypatch.setattr(explaining, "PATIENCE_SECONDS", 0.01)
    async with home.between_steps:
        assert (await ask(partitions, "T-1"))[1]["reason"] == "busy"
