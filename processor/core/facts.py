"""What was concluded: facts, their ids and slots.

A fact is a value. Its id is a hash of what it says about which subject, its slot a hash of what it is about: a correction retracts the old
id and states a new fact in the same slot. Which events caused it, when and where it was delivered, is not part of a fact, so the same
conclusion has the same id however and whenever it was reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from processor.core.events import HANDED_FIELDS
from processor.core.settings import NO_DIMENSIONS
from processor.core.sharing import Shared

LEDGER_MODULUS: Final = 1 << 128

# An erased id is this and the pseudonym. In order, it comes before what begins with a letter, a digit or a quote.
ERASED: Final = "!"
ERASED_LENGTH: Final = 17

Dims = tuple[str, ...]  # the values of `settings.DIMENSIONS`
_FIRST_DIMS: Final = 6  # so many there were at first
_UNSAID: Final = NO_DIMENSIONS[_FIRST_DIMS:]


class Fact:
    """One conclusion about one ticket or contact. A value: equal to what says the same, and never changed.

    `at` is the instant to which it belongs (milliseconds): the reply, the solve, or the deadline of a breach. `dims` are the values of
    `settings.DIMENSIONS` at that instant. `content` is a tuple whose layout depends on `kind`; see `CONTENT_FIELDS`.
    """

    __slots__ = ("at", "content", "dims", "instance", "kind")

    # No named tuple: there are three for each event, and compiled code makes and reads these in a fifth of the time.
    def __init__(self, kind: str, instance: int, at: int, dims: Dims, content: tuple[Any, ...]) -> None:
        self.kind = kind
        self.instance = instance
        self.at = at
        self.dims = dims
        self.content = content

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fact):
            return False
        return (
            self.kind == other.kind
            and self.instance == other.instance
            and self.at == other.at
            and self.content == other.content
            and self.dims == other.dims
        )

    def __hash__(self) -> int:
        return hash((self.kind, self.instance, self.at, self.content))

    def __iter__(self) -> Iterator[Any]:
        """What it is stored as."""
        return iter((self.kind, self.instance, self.at, self.dims, self.content))

    def __repr__(self) -> str:
        return f"Fact({self.kind!r}, {self.instance}, {self.at}, {self.dims!r}, {self.content!r})"

    def with_content(self, content: tuple[Any, ...]) -> Fact:
        """The same of which something else is said."""
        return Fact(self.kind, self.instance, self.at, self.dims, content)


Out = list[tuple[int, Fact]]  # what a fold states: with 1, and what it takes back: with -1

# kind -> names of the entries of `Fact.content`. Durations in milliseconds. `agent` and `visitor` are pseudonyms, see `pseudonym`.
CONTENT_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "ticket.created": (),
    "ticket.adopted": (),
    "ticket.solved": ("since_created",),
    # A solve that stands; taken back by a reopen. `breached`: any clock of the ticket had, by then; None without any target.
    "ticket.completed": ("requester_wait", "agent_work", "turns", "agent", "breached"),
    "ticket.withdrawn": (),  # by the customer, before the first reply
    "ticket.reopened": ("since_solved",),
    "ticket.merged": (),
    "ticket.discarded": ("reason",),
    "ticket.restored": ("reason",),
    "ticket.first_responded": ("duration", "business_duration", "agent"),
    "ticket.reopen_forgiven": ("since_solved",),  # solved again soon and without a reply: the reopen of that instance was benign
    "ticket.replied": ("wait", "agent"),  # a human reply after the first that ended a customer's wait
    "ticket.first_outgoing": ("automated",),  # the first public message to the customer
    "ticket.first_assigned": ("since_created",),
    "ticket.transferred": (),
    "ticket.escalated": ("escalation_kind", "first", "first_of_kind"),
    "ticket.handoff_responded": ("duration",),  # from the bot's hand-off to the first human reply
    "ticket.bot_started": (),
    "ticket.bot_contained": (),  # begun and solved by a bot, nobody else needed
    "ticket.fcr_assessed": ("resolved", "topic_eligible"),  # first contact resolution at the solve: provisional
    "ticket.fcr_settled": ("resolved", "topic_eligible"),  # the same once the repeat window has passed
    "ticket.fcr_marked": ("resolved",),  # what the agent said at the solve
    "ticket.repeat_contacted": ("since_solved",),  # the requester came back about the topic; None: while it was still open
    "ticket.work_logged": ("seconds", "first"),  # milliseconds of touch time; whether it is the first of the ticket
    "ticket.summarized": ("since_created", "turns", "requester_wait", "agent_work", "reopened", "transfers"),
    "ticket.moved": ("from_dims",),
    "survey.sent": ("survey", "since_solved"),
    # `result`: csat satisfied | dissatisfied; nps promoter | passive | detractor; ces easy | neutral | hard; fcr yes | no.
    # `score` in thousandths, on the survey's own scale (ces: brought to 1-7, 7 = very easy). `response_band` and `breached` are those of
    # the ticket: how long its first response took (under_1h, 1h_to_8h, 8h_to_24h, over_24h, none), and whether any of its clocks breached.
    # `agent`: who had solved the ticket when the survey was sent.
    "survey.answered": ("survey", "result", "score", "response_band", "breached", "reason", "touchpoint", "agent"),
    "survey.negative": ("survey", "score", "reason"),
    "backlog.entered": ("reason",),
    "backlog.left": ("reason",),
    "clock.started": ("clock", "policy", "policy_version", "target"),
    "clock.paused": ("clock", "policy", "policy_version"),
    "clock.resumed": ("clock", "policy", "policy_version"),
    "clock.fulfilled": ("clock", "policy", "policy_version", "target", "active", "in_time", "segments"),
    "clock.cancelled": ("clock", "policy", "policy_version", "reason", "segments"),
    "clock.breached": ("clock", "policy", "policy_version", "target", "induced", "segments"),
    "contact.initiated": (),
    "contact.offered": (),
    "contact.answered": ("wait", "in_target", "agent"),
    "contact.abandoned": ("wait", "short", "silent"),
    "contact.flowed_out": ("reason",),  # left the queue otherwise: callback, voicemail, out_of_hours, rejected, ended, expired
    "contact.dropped": (),  # left the menu, or in the middle of the conversation
    "contact.missed": ("reason",),  # no human answered: abandoned, voicemail, out_of_hours, rejected
    "contact.recovered": (),  # missed, but called back
    "contact.agent_offered": ("agent",),
    "contact.agent_missed": ("agent",),
    "contact.handled": ("talk", "hold", "wrap_up", "agent"),  # restated when the after-contact work ends
    "contact.bot_started": (),
    "contact.bot_contained": (),
    "agent.time": ("state", "duration", "agent"),  # up to a quarter of an hour in one state
    "person.article_viewed": ("visitor", "first_of_session"),
    "person.searched": ("first_of_session",),
    "person.search_ticketed": (),  # a search session followed by a ticket within a day
    "person.article_voted": ("helpful",),
    "person.session_bounced": (),  # one page and gone
    "organization.acquired": (),
    "organization.churned": (),
    "organization.counted": ("count", "change"),  # a count of all customers, and by how much it differs from what was known
    "account.cost_recorded": ("currency", "amount"),
}

# What is concluded for another entity: not stated, but handed over. The first entry of the content is the id of the entity that gets it,
# the others are those of `events.HANDED_FIELDS` without the first, which is who hands it over.
HANDED_KINDS: Final = frozenset(HANDED_FIELDS)

# Steps on the way to an outcome: written only where facts.detail is `all`, and not part of the ledger.
DETAIL_KINDS: Final = frozenset({"clock.started", "clock.paused", "clock.resumed"})


_SHARED: Final[Shared[Dims]] = Shared(100_000)


def shared(dims: Dims) -> Dims:
    """The same dims, kept once: there are few of them, and each ticket has some."""
    return _SHARED.of(dims)


@lru_cache(maxsize=16_384)
def pseudonym(identifier: str) -> str:
    """What stands for a person inside a fact: 16 hexadecimal digits that many partitions can count once."""
    if identifier[:1] == ERASED and len(identifier) == ERASED_LENGTH:
        return identifier[1:]
    return blake2b(identifier.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def erased(identifier: str) -> str:
    """What stays of the id of a person who is erased: facts about that person stay what they are."""
    return ERASED + pseudonym(identifier)


def dims_text(dims: Dims) -> str:
    """The dims as they go into an id. Those that came last leave no trace where they say nothing: ids are as they were before them."""
    return "\x1f".join(dims if dims[_FIRST_DIMS:] != _UNSAID else dims[:_FIRST_DIMS])


_from_bytes: Final = int.from_bytes
_new_digest: Final = blake2b(digest_size=16).copy  # a copy of what has read nothing: half the time of a new one


def fact_number(subject: str, dims_text: str, fact: Fact) -> int:
    """The id of a fact as a number below 2^128: a hash of subject, kind, instance and content.

    `subject` is "ENTITY/ID", such as "ticket/T-1"; `dims_text` is that of the dims (passed in because the caller has it at hand).
    The content is spelled in ASCII: which other characters `repr` escapes depends on the Unicode tables of the Python release.
    """
    content = fact.content
    spelled = ascii(content) if content else "()"
    text = f"{subject}\x1f{fact.kind}\x1f{fact.instance}\x1f{fact.at}\x1f{dims_text}\x1f{spelled}"
    try:
        octets = text.encode()
    except UnicodeEncodeError:  # half a pair
        octets = text.encode("utf-8", "surrogatepass")
    digest = _new_digest()
    digest.update(octets)
    return _from_bytes(digest.digest(), "big")


def slot_text(subject: str, fact: Fact) -> str:
    """The slot that a fact fills, as 32 hexadecimal digits: a later fact of the same slot replaces it."""
    clock = fact.content[0] if fact.kind.startswith("clock.") else ""
    text = f"{subject}\x1f{fact.kind}\x1f{clock}\x1f{fact.instance}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def thaw_fact(stored: Any) -> Fact:
    """A fact from its stored form: lists back to tuples, so that it hashes and prints as before."""
    kind, instance, at, dims, content = stored
    return Fact(kind, instance, at, shared(tuple(dims)), _tuples(content))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value
