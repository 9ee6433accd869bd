"""What `data` of each kind of event must carry: one function per layout, from the undecoded object to the tuple of `DATA_FIELDS`.

A required field is read by index: the KeyError of an absent one reaches the decoder, which names it. Fields that no fold uses yet are
checked all the same, so that a log accepted today is not refused by the version that begins to use them. Unknown fields are ignored.

Inside, the head of a kind names the entity whose timeline it belongs to. Most types are called so from outside; those of bots, surveys,
work, the knowledge base, customers and costs get the name of whom they are about.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from processor.codec import others, tickets
from processor.codec.surveys import survey_responded, survey_sent
from processor.core import events
from processor.core.events import rank_of

Data = dict[str, Any]
Build = Callable[[Data], tuple[Any, ...]]


def _nothing_more(_: Data) -> tuple[Any, ...]:
    return ()


# Types that are called the same outside and inside.
_BUILDERS: dict[str, Build] = {
    "ticket.created": tickets.ticket_created,
    "ticket.status_changed": tickets.ticket_status_changed,
    "ticket.priority_changed": tickets.ticket_priority_changed,
    "ticket.assignee_changed": tickets.ticket_assignee_changed,
    "ticket.group_changed": tickets.ticket_group_changed,
    "ticket.fields_changed": tickets.ticket_fields_changed,
    "ticket.escalated": tickets.ticket_escalated,
    "ticket.merged": tickets.ticket_merged,
    "ticket.unmerged": tickets.ticket_unmerged,
    "ticket.marked_as_spam": _nothing_more,
    "ticket.unmarked_as_spam": _nothing_more,
    "ticket.deleted": _nothing_more,
    "ticket.restored": _nothing_more,
    "message.added": tickets.message_added,
    "message.visibility_changed": tickets.message_visibility_changed,
    "message.redacted": tickets.message_touched,
    "message.bounced": tickets.message_touched,
    "contact.initiated": others.contact_began,
    "contact.queued": others.contact_began,
    "contact.offered": others.contact_at_agent,
    "contact.missed": others.contact_at_agent,
    "contact.accepted": others.contact_accepted,
    "contact.transferred": others.contact_transferred,
    "contact.abandoned": others.contact_left,
    "contact.callback_requested": others.contact_left,
    "contact.ended": others.contact_ended,
    "contact.wrapped_up": others.contact_wrapped_up,
    "agent.state_changed": others.agent_state_changed,
    "control.clock_advanced": others.clock_advanced,
    "source.heartbeat": others.source_heartbeat,
}

# Types that get another name inside: type -> (the field that says whom it is about, the kind that it becomes then), in order of preference.
_SUBJECTS: dict[str, tuple[tuple[str, str], ...]] = {
    "bot.started": (("ticket_id", "ticket.bot_started"), ("contact_id", "contact.bot_started")),
    "bot.handed_off": (("ticket_id", "ticket.bot_handed_off"), ("contact_id", "contact.bot_handed_off")),
    "bot.resolved": (("ticket_id", "ticket.bot_resolved"), ("contact_id", "contact.bot_resolved")),
    "survey.sent": (("ticket_id", "ticket.survey_sent"), ("respondent_id", "person.survey_sent")),
    "survey.responded": (("ticket_id", "ticket.survey_responded"), ("respondent_id", "person.survey_responded")),
    "work.logged": (("ticket_id", "ticket.work_logged"),),
    "kb.article_viewed": (("visitor_id", "person.article_viewed"),),
    "kb.searched": (("visitor_id", "person.searched"),),
    "kb.article_voted": (("visitor_id", "person.article_voted"),),
    "customer.acquired": (("organization_id", "organization.acquired"),),
    "customer.churned": (("organization_id", "organization.churned"),),
    "customer.count_snapshot": (("organization_id", "organization.counted"),),
    "cost.recorded": (("partitionkey", "account.cost_recorded"),),
}

_RENAMED_BUILDERS: dict[str, Build] = {
    "bot.started": _nothing_more,
    "bot.handed_off": _nothing_more,
    "bot.resolved": _nothing_more,
    "survey.sent": survey_sent,
    "survey.responded": survey_responded,
    "work.logged": others.work_logged,
    "kb.article_viewed": others.article_viewed,
    "kb.searched": others.searched,
    "kb.article_voted": others.article_voted,
    "customer.acquired": _nothing_more,
    "customer.churned": _nothing_more,
    "customer.count_snapshot": others.customers_counted,
    "cost.recorded": others.cost_recorded,
}

PARTITION_KEY: Final = "partitionkey"  # where `data` names nobody, the envelope does
_KEY_FIELDS = {events.TICKET: "ticket_id", events.CONTACT: "contact_id", events.AGENT: "agent_id", events.CONTROL: None}


class Kind(NamedTuple):
    """How the decoder treats one type of event. `key_field` is None for control events.

    `rank` is the one without a sequence, `sequenced_rank` the one with it. Where a type may be about several, `subjects` has one kind for
    each, and `key_field` means nothing.
    """

    name: str
    rank: int
    sequenced_rank: int
    key_field: str | None
    build: Build
    subjects: tuple[Kind, ...] = ()


def _kind(name: str, key_field: str | None, build: Build) -> Kind:
    return Kind(name, rank_of(name), rank_of(name, "1"), key_field, build)


def _renamed(type_name: str, build: Build) -> Kind:
    kinds = tuple(_kind(name, key_field, build) for key_field, name in _SUBJECTS[type_name])
    return kinds[0] if len(kinds) == 1 else kinds[0]._replace(subjects=kinds)


# By type, without the namespace.
KINDS: Final = {name: _kind(name, _KEY_FIELDS[events.entity_of(name)], build) for name, build in _BUILDERS.items()} | {
    type_name: _renamed(type_name, build) for type_name, build in _RENAMED_BUILDERS.items()
}

# The way back: kind -> its type without the namespace, and the field that says whom it is about.
TYPES: Final = {kind.name: (name, kind.key_field) for name, each in KINDS.items() for kind in (each.subjects or (each,))}
