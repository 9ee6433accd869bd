"""What grows with surveys, visits and contacts has a limit, and what lies beyond it changes nothing that was counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from processor.core.engine import Engine
from processor.core.events import Event, rank_of
from processor.core.exchange import Exchange
from processor.core.facts import Fact
from processor.core.requester import SOURCES_MAX, TOLD_MAX
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, Settings
from processor.core.survey_answers import ANSWERS_MAX, SURVEYS_MAX
from processor.core.ticket import STANDING_MAX
from processor.core.visits import SESSIONS_MAX

START = 1_772_442_000_000


class World:
    """An engine, and the facts that stand."""

    def __init__(self) -> None:
        self.engine = Engine(Settings(tail_max=5000))
        self.facts: Counter[tuple[str, Fact]] = Counter()
        self.number = 0

    def happens(self, at: int, kind: str, key: str, *data: Any) -> None:
        self.number += 1
        assert self.engine.apply(Event(START + at, rank_of(kind), "", "desk", f"e{self.number}", kind, key, data)) is None
        self.drain()

    def drain(self) -> None:
        step = self.engine.drain()
        for stated in step.facts:
            self.facts[stated.key, stated.fact] += stated.sign
        if Exchange({0: self.engine}, lambda _key: 0).deliver(0, step):
            self.drain()

    def standing(self, kind: str) -> list[tuple[str, Fact]]:
        assert all(count in (0, 1) for count in self.facts.values())
        return [(key, fact) for (key, fact), count in self.facts.items() if count and fact.kind == kind]

    def creates(self, at: int, key: str, requester: str | None = None, topic: str | None = None) -> None:
        described = (None, None, topic, None, None, requester, None, None, None, None)
        self.happens(at, "ticket.created", key, "email", "new", "normal", "inbound", *described)

    def answers(self, at: int, key: str, score: float, survey_id: str = "S", survey: str = "csat", respondent: str | None = None) -> None:
        low, high = {"csat": (1, 5), "nps": (0, 10)}[survey]
        kind = "ticket.survey_responded" if key.startswith("T") else "person.survey_responded"
        self.happens(at, kind, key, survey_id, survey, score, low, high, respondent, None, None)


def test_a_ticket_has_so_many_surveys_and_no_more() -> None:
    world = World()
    world.creates(0, "T1")
    for number in range(SURVEYS_MAX + 5):
        world.answers(MINUTE_MS + number, "T1", 5, f"S{number}")
    assert len(world.standing("survey.answered")) == SURVEYS_MAX
    world.answers(HOUR_MS, "T1", 1, "S3")
    assert len(world.standing("survey.answered")) == SURVEYS_MAX
    assert [fact.instance for _, fact in world.standing("survey.negative")] == [4]


def test_a_person_has_so_many_surveys_at_a_time_the_newest() -> None:
    world = World()
    for number in range(SURVEYS_MAX + 5):
        world.answers(number, "P1", 5, f"S{number}")
    assert len(world.standing("survey.answered")) == SURVEYS_MAX + 5
    world.answers(HOUR_MS, "P1", 1, f"S{SURVEYS_MAX + 4}")
    assert len(world.standing("survey.answered")) == SURVEYS_MAX + 5
    assert len(world.standing("survey.negative")) == 1


@pytest.mark.parametrize("key", ["T1", "P1"])
def test_whoever_changes_an_answer_all_the_time_is_not_listened_to_for_ever(key: str) -> None:
    world = World()
    world.creates(0, "T1")
    for number in range(ANSWERS_MAX):
        world.answers(HOUR_MS + number, key, 1 + number % 5)
    (before,) = world.standing("survey.answered")
    world.answers(2 * HOUR_MS, key, 5)
    assert world.standing("survey.answered") == [before]
    assert before[1].at == START + HOUR_MS + ANSWERS_MAX - 1


def test_an_answer_that_is_settled_is_not_stated_again() -> None:
    world = World()
    world.creates(0, "T1")
    world.answers(HOUR_MS, "T1", 1)
    for number in range(STANDING_MAX):
        status = ("solved", "open")[number % 2]
        world.happens(2 * HOUR_MS + number, "ticket.status_changed", "T1", status, None, None)
    world.answers(3 * HOUR_MS, "T1", 5)
    assert [fact.content[2] for _, fact in world.standing("survey.answered")] == [1000]


def test_of_scores_in_a_row_the_last_counts_however_many_they_are() -> None:
    world = World()
    for number in range(60):
        world.creates(number * DAY_MS, f"T{number}")
        world.answers(number * DAY_MS + HOUR_MS, f"T{number}", 9, survey="nps", respondent="P1")
    ((key, fact),) = world.standing("survey.answered")
    assert (key, fact.at) == ("P1", START + 59 * DAY_MS + HOUR_MS)


def test_a_machine_that_writes_all_day_tells_each_ticket_of_a_few_repeats() -> None:
    world = World()
    handed: Counter[str] = Counter()
    for number in range(SOURCES_MAX + 50):
        world.number += 1
        described = (None, None, "disk", None, None, "P1", None, None, None, None)
        data = ("email", "new", "normal", "inbound", *described)
        world.engine.apply(Event(START + number, 0, "", "desk", f"e{world.number}", "ticket.created", f"T{number}", data))
        while (step := world.engine.drain()).rekeyed:
            handed.update(each.target for each in step.rekeyed if each.kind == "ticket.contacted_again")
            Exchange({0: world.engine}, lambda _key: 0).deliver(0, step)
    assert max(handed.values()) == TOLD_MAX
    person = world.engine.entities["person"]["P1"].state
    assert person is not None
    assert len(person.freeze()[3][1]) == SOURCES_MAX


def test_a_visitor_with_many_sessions_at_once_loses_the_oldest() -> None:
    world = World()
    for number in range(SESSIONS_MAX + 10):
        world.happens(number, "person.article_viewed", "P1", f"s{number}", "A1")
        world.happens(number, "person.searched", "P2", f"s{number}")
    world.engine.advance(START + DAY_MS)
    world.drain()
    assert len(world.standing("person.article_viewed")) == SESSIONS_MAX + 10
    assert len(world.standing("person.session_bounced")) == SESSIONS_MAX
    world.creates(HOUR_MS, "T1", "P2")
    assert len(world.standing("person.search_ticketed")) == SESSIONS_MAX
