"""What a late event changes is told by folding only from where the old tail and the new one part: the same as folding both anew."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from processor.core.clocks import Clock
from processor.core.conversation import Conversation
from processor.core.events import TICKET, Event, entity_of
from processor.core.facts import Out
from processor.core.instances import MoreClocks
from processor.core.policies import Policies
from processor.core.progress import Progress
from processor.core.refolding import copied, refold
from processor.core.surveys import Surveys
from processor.core.ticket import Ticket
from processor.core.timeline import fold
from tests.laws.says import THEMES
from tests.laws.worlds import SETTINGS, SHORT_STEPS, story

MOST = 40
PARTS = (Clock, Conversation, MoreClocks, Progress, Surveys)


def tickets_of(seed: int, theme: str) -> list[list[Event]]:
    tails: dict[str, list[Event]] = {}
    for event in sorted(set(story(seed, theme, SHORT_STEPS, MOST))):
        if entity_of(event.kind) == TICKET:
            tails.setdefault(event.key, []).append(event)
    return list(tails.values())


def net(out: Out) -> Counter[object]:
    counted: Counter[object] = Counter()
    for sign, fact in out:
        counted[fact] += sign
    return Counter({fact: count for fact, count in counted.items() if count})


@pytest.mark.parametrize("theme", sorted(THEMES))
@pytest.mark.parametrize("seed", range(12))
def test_folding_from_where_two_tails_part(theme: str, seed: int) -> None:
    random, policies = Random(seed), Policies(SETTINGS)
    for tail in tickets_of(seed, theme):
        for index in range(len(tail)):
            settled = random.randrange(index + 1) if random.random() < 0.5 else 0
            base = fold(TICKET, None, tail[:settled], -1, policies)[0].freeze() if settled else None
            shorter, longer = tail[settled:index] + tail[index + 1 :], tail[settled:]
            timer_time = tail[-1].occurred_at + random.choice((-60_000, 0, 3_600_000, 10**9))
            for before, after in ((shorter, longer), (longer, shorter)):
                state, out = refold(TICKET, base, before, after, timer_time, timer_time, policies)
                expected, stated = fold(TICKET, base, after, timer_time, policies)
                retracted = [(-sign, fact) for sign, fact in fold(TICKET, base, before, timer_time, policies)[1]]
                assert net(out) == net(stated + retracted)
                assert told(state) == told(expected)


def told(state: object) -> object:
    """All that a state holds, and what it holds holds."""
    if isinstance(state, Ticket | Clock | MoreClocks):
        names = getattr(state, "__mypyc_attrs__", None) or state.__slots__  # compiled, it has no slots
        return {name: told(getattr(state, name)) for name in names if name != "policies"}
    if isinstance(state, list):
        return [told(each) for each in state]
    if isinstance(state, dict):
        return dict(state)
    return state.freeze() if isinstance(state, PARTS) else state


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_a_copy_has_everything_and_goes_its_own_way(theme: str) -> None:
    policies = Policies(SETTINGS)
    for tail in tickets_of(7, theme):
        for index in range(1, len(tail)):
            ticket, _ = fold(TICKET, None, tail[:index], 0, policies)
            assert isinstance(ticket, Ticket)
            twin = copied(ticket)
            before = told(ticket)
            assert told(twin) == before
            for event in tail[index:]:
                twin.step(event, event.occurred_at, [])
            assert told(ticket) == before
