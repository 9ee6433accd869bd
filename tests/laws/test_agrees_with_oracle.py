"""The engine concludes what a naive reading of the sorted log concludes: every fact, with its instant, dimensions and times."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.core.events import Event
from processor.core.facts import DETAIL_KINDS, Fact
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, MS, Settings
from tests.laws.driving import Manner, Partition, drive
from tests.laws.meeting import ESSENTIAL, EVERY_CLOCK, EVERY_KIND, TOO_LATE, Met
from tests.laws.oracle.log import Said
from tests.laws.oracle.world import Standing, read
from tests.laws.worlds import (
    LATENESS,
    LONG_STEPS,
    SETTINGS,
    SHORT_STEPS,
    SURVEY_LATENESS,
    Line,
    arrivals_for,
    events_of,
    handing_world,
    lines,
    story,
    timed_arrivals_of,
)

PATIENT = replace(SETTINGS, reopen_horizon=900 * DAY_MS)
AFTER = st.sampled_from((0, 5 * MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 3 * HOUR_MS))


def concluded(partition: Partition) -> Standing:
    """The net facts, without their numbers and without when clocks ran."""
    found: Standing = Counter()
    for name, count in partition.facts.items():
        fact = partition.stated[name].fact
        if fact.kind not in DETAIL_KINDS:
            found[name[0], name[1], said_by(fact)] += count
    return found


def said_by(fact: Fact) -> Said:
    content: tuple[Any, ...] = fact.content[:-1] if fact.kind.startswith("clock.") else fact.content
    return Said(fact.kind, fact.at, fact.dims, content)


def with_stragglers(arrivals: list[tuple[int, Event]], seed: int) -> list[Event]:
    """Some events are told once more, under other ids, when it is too late for them in most cases; the log decides."""
    random = Random(seed)
    late = [
        (event.occurred_at + random.choice((LATENESS + MS, SURVEY_LATENESS + MS, HOUR_MS)), event._replace(id=f"late-{event.id}"))
        for _, event in arrivals if random.random() < 0.1
    ]  # fmt: skip
    return [event for _, event in sorted([*arrivals, *late], key=lambda each: each[0])]


def compare(arrivals: list[Event], after: int, seed: int, met: Met, settings: Settings = PATIENT) -> None:
    until = max(event.occurred_at for event in arrivals) + after
    partition = drive(settings, arrivals, until, Manner(seed))
    met.update(partition.met)
    taken = [event for event, outcome in zip(arrivals, partition.outcomes, strict=True) if outcome not in ("too_late", "beyond_tail")]
    world = read(taken, until, settings)
    found = concluded(partition)
    assert dict(found - world.said) == dict(world.said - found)
    levels = partition.engine.view().levels
    assert sum(count for key, count in levels.items() if key[0] == "backlog") == world.backlog
    assert sum(count for key, count in levels.items() if key[0] == "waiting") == world.waiting
    met.update(f"hops {event.data[1]}" for event in world.given if event.kind == "wait")
    met.update("induced" for _, _, said in world.said if said.kind == "clock.breached" and said.content[4])


# Themes by what the agreement is about, so that a failure names it; each run must have met all that it speaks of.
SPOKEN_OF: dict[str, tuple[str, ...]] = {
    "clocks": (*ESSENTIAL, *(name for name in EVERY_CLOCK if "queue" not in name and "survey" not in name), "induced"),
    "replies": ("ticket.replied", "ticket.first_outgoing", "ticket.handoff_responded", "ticket.bot_started", "ticket.bot_contained"),
    "first contact": (
        *(kind for kind in EVERY_KIND if "fcr" in kind or "reopen" in kind or "repeat" in kind), "ticket.completed", "ticket.summarized",
        "ticket.contacted_again", "person.contacted", "ticket.escalated", "ticket.transferred",
    ),
    "surveys": (
        "survey.sent", "survey.answered", "survey.negative", "-survey.answered", "person.answered", "clock.fulfilled survey_followup",
        "clock.breached survey_followup", "clock.cancelled survey_followup", "csat satisfied", "csat dissatisfied", "nps promoter",
        "nps passive", "nps detractor", "ces easy", "ces hard", "fcr yes", "fcr no",
    ),
    "knowledge": tuple(kind for kind in EVERY_KIND if kind.startswith("person.")),
    "contacts": (*(kind for kind in EVERY_KIND if kind.startswith("contact.")), "ticket.contact_answered", "clock.breached queue_wait"),
    "others": ("agent.time", "organization.acquired", "organization.churned", "organization.counted", "account.cost_recorded"),
}  # fmt: skip


@pytest.mark.parametrize("theme", SPOKEN_OF)
def test_agrees_about_stories(theme: str) -> None:
    met = Met()

    @given(st.integers(0, 10**6), st.sampled_from((SHORT_STEPS, LONG_STEPS)), AFTER, st.integers(0, 9), st.integers(0, 999))
    def law(number: int, steps: tuple[int, ...], after: int, salt: int, seed: int) -> None:
        compare(with_stragglers(arrivals_for(story(number, theme, steps, 40), salt), seed), after, seed, met)

    law()
    met.check(SPOKEN_OF[theme], TOO_LATE, "retracted")


@pytest.mark.parametrize("steps", [SHORT_STEPS, LONG_STEPS], ids=["an hour", "weeks"])
def test_agrees_about_everything(steps: tuple[int, ...]) -> None:
    met = Met()

    @given(lines(steps, 50), AFTER, st.integers(0, 9), st.integers(0, 999))
    def law(drawn: list[Line], after: int, salt: int, seed: int) -> None:
        compare(with_stragglers(timed_arrivals_of(drawn, events_of(drawn, steps), salt), seed), after, seed, met)

    law()
    met.check(ESSENTIAL, TOO_LATE)


def test_agrees_about_what_is_handed_over() -> None:
    met = Met()

    @given(st.integers(0, 10**6), st.sampled_from((SHORT_STEPS, LONG_STEPS)), AFTER, st.integers(0, 9), st.integers(0, 999))
    def law(number: int, steps: tuple[int, ...], after: int, salt: int, seed: int) -> None:
        compare(with_stragglers(arrivals_for(handing_world(number, steps, 40), salt), seed), after, seed, met)

    law()
    met.check(ESSENTIAL, TOO_LATE, "ticket.wait_handed", "ticket.wait_withdrawn", "ticket.contact_answered", "hops 1", "hops 2", "hops 3")
