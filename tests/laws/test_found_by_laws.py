"""Small worlds in which the engine and the oracle once did not agree; and what a restored engine once did not know."""

from __future__ import annotations

from typing import Any

import pytest

from processor.core.events import Event
from processor.core.settings import HOUR_MS
from tests.laws.driving import Manner, comparable, drive
from tests.laws.meeting import Met
from tests.laws.says import answer, created, message, status, told
from tests.laws.test_agrees_with_oracle import compare
from tests.laws.worlds import SETTINGS, said

Said = tuple[str, tuple[Any, ...]]


def story(*entries: tuple[float, str, Said]) -> list[Event]:
    """Minute, key, kind and data of each event, in the order in which they come."""
    return [said(minute, kind, *data, key=key) for minute, key, (kind, data) in entries]


NEW: Said = ("ticket.created", created(requester_id="P1", priority="urgent"))
CALL = told("contact.queued", channel="phone", queue="q1", topic="billing", requester_id="P1")

STORIES: dict[str, list[Event]] = {
    "a contact names its ticket when it is long settled that it was one of its own": story(
        (0, "T2", NEW), (20, "C2", CALL), (30, "T2", status("solved")),
        (42, "C2", told("contact.queued", channel="chat", queue="q2", ticket_id="T1")),
    ),
    "an answer that counted for nothing, since the customer had not written, is changed when it counts": story(
        (0, "T2", ("ticket.created", created(direction="outbound"))), (1, "T2", answer("ticket", "S4", "fcr", 1, 0, 1)),
        (2, "T2", message("M1", "customer")), (9, "T2", answer("ticket", "S4", "fcr", 0, 0, 1)),
    ),
    "a person answers long after being asked, and is asked again": story(
        (0, "P2", told("person.survey_sent", survey_id="S8", survey="nps")), (1500, "P2", answer("person", "S8", "nps", 3, 0, 10)),
        (1501, "P2", told("person.survey_sent", survey_id="S8", survey="nps")),
        (1540, "P2", told("person.survey_sent", survey_id="S8", survey="nps")),
    ),
    "a survey was sent in a ticket that turns out to be one that we opened, and is merged away": story(
        (0, "T2", told("ticket.survey_sent", survey_id="S3", survey="ces")), (9, "T2", ("ticket.created", created(direction="outbound"))),
        (12, "T2", told("ticket.merged", merged_into="T3")), (15, "T2", message("M1", "customer")), (20, "T2", told("ticket.unmerged")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("seed", range(4))
def test_agrees(name: str, seed: int) -> None:
    compare(STORIES[name], HOUR_MS, seed, Met())


def test_a_follow_up_that_nobody_gives_ends_when_the_ticket_is_forgotten_however_often_that_is_looked_for() -> None:
    events = story(
        (0, "T2", NEW), (1, "T2", status("solved")), (2, "T2", answer("ticket", "S1", "csat", 1, 1, 5)),
        *((minute, "T1", status("open")) for minute in range(10, 300, 10)),
    )  # fmt: skip
    plain = drive(SETTINGS, events, events[-1].occurred_at, Manner())
    assert plain.met["clock.cancelled survey_followup"]
    for seed in range(6):
        assert comparable(drive(SETTINGS, events, events[-1].occurred_at, Manner(seed)).engine.view()) == comparable(plain.engine.view())
