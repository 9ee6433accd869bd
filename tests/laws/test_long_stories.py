"""Tickets with hundreds of events and worlds of many months: what is kept stays bounded, what was concluded stays."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from processor.core.engine import TAIL_COMPACT_AT, Engine
from processor.core.events import Event, Reason
from processor.core.facts import CONTENT_FIELDS, HANDED_KINDS
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, MS, Settings
from tests.laws.driving import Manner, comparable, drive
from tests.laws.says import created
from tests.laws.worlds import LONG_STEPS, SETTINGS, SHORT_STEPS, START, arrivals_of, events_of, random_line, story

EVERY_KIND_BUT_RARE = CONTENT_FIELDS.keys() - {"contact.bot_contained", "contact.recovered"} - HANDED_KINDS
WANTED = {
    *EVERY_KIND_BUT_RARE, "conflict", Reason.CONFLICTING_DUPLICATE, "duplicates", "corrections", "stub", "base", "forgotten",
    "tier m", "tier q", "tier d", "tickets_solved-", "sla_breached:first_response-", "backlog_left:solved-", "contacts_answered-",
    *(f"level {name}" for name in ("backlog", "created", "awaiting", "running", "paused", "overdue", "due", "waiting", "queued")),
    *(f"backlog_entered:{how}" for how in ("created", "adopted", "reopened", "restored", "unmerged", "became_eligible", "moved_in")),
    *(f"backlog_left:{how}" for how in ("solved", "discarded", "merged", "moved_out")),
}  # fmt: skip
CREATED = created(topic=None)


def chatter(count: int, step: int, *, solved: bool = True) -> list[Event]:
    """A ticket that is solved and reopened over and over, or only pending and not."""
    random = Random(count)
    events = [Event(START, 0, "", "a", "e0", "ticket.created", "T1", CREATED)]
    for number in range(1, count):
        status = random.choice(("open", "pending", "solved" if solved else "on_hold"))
        events.append(Event(START + number * step, 1, "", "a", f"e{number}", "ticket.status_changed", "T1", (status, None, None)))
    return events


@pytest.mark.parametrize("step", [MS, MINUTE_MS], ids=["all young", "ageing"])
def test_a_ticket_of_hundreds_of_events_is_the_same_however_it_is_kept(step: int) -> None:
    settings = replace(SETTINGS, facts_detail_all=False)
    events = chatter(700, step)
    until = events[-1].occurred_at + HOUR_MS
    plain = drive(settings, events, until, Manner())
    busy = drive(settings, events, until, Manner(7))
    assert busy.facts == plain.facts
    assert comparable(busy.engine.view()) == comparable(plain.engine.view())
    solves = sum(fact.fact.kind == "ticket.solved" for name, fact in plain.stated.items() if name in plain.facts)
    changes = [event.data[0] == "solved" for event in events[1:]]
    assert solves == sum(now and not before for before, now in zip([False, *changes], changes, strict=False))


def test_a_tail_is_never_longer_than_its_limit_and_is_compacted_when_its_events_have_aged() -> None:
    engine, longest = Engine(Settings()), 0
    for event in chatter(700, MS):
        assert engine.apply(event) is None
        longest = max(longest, len(engine.entities["ticket"]["T1"].tail))
    assert longest == Settings().tail_max == 512
    engine = Engine(Settings())
    for event in chatter(700, HOUR_MS, solved=False):
        assert engine.apply(event) is None
        assert len(engine.entities["ticket"]["T1"].tail) <= TAIL_COMPACT_AT
    engine = Engine(Settings())
    for event in chatter(700, HOUR_MS):  # surveys may still answer to the solves of two weeks
        assert engine.apply(event) is None
        assert len(engine.entities["ticket"]["T1"].tail) <= 2 * 7 * 24 + TAIL_COMPACT_AT


def test_what_is_over_leaves_no_record_behind() -> None:
    settings = replace(SETTINGS, policies=())
    events = [Event(START, 0, "", "a", f"{key}", "ticket.created", key, ("email", "closed", *CREATED[2:])) for key in ("T1", "T2")]
    events.append(Event(START, 1, "", "a", "q", "contact.queued", "C1", ("phone", "q1", None, None, None)))
    events.append(Event(START + MINUTE_MS, 1, "", "a", "w", "contact.ended", "C1", (None, None, None)))
    events.append(Event(START + 1, 1, "", "a", "d1", "message.added", "T4", ("M1", "customer", "public", False, None)))
    events.append(Event(START + 2, 2, "", "a", "d2", "ticket.deleted", "T4", ()))
    later = [Event(START + day * DAY_MS, 0, "", "a", f"n{day}", "ticket.created", f"N{day}", CREATED) for day in (1, 2, 3)]
    partition = drive(settings, [*events, *later], START + 4 * DAY_MS, Manner(3))
    partition.engine.sweep()
    partition.step()
    assert set(partition.engine.entities["ticket"]) == {"N1", "N2", "N3"}
    assert not partition.engine.entities["contact"]
    names = {key.split(b"|")[-1] for key in partition.store if key[:1] in b"eh"}
    assert names == {b"N1", b"N2", b"N3"}


def test_the_worlds_hold_at_least_one_of_each_thing_the_laws_speak_of() -> None:
    """Laws hold trivially where nothing happens: every kind of fact, outcome, retraction and ageing occurs in worlds like these."""
    seen: Counter[str] = Counter()
    for seed in range(160):
        random = Random(seed)
        steps = (SHORT_STEPS, LONG_STEPS)[seed % 2]
        drawn = [random_line(random, steps) for _ in range(60)]
        events = (
            events_of(drawn, steps)
            if seed % 3
            else story(seed, ("clocks", "contacts", "clocks", "first contact")[seed // 3 % 4], steps, 60)
        )
        arrivals = arrivals_of(drawn[: len(events)], events, seed % 9 + 1)[: 90 if seed % 4 else 8]
        settings = replace(SETTINGS, facts_detail_all=True)
        partition = drive(settings, arrivals, arrivals[-1].occurred_at + (seed % 3) * 15 * MINUTE_MS, Manner(seed))
        seen.update(stated.fact.kind for stated in partition.stated.values())
        seen.update(partition.outcomes)
        seen.update({name: count for name, count in partition.engine.counts.items() if count})
        view = partition.engine.view()
        seen.update(name for cell in view.cells.values() for name in cell)
        seen.update(f"level {key[0]}" for key in view.levels)
        seen["stub"] += len(partition.engine.stubs)
        seen["base"] += sum(entity.base is not None for entities in partition.engine.entities.values() for entity in entities.values())
        seen["forgotten"] += len({event.key for event in arrivals}) - view.entities
        seen.update(f"tier {tier}" for tier, rows in partition.engine.rows.tiers.items() if rows)
    assert not {name for name in WANTED if not seen[name]}
