"""By what facts are counted: the dimensions and their values, the group-bys that rows can have, and the labels of totals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from processor.core.events import ACCOUNT, AGENT, CONTACT, ORGANIZATION, PERSON, TICKET
from processor.core.facts import Dims, shared
from processor.core.settings import DIMENSIONS, NONE

# Places among the values, see `DIMENSIONS`.
CHANNEL: Final = 0
PRIORITY: Final = 1
GROUP: Final = 2
TIER: Final = 3
TOPIC: Final = 4
QUEUE: Final = 5
LANGUAGE: Final = 6
PRODUCT: Final = 7
COMPLEXITY: Final = 8
_PLACES: Final[dict[str, int]] = {name: place for place, name in enumerate(DIMENSIONS)}

# Where different people are counted: elsewhere there would be too many keys.
PEOPLE_GROUP_BYS: Final = frozenset({(), ("group",)})
PER_AGENT: Final = "agent"  # by whom numbers can be told apart, too; no dimension, since only some facts have one
AGENT_GROUP_BY: Final = (PER_AGENT,)
TICKET_DIMENSIONS: Final = frozenset(DIMENSIONS) - {"queue"}
CONTACT_DIMENSIONS: Final = frozenset({"channel", "topic", "queue"})
# What facts of each entity may be grouped by. Those of a person have no dimensions, except the answer about a ticket, which has its.
ENTITY_DIMENSIONS: Final[dict[str, frozenset[str]]] = {
    TICKET: TICKET_DIMENSIONS,
    CONTACT: CONTACT_DIMENSIONS,
    PERSON: TICKET_DIMENSIONS,
    AGENT: frozenset({"channel", "group"}),
    ORGANIZATION: frozenset(),
    ACCOUNT: frozenset({"group"}),
}
# The labels of the totals: few, since every combination that ever was is kept.
CELL_DIMENSIONS: Final[dict[str, tuple[str, ...]]] = {
    TICKET: ("channel", "group", "priority"),
    CONTACT: ("channel", "queue"),
    PERSON: ("channel", "group", "priority"),
    AGENT: ("channel", "group"),
    ORGANIZATION: (),
    ACCOUNT: ("group",),
}


def dims_of(
    *,
    channel: str | None = None,
    priority: str | None = None,
    group: str | None = None,
    tier: str | None = None,
    topic: str | None = None,
    queue: str | None = None,
    language: str | None = None,
    product: str | None = None,
    complexity: str | None = None,
) -> Dims:
    """The values of what carries these; none of the others."""
    return shared((
        channel or NONE, priority or NONE, group or NONE, tier or NONE, topic or NONE, queue or NONE,
        language or NONE, product or NONE, complexity or NONE,
    ))  # fmt: skip


def with_dims(dims: Dims, changes: Mapping[str, str | None]) -> Dims:
    """The values after some have changed. What is not the name of a dimension changes none."""
    values = list(dims)
    for name, value in changes.items():
        place = _PLACES.get(name)
        if place is not None:
            values[place] = value or NONE
    return shared(tuple(values))
