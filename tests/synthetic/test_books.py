"""The generator's books by themselves, with numbers that can be reckoned in the head."""

from __future__ import annotations

from collections import Counter

import pytest

from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, NONE, Settings
from processor.synthetic.accounts import Accounts
from processor.synthetic.books import Totals, in_thousandths
from processor.synthetic.clock import Desk
from processor.synthetic.contact_book import ContactBook
from processor.synthetic.other_books import QUARTER_MS, AgentBook, CostBook, CustomerBook
from processor.synthetic.survey_book import SurveyBook, add_recommendations

SETTINGS = Settings()
AT = 1000 * DAY_MS
MINUTE = MINUTE_MS
DIMS = ("email", "normal", "billing", "standard", "refund", NONE, NONE, NONE, NONE)


class Tickets:
    """Accounts with one ticket, and others where a test wants them."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.totals: Totals = Counter()
        self.accounts = Accounts(Desk(settings), self.totals)
        self.create("T", 0)

    def create(self, ticket: str, minute: int, requester: str | None = None, *, inbound: bool = True, topic: str = "refund",
               follows: str | None = None) -> None:  # fmt: skip
        dims = (*DIMS[:4], topic, *DIMS[5:])
        self.accounts.write_down(ticket, AT + minute * MINUTE, "create", dims, "new", inbound, requester, follows)

    def __call__(self, minute: int, act: str, *content: object, ticket: str = "T") -> None:
        self.accounts.write_down(ticket, AT + minute * MINUTE, act, *content)

    def closed(self, minute: int) -> Totals:
        """Everything that is not zero, without the families that every ticket has; durations in minutes."""
        until = AT + minute * MINUTE
        for book in self.accounts.entered():
            book.close(until)
        self.accounts.close(until)
        shown = {name: amount // MINUTE if in_thousandths(name) else amount for name, amount in self.totals.items() if amount}
        return Counter({name.removeprefix("support_"): amount for name, amount in shown.items()})


def test_consecutive_replies_are_one_turn_and_waits_begin_with_the_oldest_question() -> None:
    ticket = Tickets()
    ticket(10, "sent", True)  # the first response
    for minute in (20, 25):
        ticket(minute, "customer_wrote")
    for minute in (40, 41):
        ticket(minute, "sent", True)
    ticket(50, "set_status", "solved")
    totals = ticket.closed(60)
    assert (totals["next_response_seconds_count"], totals["next_response_seconds_sum"]) == (1, 20)
    assert (totals["human_turns_count"], totals["human_turns_sum"]) == (1, 2)
    assert (totals["first_response_seconds_sum"], totals["tickets_first_outgoing_total"]) == (10, 1)


def test_effort_stands_still_while_pending_solved_or_partly_on_hold() -> None:
    ticket = Tickets()
    for minute, status in ((10, "pending"), (30, "open"), (40, "on_hold"), (45, "open"), (60, "solved"), (100, "open"), (110, "solved")):
        ticket(minute, "set_status", status)
    totals = ticket.closed(120)
    assert totals["requester_wait_seconds_sum"] == 10 + 30 + 10
    assert totals["agent_work_seconds_sum"] == 10 + 25 + 10
    assert (totals["tickets_completed_total"], totals["tickets_solved_total"]) == (1, 2)


@pytest.mark.parametrize(("reply", "again", "forgiven"), [(None, 200, 1), (150, 200, 0), (None, 100 + 24 * 60 + 1, 0)])
def test_a_reopen_is_benign_without_a_reply_and_soon_solved_again(reply: int | None, again: int, forgiven: int) -> None:
    ticket = Tickets()
    ticket(10, "sent", True)
    ticket(20, "set_status", "solved")
    ticket(100, "customer_wrote")
    ticket(100, "set_status", "open")
    if reply is not None:
        ticket(reply, "sent", True)
    ticket(again, "set_status", "solved")
    totals = ticket.closed(again + 1)
    assert (totals["tickets_reopened_total"], totals["tickets_reopen_forgiven_total"]) == (1, forgiven)
    assert totals["tickets_fcr_assessed_resolved_total"] == forgiven


@pytest.mark.parametrize(
    ("act", "content"),
    [("escalate", ("functional",)), ("change", ((*DIMS[:2], "technical", *DIMS[3:]),)), ("answered_by_contact", (MINUTE,)), ("no", ())],
)
def test_an_escalation_a_transfer_or_another_turn_is_more_than_one_contact(act: str, content: tuple[object, ...]) -> None:
    ticket = Tickets()
    ticket(10, "sent", True)
    if act != "no":
        ticket(20, act, *content)
    ticket(30, "set_status", "solved", None, True)
    totals = ticket.closed(40)
    assert totals["tickets_fcr_assessed_total"] == totals["tickets_fcr_marked_resolved_total"] == 1
    assert totals["tickets_fcr_assessed_resolved_total"] == (act == "no")


@pytest.mark.parametrize(("minute", "requester", "topic", "repeated"), [
    (60, "U", "refund", 1), (60, "U", "login", 0), (60, "V", "refund", 0), (30 + 7 * 24 * 60 + 1, "U", "refund", 0), (20, "U", "refund", 1),
])  # fmt: skip
def test_who_comes_back_about_the_topic_within_the_window_was_not_helped(minute: int, requester: str, topic: str, repeated: int) -> None:
    ticket = Tickets()
    ticket.create("S", 1, "U")
    ticket(10, "sent", True, ticket="S")
    ticket(30, "set_status", "solved", ticket="S")
    ticket.create("N", minute, requester, topic=topic)
    totals = ticket.closed(9 * 24 * 60)
    assert totals["tickets_repeat_contacted_total"] == repeated
    assert (totals["tickets_fcr_evaluated_total"], totals["tickets_first_contact_resolved_total"]) == (1, 1 - repeated)


@pytest.mark.parametrize(("discarded", "repeated"), [(100, 0), (60 + 24 * 60 + 1, 1)])
def test_spam_is_no_repeat_unless_that_was_noticed_too_late(discarded: int, repeated: int) -> None:
    ticket = Tickets()
    ticket.create("S", 1, "U")
    ticket(30, "set_status", "solved", ticket="S")
    ticket.create("N", 60, "U")
    ticket(discarded, "discard", "spam", ticket="N")
    assert ticket.closed(5000)["tickets_repeat_contacted_total"] == repeated


def test_a_follow_up_is_a_repeat_whoever_wrote_it() -> None:
    ticket = Tickets()
    ticket(30, "set_status", "solved")
    ticket.create("N", 60, follows="T", topic="login")
    assert ticket.closed(100)["tickets_repeat_contacted_total"] == 1


@pytest.mark.parametrize(("act", "contained"), [("", 1), ("bot_hand_off", 0), ("answered_by_contact", 0)])
def test_a_bot_contains_what_is_solved_without_a_human(act: str, contained: int) -> None:
    ticket = Tickets()
    ticket(1, "bot_start")
    if act:
        ticket(2, act, *((MINUTE,) if act == "answered_by_contact" else ()))
    ticket(3, "set_status", "solved")
    totals = ticket.closed(10)
    assert (totals["tickets_bot_started_total"], totals["tickets_bot_contained_total"]) == (1, contained)


def test_a_withdrawn_ticket_is_not_asked_about_its_first_contact() -> None:
    ticket = Tickets()
    ticket(3, "set_status", "solved", "withdrawn")
    totals = ticket.closed(10)
    assert (totals["tickets_withdrawn_total"], totals["tickets_fcr_assessed_total"], totals["tickets_completed_total"]) == (1, 0, 1)


def test_the_latest_answer_within_the_edit_window_counts() -> None:
    book, totals = SurveyBook(SETTINGS), Counter[str]()
    book.ask("csat")
    for at, score in ((0, 5), (HOUR_MS, 2), (8 * DAY_MS, 5)):
        book.hear(AT + at, "csat", None, score, 1, 5)
    book.close(totals)
    assert totals["support_csat_responses_total"] == totals['support_surveys_negative_total{survey="csat"}'] == 1
    assert not totals["support_csat_satisfied_total"]


def test_a_recommendation_counts_once_in_a_window() -> None:
    totals: Totals = Counter()
    add_recommendations(totals, [(AT + 91 * DAY_MS, 10), (AT, 0), (AT + DAY_MS - 1, 7)], 90 * DAY_MS)
    assert totals == {'support_nps_responses_total{category="promoter"}': 1, 'support_nps_responses_total{category="passive"}': 1}


def test_effort_scores_are_brought_to_seven() -> None:
    book, totals = SurveyBook(Settings(ces_low_is_easy=True)), Counter[str]()
    book.hear(AT, "ces", None, 2, 1, 5)
    book.close(totals)
    assert totals["support_ces_score_sum"] == 5500
    assert totals['support_ces_responses_total{category="easy"}'] == 1
    assert not totals["support_ces_very_easy_total"]


def test_visits_bounce_are_followed_by_tickets_and_change_their_votes() -> None:
    ticket = Tickets()
    for minute, act, *content in (
        (10, "view", "s-1", "K-1"), (20, "search", "s-2"), (21, "view", "s-2", "K-1"), (22, "vote", "s-2", "K-1", True),
        (23, "vote", "s-2", "K-1", False), (24, "vote", "s-2", "K-1", False), (500, "view", "s-3", "K-2"),
    ):  # fmt: skip
        ticket.accounts.write_down_person("U", AT + int(str(minute)) * MINUTE, str(act), *content)
    ticket.create("N", 60, "U")
    totals = ticket.closed(510)
    assert {name: amount for name, amount in totals.items() if name.startswith("kb_")} == {
        "kb_views_total": 3, "kb_sessions_total": 3, "kb_sessions_bounced_total": 1, "kb_searches_total": 1, "kb_search_sessions_total": 1,
        "kb_searches_to_ticket_total": 1, "kb_votes_total": 1,
    }  # fmt: skip
    assert ticket.accounts.visitors == 1


def test_a_contact_is_missed_until_it_is_called_back_and_handled_with_what_was_told() -> None:
    totals: Totals = Counter()
    book = ContactBook(Desk(SETTINGS), totals, "phone", "refund")
    book.wait(AT, "hotline")
    book.flow_out(AT + MINUTE, "callback")
    book.call_back(AT + HOUR_MS)
    book.handle(AT + HOUR_MS + 9 * MINUTE, 7 * MINUTE, 2 * MINUTE)
    book.wrap_up = MINUTE
    book.close(AT + DAY_MS)
    assert totals['support_contacts_missed_total{reason="callback"}'] == totals["support_calls_recovered_total"] == 1
    assert totals["support_handle_seconds_sum"] == 10 * MINUTE
    assert not totals["support_contacts_answered_total"]


def test_who_is_lost_while_waiting_for_another_agent_was_spoken_to_until_then() -> None:
    totals: Totals = Counter()
    book = ContactBook(Desk(SETTINGS), totals, "chat", "refund")
    book.accept(AT)
    book.wait(AT + 5 * MINUTE, "second_line")
    book.abandon(AT + 9 * MINUTE)
    book.close(AT + DAY_MS)
    assert (totals["support_contacts_dropped_total"], totals["support_talk_seconds_total"]) == (1, 5 * MINUTE)
    assert not totals["support_contacts_abandoned_total"]


def test_agents_time_is_told_by_quarters_and_ends_a_day_after_the_last_word() -> None:
    book, totals = AgentBook(), Counter[str]()
    assert book.deadlines() == []
    book.states += [(AT, "available"), (AT + 10 * MINUTE, "away"), (AT + 20 * MINUTE, "busy")]
    assert AT + 20 * MINUTE + DAY_MS in book.deadlines()
    book.close(totals, AT + 50 * MINUTE)
    busy = 'support_agent_state_seconds_total{state="busy"}'
    assert totals == {
        'support_agent_state_seconds_total{state="available"}': 10 * MINUTE,
        busy: 25 * MINUTE,
        'support_agents{state="busy"}': 1,
    }
    assert 25 * MINUTE == 3 * QUARTER_MS - 20 * MINUTE
    totals.clear()
    book.close(totals, AT + 9 * DAY_MS)
    assert totals[busy] == DAY_MS


def test_customers_are_won_and_lost_once_each_and_costs_add_up() -> None:
    customers, costs, totals = CustomerBook(), CostBook(), Counter[str]()
    for at, organization, won in ((0, "O-1", True), (1, "O-1", True), (2, "O-1", False), (0, "O-2", False), (5, "O-2", True)):
        customers.note(at, organization, won)
    costs.amounts.update({"EUR": 12_340})
    customers.close(totals)
    costs.close(totals)
    assert totals == {
        "support_customers_acquired_total": 2, "support_customers_churned_total": 2, "support_customers": 1,
        'support_operating_cost_total{currency="EUR"}': 12_340,
    }  # fmt: skip
    assert in_thousandths('support_operating_cost_total{currency="EUR"}')
