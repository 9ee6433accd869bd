"""The table of KPIs, by group. Their names are made here and nowhere else.

The same names stand in the topic of KPIs, in the gauges, in the targets of the configuration, in the report and in the schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from processor.core import kpi_formulas as formulas
from processor.core import kpi_readings as read
from processor.core.dimensions import CONTACT_DIMENSIONS, ENTITY_DIMENSIONS, PER_AGENT, TICKET_DIMENSIONS
from processor.core.distinct import AGENTS as ACTIVE_AGENTS
from processor.core.distinct import VISITORS
from processor.core.events import ACCOUNT, AGENT, CONTACT, ESCALATION_KINDS, ORGANIZATION, PERSON, TICKET
from processor.core.kpi_counts import (
    AGENTS,
    BACKLOG,
    CLOCK_COUNTED,
    CLOCK_FACTS,
    CONTACTS,
    COST,
    COUNTED,
    CUSTOMERS,
    ENTERED,
    KNOWLEDGE_BASE,
    LEFT,
    QUALITY,
    RESOLUTION,
    RESPONSE_BANDS,
    RESPONSIVENESS,
)
from processor.core.kpi_definitions import Kind, Row, duration_of, facts_of, key_over, ratio_of, row_of
from processor.core.kpi_readings import Reading, Window
from processor.core.kpi_statistics import Measure
from processor.core.postings_of_others import CUSTOMERS as CUSTOMERS_NOW
from processor.core.postings_of_others import CUSTOMERS_COUNTED
from processor.core.settings import CLOCKS, QUEUE_WAIT

COMPLIANCE = "sla_compliance"
COST_PER_TICKET = "cost_per_ticket_"  # followed by the currency in small letters
BY_GROUP = frozenset({"group"})


# -- counts and clocks ------------------------------------------------------------------------------------------------------------


def _counts() -> Iterator[Row]:
    for name, each in COUNTED.items():
        kind = Kind.NET if each.signed else Kind.COUNT
        yield row_of(name, kind, each.unit, each.group, each.entity, each.text, (name,), read.counted(name))


def _clocks() -> Iterator[Row]:
    for clock in CLOCKS:
        entity, group = (CONTACT, CONTACTS) if clock == QUEUE_WAIT else (TICKET, QUALITY)
        for key, (verb, text) in CLOCK_COUNTED.items():
            yield row_of(f"{clock}_clocks_{verb}", Kind.COUNT, "clocks", group, entity, f"{clock} {text}.", (f"{key}:{clock}",),
                       read.counted(f"{key}:{clock}"), facts=CLOCK_FACTS[key], clock=clock)
    for clock in CLOCKS:
        entity, group = (CONTACT, CONTACTS) if clock == QUEUE_WAIT else (TICKET, QUALITY)
        text = f"{clock} clocks that kept their target / those that were decided."
        keys = (f"sla_measured:{clock}", f"sla_breached:{clock}")
        yield row_of(f"{clock}_{COMPLIANCE}", Kind.RATIO, "ratio", group, entity, text, keys, formulas.compliance(clock),
                   facts=CLOCK_FACTS["sla_measured"], clock=clock)


# -- by group ---------------------------------------------------------------------------------------------------------------------


def _responsiveness() -> Iterator[Row]:
    group, responded = RESPONSIVENESS, "ticket.first_responded"
    yield duration_of("first_response", group, TICKET, responded, "From creation to the first public reply of a human agent.")
    yield duration_of("first_response_business", group, TICKET, responded,
                    "From creation to the first public reply of a human agent, in business time.")
    yield ratio_of("automated_first_reply", group, "Tickets whose first outgoing message was automated / those with any outgoing message.",
                 "tickets_first_reply_automated", "tickets_first_outgoing")
    yield row_of("reply", Kind.DURATION, "seconds", group, TICKET,
               "From the customer's oldest unanswered message to the human reply, the first reply included.", ("first_response",
               "next_response"), read.duration("first_response", "next_response"), facts=(responded, "ticket.replied"))
    yield duration_of("next_response", group, TICKET, "ticket.replied",
                    "From the customer's oldest unanswered message to the human reply, after the first reply.")
    yield duration_of("handoff_response", group, TICKET, "ticket.handoff_responded", "From the bot's hand-off to the first human reply.")
    yield duration_of("first_assignment", group, TICKET, "ticket.first_assigned", "From creation to the first assignment to an agent.")
    yield ratio_of("withdrawn", group, "Tickets withdrawn before the first reply / tickets created.",
                 "tickets_withdrawn", "tickets_created")


def _resolution() -> Iterator[Row]:
    group, completed = RESOLUTION, "ticket.completed"
    yield duration_of("first_resolution", group, TICKET, "ticket.solved", "From creation to the first solution.")
    yield duration_of("full_resolution", group, TICKET, "ticket.summarized",
                    "From creation to the last solution, counted when the ticket became final.")
    yield duration_of("requester_wait", group, TICKET, completed,
                    "Time unsolved and not pending on the customer until the solution that stands.")
    yield duration_of("agent_work", group, TICKET, completed, "Time unsolved, neither pending nor on hold, until the solution that stands.")
    yield row_of("interactions", Kind.NUMBER, "turns", group, TICKET,
               "Human turns until the solution that stands: consecutive messages of agents are one, a live contact is one.",
               ("interactions",), read.number("interactions"), facts=(completed,))
    yield ratio_of("escalation", group, "Tickets escalated at least once / solved tickets.", "tickets_escalated_once", "tickets_solved")
    for kind in ESCALATION_KINDS:
        yield ratio_of(f"escalation_{kind}", group, f"Tickets with an escalation of that kind ({kind}) / solved tickets.",
                       "tickets_escalated",
                     "tickets_solved", over=key_over(f"tickets_escalated:{kind}", "tickets_solved"))
    yield row_of("transfer", Kind.RATE, "transfers", group, TICKET, "Transfers from group to group for each solved ticket.",
               ("tickets_transferred", "tickets_solved"), read.per("tickets_transferred", "tickets_solved"))


def _backlog() -> Iterator[Row]:
    group, flows = BACKLOG, (ENTERED, LEFT)
    yield row_of("backlog_net_flow", Kind.NET, "tickets", group, TICKET, "What entered minus what left the backlog of the segment.", flows,
               formulas.net_flow)
    yield row_of("backlog_tickets", Kind.LEVEL, "tickets", group, TICKET, "Unsolved tickets at the end of the minute.", (),
               formulas.backlog, facts=("backlog.entered", "backlog.left"))
    yield row_of("backlog_growth", Kind.RATE, "ratio", group, TICKET,
               "Net flow / backlog at the beginning of the window, which is the backlog now minus the net flow. The flow of 24h and 7d "
               "ends at a full quarter of an hour, the backlog does not.", flows,
               formulas.backlog_growth)
    yield row_of("backlog_work_off", Kind.RATE, "seconds", group, TICKET,
               "How long the backlog would take if nothing came in: backlog / tickets that left per second of the window.", flows,
               formulas.work_off)
    yield row_of("backlog_drain", Kind.RATE, "seconds", group, TICKET,
               "How long the backlog takes at this pace: backlog / (left - entered) per second of the window, else infinite.",
               flows, formulas.drain)


def _quality() -> Iterator[Row]:
    group = QUALITY
    yield ratio_of("csat", group, "Satisfied answers / answers to satisfaction surveys, the latest within the edit window.",
                   "csat_satisfied",
                 "csat_responses")
    for band in RESPONSE_BANDS:
        yield ratio_of(f"csat_response_{band}", group, f"Satisfied answers / answers of tickets whose first response took: {band}.",
                     "csat_satisfied_by_wait", "csat_responses_by_wait", gauged=False, over=_csat_by("wait", band))
    for sla in ("kept", "breached"):
        yield ratio_of(f"csat_sla_{sla}", group, f"Satisfied answers / answers of tickets whose clocks: {sla}.", "csat_satisfied_by_sla",
                     "csat_responses_by_sla", gauged=False, over=_csat_by("sla", sla))
    answered = ("survey.answered",)
    yield row_of("nps", Kind.BALANCE, "points", group, TICKET,
               "100 x (promoters - detractors) / answers, the latest of each respondent within the NPS window.", ("nps_responses",),
               read.balance(formulas.nps))
    yield row_of("ces", Kind.NUMBER, "score", group, TICKET, "Mean of the answers to how easy it was, from 1 to 7 = very easy.", ("ces",),
               read.number("ces"), facts=answered)
    yield ratio_of("ces_easy", group, "Answers of 5 to 7 / answers to how easy it was.", "ces_responses", "ces_responses",
                 over=key_over("ces_responses:easy", "ces_responses"))
    yield row_of("ces_index", Kind.BALANCE, "points", group, TICKET, "100 x (answers of 6 and 7 - answers of 1 to 3) / answers.",
               ("ces_responses", "ces_very_easy"), read.balance(formulas.ces_index))
    for survey in ("csat", "nps", "ces", "fcr"):
        yield ratio_of(f"{survey}_response", group, f"Answers / {survey} surveys sent, each counted when it happened.",
                      f"{survey}_responses",
                     "surveys_sent", over=_responses(survey))
    yield duration_of("survey_delay", group, TICKET, "survey.sent", "From the last solution to the sending of a survey.")


def _finality() -> Iterator[Row]:
    group = QUALITY
    yield ratio_of("fcr_survey", group, "Customers who said that the issue was resolved / those who answered.", "fcr_responses",
                 "fcr_responses", over=key_over("fcr_responses:yes", "fcr_responses"))
    yield ratio_of("fcr", group,
                 "Tickets resolved at the first contact / eligible solved tickets of eligible topics, once the repeat window has passed.",
                 "tickets_fcr_eligible_resolved", "tickets_fcr_eligible")
    yield ratio_of("fcr_gross", group, "The same of all topics, also those that nobody can solve at first contact.",
                 "tickets_first_contact_resolved", "tickets_fcr_evaluated")
    yield ratio_of("fcr_provisional", group,
                 "Tickets resolved at the first contact as far as is known / eligible solved tickets of eligible topics, at the solution.",
                 "tickets_fcr_assessed_resolved", "tickets_fcr_assessed")
    yield ratio_of("fcr_marked", group, "Solutions that the agent marked as resolved at first contact / those marked either way.",
                 "tickets_fcr_marked_resolved", "tickets_fcr_marked")
    yield ratio_of("repeat_contact", group, "Tickets whose requester came back about the topic / solved tickets.",
                   "tickets_repeat_contacted",
                 "tickets_solved")
    yield ratio_of("reopen", group, "Reopened / solved tickets, each counted when it happened, benign reopenings taken back.",
                 "tickets_reopened", "tickets_solved", "tickets_reopen_forgiven", over=_reopened)
    yield ratio_of("reopen_final", group, "Tickets that had been reopened, not benignly / tickets that became final.",
                 "tickets_finalized_reopened", "tickets_finalized")
    yield ratio_of("sla_compliance_per_ticket", group,
                 "Solved tickets of which no clock had breached / those that had a clock with a target.", "tickets_sla_breached",
                 "tickets_sla_measured", over=lambda window: (window["tickets_sla_measured"] - window["tickets_sla_breached"],
                 window["tickets_sla_measured"]))
    yield row_of("containment", Kind.RATIO, "ratio", group, TICKET, "Tickets and contacts that a bot solved / those that a bot began.",
               ("tickets_bot_contained", "contacts_bot_contained", "tickets_bot_started", "contacts_bot_started"), read.ratio(_contained),
               dimensions=TICKET_DIMENSIONS | CONTACT_DIMENSIONS)


def _contacts() -> Iterator[Row]:
    group = CONTACTS
    yield ratio_of("abandonment", group, "Abandoned / offered contacts, short abandonments in neither.", "contacts_abandoned",
                 "contacts_offered", "contacts_short_abandoned", over=formulas.abandonment)
    yield ratio_of("service_level", group, "Contacts answered in target / (answered + abandoned), short abandonments left out.",
                 "contacts_answered_in_target", "contacts_answered", "contacts_abandoned", "contacts_short_abandoned",
                 "contacts_flowed_out", over=formulas.service_level)
    yield ratio_of("missed_call", group, "Calls that no human answered, short abandonments and those called back left out / all calls that "
                 "customers began.", "calls_missed", "calls_initiated", "calls_recovered",
                 over=lambda window: (window["calls_missed"] - window["calls_recovered"], window["calls_initiated"]))
    yield duration_of("speed_of_answer", group, CONTACT, "contact.answered", "From the offer to the acceptance of answered contacts.")
    yield duration_of("time_to_abandon", group, CONTACT, "contact.abandoned",
                    "From the offer to the leaving of abandoned contacts, short abandonments left out.")
    yield duration_of("handle_time", group, CONTACT, "contact.handled",
                    "Talk, hold and wrap-up of handled contacts, all their legs together (AHT).")
    for part, text in (("talk", "Talking"), ("hold", "Holding the line"), ("wrap_up", "After-contact work")):
        yield row_of(f"{part}_time", Kind.RATE, "seconds", group, CONTACT, f"{text}, seconds for each handled contact.",
                   ("contacts_handled",
                   f"{part}_time"), read.per(f"{part}_time", "contacts_handled", scale=1000))


def _agents() -> Iterator[Row]:
    group, time = AGENTS, "agent_time"
    of_tickets = ENTITY_DIMENSIONS[AGENT]
    spent = ("agent.time",)
    yield row_of("agents_active", Kind.COUNT, "agents", group, AGENT, "Agents who replied, answered a contact or solved a ticket.",
               (ACTIVE_AGENTS,), formulas.people(ACTIVE_AGENTS), dimensions=BY_GROUP, facts=("ticket.first_responded", "ticket.replied",
               "ticket.completed", "contact.answered"))
    yield row_of("tickets_per_agent", Kind.RATE, "tickets", group, TICKET, "Tickets that agents solved / agents who were active.",
               ("tickets_solved_by_agents", ACTIVE_AGENTS), formulas.tickets_per_agent, dimensions=BY_GROUP,
               facts=("ticket.first_responded",
               "ticket.replied", "contact.answered"))
    yield row_of("tickets_per_hour", Kind.RATE, "tickets", group, TICKET,
               "Tickets that agents solved and that stand / hours in which agents were online, available, busy or in wrap-up.",
               ("tickets_solved_by_agents", time), formulas.tickets_per_hour, dimensions=of_tickets | {PER_AGENT}, facts=spent)
    yield row_of("open_tickets_per_agent_online", Kind.RATE, "tickets", group, TICKET,
               "Unsolved tickets at the end / agents online, available, busy or in wrap-up, on average over the window.", (ENTERED, LEFT,
               time), formulas.open_tickets_per_agent_online, dimensions=of_tickets, facts=spent)
    yield row_of("occupancy", Kind.RATE, "ratio", group, AGENT, "Time busy and in wrap-up / that and the time available.", (time,),
               formulas.occupancy, facts=spent)
    yield ratio_of("agent_non_response", group, "Offers of a contact that the agent did not accept / offers to agents.",
                 "contacts_not_accepted", "contacts_agent_offered")
    yield row_of("touch_time", Kind.RATE, "seconds", group, TICKET, "Logged work, seconds for each ticket on which any was logged.",
               ("touch_time", "tickets_worked"), read.per("touch_time", "tickets_worked", scale=1000))


def _knowledge_base() -> Iterator[Row]:
    group = KNOWLEDGE_BASE
    viewed = ("person.article_viewed",)
    yield row_of("kb_users", Kind.COUNT, "visitors", group, PERSON, "Different visitors who viewed an article, agents left out.",
                 (VISITORS,),
               formulas.people(VISITORS), facts=viewed)
    yield row_of("kb_efficiency", Kind.RATIO, "ratio", group, PERSON, "Visitors who viewed an article / these and tickets created.",
               (VISITORS, "tickets_created"), read.ratio(formulas.kb_efficiency), facts=viewed)
    yield ratio_of("kb_search_to_ticket", group, "Search sessions followed by a ticket within a day / search sessions.",
                 "kb_searches_to_ticket", "kb_search_sessions")
    yield ratio_of("kb_helpful", group, "Votes that the article was helpful / votes.", "kb_votes_helpful", "kb_votes")
    yield ratio_of("kb_bounce", group, "Sessions of one article and nothing else / sessions.", "kb_sessions_bounced", "kb_sessions")


def _customers() -> Iterator[Row]:
    group, keys = CUSTOMERS, ("customers_acquired", "customers_churned", "customers_counted")
    yield row_of("customers", Kind.LEVEL, "customers", group, ORGANIZATION, "Customers at the end of the minute.",
               (CUSTOMERS_NOW, CUSTOMERS_COUNTED),
               formulas.customers, facts=facts_of(keys))
    yield row_of("retention", Kind.RATIO, "ratio", group, ORGANIZATION, "Customers at the end less those won / customers at the beginning.",
               keys,
               read.ratio(formulas.retention))
    yield row_of("churn", Kind.RATIO, "ratio", group, ORGANIZATION, "Customers lost / customers at the beginning: 1 - retention.", keys,
               read.ratio(formulas.churn))


def cost_per_ticket(currency: str) -> Row:
    """What a solved ticket cost, in that currency."""
    return row_of(f"{COST_PER_TICKET}{currency.lower()}", Kind.RATE, currency, COST, ACCOUNT, f"Costs in {currency} / solved tickets.",
                (f"cost:{currency}", "tickets_solved"), _cost(currency), facts=("account.cost_recorded",))


# -- divisions --------------------------------------------------------------------------------------------------------------------


def _csat_by(what: str, value: str) -> read.Division:
    part, whole = f"csat_satisfied_by_{what}:{value}", f"csat_responses_by_{what}:{value}"
    return lambda window: (window.row.get(part, 0), window.row.get(whole, 0))


def _responses(survey: str) -> read.Division:
    return lambda window: (window[f"{survey}_responses"], window.row.get(f"surveys_sent:{survey}", 0))


def _reopened(window: Window) -> tuple[int, int]:
    return window["tickets_reopened"] - window["tickets_reopen_forgiven"], window["tickets_solved"]


def _contained(window: Window) -> tuple[int, int]:
    return (window["tickets_bot_contained"] + window["contacts_bot_contained"], window["tickets_bot_started"] +
            window["contacts_bot_started"])


def _cost(currency: str) -> Reading:
    key = f"cost:{currency}"

    def reading(window: Window) -> Measure:
        amount, n = window.row.get(key, 0) / 1000, max(window["tickets_solved"], 0)
        return Measure(amount / n if n else None, n, amount, n)

    return reading


SECTIONS: tuple[Callable[[], Iterator[Row]], ...] = (
    _counts, _clocks, _responsiveness, _resolution, _backlog, _quality, _finality, _contacts, _agents, _knowledge_base, _customers
)  # fmt: skip
TABLE: tuple[Row, ...] = tuple(row for section in SECTIONS for row in section())
