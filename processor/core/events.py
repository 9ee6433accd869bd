"""The event as the engine sees it: one small tuple, already validated by the codec.

An `Event` compares in the order in which an entity's timeline is folded: by (occurred_at, rank, sequence, source, id). All times are
integer milliseconds since 1970 UTC. `data` is a tuple whose layout depends on `kind`; the layouts are listed in `DATA_FIELDS`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

RANK_CREATED: Final = 0
RANK_MESSAGE: Final = 1
RANK_NORMAL: Final = 2
RANK_DISCARD: Final = 3
RANK_HANDED: Final = 4


class Event(NamedTuple):
    """One decoded event. `key` is the id of the entity that it is about ("" for control events)."""

    occurred_at: int
    rank: int
    sequence: str
    source: str
    id: str
    kind: str
    key: str
    data: tuple[Any, ...]


class Reason(StrEnum):
    """Why a record was rejected. Closed: dead letters, metrics and documentation list exactly these."""

    TOMBSTONE = "tombstone"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    INVALID_ENCODING = "invalid_encoding"
    MALFORMED_JSON = "malformed_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    INVALID_VALUE = "invalid_value"
    INVALID_TIME = "invalid_time"
    TIME_OUT_OF_RANGE = "time_out_of_range"
    UNKNOWN_TYPE = "unknown_type"
    NULL_KEY = "null_key"
    KEY_MISMATCH = "key_mismatch"
    WRONG_PARTITION = "wrong_partition"
    AHEAD_OF_LOG = "ahead_of_log"
    TOO_LATE = "too_late"
    BEYOND_TAIL = "beyond_tail"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    ENGINE_ERROR = "engine_error"


class Rejected(NamedTuple):
    """A record that is not folded, and why. `detail` is for people: it names the field or the value, never a person."""

    reason: Reason
    detail: str


class Skipped(NamedTuple):
    """A record of a type that nobody documented, where such are to be skipped: counted, nothing else."""

    type: str


# The entities: what is folded by its own key. The head of an event's kind names its entity.
TICKET: Final = "ticket"
CONTACT: Final = "contact"
PERSON: Final = "person"  # a requester, a respondent of surveys without a ticket, a visitor of the knowledge base: one pseudonym, one fold
AGENT: Final = "agent"
ORGANIZATION: Final = "organization"
ACCOUNT: Final = "account"  # what support costs
CONTROL: Final = "control"
ENTITIES: Final[tuple[str, ...]] = (TICKET, CONTACT, PERSON, AGENT, ORGANIZATION, ACCOUNT)

# What one entity hands to another, as events of the target's timeline; the head of the kind names the target's entity. They come from
# other folds, never from outside. Instants and durations in milliseconds. The first field is the id of who hands it over; `hops` counts
# the merges on the way.
HANDED_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "ticket.wait_handed": ("source", "since", "hops"),  # a ticket was merged into this one, and its customer waits since then
    "ticket.wait_withdrawn": ("source", "merged_at"),  # the merge of that instant was undone
    # An agent (a pseudonym; None: not known who) accepted a contact that belongs to this ticket, after that wait.
    "ticket.contact_answered": ("contact", "wait", "agent"),
    "ticket.contacted_again": ("source", "by"),  # the requester came back about the same topic: with which ticket or contact
    "person.contacted": ("source", "topic", "since"),  # a ticket or contact of this requester, and when it began
    # A recommendation score of a survey of that ticket, which counts once per respondent, not per ticket; no score: not any more. `edition`
    # grows with each word about it, whatever the clocks say.
    "person.answered": (
        *("ticket", "number", "edition", "answered_at", "score", "dims", "response_band", "breached", "reason", "touchpoint", "agent"),
    ),
}

# Their place among events of one instant. The answer of a contact is a reply. A wait comes last: one that was merged away at that instant
# does not hand it on, so that tickets that are merged into each other at one instant hand nothing round and round.
HANDED_RANKS: Final[dict[str, int]] = {
    "ticket.contact_answered": RANK_MESSAGE,
    "ticket.wait_withdrawn": RANK_NORMAL,
    "ticket.wait_handed": RANK_HANDED,
    "ticket.contacted_again": RANK_HANDED,
    "person.contacted": RANK_NORMAL,
    "person.answered": RANK_NORMAL,
}

# A score lies between scale_min and scale_max; where the event names no scale, the decoder puts that of SURVEY_SCALES.
SURVEY_ANSWER: Final[tuple[str, ...]] = ("survey_id", "survey", "score", "scale_min", "scale_max", "respondent_id", "reason", "touchpoint")
CHANGED_FIELDS: Final[tuple[str, ...]] = ("topic", "tier", "policy_id", "language", "product", "complexity", "requester_id")

# kind -> names of the entries of `Event.data`, in order. Optional ones are None when absent.
DATA_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "ticket.created": (
        *("channel", "status", "priority", "direction", "group", "tier", "topic", "policy_id", "assignee_id"),
        *("requester_id", "follow_up_of", "language", "product", "complexity"),
    ),
    "ticket.status_changed": ("status", "reason", "first_contact_resolved"),  # the last one None where nobody said
    "ticket.priority_changed": ("priority",),
    "ticket.assignee_changed": ("assignee_id",),
    "ticket.group_changed": ("group",),
    # Only the fields that the fold uses, and only those present: a tuple of (name, value) pairs in the order of CHANGED_FIELDS.
    "ticket.fields_changed": ("changes",),
    "ticket.escalated": ("kind",),
    "ticket.merged": ("merged_into",),
    "ticket.unmerged": (),
    "ticket.marked_as_spam": (),
    "ticket.unmarked_as_spam": (),
    "ticket.deleted": (),
    "ticket.restored": (),
    "message.added": ("message_id", "author_type", "visibility", "automated", "author_id"),
    "message.visibility_changed": ("message_id", "visibility"),
    "message.redacted": ("message_id",),
    "message.bounced": ("message_id",),
    # bot.*, survey.* and work.* are about a ticket, or a contact or a person: the decoder names the kind after whom.
    "ticket.bot_started": (),
    "ticket.bot_handed_off": (),
    "ticket.bot_resolved": (),
    "ticket.work_logged": ("seconds", "agent_id", "topic"),
    "ticket.survey_sent": ("survey_id", "survey", "respondent_id"),
    "ticket.survey_responded": SURVEY_ANSWER,
    "person.survey_sent": ("survey_id", "survey", "respondent_id"),
    "person.survey_responded": SURVEY_ANSWER,
    "person.article_viewed": ("session_id", "article_id"),
    "person.searched": ("session_id",),
    "person.article_voted": ("session_id", "article_id", "helpful"),
    "agent.state_changed": ("state", "group", "channel", "capacity"),
    "organization.acquired": (),
    "organization.churned": (),
    "organization.counted": ("count",),
    "account.cost_recorded": ("amount", "currency", "group"),  # amount in thousandths of the currency's unit
    "contact.bot_started": (),
    "contact.bot_handed_off": (),
    "contact.bot_resolved": (),
    "contact.initiated": ("channel", "queue", "topic", "ticket_id", "requester_id"),
    "contact.queued": ("channel", "queue", "topic", "ticket_id", "requester_id"),
    "contact.offered": ("agent_id",),
    "contact.missed": ("agent_id",),
    "contact.accepted": ("agent_id",),
    "contact.transferred": ("queue",),
    "contact.abandoned": ("reason",),
    "contact.callback_requested": ("reason",),
    "contact.ended": ("talk_seconds", "hold_seconds", "outcome"),
    "contact.wrapped_up": ("wrap_up_seconds",),
    "control.clock_advanced": ("at",),  # integer milliseconds
    "source.heartbeat": ("source",),
}

CHANNELS: Final[tuple[str, ...]] = ("email", "web", "chat", "messaging", "phone", "social", "api")
STATUSES: Final[tuple[str, ...]] = ("new", "open", "pending", "on_hold", "solved", "closed")
SOLVED_STATUSES: Final = frozenset({"solved", "closed"})
WITHDRAWN: Final = "withdrawn"  # the reason of a solve by the customer, who does not want an answer any more
PRIORITIES: Final[tuple[str, ...]] = ("low", "normal", "high", "urgent")
AUTHOR_TYPES: Final[tuple[str, ...]] = ("customer", "agent", "ai_agent", "bot", "system")
VISIBILITIES: Final[tuple[str, ...]] = ("public", "internal")
DIRECTIONS: Final[tuple[str, ...]] = ("inbound", "outbound")
ESCALATION_KINDS: Final[tuple[str, ...]] = ("functional", "hierarchical", "automatic")
CONTACT_OUTCOMES: Final[tuple[str, ...]] = ("handled", "dropped", "voicemail", "out_of_hours", "rejected")
AGENT_STATES: Final[tuple[str, ...]] = ("online", "available", "busy", "wrap_up", "away", "offline")
SURVEYS: Final[tuple[str, ...]] = ("csat", "nps", "ces", "fcr")
SURVEY_SCALES: Final[dict[str, tuple[int, int]]] = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7), "fcr": (0, 1)}
SURVEY_KINDS: Final = frozenset({"ticket.survey_sent", "ticket.survey_responded", "person.survey_sent", "person.survey_responded"})

DISCARDING: Final = frozenset({"ticket.merged", "ticket.marked_as_spam", "ticket.deleted"})


def rank_of(kind: str, sequence: str = "") -> int:
    """Order among events of one entity at one instant: creation first, what discards a ticket last.

    "Reply and solve" is one click and often one timestamp: where the source gives no sequence, the message comes before the change of
    status, so that the reply is not lost.
    """
    if kind == "ticket.created":
        return RANK_CREATED
    if kind == "message.added" and not sequence:
        return RANK_MESSAGE
    return RANK_DISCARD if kind in DISCARDING else RANK_NORMAL


def entity_of(kind: str) -> str:
    """Which fold the event belongs to: one of ENTITIES, or control."""
    head = kind.partition(".")[0]
    if head == "message":
        return TICKET
    return head if head in ENTITIES else CONTROL
