"""Whatever is said in whatever order, the engine answers; it never raises, and a restored engine stands where the one before stood."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core import events as vocabulary
from processor.core.events import DATA_FIELDS, Event, entity_of, rank_of
from processor.core.settings import HOUR_MS, MINUTE_MS
from tests.laws.driving import Manner, drive
from tests.laws.says import created
from tests.laws.worlds import SETTINGS, START, said

TEXT = st.sampled_from((None, "a", "b", "größe 東京", "x" * 256, "a|b,c", " "))
LABEL = st.sampled_from(("a", "b", "größe 東京", "x" * 256, "a|b,c"))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "channel": st.sampled_from(vocabulary.CHANNELS), "status": st.sampled_from(vocabulary.STATUSES),
    "priority": st.sampled_from(vocabulary.PRIORITIES), "direction": st.sampled_from(vocabulary.DIRECTIONS),
    "author_type": st.sampled_from(vocabulary.AUTHOR_TYPES), "visibility": st.sampled_from(vocabulary.VISIBILITIES),
    "automated": st.booleans(), "message_id": LABEL, "kind": st.sampled_from(vocabulary.ESCALATION_KINDS), "merged_into": LABEL,
    "changes": st.lists(st.tuples(st.sampled_from(vocabulary.CHANGED_FIELDS), TEXT), max_size=3).map(tuple),
    "outcome": st.sampled_from((None, *vocabulary.CONTACT_OUTCOMES)), "talk_seconds": st.sampled_from((None, 0, 1.5, 86_400)),
    "hold_seconds": st.sampled_from((None, 3)), "wrap_up_seconds": st.sampled_from((0, 12.25)), "source": LABEL,
    "survey": st.sampled_from(vocabulary.SURVEYS), "state": st.sampled_from(vocabulary.AGENT_STATES), "helpful": st.booleans(),
    "first_contact_resolved": st.sampled_from((None, True, False)), "capacity": st.none(), "count": st.sampled_from((0, 1, 40)),
    "score": st.sampled_from((-1, 0, 0.5, 1, 4, 7, 10, 99)), "scale_min": st.sampled_from((0, 1)),
    "scale_max": st.sampled_from((1, 5, 7, 10)),
    "seconds": st.sampled_from((0, 1.5, 86_400)), "amount": st.sampled_from((0, 7, 12_500)), "currency": st.sampled_from(("EUR", "USD")),
    "survey_id": LABEL, "at": st.integers(START - HOUR_MS, START + 300 * HOUR_MS),
}  # fmt: skip


@st.composite
def decoded(draw: st.DrawFn) -> Event:
    """Any event that the decoder could give, at a time near others."""
    kind = draw(st.sampled_from(sorted(DATA_FIELDS)))
    fields = DATA_FIELDS[kind]
    required = {"queue"} if kind == "contact.transferred" else set()
    data = tuple(draw(LABEL if name in required else VALUES.get(name, TEXT)) for name in fields)
    at = START + draw(st.sampled_from((0, 0, 1, 4000, 60_000))) + draw(st.sampled_from((0, 0, 0, 1, 30, 90, 2000))) * MINUTE_MS
    key = "" if entity_of(kind) == "control" else draw(st.sampled_from(("x", "y", "größe|1", "x\u001fy")))
    event_id = draw(st.sampled_from([f"e{number}" for number in range(60)]))
    return Event(at, rank_of(kind), draw(st.sampled_from(("", "1"))), draw(st.sampled_from(("s", "t"))), event_id, kind, key, data)


@given(st.lists(decoded(), min_size=1, max_size=60), st.integers(0, 999), st.sampled_from((1, 2, 5, 512)))
def test_any_sequence_is_answered(events: list[Event], seed: int, tail_max: int) -> None:
    drive(replace(SETTINGS, tail_max=tail_max, max_stubs=1), events, START + 9999 * HOUR_MS, Manner(seed))


STORIES: dict[str, list[Event]] = {
    "reopened": [
        said(0, "ticket.created", *created()),
        said(1, "ticket.status_changed", "solved", None, None), said(2, "message.added", "M1", "agent", "public", False, None),
        said(3, "ticket.status_changed", "open", None, None), said(3, "ticket.priority_changed", "urgent"),
        said(9, "ticket.status_changed", "solved", None, None),
    ],
    "discarded": [
        said(0, "ticket.created", *created(priority="urgent", group="g1", requester_id="P1")),
        said(0, "message.added", "M1", "agent", "internal", False, None), said(2, "message.visibility_changed", "M1", "public"),
        said(3, "ticket.marked_as_spam"), said(4, "ticket.group_changed", "g2"), said(5, "ticket.unmarked_as_spam"),
    ],
    "outbound": [
        said(0, "message.added", "M0", "agent", "public", False, None),
        said(0, "ticket.created", *created(status="pending", direction="outbound")),
        said(2, "message.added", "M1", "customer", "public", False, None), said(4, "message.bounced", "M2"),
        said(3, "message.added", "M2", "agent", "public", False, None), said(9, "ticket.deleted"),
    ],
    "call": [
        said(0, "contact.queued", "phone", "q1", None, None, None, key="C1"), said(1, "contact.transferred", "q2", key="C1"),
        said(2, "contact.accepted", "A1", key="C1"), said(2, "contact.abandoned", None, key="C1"),
        said(3, "contact.queued", "phone", "q3", None, None, None, key="C1"), said(4, "contact.ended", None, None, "handled", key="C1"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_every_order_of_a_story_tells_the_same(name: str) -> None:
    until = START + 2 * HOUR_MS
    plain = drive(SETTINGS, STORIES[name], until, Manner())
    assert plain.facts
    for number, order in enumerate(permutations(STORIES[name])):
        told = drive(SETTINGS, order, until, Manner(number if number % 10 == 0 else None))
        assert told.facts == plain.facts
        assert told.engine.view().levels == plain.engine.view().levels
