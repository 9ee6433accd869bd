"""What a reader of the converted events would find wrong with their order.

Looked at as one partition, the strictest reading: with several, each sees a part of the events and can only find less.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from processor.codec.kinds import KINDS
from processor.convert.converter import Made
from processor.core.events import TICKET, entity_of


@dataclass(frozen=True, slots=True)
class Order:
    """How many events come too late to be counted, out of order, or before their ticket's creation."""

    late: int
    out_of_order: int
    latest_by_ms: int  # how far the latest one is behind
    before_creation: int  # by more than the clock skew: the ticket would be adopted
    never_created: int  # tickets without a creation: adopted


def examine(events: Iterable[Made], *, allowed_lateness_ms: int, clock_skew_ms: int) -> Order:
    """Walk the events as they will be written."""
    newest = None
    late = out_of_order = latest_by = 0
    created: dict[str, int] = {}
    tickets: dict[str, list[int]] = {}
    for event in events:
        if newest is None or event.occurred_at >= newest:
            newest = event.occurred_at
        else:
            out_of_order += 1
            latest_by = max(latest_by, newest - event.occurred_at)
            late += newest - event.occurred_at > allowed_lateness_ms
        if event.kind == "ticket.created":
            created.setdefault(event.key, event.occurred_at)
        elif entity_of(KINDS[event.kind].name) == TICKET:
            tickets.setdefault(event.key, []).append(event.occurred_at)
    before = sum(sum(time < created[key] - clock_skew_ms for time in times) for key, times in tickets.items() if key in created)
    return Order(late, out_of_order, latest_by, before, sum(key not in created for key in tickets))
