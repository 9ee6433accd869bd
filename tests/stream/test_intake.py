"""How records get from an input topic into the engine, a few at a time."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
import pytest

from processor.codec.rekeyed import encode_heartbeat
from processor.config import Config
from processor.core.engine import Engine
from processor.core.settings import Settings
from processor.stream import intake
from processor.stream.intake import Intake

APPENDED = 1_795_000_000_000


@dataclass
class Record:
    """An event of a minute, appended when it happened; `minute` None: no event at all."""

    offset: int
    minute: int | None
    topic: str = "support.events.v1"
    partition: int = 0
    key: bytes = b"T-1"

    @property
    def timestamp(self) -> int:
        return APPENDED + self.offset

    @property
    def value(self) -> bytes:
        if self.minute is None:
            return b"{}"
        return orjson.dumps({
            "specversion": "1.0", "id": f"{self.offset}", "source": "/desk", "type": "support.ticket.assignee_changed",
            "subject": "T-1", "time": f"2026-11-16T08:{self.minute:02}:00Z", "data": {"ticket_id": "T-1", "assignee_id": "A-1"},
        })  # fmt: skip


@pytest.fixture
def way_in() -> Intake:
    return Intake(Config(), Settings(), 1, lambda: None)


def test_a_slice_says_what_was_folded_and_which_record_brought_the_newest_event(way_in: Intake) -> None:
    engine = Engine(Settings())
    taken = way_in.take_some(engine, [Record(0, 5), Record(1, 7), Record(2, None), Record(3, 6)])
    assert (taken.count, len(taken.letters), taken.newest_appended_at) == (4, 1, APPENDED + 1)
    assert engine.counts["accepted"] == 3
    assert way_in.take_some(engine, [Record(4, 6)]).newest_appended_at == 0


def test_what_another_application_hands_over_is_set_aside() -> None:
    topic = Config().topics.rekeyed

    class Foreign(Record):
        @property
        def value(self) -> bytes:
            return encode_heartbeat(0, (1, 2, 3, 4), "theirs")[1]

    counted: list[int] = []
    engine = Engine(Settings(), partitions=1)
    taken = Intake(Config(), Settings(), 1, lambda: counted.append(1)).take_some(engine, [Foreign(7, None, topic)])
    assert b"written by application 'theirs': each needs topics of its own" in dict(taken.letters[0].headers)["detail"]
    assert counted == [1]
    assert engine.upstream.stored() == {}


def test_a_slice_ends_when_its_time_is_over_but_one_record_is_folded(way_in: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "SLICE_SECONDS", -1)
    engine = Engine(Settings())
    records = [Record(number, number) for number in range(5)]
    assert way_in.take_some(engine, records).count == 1
    assert engine.counts["accepted"] == 1
