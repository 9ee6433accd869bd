"""What may be said in the worlds of the laws: for each entity a table of kinds with their data, common ones more than once."""

from __future__ import annotations

from typing import Any

from processor.core.events import DATA_FIELDS

Data = tuple[Any, ...]
Says = tuple[tuple[str, Data], ...]

TICKETS = ("T1", "T2", "T3")  # merges name them, and T9, of which nothing else is ever told
CONTACTS = ("C1", "C2")
PERSONS = ("P1", "P2")
AGENTS = ("A1", "A2")
ORGANIZATIONS = ("O1",)
ACCOUNTS = ("acme",)
SOURCES = ("a", "b")
SEQUENCES = ("", "", "1", "2")
MESSAGES = ("M1", "M2", "M3")


def told(kind: str, /, **fields: Any) -> tuple[str, Data]:
    """A kind with its data, named; what is not named is absent."""
    names = DATA_FIELDS[kind]
    assert fields.keys() <= set(names), (kind, fields)
    return kind, tuple(fields.get(name) for name in names)


def created(channel: str = "email", status: str = "new", priority: str = "normal", direction: str = "inbound", **more: Any) -> Data:
    """The data of a creation."""
    more = {"topic": "billing", **more}
    return told("ticket.created", channel=channel, status=status, priority=priority, direction=direction, **more)[1]


def message(name: str, author: str, visibility: str = "public", *, automated: bool = False, by: str | None = None) -> tuple[str, Data]:
    return told("message.added", message_id=name, author_type=author, visibility=visibility, automated=automated, author_id=by)


def status(to: str, reason: str | None = None, resolved: bool | None = None) -> tuple[str, Data]:
    return told("ticket.status_changed", status=to, reason=reason, first_contact_resolved=resolved)


def changes(**fields: str | None) -> tuple[str, Data]:
    return told("ticket.fields_changed", changes=tuple(fields.items()))


def answer(
    head: str, name: str, survey: str, score: float, low: float, high: float, by: str | None = None, **more: Any
) -> tuple[str, Data]:
    fields = {"survey_id": name, "survey": survey, "score": score, "scale_min": low, "scale_max": high, "respondent_id": by, **more}
    return told(f"{head}.survey_responded", **fields)


CREATIONS: Says = tuple(
    ("ticket.created", data)
    for data in (
        created(requester_id="P1"),
        created(priority="urgent", group="g1", requester_id="P1", language="de"),
        created(channel="chat", direction="outbound", product="shop"),
        created(status="solved", topic="hard", complexity="high"),
        created(priority="urgent", requester_id="P2", assignee_id="A1"),
        created(channel="phone", follow_up_of="T1", requester_id="P1", topic="hard"),
    )
)
STATUSES: Says = (
    *(status(to) for to in ("open", "pending", "on_hold", "solved", "solved", "solved", "closed", "open", "open")),
    status("solved", "withdrawn"),
    status("solved", "auto_close"),
    status("solved", None, True),
    status("solved", None, False),
)
DIMENSIONS_SAID: Says = (
    *(told("ticket.priority_changed", priority=priority) for priority in ("urgent", "normal")),
    *(told("ticket.group_changed", group=group) for group in ("g1", "g2", None)),
    changes(tier="gold", policy_id="x"),
    changes(topic="hard", requester_id="P2"),
    changes(topic="billing"),
    changes(requester_id=None),
    changes(language="fr", product="app", complexity=None),
    *(told("ticket.assignee_changed", assignee_id=agent) for agent in ("A1", "A2", None)),
)
DISCARDS: Says = (
    *(told("ticket.merged", merged_into=target) for target in ("T1", "T2", "T3", "T3", "T9")),
    told("ticket.unmerged"),
    told("ticket.unmerged"),
    told("ticket.marked_as_spam"),
    told("ticket.unmarked_as_spam"),
    told("ticket.deleted"),
    told("ticket.restored"),
)
TALK: Says = (
    *(message(name, "agent", by=by) for name, by in zip(MESSAGES, ("A1", "A2", None), strict=True)),
    *(message(name, "customer") for name in MESSAGES),
    message("M1", "agent", by="A1"),
    message("M3", "customer"),
)
ODD_TALK: Says = (
    message("M1", "agent", "internal"),
    message("M2", "bot"),
    message("M3", "agent", automated=True),
    message("M1", "system", automated=True),
    *(told("message.visibility_changed", message_id=name, visibility=to) for name in MESSAGES for to in ("public", "internal")),
    told("message.bounced", message_id="M1"),
    told("message.redacted", message_id="M2"),
)
BOTS: Says = (told("ticket.bot_started"), told("ticket.bot_handed_off"), told("ticket.bot_resolved"))
ESCALATIONS: Says = tuple(told("ticket.escalated", kind=kind) for kind in ("functional", "hierarchical", "automatic", None))
WORK: Says = (
    told("ticket.work_logged", seconds=90, agent_id="A1"),
    told("ticket.work_logged", seconds=12.5, topic="hard"),
)
SURVEYS_OF_TICKETS: Says = (
    told("ticket.survey_sent", survey_id="S1", survey="csat"),
    told("ticket.survey_sent", survey_id="S2", survey="nps", respondent_id="P1"),
    told("ticket.survey_sent", survey_id="S3", survey="ces"),
    told("ticket.survey_sent", survey_id="S4", survey="fcr"),
    answer("ticket", "S1", "csat", 5, 1, 5),
    answer("ticket", "S1", "csat", 2, 1, 5, reason="slow", touchpoint="email"),
    answer("ticket", "S1", "csat", 7, 1, 10),
    answer("ticket", "S1", "csat", 2.5, 0, 3),
    answer("ticket", "S2", "nps", 9, 0, 10, "P1"),
    answer("ticket", "S2", "nps", 6, 1, 10, "P1"),
    answer("ticket", "S2", "nps", 7, 0, 10),
    answer("ticket", "S3", "ces", 6, 1, 7),
    answer("ticket", "S3", "ces", 1, 1, 5),
    answer("ticket", "S4", "fcr", 0, 0, 1),
    answer("ticket", "S4", "fcr", 1, 0, 1),
)

TICKET_SAYS: Says = (
    *CREATIONS, *STATUSES, *DIMENSIONS_SAID, *DISCARDS, *TALK, *TALK, *ODD_TALK, *BOTS, *ESCALATIONS, *WORK,
    *SURVEYS_OF_TICKETS, *(status("solved") for _ in range(6)),
)  # fmt: skip

QUEUEINGS: Says = (
    told("contact.queued", channel="phone", queue="q1", topic="billing", requester_id="P1"),
    told("contact.queued", channel="chat", queue="q2", ticket_id="T1"),
    told("contact.queued", channel="phone", queue="q1", ticket_id="T2"),
)
CONTACT_SAYS: Says = (
    told("contact.initiated", channel="phone", ticket_id="T3"),
    told("contact.initiated", channel="phone", topic="hard", requester_id="P2"),
    *QUEUEINGS,
    told("contact.offered", agent_id="A1"),
    told("contact.missed", agent_id="A1"),
    told("contact.accepted", agent_id="A1"),
    told("contact.accepted", agent_id="A2"),
    told("contact.accepted"),
    told("contact.transferred", queue="q2"),
    told("contact.abandoned"),
    told("contact.callback_requested"),
    told("contact.ended", talk_seconds=12.5, outcome="handled"),
    told("contact.ended", talk_seconds=30, hold_seconds=2),
    told("contact.ended"),
    *(told("contact.ended", outcome=outcome) for outcome in ("dropped", "voicemail", "out_of_hours", "rejected")),
    told("contact.wrapped_up", wrap_up_seconds=3),
    told("contact.bot_started"),
    told("contact.bot_handed_off"),
    told("contact.bot_resolved"),
)
BOT_CONTACTS: Says = (
    *(told("contact.bot_started") for _ in range(3)),
    told("contact.initiated", channel="chat", topic="hard"),
    told("contact.initiated", channel="phone"),
    *(told("contact.bot_resolved") for _ in range(4)),
    *(told("contact.callback_requested") for _ in range(3)),
    *(told("contact.accepted", agent_id="A1") for _ in range(2)),
)
PERSON_SAYS: Says = (
    told("person.survey_sent", survey_id="S8", survey="nps"),
    told("person.survey_sent", survey_id="S9", survey="csat"),
    answer("person", "S8", "nps", 10, 0, 10, "P1"),
    answer("person", "S8", "nps", 3, 0, 10, "P1", reason="price"),
    answer("person", "S7", "nps", 8, 1, 10, "P2"),
    answer("person", "S9", "csat", 4, 1, 5, "P1"),
    answer("person", "S9", "csat", 1, 1, 5, "P1"),
    *(
        told("person.article_viewed", session_id=session, article_id=article)
        for session, article in (("s1", "a"), ("s1", "b"), (None, "a"))
    ),
    told("person.article_viewed", session_id="s2", article_id="a"),
    told("person.searched", session_id="s1"),
    told("person.searched", session_id="s3"),
    told("person.searched"),
    told("person.article_voted", session_id="s1", article_id="a", helpful=True),
    told("person.article_voted", article_id="b", helpful=False),
)
AGENT_SAYS: Says = (
    *(told("agent.state_changed", state=state, group="g1", channel="chat") for state in ("online", "available", "busy", "wrap_up")),
    *(told("agent.state_changed", state=state) for state in ("available", "busy", "away", "offline")),
)
ORGANIZATION_SAYS: Says = (
    told("organization.acquired"),
    told("organization.churned"),
    told("organization.counted", count=40),
    told("organization.counted", count=43),
)
ACCOUNT_SAYS: Says = (
    told("account.cost_recorded", amount=12_500, currency="EUR", group="g1"),
    told("account.cost_recorded", amount=999_999, currency="USD"),
    told("account.cost_recorded", amount=500, currency="EUR"),
)

SAYS = {
    **dict.fromkeys(TICKETS, TICKET_SAYS), **dict.fromkeys(CONTACTS, CONTACT_SAYS), **dict.fromkeys(PERSONS, PERSON_SAYS),
    **dict.fromkeys(AGENTS, AGENT_SAYS), **dict.fromkeys(ORGANIZATIONS, ORGANIZATION_SAYS), **dict.fromkeys(ACCOUNTS, ACCOUNT_SAYS),
}  # fmt: skip
BEGINNINGS = {**dict.fromkeys(TICKETS, CREATIONS), **dict.fromkeys(CONTACTS, (*QUEUEINGS, CONTACT_SAYS[0], *CONTACT_SAYS[-3:-2] * 2))}

# Stories in which one theme prevails: what is said then, of tickets and of others.
THEMES: dict[str, tuple[Says, Says]] = {
    "clocks": ((*STATUSES, *STATUSES, *DIMENSIONS_SAID, *TALK, *TALK, *TALK, *DISCARDS, *DISCARDS[8::2]), ()),
    "replies": ((*STATUSES[3:], *TALK, *TALK, *TALK, *ODD_TALK, *BOTS, *BOTS, *ESCALATIONS, *WORK), ()),
    "first contact": (
        (*STATUSES[3:], *STATUSES[3:], *TALK, *DIMENSIONS_SAID[2:], *DIMENSIONS_SAID, *ESCALATIONS, *SURVEYS_OF_TICKETS[13:]),
        (QUEUEINGS[0], QUEUEINGS[1], CONTACT_SAYS[1], *CONTACT_SAYS[7:9]),
    ),
    "surveys": (
        (*SURVEYS_OF_TICKETS, *SURVEYS_OF_TICKETS, *STATUSES[3:6], *STATUSES[:2], *TALK[:4], *DISCARDS[7:9], *DIMENSIONS_SAID[:2]),
        (*PERSON_SAYS[:7],),
    ),
    "knowledge": ((*CREATIONS, *TALK[:4], *DIMENSIONS_SAID), PERSON_SAYS[7:]),
    "contacts": ((*CREATIONS, *TALK[:4], *STATUSES[3:6]), (*CONTACT_SAYS, *BOT_CONTACTS)),
    "others": ((*CREATIONS, *TALK[:4]), (*AGENT_SAYS, *ORGANIZATION_SAYS, *ACCOUNT_SAYS)),
}  # fmt: skip
