"""What is simply counted: the families of counts in a row, what each is, and which fact adds to it."""

from __future__ import annotations

from dataclasses import dataclass

from processor.core.events import CONTACT, ESCALATION_KINDS, ORGANIZATION, PERSON, SURVEYS, TICKET

RESPONSIVENESS = "Responsiveness"
RESOLUTION = "Resolution"
BACKLOG = "Backlog"
QUALITY = "Quality"
CONTACTS = "Contacts"
AGENTS = "Agents"
KNOWLEDGE_BASE = "Knowledge base"
CUSTOMERS = "Customers"
COST = "Cost"
GROUPS = (RESPONSIVENESS, RESOLUTION, BACKLOG, QUALITY, CONTACTS, AGENTS, KNOWLEDGE_BASE, CUSTOMERS, COST)

ENTERED, LEFT = "backlog_entered", "backlog_left"
ENTERED_REASONS = ("created", "adopted", "reopened", "restored", "unmerged", "became_eligible", "moved_in")
LEFT_REASONS = ("solved", "discarded", "merged", "moved_out")
DISCARD_REASONS = ("spam", "deleted")
MISSED_REASONS = ("abandoned", "voicemail", "out_of_hours", "rejected", "callback")
FLOWED_OUT_REASONS = ("callback", "voicemail", "out_of_hours", "rejected", "ended", "expired")
RESPONSE_BANDS = ("under_1h", "1h_to_8h", "8h_to_24h", "over_24h", "none")


@dataclass(frozen=True, slots=True)
class Counted:
    """One family of counts. `by` is what the key says behind its colon, `values` all that it can say. `signed`: may be below 0."""

    group: str
    entity: str
    fact: str
    text: str
    by: str = ""
    values: tuple[str, ...] = ()
    unit: str = "tickets"
    signed: bool = False


def _ticket(group: str, fact: str, text: str, by: str = "", values: tuple[str, ...] = ()) -> Counted:
    return Counted(group, TICKET, f"ticket.{fact}", text, by, values)


def _survey(fact: str, text: str, by: str = "", values: tuple[str, ...] = ()) -> Counted:
    return Counted(QUALITY, TICKET, f"survey.{fact}", text, by, values, "answers" if fact == "answered" else "surveys")


def _contact(fact: str, text: str, by: str = "", values: tuple[str, ...] = (), group: str = CONTACTS) -> Counted:
    return Counted(group, CONTACT, f"contact.{fact}", text, by, values, "contacts")


def _person(fact: str, text: str, unit: str) -> Counted:
    return Counted(KNOWLEDGE_BASE, PERSON, f"person.{fact}", text, unit=unit)


def _customer(fact: str, text: str, *, signed: bool = False) -> Counted:
    return Counted(CUSTOMERS, ORGANIZATION, f"organization.{fact}", text, unit="customers", signed=signed)


COUNTED: dict[str, Counted] = {
    "tickets_created": _ticket(BACKLOG, "created", "Tickets created."),
    "tickets_adopted": _ticket(BACKLOG, "adopted", "Tickets first seen by another event than their creation."),
    "tickets_solved": _ticket(RESOLUTION, "solved", "Changes from an unsolved into a solved or closed status."),
    "tickets_reopened": _ticket(
        RESOLUTION, "reopened", "Changes from a solved or closed into an unsolved status within the reopen horizon."
    ),
    "tickets_merged": _ticket(BACKLOG, "merged", "Tickets merged into another one."),
    "tickets_discarded": _ticket(BACKLOG, "discarded", "Tickets marked as spam or deleted.", "reason", DISCARD_REASONS),
    "tickets_restored": _ticket(BACKLOG, "restored", "Tickets taken back from spam, deletion or a merge."),
    ENTERED: Counted(
        BACKLOG, TICKET, "backlog.entered", "Tickets that came into the backlog of the segment, moves included.", "reason", ENTERED_REASONS
    ),
    LEFT: Counted(
        BACKLOG, TICKET, "backlog.left", "Tickets that left the backlog of the segment, moves included.", "reason", LEFT_REASONS
    ),
    "contacts_offered": _contact("offered", "Calls and chats that entered a queue or were accepted directly, once each."),
    "contacts_answered": _contact("answered", "Contacts accepted by an agent, once each."),
    "contacts_answered_in_target": _contact("answered", "Contacts whose wait, through all queues, kept the queue_wait target."),
    "contacts_abandoned": _contact("abandoned", "Contacts that left while waiting, longer than the short-abandonment threshold."),
    "contacts_short_abandoned": _contact("abandoned", "Contacts that left while waiting, within the short-abandonment threshold."),
    "tickets_completed": _ticket(RESOLUTION, "completed", "Tickets whose solution stands: a reopening takes it back."),
    "tickets_withdrawn": _ticket(RESPONSIVENESS, "withdrawn", "Tickets that the customer withdrew before the first reply."),
    "tickets_reopen_forgiven": _ticket(
        QUALITY, "reopen_forgiven", "Reopenings that were benign: solved again soon, without a human reply in between."
    ),
    "tickets_first_outgoing": _ticket(RESPONSIVENESS, "first_outgoing", "Tickets to whose customer a first public message was sent."),
    "tickets_first_reply_automated": _ticket(RESPONSIVENESS, "first_outgoing", "Tickets whose first outgoing message was automated."),
    "tickets_transferred": _ticket(RESOLUTION, "transferred", "Transfers of tickets from one group to another."),
    "tickets_escalated": _ticket(RESOLUTION, "escalated", "Tickets escalated, once for each kind.", "kind", ESCALATION_KINDS),
    "tickets_escalated_once": _ticket(RESOLUTION, "escalated", "Tickets escalated at least once, whatever the kind."),
    "tickets_bot_started": _ticket(QUALITY, "bot_started", "Tickets that a bot began."),
    "tickets_bot_contained": _ticket(QUALITY, "bot_contained", "Tickets that a bot began and solved, nobody else needed."),
    "tickets_fcr_evaluated": _ticket(QUALITY, "fcr_settled", "Eligible tickets whose repeat window has passed since the solution."),
    "tickets_first_contact_resolved": _ticket(QUALITY, "fcr_settled", "Of these, tickets resolved at the first contact."),
    "tickets_fcr_eligible": _ticket(QUALITY, "fcr_settled", "Of them those of topics that can be solved at first contact."),
    "tickets_fcr_eligible_resolved": _ticket(QUALITY, "fcr_settled", "Of these, tickets resolved at the first contact."),
    "tickets_fcr_assessed": _ticket(
        QUALITY, "fcr_assessed", "Eligible tickets at their solution, of topics that can be solved at first contact."
    ),
    "tickets_fcr_assessed_resolved": _ticket(QUALITY, "fcr_assessed", "Of these, tickets so resolved as far as is known."),
    "tickets_fcr_marked": _ticket(QUALITY, "fcr_marked", "Solutions at which the agent said whether the first contact was enough."),
    "tickets_fcr_marked_resolved": _ticket(QUALITY, "fcr_marked", "Of these, solutions at which the agent said that it was."),
    "tickets_repeat_contacted": _ticket(
        QUALITY, "repeat_contacted", "Tickets whose requester came back about the topic, while open or within the repeat window."
    ),
    "tickets_worked": _ticket(AGENTS, "work_logged", "Tickets on which work was logged, counted with the first time."),
    "tickets_finalized": _ticket(RESOLUTION, "summarized", "Tickets that became final."),
    "tickets_finalized_reopened": _ticket(QUALITY, "summarized", "Final tickets that had been reopened, benign reopenings left out."),
    "tickets_solved_by_agents": _ticket(AGENTS, "completed", "Tickets whose solution stands and is an agent's."),
    "tickets_sla_measured": _ticket(QUALITY, "completed", "Tickets whose solution stands and that had a clock with a target."),
    "tickets_sla_breached": _ticket(QUALITY, "completed", "Of these, tickets of which some clock had breached."),
    "surveys_sent": _survey("sent", "Surveys sent.", "survey", SURVEYS),
    "surveys_negative": _survey("negative", "Answers that ask for a call back: dissatisfied, detractor, hard, no.", "survey", SURVEYS),
    "csat_responses": _survey("answered", "Answers to satisfaction surveys."),
    "csat_satisfied": _survey("answered", "Satisfied answers to satisfaction surveys."),
    "csat_responses_by_wait": _survey("answered", "Answers by how long the first response took.", "band", RESPONSE_BANDS),
    "csat_satisfied_by_wait": _survey("answered", "Satisfied answers by how long the first response took.", "band", RESPONSE_BANDS),
    "csat_responses_by_sla": _survey("answered", "Answers by whether a clock of the ticket had breached.", "sla", ("kept", "breached")),
    "csat_satisfied_by_sla": _survey("answered", "Satisfied answers by whether a clock had breached.", "sla", ("kept", "breached")),
    "nps_responses": _survey(
        "answered", "Answers to whether one would recommend us, one per respondent.", "category", ("promoter", "passive", "detractor")
    ),
    "ces_responses": _survey("answered", "Answers to how easy it was.", "category", ("easy", "neutral", "hard")),
    "ces_very_easy": _survey("answered", "Answers that it was very easy: 6 or 7 of 7."),
    "fcr_responses": _survey("answered", "Answers to whether the issue was resolved.", "answer", ("yes", "no")),
    "contacts_initiated": _contact("initiated", "Calls and chats that customers began."),
    "contacts_abandoned_silently": _contact("abandoned", "Of the abandoned contacts those that ended in the queue without a word."),
    "contacts_flowed_out": _contact("flowed_out", "Contacts that left a queue otherwise than answered or abandoned.", "reason",
                                    FLOWED_OUT_REASONS),
    "contacts_dropped": _contact("dropped", "Contacts that ended in the menu or in the middle of the conversation."),
    "contacts_missed": _contact("missed", "Contacts that no human answered, short abandonments left out.", "reason", MISSED_REASONS),
    "contacts_recovered": _contact("recovered", "Missed contacts that were called back."),
    "calls_initiated": _contact("initiated", "Of the contacts that customers began those by phone."),
    "calls_missed": _contact("missed", "Of the contacts that no human answered, short abandonments left out, those by phone."),
    "calls_recovered": _contact("recovered", "Of the missed contacts that were called back those by phone."),
    "contacts_agent_offered": _contact("agent_offered", "Offers of a contact to an agent.", group=AGENTS),
    "contacts_not_accepted": _contact("agent_missed", "Offers of a contact that the agent did not accept.", group=AGENTS),
    "contacts_handled": _contact("handled", "Contacts that were answered and have ended."),
    "contacts_bot_started": _contact("bot_started", "Contacts that a bot began.", group=QUALITY),
    "contacts_bot_contained": _contact("bot_contained", "Contacts that a bot began and solved, nobody else needed.", group=QUALITY),
    "kb_views": _person("article_viewed", "Articles viewed by visitors who are no agents.", "views"),
    "kb_sessions": _person("article_viewed", "Sessions in which an article was viewed.", "sessions"),
    "kb_sessions_bounced": _person("session_bounced", "Sessions of one article and nothing else.", "sessions"),
    "kb_searches": _person("searched", "Searches.", "searches"),
    "kb_search_sessions": _person("searched", "Sessions in which something was searched.", "sessions"),
    "kb_searches_to_ticket": _person("search_ticketed", "Search sessions followed by a ticket of the visitor within a day.", "sessions"),
    "kb_votes": _person("article_voted", "Votes on articles.", "votes"),
    "kb_votes_helpful": _person("article_voted", "Votes that the article was helpful.", "votes"),
    "customers_acquired": _customer("acquired", "Customers won, and won back."),
    "customers_churned": _customer("churned", "Customers lost."),
    "customers_counted": _customer("counted", "By how much counts of all customers corrected what was known.", signed=True),
}  # fmt: skip

# The key of a row -> what became of the clocks, and in words.
CLOCK_COUNTED = {
    "sla_started": ("started", "clocks that started with a target"),
    "sla_measured": ("measured", "clocks that were decided: fulfilled in time or breached, once each"),
    "sla_breached": ("breached", "clocks that passed their target, counted at the deadline"),
    "sla_induced": ("breach_induced", "breaches that a change of priority or policy made"),
    "sla_cancelled": ("cancelled", "clocks that ended without fulfilment"),
}
CLOCK_FACTS = {
    "sla_started": ("clock.started",),
    "sla_measured": ("clock.fulfilled", "clock.breached"),
    "sla_breached": ("clock.breached",),
    "sla_induced": ("clock.breached",),
    "sla_cancelled": ("clock.cancelled",),
}
