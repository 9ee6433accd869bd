"""What `data` of each kind of event must carry: one function per layout, from the undecoded object to the tuple of `DATA_FIELDS`.

A required field is read by index: the KeyError of an absent one reaches the decoder, which names it. Fields that no fold uses yet are
checked all the same, so that a log accepted today is not refused by the version that begins to use them. Unknown fields are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from processor.codec import fields
from processor.codec.fields import choice, choices, choices_or, flag, identifier, instant, label, missing, optional_text, required_label
from processor.core import events
from processor.core.events import rank_of

Data = dict[str, Any]
Build = Callable[[Data], tuple[Any, ...]]

_CHANNEL = choices(events.CHANNELS)
_STATUS = choices(events.STATUSES)
_STATUS_OR_NEW = choices_or(events.STATUSES, "new")
_PRIORITY = choices(events.PRIORITIES)
_PRIORITY_OR_NORMAL = choices_or(events.PRIORITIES, "normal")
_DIRECTION_OR_INBOUND = choices_or(events.DIRECTIONS, "inbound")
_AUTHOR = choices(events.AUTHOR_TYPES)
_VISIBILITY = choices(events.VISIBILITIES)
_VISIBILITY_OR_PUBLIC = choices_or(events.VISIBILITIES, "public")
_ESCALATION_OR_NONE = choices_or(events.ESCALATION_KINDS, None)
_OUTCOME_OR_NONE = choices_or(events.CONTACT_OUTCOMES, None)

_CREATED_UNUSED = ("created_via", "requester_id", "organization_id", "product", "complexity", "language", "follow_up_of")
_CHANGED_UNUSED = ("product", "complexity", "language", "organization_id", "requester_id")
_CHANGED_USED = ("topic", "tier", "policy_id")


def _check_unused(data: Data, names: tuple[str, ...]) -> None:
    for name in names:
        if name in data:
            optional_text(data[name], f"data.{name}")
    if "tags" in data:
        fields.tags(data["tags"], "data.tags")


def _ticket_created(data: Data) -> tuple[Any, ...]:
    get = data.get
    _check_unused(data, _CREATED_UNUSED)
    return (
        choice(data["channel"], _CHANNEL, "data.channel"),
        choice(get("status"), _STATUS_OR_NEW, "data.status"),
        choice(get("priority"), _PRIORITY_OR_NORMAL, "data.priority"),
        choice(get("direction"), _DIRECTION_OR_INBOUND, "data.direction"),
        label(get("group"), "data.group"),
        label(get("tier"), "data.tier"),
        label(get("topic"), "data.topic"),
        label(get("policy_id"), "data.policy_id"),
        label(get("assignee_id"), "data.assignee_id"),
    )


def _ticket_status_changed(data: Data) -> tuple[Any, ...]:
    get = data.get
    optional_text(get("status_raw"), "data.status_raw")
    flag(get("first_contact_resolved"), "data.first_contact_resolved")
    return (choice(data["status"], _STATUS, "data.status"), label(get("reason"), "data.reason"))


def _ticket_priority_changed(data: Data) -> tuple[Any, ...]:
    return (choice(data["priority"], _PRIORITY, "data.priority"),)


def _ticket_assignee_changed(data: Data) -> tuple[Any, ...]:
    return (label(data["assignee_id"], "data.assignee_id"),)


def _ticket_group_changed(data: Data) -> tuple[Any, ...]:
    return (label(data["group"], "data.group"),)


def _ticket_fields_changed(data: Data) -> tuple[Any, ...]:
    _check_unused(data, _CHANGED_UNUSED)
    return (tuple((name, label(data[name], f"data.{name}")) for name in _CHANGED_USED if name in data),)


def _ticket_escalated(data: Data) -> tuple[Any, ...]:
    get = data.get
    label(get("from_tier"), "data.from_tier")
    label(get("to_tier"), "data.to_tier")
    return (choice(get("kind"), _ESCALATION_OR_NONE, "data.kind"),)


def _ticket_merged(data: Data) -> tuple[Any, ...]:
    return (identifier(data["merged_into"], "data.merged_into"),)


def _ticket_unmerged(data: Data) -> tuple[Any, ...]:
    identifier(data["merged_into"], "data.merged_into")
    return ()


def _nothing_more(_: Data) -> tuple[Any, ...]:
    return ()


def _message_added(data: Data) -> tuple[Any, ...]:
    get = data.get
    message_id = identifier(data["message_id"], "data.message_id")
    author = data["author"]
    if type(author) is not dict:
        raise fields.wrong_type("data.author", "an object", author)
    if "type" not in author:
        raise missing("data.author.type")
    optional_text(author.get("id"), "data.author.id")
    optional_text(get("automation_kind"), "data.automation_kind")
    return (
        message_id,
        choice(author["type"], _AUTHOR, "data.author.type"),
        choice(get("visibility"), _VISIBILITY_OR_PUBLIC, "data.visibility"),
        flag(get("automated"), "data.automated"),
    )


def _message_visibility_changed(data: Data) -> tuple[Any, ...]:
    # Required here: a default would take "was hidden" for "was published" whenever an adapter forgets the field.
    return (identifier(data["message_id"], "data.message_id"), choice(data["visibility"], _VISIBILITY, "data.visibility"))


def _message_touched(data: Data) -> tuple[Any, ...]:
    choice(data.get("visibility"), _VISIBILITY_OR_PUBLIC, "data.visibility")
    return (identifier(data["message_id"], "data.message_id"),)


def _contact_began(data: Data) -> tuple[Any, ...]:
    get = data.get
    optional_text(get("requester_id"), "data.requester_id")
    return (
        choice(data["channel"], _CHANNEL, "data.channel"),
        label(get("queue"), "data.queue"),
        label(get("topic"), "data.topic"),
        optional_text(get("ticket_id"), "data.ticket_id"),
    )


def _contact_at_agent(data: Data) -> tuple[Any, ...]:
    return (required_label(data["agent_id"], "data.agent_id"),)


def _contact_accepted(data: Data) -> tuple[Any, ...]:
    return (label(data.get("agent_id"), "data.agent_id"),)


def _contact_transferred(data: Data) -> tuple[Any, ...]:
    return (required_label(data["queue"], "data.queue"),)


def _contact_left(data: Data) -> tuple[Any, ...]:
    return (label(data.get("reason"), "data.reason"),)


def _contact_ended(data: Data) -> tuple[Any, ...]:
    get = data.get
    return (
        fields.optional_seconds(get("talk_seconds"), "data.talk_seconds"),
        fields.optional_seconds(get("hold_seconds"), "data.hold_seconds"),
        choice(get("outcome"), _OUTCOME_OR_NONE, "data.outcome"),
    )


def _contact_wrapped_up(data: Data) -> tuple[Any, ...]:
    return (fields.seconds(data["wrap_up_seconds"], "data.wrap_up_seconds"),)


def _clock_advanced(data: Data) -> tuple[Any, ...]:
    return (instant(data["at"], "data.at"),)


def _source_heartbeat(data: Data) -> tuple[Any, ...]:
    return (required_label(data["source"], "data.source"),)


_BUILDERS: dict[str, Build] = {
    "ticket.created": _ticket_created,
    "ticket.status_changed": _ticket_status_changed,
    "ticket.priority_changed": _ticket_priority_changed,
    "ticket.assignee_changed": _ticket_assignee_changed,
    "ticket.group_changed": _ticket_group_changed,
    "ticket.fields_changed": _ticket_fields_changed,
    "ticket.escalated": _ticket_escalated,
    "ticket.merged": _ticket_merged,
    "ticket.unmerged": _ticket_unmerged,
    "ticket.marked_as_spam": _nothing_more,
    "ticket.unmarked_as_spam": _nothing_more,
    "ticket.deleted": _nothing_more,
    "ticket.restored": _nothing_more,
    "message.added": _message_added,
    "message.visibility_changed": _message_visibility_changed,
    "message.redacted": _message_touched,
    "message.bounced": _message_touched,
    "contact.initiated": _contact_began,
    "contact.queued": _contact_began,
    "contact.offered": _contact_at_agent,
    "contact.missed": _contact_at_agent,
    "contact.accepted": _contact_accepted,
    "contact.transferred": _contact_transferred,
    "contact.abandoned": _contact_left,
    "contact.callback_requested": _contact_left,
    "contact.ended": _contact_ended,
    "contact.wrapped_up": _contact_wrapped_up,
    "control.clock_advanced": _clock_advanced,
    "source.heartbeat": _source_heartbeat,
}

# Documented types that no fold uses yet: they are counted as skipped, while a type that nobody documented is rejected.
SKIPPED_KINDS = (
    *("bot.started", "bot.handed_off", "bot.resolved"),
    *("agent.state_changed", "work.logged", "survey.sent", "survey.responded"),
    *("kb.article_viewed", "kb.searched", "kb.article_voted"),
    *("customer.acquired", "customer.churned", "customer.count_snapshot", "cost.recorded"),
)

_KEY_FIELDS = {events.TICKET: "ticket_id", events.CONTACT: "contact_id", events.CONTROL: None}


class Kind(NamedTuple):
    """How the decoder treats one type of event. `key_field` is None for control events, `build` is None for skipped ones.

    `rank` is the one without a sequence, `sequenced_rank` the one with it.
    """

    name: str
    rank: int
    sequenced_rank: int
    key_field: str | None
    build: Build | None


KINDS = {
    name: Kind(name, rank_of(name), rank_of(name, "1"), _KEY_FIELDS[events.entity_of(name)], build) for name, build in _BUILDERS.items()
} | {name: Kind(name, rank_of(name), rank_of(name), None, None) for name in SKIPPED_KINDS}
