"""What is told of a segment is what a look at every single ticket tells, whether the tickets are awake, nap or sleep."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from processor.compile import compile_settings
from processor.config import Config
from processor.core.dimensions import CHANNEL, GROUP, TOPIC
from processor.core.engine import Engine
from processor.core.events import TICKET
from processor.core.settings import DAY_MS
from processor.core.sleep import look_at
from processor.core.ticket import Ticket
from processor.explain.evidence import LATELY_MS, QueryError, Search, known_values, read_query, together
from processor.replay import Replay
from processor.synthetic.generate import generate
from tests.scenarios.words import event_of

CONFIG = Config.model_validate({"limits": {"quiet_max": 0}})
SETTINGS = compile_settings(CONFIG)
AT = 1_772_442_000_000
MINUTE = 60_000
SOLVED = re.compile(rb'"status": ?"(solved|closed)"')
FIFTH = re.compile(rb'"ticket_id": ?"T-\d+[05]"')


def found(engine: Engine, limit: int = 5, **segment: str) -> dict[str, Any]:
    search = Search(engine, segment, {"group": ("billing", "none")}, limit)
    search.awake()
    search.asleep(lambda: True)
    return search.document()


@pytest.fixture(scope="module")
def engines() -> list[Engine]:
    """Two weeks in two partitions, in which every fifth ticket is never solved: those of before yesterday sleep, those of today nap."""
    log = generate(SETTINGS, events=6_000, seed=5, start=AT, duration=14 * DAY_MS)
    replay = Replay(CONFIG, partitions=2)
    replay.feed_lines(line for line in log.lines if not (SOLVED.search(line) and FIFTH.search(line)))
    return list(replay.engines.values())


def open_tickets(engine: Engine) -> list[tuple[int, str, Ticket]]:
    """Every one, the naive way."""
    tickets = ((key, look_at(engine, timeline)) for key, timeline in engine.entities[TICKET].items())
    return sorted((state.created_at, key, state) for key, state in tickets if isinstance(state, Ticket) and state.in_backlog)


def test_open_tickets_are_found_asleep_and_awake(engines: list[Engine]) -> None:
    asleep = sum(timeline.state is None for engine in engines for timeline in engine.entities[TICKET].values())
    assert asleep > 100
    for engine in engines:
        tickets, told = open_tickets(engine), found(engine, limit=50)
        assert told["open_tickets"] == len(tickets) > 20
        assert [each["ticket"] for each in told["oldest_tickets"]] == [key for _, key, _ in tickets[:50]]
        assert {each["name"]: each["open"] for each in told["topics"] if each["open"]} == Counter(each.dims[TOPIC] for *_, each in tickets)
        assert told["created_tickets"] >= sum(created > engine.stream_time - LATELY_MS for created, *_ in tickets)
        assert (told["complete"], told["problems"]) == (True, [])


def test_a_segment_chooses_by_every_label(engines: list[Engine]) -> None:
    engine = engines[0]
    tickets = open_tickets(engine)
    _, key, some = tickets[-1]
    chosen = [key for _, key, each in tickets if (each.dims[GROUP], each.dims[CHANNEL]) == (some.dims[GROUP], some.dims[CHANNEL])]
    told = found(engine, limit=50, group=some.dims[GROUP], channel=some.dims[CHANNEL])
    assert key in chosen
    assert [each["ticket"] for each in told["oldest_tickets"]] == chosen[:50]
    assert {each["name"] for each in told["groups"] if each["open"]} == {some.dims[GROUP]}
    assert found(engine, group="nobody")["open_tickets"] == 0
    assert found(engine, queue="sales")["open_tickets"] == 0  # tickets are in no queue
    others = sum(each.dims[GROUP] not in ("billing", "none") for *_, each in tickets)
    assert found(engine, group="other")["open_tickets"] == others > 0


def test_a_clock_chooses_tickets_whose_clock_is_open() -> None:
    engine = Engine(SETTINGS)
    for number, (key, words) in enumerate([("T-1", ["created"]), ("T-2", ["created"]), ("T-2", ["agent", "public"])]):
        engine.apply(event_of(AT + number * MINUTE, key, words, number))
    policy = CONFIG.policies[-1].id
    assert [each["ticket"] for each in found(engine, clock="first_response", policy=policy)["oldest_tickets"]] == ["T-1"]
    assert found(engine, clock="first_response", policy="another")["open_tickets"] == 0
    assert found(engine, clock="resolution")["open_tickets"] == 0


def test_waiting_contacts_are_told_with_their_queue() -> None:
    engine = Engine(SETTINGS)
    for number, key in enumerate(("C-1", "C-2", "C-3")):
        engine.apply(event_of(AT + number * MINUTE, key, ["queued", "sales" if number else "support"], number))
    engine.apply(event_of(AT + 5 * MINUTE, "C-2", ["accepted", "A-1"], 9))
    assert [each["contact"] for each in found(engine)["oldest_contacts"]] == ["C-1", "C-3"]
    told = found(engine, queue="sales")
    assert (told["waiting_contacts"], [each["contact"] for each in told["oldest_contacts"]]) == (1, ["C-3"])
    assert found(engine, group="billing")["waiting_contacts"] == 0  # contacts have no group


def test_what_there_was_no_time_for_is_said(engines: list[Engine]) -> None:
    search = Search(engines[0], {}, {}, 5)
    search.awake()
    search.asleep(lambda: False)
    told = search.document()
    assert not told["complete"]
    assert "no time was left to look at" in told["problems"][0]


def test_workers_are_added_up_and_what_two_tell_of_one_partition_counts_once(engines: list[Engine]) -> None:
    apart = [found(engine, limit=50) for engine in engines]
    both = together([*apart, apart[0]], 7)
    assert both["open_tickets"] == sum(each["open_tickets"] for each in apart)
    assert both["partitions"] == [0, 1]
    oldest = sorted(each["created_at"] for told in apart for each in told["oldest_tickets"])
    assert [each["created_at"] for each in both["oldest_tickets"]] == oldest[:7]
    assert len(both["topics"]) == 7
    assert both["as_of"] == min(each["as_of"] for each in apart)
    assert not together([apart[0]], 5, ["b: no answer"])["complete"]
    assert together([], 5, ["b: no answer"])["as_of"] is None


@pytest.mark.parametrize("query", [{"ticket": "T-1"}, {"limit": "0"}, {"limit": "51"}, {"limit": "many"}, {"limit": "-1"}, {"limit": "²"}])
def test_what_cannot_be_asked_is_said(query: dict[str, str]) -> None:
    with pytest.raises(QueryError, match=r"a segment is chosen by|from 1 to 50"):
        read_query(query)


def test_a_query_without_anything_is_about_everything() -> None:
    assert read_query({}) == ({}, 5)
    assert read_query({"group": "billing", "limit": "3"}) == ({"group": "billing"}, 3)
    assert known_values(CONFIG)["group"] == ("none",)


def test_an_empty_partition_tells_nothing() -> None:
    told = found(Engine(SETTINGS))
    assert (told["as_of"], told["open_tickets"], told["complete"]) == (None, 0, True)
