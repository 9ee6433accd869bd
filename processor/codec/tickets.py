"""What `data` of the events of tickets and their messages must carry. How such functions work is said in `kinds`."""

from __future__ import annotations

from typing import Any, Final

from processor.codec import fields
from processor.codec.fields import choice, choices, choices_or, flag, identifier, label, missing, optional_text
from processor.core import events

Data = dict[str, Any]

_CHANNEL: Final = choices(events.CHANNELS)
_STATUS: Final = choices(events.STATUSES)
_STATUS_OR_NEW: Final = choices_or(events.STATUSES, "new")
_PRIORITY: Final = choices(events.PRIORITIES)
_PRIORITY_OR_NORMAL: Final = choices_or(events.PRIORITIES, "normal")
_DIRECTION_OR_INBOUND: Final = choices_or(events.DIRECTIONS, "inbound")
_AUTHOR: Final = choices(events.AUTHOR_TYPES)
_VISIBILITY: Final = choices(events.VISIBILITIES)
_VISIBILITY_OR_PUBLIC: Final = choices_or(events.VISIBILITIES, "public")
_ESCALATION_OR_NONE: Final = choices_or(events.ESCALATION_KINDS, None)


def _check_unused(data: Data) -> None:
    """What tickets carry and no fold uses."""
    if "organization_id" in data:
        optional_text(data["organization_id"], "data.organization_id")
    if "tags" in data:
        fields.tags(data["tags"], "data.tags")


def ticket_created(data: Data) -> tuple[Any, ...]:
    """`ticket.created`."""
    get = data.get
    _check_unused(data)
    if "created_via" in data:
        optional_text(data["created_via"], "data.created_via")
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
        optional_text(get("requester_id"), "data.requester_id"),
        optional_text(get("follow_up_of"), "data.follow_up_of"),
        label(get("language"), "data.language"),
        label(get("product"), "data.product"),
        label(get("complexity"), "data.complexity"),
    )


def ticket_status_changed(data: Data) -> tuple[Any, ...]:
    """`ticket.status_changed`."""
    get = data.get
    optional_text(get("status_raw"), "data.status_raw")
    return (
        choice(data["status"], _STATUS, "data.status"),
        label(get("reason"), "data.reason"),
        fields.optional_flag(get("first_contact_resolved"), "data.first_contact_resolved"),
    )


def ticket_priority_changed(data: Data) -> tuple[Any, ...]:
    """`ticket.priority_changed`."""
    return (choice(data["priority"], _PRIORITY, "data.priority"),)


def ticket_assignee_changed(data: Data) -> tuple[Any, ...]:
    """`ticket.assignee_changed`."""
    return (label(data["assignee_id"], "data.assignee_id"),)


def ticket_group_changed(data: Data) -> tuple[Any, ...]:
    """`ticket.group_changed`."""
    return (label(data["group"], "data.group"),)


def ticket_fields_changed(data: Data) -> tuple[Any, ...]:
    """`ticket.fields_changed`."""
    _check_unused(data)
    return (tuple((name, _changed(name, data[name])) for name in events.CHANGED_FIELDS if name in data),)


def _changed(name: str, value: Any) -> str | None:
    # Requesters are too many to share.
    return optional_text(value, "data.requester_id") if name == "requester_id" else label(value, f"data.{name}")


def ticket_escalated(data: Data) -> tuple[Any, ...]:
    """`ticket.escalated`."""
    get = data.get
    label(get("from_tier"), "data.from_tier")
    label(get("to_tier"), "data.to_tier")
    return (choice(get("kind"), _ESCALATION_OR_NONE, "data.kind"),)


def ticket_merged(data: Data) -> tuple[Any, ...]:
    """`ticket.merged`."""
    target = identifier(data["merged_into"], "data.merged_into")
    if target == data["ticket_id"]:  # it would leave the backlog, and nobody would have to answer
        raise fields.Refusal(events.Reason.INVALID_VALUE, "data.merged_into: the ticket itself; a ticket is merged into another one")
    return (target,)


def ticket_unmerged(data: Data) -> tuple[Any, ...]:
    """`ticket.unmerged`."""
    identifier(data["merged_into"], "data.merged_into")
    return ()


def message_added(data: Data) -> tuple[Any, ...]:
    """`message.added`."""
    get = data.get
    message_id = identifier(data["message_id"], "data.message_id")
    author = data["author"]
    if type(author) is not dict:
        raise fields.wrong_type("data.author", "an object", author)
    if "type" not in author:
        raise missing("data.author.type")
    author_type = choice(author["type"], _AUTHOR, "data.author.type")
    optional_text(get("automation_kind"), "data.automation_kind")
    return (
        message_id,
        author_type,
        choice(get("visibility"), _VISIBILITY_OR_PUBLIC, "data.visibility"),
        flag(get("automated"), "data.automated"),
        (label if author_type == "agent" else optional_text)(author.get("id"), "data.author.id"),  # customers are too many to share
    )


def message_visibility_changed(data: Data) -> tuple[Any, ...]:
    """`message.visibility_changed`."""
    # Required here: a default would take "was hidden" for "was published" whenever an adapter forgets the field.
    return (identifier(data["message_id"], "data.message_id"), choice(data["visibility"], _VISIBILITY, "data.visibility"))


def message_touched(data: Data) -> tuple[Any, ...]:
    """`message.redacted` and `message.bounced`."""
    choice(data.get("visibility"), _VISIBILITY_OR_PUBLIC, "data.visibility")
    return (identifier(data["message_id"], "data.message_id"),)
