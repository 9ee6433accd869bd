"""What was concluded: facts, their ids and slots.

A fact is a value. Its id is a hash of what it says about which subject, its slot a hash of what it is about: a correction retracts the old
id and states a new fact in the same slot. Which events caused it, when and where it was delivered, is not part of a fact, so the same
conclusion has the same id however and whenever it was reached.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

from processor.core.events import HANDED_FIELDS

LEDGER_MODULUS = 1 << 128

Dims = tuple[str, str, str, str, str, str]


class Fact(NamedTuple):
    """One conclusion about one ticket or contact.

    `at` is the instant to which it belongs (milliseconds): the reply, the solve, or the deadline of a breach. `dims` are the values of
    `settings.DIMENSIONS` at that instant. `content` is a tuple whose layout depends on `kind`; see `CONTENT_FIELDS`.
    """

    kind: str
    instance: int
    at: int
    dims: Dims
    content: tuple[Any, ...]


# kind -> names of the entries of `Fact.content`. Durations in milliseconds.
CONTENT_FIELDS: dict[str, tuple[str, ...]] = {
    "ticket.created": (),
    "ticket.adopted": (),
    "ticket.solved": ("since_created",),
    "ticket.reopened": ("since_solved",),
    "ticket.merged": (),
    "ticket.discarded": ("reason",),
    "ticket.restored": ("reason",),
    "ticket.first_responded": ("duration", "business_duration"),
    "ticket.summarized": ("since_created",),
    "ticket.moved": ("from_dims",),
    "backlog.entered": ("reason",),
    "backlog.left": ("reason",),
    "clock.started": ("clock", "policy", "policy_version", "target"),
    "clock.paused": ("clock", "policy", "policy_version"),
    "clock.resumed": ("clock", "policy", "policy_version"),
    "clock.fulfilled": ("clock", "policy", "policy_version", "target", "active", "in_time", "segments"),
    "clock.cancelled": ("clock", "policy", "policy_version", "reason", "segments"),
    "clock.breached": ("clock", "policy", "policy_version", "target", "induced", "segments"),
    "contact.offered": (),
    "contact.answered": ("wait", "in_target"),
    "contact.abandoned": ("wait", "short"),
}

# What is concluded for another entity: not stated, but handed over. The first entry of the content is the id of the ticket that gets it,
# the others are those of `events.HANDED_FIELDS` without the first, which is who hands it over.
HANDED_KINDS = frozenset(HANDED_FIELDS)

# Steps on the way to an outcome: written only where facts.detail is `all`, and not part of the ledger.
DETAIL_KINDS = frozenset({"clock.started", "clock.paused", "clock.resumed"})


def fact_number(subject: str, dims_text: str, fact: Fact) -> int:
    """The id of a fact as a number below 2^128: a hash of subject, kind, instance and content.

    `subject` is "ticket/ID" or "contact/ID"; `dims_text` is the dims joined by U+001F (passed in because the caller has it at hand).
    The content is spelled in ASCII: which other characters `repr` escapes depends on the Unicode tables of the Python release.
    """
    text = f"{subject}\x1f{fact.kind}\x1f{fact.instance}\x1f{fact.at}\x1f{dims_text}\x1f{fact.content!a}"
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest(), "big")


def slot_text(subject: str, fact: Fact) -> str:
    """The slot that a fact fills, as 32 hexadecimal digits: a later fact of the same slot replaces it."""
    clock = fact.content[0] if fact.kind.startswith("clock.") else ""
    text = f"{subject}\x1f{fact.kind}\x1f{clock}\x1f{fact.instance}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def thaw_fact(stored: Any) -> Fact:
    """A fact from its stored form: lists back to tuples, so that it hashes and prints as before."""
    kind, instance, at, dims, content = stored
    return Fact(kind, instance, at, tuple(dims), _tuples(content))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, (list, tuple)) else value
