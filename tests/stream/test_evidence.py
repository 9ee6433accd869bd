"""What a worker answers to /evidence: of the partitions that it owns, never in the middle of a step, and saying what is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from processor.config import Config
from processor.schemas_path import schemas_path
from processor.stream import evidence
from processor.stream.evidence import Evidence
from tests.stream.test_explaining import TOTAL, owned

SCHEMA = json.loads((schemas_path() / "support.alerts.v1.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA["$defs"]["evidence"] | {"$defs": SCHEMA["$defs"]})


async def ask(partitions: Any, **query: str) -> tuple[int, dict[str, Any]]:
    return await Evidence(Config(), partitions).answer(query)


async def test_all_partitions_that_are_owned_tell_together_what_the_schema_says() -> None:
    status, told = await ask(owned(*range(TOTAL)))
    assert (status, told["partitions"], told["of_partitions"]) == (200, list(range(TOTAL)), TOTAL)
    assert (told["open_tickets"], told["waiting_contacts"], told["complete"]) == (5, 1, True)
    assert [fault.message for fault in VALIDATOR.iter_errors(told)] == []
    assert (await ask(owned(*range(TOTAL)), queue="sales"))[1]["open_tickets"] == 0


async def test_a_partition_that_cannot_tell_is_named_and_the_others_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "STEPS_SECONDS", 0.01)
    partitions = owned(*range(TOTAL))
    starting, busy, *_ = partitions.values()
    starting.phase = "starting"
    async with busy.between_steps:
        status, told = await ask(partitions)
    assert (status, told["partitions"], told["complete"]) == (200, [2, 3], False)
    assert told["problems"] == ["partition 0: it is being taken over", "partition 1: in the middle of a step"]
    assert not any(partition.between_steps.locked() for partition in partitions.values())


async def test_who_has_nothing_to_tell_says_why() -> None:
    assert await ask({}) == (503, {"error": "this worker has no partitions yet", "reason": "starting"})
    partitions = owned(1)
    for partition in partitions.values():
        partition.phase = "starting"
    assert await ask(partitions) == (503, {"error": "partition 1: it is being taken over", "reason": "starting"})
    assert (await ask(owned(0), limit="x"))[0] == 400
    assert (await ask(owned(0), ticket="T-1"))[0] == 400
