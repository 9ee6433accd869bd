"""What each KPI is: by hand, against a naive count of the observations, and against the wording of histogram_quantile."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec.decode import decode
from processor.compile import compile_settings
from processor.config import Config
from processor.core.engine import Engine
from processor.core.events import CONTACT, ENTITIES, TICKET, Event
from processor.core.facts import Fact
from processor.core.histogram import BUCKETS, EDGES_MS, EDGES_SECONDS
from processor.core.kpi_counts import COUNTED
from processor.core.kpi_readings import Rules
from processor.core.kpis import DEFINITIONS, GROUPS, PER_AGENT, QUANTILES, Kind, definition_of, measures, observed, quantile
from processor.core.posting import NUMBERS
from processor.core.postings import HISTOGRAMS, POSTINGS
from processor.core.rows import Row, add_row
from processor.core.settings import CLOCKS, HOUR_MS, NO_DIMENSIONS
from processor.synthetic.generate import generate

COUNTS = st.lists(st.integers(0, 50), min_size=BUCKETS, max_size=BUCKETS).filter(any)
DURATIONS_MS = st.lists(st.one_of(st.integers(0, 3 * EDGES_MS[-1]), st.sampled_from(EDGES_MS)), max_size=40)


def naive_quantile(share: Fraction, counts: list[int]) -> float:
    """The documented rule, observation by observation: those of a bucket lie evenly in it."""
    rank = share * sum(counts)
    seen = Fraction(0)
    for index, count in enumerate(counts):
        if count and seen + count >= rank:
            if index == len(EDGES_SECONDS):
                break
            lower = EDGES_SECONDS[index - 1] if index else 0
            return float(lower + (EDGES_SECONDS[index] - lower) * (rank - seen) / count)
        seen += count
    return float(EDGES_SECONDS[-1])


def observed_times(name: str, durations_ms: list[int]) -> Row:
    row: Row = {}
    for duration in durations_ms:
        add_row(row, {HISTOGRAMS[name].bucket(duration): 1, HISTOGRAMS[name].sum: duration}, 1)
    return row


@given(COUNTS, st.sampled_from([Fraction(1, 2), Fraction(3, 4), Fraction(9, 10), Fraction(19, 20)]))
def test_quantiles_are_those_of_histogram_quantile(counts: list[int], share: Fraction) -> None:
    assert math.isclose(quantile(float(share), counts), naive_quantile(share, counts), rel_tol=1e-9)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({3: 4}, 0.5, 25.0),  # four of 20 to 30 s: the second of them
        ({0: 1}, 0.5, 2.5),  # the first bucket begins at 0
        ({0: 1, BUCKETS - 1: 99}, 0.5, 7_776_000.0),  # above the ladder: its last edge
        ({4: 10, 6: 10}, 0.5, 60.0),  # an edge exactly
        ({4: 10, 6: 10}, 0.75, 210.0),
    ],
)
def test_quantiles_by_hand(counts: dict[int, int], share: float, expected: float) -> None:
    assert quantile(share, [counts.get(index, 0) for index in range(BUCKETS)]) == expected


@given(DURATIONS_MS)
def test_a_duration_has_the_mean_of_its_observations_and_the_edge_above_the_longest(durations: list[int]) -> None:
    found = measures((), observed_times("first_response", durations), 0)["first_response"]
    assert found.n == found.denominator == len(durations)
    assert found.numerator == sum(durations) / 1000
    if not durations:
        assert found.value is None
        assert found.stats() == {}
        return
    stats = found.stats()
    assert found.value == stats["mean"] == sum(durations) / 1000 / len(durations)
    place = bisect_left(EDGES_MS, max(durations))
    assert stats["max"] == (EDGES_SECONDS[place] if place < len(EDGES_SECONDS) else math.inf)
    assert [stats[name] for name in QUANTILES] == sorted(stats[name] for name in QUANTILES)
    assert all(math.isfinite(stats[name]) for name in QUANTILES)


ROW: Row = {
    "tickets_created": 7, "tickets_solved": 8, "tickets_reopened": 2, "tickets_discarded:spam": 1, "tickets_discarded:deleted": 2,
    "backlog_entered:created": 7, "backlog_entered:reopened": 2, "backlog_left:solved": 8, "backlog_left:discarded": 3,
    "sla_started:resolution": 9, "sla_measured:resolution": 8, "sla_breached:resolution": 2, "sla_induced:resolution": 1,
    "sla_measured:queue_wait": 5, "contacts_offered": 20, "contacts_answered": 12, "contacts_answered_in_target": 9,
    "contacts_abandoned": 3, "contacts_short_abandoned": 4,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "n"),
    [
        ("tickets_created", 7, 7),
        ("tickets_discarded", 3, 3),
        ("backlog_entered", 9, 9),
        ("backlog_left", 11, 11),
        ("backlog_net_flow", -2, 20),
        ("backlog_tickets", 31, 31),
        ("resolution_clocks_started", 9, 9),
        ("resolution_clocks_breach_induced", 1, 1),
        ("first_response_clocks_measured", 0, 0),
        ("resolution_sla_compliance", 6 / 8, 8),
        ("queue_wait_sla_compliance", 1.0, 5),
        ("first_response_sla_compliance", None, 0),
        ("abandonment", 3 / 16, 16),  # short ones in neither
        ("service_level", 9 / 15, 15),
        ("reopen", 2 / 8, 8),
    ],
)
def test_by_hand(name: str, value: float | None, n: int) -> None:
    found = measures((), ROW, 31)[name]
    assert (found.value, found.n) == (value, n)
    if DEFINITIONS[name].kind is Kind.RATIO:
        assert found.denominator == n


def test_a_window_that_sees_only_the_end_of_short_contacts_has_no_rate() -> None:
    found = measures((), {"contacts_short_abandoned": 2, "contacts_abandoned": 1}, 0)["abandonment"]
    assert (found.value, found.n, found.numerator, found.denominator) == (None, 0, 1, 0)


KEYS = sorted({key for name, each in COUNTED.items() for key in ([f"{name}:{value}" for value in each.values] if each.by else [name])})


@given(
    st.dictionaries(st.sampled_from([*ROW, *KEYS, *HISTOGRAMS["time_to_abandon"].buckets, *NUMBERS["ces"].buckets]), st.integers(0, 9)),
    st.integers(0, 9), st.sampled_from([0, 300]),
)  # fmt: skip
def test_nothing_observed_is_no_value_and_never_not_a_number(row: Row, backlog: int, seconds: int) -> None:
    for name, found in measures((), row, backlog, seconds).items():
        if DEFINITIONS[name].kind in (Kind.RATIO, Kind.DURATION, Kind.NUMBER, Kind.BALANCE):
            assert (found.value is None) == (found.n == 0)
        assert found.n >= 0
        assert found.value is None or math.isfinite(found.value) or name == "backlog_drain"
        assert found.value is None or not math.isnan(found.value)


DIMS = ("phone", "normal", *NO_DIMENSIONS[2:])
STORIES = st.lists(
    st.one_of(
        st.tuples(st.just("contact.offered"), st.just(())),
        st.tuples(st.just("contact.answered"), st.tuples(st.integers(0, 10**8), st.booleans())),
        st.tuples(st.just("contact.abandoned"), st.tuples(st.integers(0, 10**8), st.booleans())),
        st.tuples(st.just("clock.fulfilled"), st.tuples(*map(st.just, ("resolution", "p", 1, 5, 5)), st.booleans(), st.just(()))),
        st.tuples(st.just("clock.breached"), st.tuples(*map(st.just, ("resolution", "p", 1, 5)), st.booleans(), st.just(()))),
        st.tuples(st.just("ticket.solved"), st.tuples(st.integers(0, 10**10))),
        st.tuples(st.just("ticket.reopened"), st.tuples(st.just(1))),
    ),
    max_size=60,
)


@given(STORIES)
def test_ratios_are_those_of_a_naive_count_of_what_happened(story: list[tuple[str, tuple[Any, ...]]]) -> None:
    row: Row = {}
    for kind, content in story:
        add_row(row, dict(POSTINGS[kind](Fact(kind, 1, 0, DIMS, content))), 1)
    answered = [content for kind, content in story if kind == "contact.answered"]
    left = [content for kind, content in story if kind == "contact.abandoned"]
    in_time = sum(kind == "clock.fulfilled" and content[5] for kind, content in story)
    kinds = Counter(kind for kind, _ in story)
    abandoned = sum(not short for _, short in left)
    found = measures((), row, 0)
    for name, numerator, denominator in (
        ("service_level", sum(in_target for _, in_target in answered), len(answered) + abandoned),
        ("abandonment", abandoned, max(kinds["contact.offered"] - (len(left) - abandoned), 0)),
        ("resolution_sla_compliance", in_time, in_time + kinds["clock.breached"]),
        ("reopen", kinds["ticket.reopened"], kinds["ticket.solved"]),
    ):
        assert (found[name].numerator, found[name].denominator) == (numerator, denominator), name
        assert found[name].value == (numerator / denominator if denominator else None), name
    waits = [wait / 1000 for wait, _ in answered]
    assert found["speed_of_answer"].value == (pytest.approx(sum(waits) / len(waits)) if waits else None)


def test_the_total_has_every_kpi_and_a_segment_those_of_what_can_be_in_it() -> None:
    assert set(measures((), {}, 0)) == set(DEFINITIONS)
    by_entity = {entity: {name for name, each in DEFINITIONS.items() if each.entity == entity} for entity in ENTITIES}
    of_queue, of_priority = set(measures(("queue",), {}, 0)), set(measures(("priority",), {}, 0))
    assert of_queue == by_entity[CONTACT] | {"containment"}
    assert of_priority == by_entity[TICKET] - {"tickets_per_agent", "tickets_per_hour", "open_tickets_per_agent_online"}
    assert {"tickets_per_hour", "occupancy", "csat"} < set(measures(("channel", "group"), {}, 0))
    assert not {"tickets_per_agent", "kb_users", "retention", "abandonment"} & set(measures(("channel", "group"), {}, 0))
    assert {"tickets_per_agent", "agents_active"} < set(measures(("group",), {}, 0))
    of_agent = set(measures((PER_AGENT,), {}, 0))
    assert {"tickets_per_hour", "handle_time", "reply", "interactions", "occupancy", "agent_non_response"} < of_agent
    assert {"csat", "nps", "ces"} < of_agent
    assert not {"tickets_created", "csat_response", "tickets_per_agent", "abandonment", "tickets_solved"} & of_agent


def test_every_key_of_a_row_is_in_some_kpi() -> None:
    keys = [key for each in HISTOGRAMS.values() for key in (*each.buckets, each.sum)]
    keys += [key for each in NUMBERS.values() for key in (*each.buckets, each.sum)]
    keys += [*ROW, *KEYS, *(f"sla_cancelled:{clock}" for clock in CLOCKS), "touch_time:sum", "talk_time:sum", "agent_time:online"]
    keys.append("cost:EUR")
    nothing = measures((), {}, 0, 60)
    for key in keys:
        assert measures((), {key: 1000}, 0, 60) != nothing, key


def test_definitions_are_sentences_with_a_unit() -> None:
    assert len(DEFINITIONS) > 40
    for name, each in DEFINITIONS.items():
        assert each.name == name
        assert each.text.endswith(".")
        assert each.unit
        assert (each.clock in CLOCKS) == name.startswith(tuple(f"{clock}_clocks" for clock in CLOCKS)) or each.kind is Kind.RATIO
        assert each.group in GROUPS
        assert each.facts
        assert set(each.facts) <= set(POSTINGS)
        assert each.applies_to(())


CONTRACT = """
csat nps ces ces_easy ces_index csat_response nps_response ces_response fcr_survey fcr fcr_gross fcr_provisional fcr_marked repeat_contact
first_response first_response_business automated_first_reply reply next_response handoff_response first_assignment first_resolution
full_resolution requester_wait agent_work interactions tickets_per_hour tickets_per_agent open_tickets_per_agent_online abandonment
service_level speed_of_answer time_to_abandon missed_call agent_non_response handle_time talk_time hold_time wrap_up_time touch_time
occupancy escalation escalation_functional escalation_hierarchical escalation_automatic reopen reopen_final transfer containment
cost_per_ticket_eur kb_efficiency kb_search_to_ticket kb_helpful kb_bounce retention churn withdrawn backlog_net_flow
backlog_growth backlog_work_off
backlog_drain sla_compliance_per_ticket
"""


def test_no_kpi_that_was_promised_is_missing() -> None:
    promised = [*CONTRACT.split(), *(f"{clock}_sla_compliance" for clock in CLOCKS), *COUNTED]
    assert [name for name in promised if definition_of(name) is None] == []


@pytest.mark.parametrize(
    ("row", "name", "value", "n"),
    [
        ({"csat_responses": 21, "csat_satisfied": 19}, "csat", 19 / 21, 21),
        ({"surveys_sent:csat": 40, "surveys_sent:nps": 9, "csat_responses": 10}, "csat_response", 0.25, 40),
        ({"nps_responses:promoter": 6, "nps_responses:passive": 2, "nps_responses:detractor": 2}, "nps", 40.0, 10),
        ({"ces_responses:easy": 5, "ces_responses:neutral": 1, "ces_responses:hard": 2, "ces_very_easy": 4}, "ces_index", 25.0, 8),
        ({"ces_responses:easy": 5, "ces_responses:neutral": 1, "ces_responses:hard": 2, "ces_very_easy": 4}, "ces_easy", 5 / 8, 8),
        ({"fcr_responses:yes": 3, "fcr_responses:no": 1}, "fcr_survey", 0.75, 4),
        ({"tickets_solved": 10, "tickets_reopened": 3, "tickets_reopen_forgiven": 1}, "reopen", 0.2, 10),
        ({"tickets_solved": 10, "tickets_escalated:automatic": 2, "tickets_escalated:functional": 3}, "escalation_functional", 0.3, 10),
        ({"tickets_solved": 4, "tickets_transferred": 6}, "transfer", 1.5, 4),
        ({"tickets_sla_measured": 8, "tickets_sla_breached": 2}, "sla_compliance_per_ticket", 0.75, 8),
        ({"tickets_bot_started": 4, "tickets_bot_contained": 1, "contacts_bot_started": 1}, "containment", 0.2, 5),
        ({"calls_initiated": 20, "calls_missed": 5, "calls_recovered": 1}, "missed_call", 0.2, 20),
        ({"contacts_handled": 4, "talk_time:sum": 600_000}, "talk_time", 150.0, 4),
        ({"touch_time:sum": 900_000, "tickets_worked": 3}, "touch_time", 300.0, 3),
        ({"tickets_solved_by_agents": 6, "agent_time:busy": 7_200_000, "agent_time:wrap_up": 3_600_000}, "tickets_per_hour", 2.0, 6),
        ({"tickets_solved_by_agents": 6, "agents:0000000000000001": 4, "agents:0000000000000002": 0}, "tickets_per_agent", 6.0, 1),
        ({"agent_time:busy": 3_600_000, "agent_time:wrap_up": 900_000, "agent_time:available": 900_000}, "occupancy", 4500 / 5400, 6),
        ({"agent_time:online": 7_200_000}, "open_tickets_per_agent_online", 6.0, 12),  # two agents for an hour, twelve tickets
        ({"kb_visitors": 3, "tickets_created": 9}, "kb_efficiency", 0.25, 12),
        ({"kb_visitors:00000000000000aa": 2, "kb_visitors:00000000000000ab": 1}, "kb_users", 2, 2),
        ({"customers": 95, "customers_acquired": 5, "customers_churned": 10}, "retention", 0.9, 100),
        ({"customers": 95, "customers_acquired": 5, "customers_churned": 10}, "churn", 0.1, 100),
        ({"customers_total": 95, "customers_counted": -5, "customers_acquired": 5}, "retention", 0.9, 100),  # somebody counts them
        ({"customers_total": 100, "customers_acquired": 10, "customers_churned": 2}, "retention", 0.98, 100),  # not counted again yet
        ({"customers_total": 108, "customers_counted": 8, "customers_acquired": 1, "customers_churned": 2}, "retention", 0.98, 100),
        ({"cost:EUR": 1_250_000, "tickets_solved": 50}, "cost_per_ticket_eur", 25.0, 50),
        ({"backlog_entered:created": 4, "backlog_left:solved": 2}, "backlog_growth", 0.2, 10),
        ({"backlog_entered:created": 4, "backlog_left:solved": 6}, "backlog_work_off", 7200.0, 6),
        ({"backlog_entered:created": 4, "backlog_left:solved": 6}, "backlog_drain", 21600.0, 10),
        ({"backlog_entered:created": 6, "backlog_left:solved": 6}, "backlog_drain", math.inf, 12),
    ],
)
def test_more_by_hand(row: Row, name: str, value: float, n: int) -> None:
    """Over an hour, with twelve unsolved tickets in the end."""
    found = measures((), row, 12, 3600)[name]
    assert found.value == pytest.approx(value)
    assert found.n == n


def test_all_human_replies_are_the_first_and_those_after_it() -> None:
    row = observed_times("first_response", [10_000, 50_000])
    add_row(row, observed_times("next_response", [30_000]), 1)
    found = measures((), row, 0)["reply"]
    assert (found.value, found.n) == (30.0, 3)
    assert found.stats()["max"] == 60


def test_the_service_level_may_count_what_else_left_the_queue() -> None:
    row = {"contacts_answered": 8, "contacts_answered_in_target": 6, "contacts_short_abandoned": 2, "contacts_flowed_out:callback": 2}
    values = [
        measures((), row, 0, rules=Rules(service_level_counts_short=short, service_level_counts_flow_outs=out))["service_level"].value
        for short in (False, True)
        for out in (False, True)
    ]
    assert values == [6 / 8, 6 / 10, 6 / 10, 6 / 12]


def test_numbers_have_exact_quantiles_and_say_how_often_each_occurred() -> None:
    row: Row = {}
    for turns in (1, 1, 2, 3, 9, 70):
        add_row(row, dict(POSTINGS["ticket.completed"](Fact("ticket.completed", 1, 0, DIMS, (None, None, turns, None, None)))), 1)
    found = measures((), row, 0)["interactions"]
    assert found.value == pytest.approx(86 / 6)
    assert found.n == 6
    assert found.stats() == {"mean": found.value, "p50": 2, "p75": 9, "p90": 50, "p95": 50, "max": 50}  # 50 stands for more, too


def test_segments_have_what_was_observed_and_the_total_everything() -> None:
    assert set(observed((), {}, 0)) == set(DEFINITIONS)
    assert set(observed(("channel",), {}, 0)) == set()
    found = set(observed(("channel",), {"csat_responses": 1}, 3))
    assert {"csat_responses", "csat", "backlog_tickets", "backlog_growth"} <= found
    assert not {"abandonment", "tickets_created", "nps"} & found


def test_a_segment_has_what_was_observed_whatever_is_read_for_it() -> None:
    engine = Engine(compile_settings(Config()))
    for line in generate(engine.settings, events=4000, seed=5, start=1_767_225_600_000, duration=HOUR_MS * 6).lines:
        event = decode(line)
        if isinstance(event, Event):
            engine.apply(event)
    engine.advance_by_log()
    seen = 0
    for rows in engine.view().windows.values():
        for (group_by, _), row in rows.items():
            names = engine.settings.group_bys[group_by]
            wanted = {name: each for name, each in measures(names, row, 3, 3600).items() if each.n or each.value or each.numerator}
            assert observed(names, row, 3, 3600) == (wanted if names else measures(names, row, 3, 3600))
            seen += 1
    assert seen > 200
