"""By what the facts of each entity are counted: the group-bys that their rows can have, and the labels of their totals."""

from __future__ import annotations

from processor.core.events import ACCOUNT, AGENT, CONTACT, ORGANIZATION, PERSON, TICKET
from processor.core.settings import DIMENSIONS

# Where different people are counted: elsewhere there would be too many keys.
PEOPLE_GROUP_BYS = frozenset({(), ("group",)})
PER_AGENT = ("agent",)  # the group-by of numbers told apart by agent; no dimension, since only some facts have one
TICKET_DIMENSIONS = frozenset(DIMENSIONS) - {"queue"}
CONTACT_DIMENSIONS = frozenset({"channel", "topic", "queue"})
# What facts of each entity may be grouped by. Those of a person have no dimensions, except the answer about a ticket, which has its.
ENTITY_DIMENSIONS: dict[str, frozenset[str]] = {
    TICKET: TICKET_DIMENSIONS,
    CONTACT: CONTACT_DIMENSIONS,
    PERSON: TICKET_DIMENSIONS,
    AGENT: frozenset({"channel", "group"}),
    ORGANIZATION: frozenset(),
    ACCOUNT: frozenset({"group"}),
}
# The labels of the totals: few, since every combination that ever was is kept.
CELL_DIMENSIONS: dict[str, tuple[str, ...]] = {
    TICKET: ("channel", "group", "priority"),
    CONTACT: ("channel", "queue"),
    PERSON: ("channel", "group", "priority"),
    AGENT: ("channel", "group"),
    ORGANIZATION: (),
    ACCOUNT: ("group",),
}
