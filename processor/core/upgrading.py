"""What a later release makes of a stored state: what it concludes of the events still at hand, and its forerunner did not.

A forerunner stated fewer kinds of facts, and some with less content. The tails in its state fold to all that this release would have
stated; the difference is stated once, when the state is taken over. So new numbers begin about a day before the upgrade, for what is known
from its beginning on, and whatever is corrected later has been stated before. What bases have settled stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from processor.core.facts import HANDED_KINDS, Fact, Out
from processor.core.settings import FIRST_RESPONSE, QUEUE_WAIT, RESOLUTION
from processor.core.timeline import Timeline, difference

if TYPE_CHECKING:
    from processor.core.engine import Engine

# What state version 2 stated: kinds with how many entries of their content, and what it handed over.
_KINDS = {
    "ticket.created": 0,
    "ticket.adopted": 0,
    "ticket.solved": 1,
    "ticket.reopened": 1,
    "ticket.merged": 0,
    "ticket.discarded": 1,
    "ticket.restored": 1,
    "ticket.first_responded": 2,
    "ticket.summarized": 1,
    "ticket.moved": 1,
    "backlog.entered": 1,
    "backlog.left": 1,
    "clock.started": 4,
    "clock.paused": 3,
    "clock.resumed": 3,
    "clock.fulfilled": 7,
    "clock.cancelled": 5,
    "clock.breached": 6,
    "contact.offered": 0,
    "contact.answered": 2,
    "contact.abandoned": 2,
    "ticket.wait_handed": 3,
    "ticket.wait_withdrawn": 2,
    "ticket.contact_answered": 2,
}
_STATES_LESS = 2  # the last version that stated less than today's
FIRST_TO_HAND_OVER = 2  # the version before handed nothing from one entity to another
_CLOCKS = frozenset({FIRST_RESPONSE, RESOLUTION, QUEUE_WAIT})
_SILENT = 2  # in the content of an abandonment


def catch_up(engine: Engine, version: int) -> Iterator[int]:
    """State what the release of version 2 did not. Call it once, on an engine that was just restored from its state, or from an older one.

    A generator, as `restoring.restore`.
    """
    if version > _STATES_LESS:
        return
    taken = 0
    for entities in engine.entities.values():
        for entity in list(entities.values()):
            if entity.tail:
                _, out = engine._folded(entity)
                _catch_up(engine, entity, out, hands=version >= FIRST_TO_HAND_OVER)
                taken += 1
                if taken % 200 == 0:
                    yield taken


def _catch_up(engine: Engine, entity: Timeline, out: Out, *, hands: bool) -> None:
    for sign, fact in difference([], out):  # what was taken back again was never there
        stated = _as_stated(fact)
        if stated is None:
            engine._book(entity, [(sign, fact)], "")
        elif sign > 0 and stated != fact:
            if fact.kind not in HANDED_KINDS:
                engine.restate(entity, stated, fact)
            elif hands:
                engine._book(entity, [(-1, stated), (sign, fact)], "")  # so that a correction takes back what was handed over


def _as_stated(fact: Fact) -> Fact | None:
    """The same fact as version 2 stated it; None where it did not."""
    kind, content = fact.kind, fact.content
    if kind not in _KINDS or (kind.startswith("clock.") and content[0] not in _CLOCKS):
        return None
    if kind == "contact.abandoned" and len(content) > _SILENT and content[_SILENT]:
        return None
    if kind == "clock.cancelled" and content[3] == "withdrawn":
        content = (*content[:3], "closed_without_reply", *content[4:])
    return fact.with_content(content[: _KINDS[kind]])
