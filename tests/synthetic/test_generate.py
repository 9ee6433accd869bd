"""The synthetic log: reproducible, with at least one of everything, and books that add up."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from processor.codec.decode import decode
from processor.codec.times import parse_time
from processor.core.events import Event, Rejected
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, Policy, Settings, Target
from processor.synthetic.feed import FAULTS, Arrivals
from processor.synthetic.generate import QUIET_MS, Synthetic, generate, quiet_instant

START = parse_time("2026-03-02T00:00:00Z")
TARGETS = {"first_response": Target(2 * HOUR_MS), "resolution": Target(6 * HOUR_MS), "queue_wait": Target(30_000)}
URGENT = {**TARGETS, "first_response": Target(20 * MINUTE_MS), "resolution": Target(2 * HOUR_MS)}
PAUSES = {"resolution": frozenset({"pending"})}
SETTINGS = Settings(
    policies=(
        Policy("urgent", 1, 0, {"priority": frozenset({"urgent"})}, URGENT, PAUSES),
        Policy("standard", 1, 0, {}, TARGETS, PAUSES),
    )
)


def made(events: int = 20_000, seed: int = 7, **options: Any) -> Synthetic:
    return generate(SETTINGS, events=events, seed=seed, start=START, duration=DAY_MS, **options)


@pytest.fixture(scope="module")
def day() -> Synthetic:
    return made(faults=True)


@pytest.fixture(scope="module")
def verdicts(day: Synthetic) -> list[Event | Rejected]:
    """What the decoder says to each record."""
    return [decode(line) for line in day.lines]


@pytest.fixture(scope="module")
def events(verdicts: list[Event | Rejected]) -> list[Event]:
    return [verdict for verdict in verdicts if isinstance(verdict, Event)]


@pytest.fixture(scope="module")
def in_time(events: list[Event]) -> list[Event]:
    """Those that the stories told: not what was put in as too late."""
    return [event for event in events if not event.id.startswith("late")]


@pytest.fixture(scope="module")
def families(day: Synthetic) -> Counter[str]:
    return Counter(day.truth["families"])


def labelled(families: Counter[str], family: str) -> dict[str, int]:
    return {name.split('"')[1]: count for name, count in families.items() if name.startswith(family + "{")}


def test_the_same_seed_gives_the_same_log_and_truth_and_another_seed_another_one() -> None:
    first, again, other = made(2000), made(2000), made(2000, seed=8)
    assert (first.lines, first.truth) == (again.lines, again.truth)
    assert first.lines != other.lines


def test_there_are_as_many_records_as_asked_for_and_hardly_more(day: Synthetic) -> None:
    assert 20_000 <= len(day.lines) == day.truth["records"] < 20_200


def test_every_record_is_an_event_but_for_the_faults_that_the_truth_lists(
    verdicts: list[Event | Rejected], families: Counter[str]
) -> None:
    refused = Counter(verdict.reason.value for verdict in verdicts if isinstance(verdict, Rejected))
    late = Counter(too_late=families["support_processor_events_late_total"])
    assert refused + late == labelled(families, "support_processor_events_invalid_total")
    assert set(refused) == {reason for reason, _ in FAULTS}
    assert not any(isinstance(decode(line), Rejected) for line in made(500).lines)


def test_there_is_at_least_one_of_everything(events: list[Event], families: Counter[str]) -> None:
    assert {event.kind for event in events} >= {
        "ticket.created", "ticket.status_changed", "ticket.priority_changed", "ticket.assignee_changed", "ticket.group_changed",
        "ticket.fields_changed", "ticket.escalated", "ticket.merged", "ticket.unmerged", "ticket.marked_as_spam", "ticket.unmarked_as_spam",
        "ticket.deleted", "ticket.restored", "message.added", "message.bounced", "contact.initiated", "contact.queued", "contact.offered",
        "contact.missed", "contact.accepted", "contact.transferred", "contact.abandoned", "contact.callback_requested", "contact.ended",
        "contact.wrapped_up", "contact.bot_started", "contact.bot_handed_off", "contact.bot_resolved", "ticket.bot_started",
        "ticket.bot_handed_off", "ticket.bot_resolved", "ticket.work_logged", "ticket.survey_sent", "ticket.survey_responded",
        "person.survey_sent", "person.survey_responded", "person.article_viewed", "person.searched", "person.article_voted",
        "agent.state_changed", "organization.acquired", "organization.churned", "account.cost_recorded",
    }  # fmt: skip
    for name in ("tickets_adopted", "tickets_reopened", "tickets_merged", "tickets_restored", "contacts_abandoned",
                 "contacts_short_abandoned", "contacts_answered", "processor_events_duplicate", "processor_events_late"):  # fmt: skip
        assert families[f"support_{name}_total"] > 0, name
    for name in ("completed", "withdrawn", "reopen_forgiven", "first_reply_automated", "transferred", "escalated_once", "bot_started",
                 "bot_contained", "fcr_assessed_resolved", "fcr_marked_resolved", "repeat_contacted", "worked", "finalized"):  # fmt: skip
        assert families[f"support_tickets_{name}_total"] > 0, name
    for name in ("dropped", "recovered", "handled", "abandoned_silently", "not_accepted", "bot_contained"):
        assert families[f"support_contacts_{name}_total"] > 0, name
    for name in ("views", "sessions_bounced", "searches_to_ticket", "votes_helpful"):
        assert families[f"support_kb_{name}_total"] > 0, name
    for name in ("next_response", "requester_wait", "agent_work", "handle"):
        assert families[f"support_{name}_seconds_count"] > 0, name
    assert set(labelled(families, "support_surveys_sent_total")) == {"csat", "nps", "ces", "fcr"}
    assert set(labelled(families, "support_nps_responses_total")) == {"promoter", "passive", "detractor"}
    assert set(labelled(families, "support_contacts_missed_total")) == {"abandoned", "voicemail", "out_of_hours", "rejected", "callback"}
    assert set(labelled(families, "support_tickets_escalated_total")) == {"functional", "hierarchical", "automatic"}
    assert set(labelled(families, "support_agent_state_seconds_total")) == {"online", "available", "busy", "wrap_up"}
    assert set(labelled(families, "support_operating_cost_total")) == {"EUR", "USD"}
    assert families["support_customers"] > 0
    assert set(labelled(families, "support_sla_clocks_breached_total")) == {"first_response", "resolution", "queue_wait"}
    assert sum(labelled(families, "support_sla_clocks_breach_induced_total").values()) > 0
    assert set(labelled(families, "support_tickets_discarded_total")) == {"spam", "deleted"}
    assert labelled(families, "support_backlog_entered_total").keys() == {
        "created", "adopted", "reopened", "restored", "unmerged", "became_eligible"}  # fmt: skip
    assert labelled(families, "support_backlog_left_total").keys() == {"solved", "discarded", "merged"}


def test_tickets_are_merged_into_tickets_that_are_there_and_contacts_come_before_and_after_their_tickets(in_time: list[Event]) -> None:
    seen: dict[str, int] = {}
    for event in in_time:
        seen[event.key] = min(seen.get(event.key, event.occurred_at), event.occurred_at)
    merges = [event for event in in_time if event.kind == "ticket.merged"]
    assert all(event.data[0] != event.key and seen[event.data[0]] <= event.occurred_at for event in merges)
    assert {event.data[0] for event in merges} & {event.key for event in merges}  # chains
    assert 0 < sum(event.kind == "ticket.unmerged" for event in in_time) < len(merges)
    of = {event.key: event.data[3] for event in in_time if event.kind == "contact.initiated" and event.data[3]}
    order = Counter(event.occurred_at < seen[of[event.key]] for event in in_time if event.kind == "contact.accepted" and event.key in of)
    assert min(order[True], order[False]) > 20


def test_requesters_come_back_about_the_same_topic_some_with_a_reference(in_time: list[Event]) -> None:
    created: dict[tuple[Any, ...], list[Event]] = {}
    follows = {}
    for event in in_time:
        if event.kind == "ticket.created":
            created.setdefault((event.data[9], event.data[6]), []).append(event)
            follows[event.key] = event.data[10]
    again = [events for (requester, _), events in created.items() if requester and len({event.key for event in events}) > 1]
    assert len(again) > 50
    named = {ticket: earlier for ticket, earlier in follows.items() if earlier}
    assert named
    assert all(earlier in follows for earlier in named.values())
    assert any(requester is None for requester, _ in created)


def test_some_surveys_are_never_answered_and_some_answers_are_changed(events: list[Event]) -> None:
    sent: Counter[tuple[str, str]] = Counter()
    answers: dict[tuple[str, str], set[str]] = {}
    for event in events:
        if event.kind == "ticket.survey_sent":
            sent[event.key, event.data[0]] += 1
        elif event.kind == "ticket.survey_responded":
            answers.setdefault((event.key, event.data[0]), set()).add(event.id)
    assert answers.keys() < sent.keys()
    assert 0.2 < len(answers) / len(sent) < 0.6
    assert any(len(each) > 1 for each in answers.values())
    assert all(len(each) <= 2 for each in answers.values())


def test_agents_sign_in_where_their_shift_begins_and_most_sign_out(events: list[Event]) -> None:
    states: dict[str, list[tuple[int, str]]] = {}
    for event in set(events):
        if event.kind == "agent.state_changed":
            states.setdefault(event.key, []).append((event.occurred_at, event.data[0]))
    assert len(states) > 20
    shifts = [sorted(each) for each in states.values()]
    assert all(each[0][1] == "online" for each in shifts)
    assert 0.5 < sum(each[-1][1] == "offline" for each in shifts) / len(shifts) < 1


def test_a_log_has_hardly_more_records_per_ticket_than_is_worth_it(day: Synthetic) -> None:
    assert len(day.lines) / day.truth["tickets"] < 16


def test_the_backlog_is_what_entered_less_what_left(families: Counter[str]) -> None:
    entered = sum(labelled(families, "support_backlog_entered_total").values())
    left = sum(labelled(families, "support_backlog_left_total").values())
    assert families["support_backlog_tickets"] == entered - left > 0


def test_parts_are_never_more_than_their_whole(families: Counter[str]) -> None:
    measured, breached = (labelled(families, f"support_sla_clocks_{what}_total") for what in ("measured", "breached"))
    assert all(0 < breached[clock] < measured[clock] for clock in measured)
    assert families["support_contacts_answered_in_target_total"] < families["support_contacts_answered_total"]
    gone = families["support_contacts_abandoned_total"] + families["support_contacts_short_abandoned_total"]
    assert families["support_contacts_answered_total"] + gone <= families["support_contacts_offered_total"]
    assert families["support_first_resolution_seconds_count"] <= families["support_tickets_solved_total"]
    for part, whole in (("csat_satisfied", "csat_responses"), ("tickets_fcr_assessed_resolved", "tickets_fcr_assessed"),
                        ("tickets_bot_contained", "tickets_bot_started"), ("kb_votes_helpful", "kb_votes"),
                        ("contacts_not_accepted", "contacts_agent_offered"), ("tickets_completed", "tickets_solved"),
                        ("contacts_recovered", "contacts_initiated"), ("calls_missed", "calls_initiated")):  # fmt: skip
        assert 0 < families[f"support_{part}_total"] < families[f"support_{whole}_total"], part


def test_sums_are_given_in_exact_milliseconds_too(day: Synthetic, families: Counter[str]) -> None:
    assert day.truth["milliseconds"]
    assert all(families[name] == exact / 1000 for name, exact in day.truth["milliseconds"].items())


def test_what_is_repeated_is_repeated_to_the_byte(
    day: Synthetic, verdicts: list[Event | Rejected], families: Counter[str]
) -> None:
    lines = [line for line, verdict in zip(day.lines, verdicts, strict=True) if isinstance(verdict, Event)]
    assert len(lines) - len(set(lines)) == families["support_processor_events_duplicate_total"]
    ids = Counter((event["source"], event["id"]) for event in map(json.loads, set(lines)))
    assert max(ids.values()) == 1


def test_events_come_out_of_order_by_minutes_or_hours_beyond_what_is_allowed(events: list[Event], families: Counter[str]) -> None:
    newest = disorder = late = 0
    for event in events:
        behind = newest - event.occurred_at
        newest = max(newest, event.occurred_at)
        disorder += 60_000 < behind < 30 * 60_000 + 1
        late += behind > SETTINGS.allowed_lateness + HOUR_MS
        assert behind < 31 * 60_000 or behind > SETTINGS.allowed_lateness + HOUR_MS
    assert disorder > 50
    assert late == families["support_processor_events_late_total"]


def test_how_much_comes_out_of_order_and_how_late_can_be_told() -> None:
    log = made(arrivals=Arrivals(delayed=0.02, long_delayed=0.005, timer_delay=SETTINGS.timer_delay, transit_ms=0))
    newest = disorder = long_delayed = 0
    for event in dict.fromkeys(event for event in map(decode, log.lines) if isinstance(event, Event)):  # each once: repeated ones are old
        behind = newest - event.occurred_at
        newest = max(newest, event.occurred_at)
        disorder += 0 < behind < 30 * MINUTE_MS
        long_delayed += SETTINGS.timer_delay < behind < 30 * MINUTE_MS
    assert 0.5 < disorder / 20_000 / 0.02 < 1.5
    assert 0.5 < long_delayed / 20_000 / 0.005 < 1.5


def test_nothing_happens_outside_the_time_that_was_asked_for(day: Synthetic, in_time: list[Event]) -> None:
    times = [event.occurred_at for event in in_time]
    assert min(times) >= START - 3000
    assert max(times) <= START + DAY_MS
    assert parse_time(day.truth["clock_advanced_at"]) >= START + DAY_MS + HOUR_MS


def test_there_is_a_surge_and_a_night(day: Synthetic) -> None:
    by_hour = {hour % 24: count for hour, count in day.hours.items()}
    assert by_hour[14] > 1.5 * by_hour[10] > 5 * by_hour[3]


def test_the_end_of_time_is_a_minute_away_from_every_deadline() -> None:
    assert quiet_instant(0, []) == 0
    deadlines = [-QUIET_MS, -1, 30_000, 100_000, 10**9]
    until = quiet_instant(0, deadlines)
    assert until == 100_000 + QUIET_MS
    assert all(abs(until - due) >= QUIET_MS for due in deadlines)
