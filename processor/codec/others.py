"""What `data` of all other events must carry: contacts, agents, the knowledge base, customers, costs, and what only moves the clocks."""

from __future__ import annotations

from typing import Any

from processor.codec import fields
from processor.codec.fields import choice, choices, choices_or, instant, label, optional_text, required_label
from processor.core import events

Data = dict[str, Any]

_CHANNEL = choices(events.CHANNELS)
_OUTCOME_OR_NONE = choices_or(events.CONTACT_OUTCOMES, None)
_AGENT_STATE = choices(events.AGENT_STATES)
_CHANNEL_OR_NONE = choices_or(events.CHANNELS, None)


def contact_began(data: Data) -> tuple[Any, ...]:
    """`contact.initiated` and `contact.queued`."""
    get = data.get
    return (
        choice(data["channel"], _CHANNEL, "data.channel"),
        label(get("queue"), "data.queue"),
        label(get("topic"), "data.topic"),
        optional_text(get("ticket_id"), "data.ticket_id"),
        optional_text(get("requester_id"), "data.requester_id"),
    )


def contact_at_agent(data: Data) -> tuple[Any, ...]:
    """`contact.offered` and `contact.missed`."""
    return (required_label(data["agent_id"], "data.agent_id"),)


def contact_accepted(data: Data) -> tuple[Any, ...]:
    """`contact.accepted`."""
    return (label(data.get("agent_id"), "data.agent_id"),)


def contact_transferred(data: Data) -> tuple[Any, ...]:
    """`contact.transferred`."""
    return (required_label(data["queue"], "data.queue"),)


def contact_left(data: Data) -> tuple[Any, ...]:
    """`contact.abandoned` and `contact.callback_requested`."""
    return (label(data.get("reason"), "data.reason"),)


def contact_ended(data: Data) -> tuple[Any, ...]:
    """`contact.ended`."""
    get = data.get
    return (
        fields.optional_seconds(get("talk_seconds"), "data.talk_seconds"),
        fields.optional_seconds(get("hold_seconds"), "data.hold_seconds"),
        choice(get("outcome"), _OUTCOME_OR_NONE, "data.outcome"),
    )


def contact_wrapped_up(data: Data) -> tuple[Any, ...]:
    """`contact.wrapped_up`."""
    return (fields.seconds(data["wrap_up_seconds"], "data.wrap_up_seconds"),)


def work_logged(data: Data) -> tuple[Any, ...]:
    """`work.logged`."""
    get = data.get
    return (fields.seconds(data["seconds"], "data.seconds"), label(get("agent_id"), "data.agent_id"), label(get("topic"), "data.topic"))


def article_viewed(data: Data) -> tuple[Any, ...]:
    """`kb.article_viewed`."""
    get = data.get
    return (optional_text(get("session_id"), "data.session_id"), label(get("article_id"), "data.article_id"))


def searched(data: Data) -> tuple[Any, ...]:
    """`kb.searched`."""
    return (optional_text(data.get("session_id"), "data.session_id"),)


def article_voted(data: Data) -> tuple[Any, ...]:
    """`kb.article_voted`."""
    # `helpful` is required here: a default would make a vote against every article of an adapter that forgets the field.
    return (*article_viewed(data), fields.required_flag(data["helpful"], "data.helpful"))


def agent_state_changed(data: Data) -> tuple[Any, ...]:
    """`agent.state_changed`."""
    get = data.get
    return (
        choice(data["state"], _AGENT_STATE, "data.state"),
        label(get("group"), "data.group"),
        choice(get("channel"), _CHANNEL_OR_NONE, "data.channel"),
        fields.optional_number(get("capacity"), "data.capacity", 0, fields.COUNT_MAX),
    )


def customers_counted(data: Data) -> tuple[Any, ...]:
    """`customer.count_snapshot`."""
    return (fields.count(data["count"], "data.count"),)


def cost_recorded(data: Data) -> tuple[Any, ...]:
    """`cost.recorded`."""
    return (
        fields.thousandths(data["amount"], "data.amount"),
        fields.currency(data["currency"], "data.currency"),
        label(data.get("group"), "data.group"),
    )


def clock_advanced(data: Data) -> tuple[Any, ...]:
    """`control.clock_advanced`."""
    return (instant(data["at"], "data.at"),)


def source_heartbeat(data: Data) -> tuple[Any, ...]:
    """`source.heartbeat`."""
    return (required_label(data["source"], "data.source"),)
