"""Agents, organizations and accounts."""

from __future__ import annotations

from processor.core.events import Event
from processor.core.facts import pseudonym
from processor.core.settings import DAY_MS, MINUTE_MS
from tests.laws.oracle.log import NOWHERE, Said, dims_of, distinct

QUARTER = 15 * MINUTE_MS


def read_agent(key: str, events: list[Event], until: int) -> list[Said]:
    """Each quarter of an hour, or part of one, in a state that is work; at most a day after the agent was last heard of."""
    said: list[Said] = []
    ordered = distinct(events)
    for number, event in enumerate(ordered):
        state, group, channel, _ = event.data
        following = ordered[number + 1].occurred_at if number + 1 < len(ordered) else until + 1
        # A whole quarter is stated when it has passed, a part of one when the next state begins.
        at, silent = event.occurred_at, event.occurred_at + DAY_MS
        while state not in ("away", "offline") and at < min(following, silent):
            cut = min((at // QUARTER + 1) * QUARTER, silent, following)
            if number + 1 < len(ordered) or cut <= until:
                said.append(Said("agent.time", cut - 1, dims_of(channel=channel, group=group), (state, cut - at, pseudonym(key))))
            at = cut
    return said


def read_organization(events: list[Event]) -> list[Said]:
    """Won and lost, each change once; counts with what they changed."""
    said: list[Said] = []
    last, count = "", 0
    for event in distinct(events):
        if event.kind == "organization.counted":
            said.append(Said(event.kind, event.occurred_at, NOWHERE, (event.data[0], event.data[0] - count)))
            count = event.data[0]
        elif event.kind != last:
            said.append(Said(event.kind, event.occurred_at, NOWHERE, ()))
            last = event.kind
    return said


def read_account(events: list[Event]) -> list[Said]:
    return [
        Said(event.kind, event.occurred_at, dims_of(group=event.data[2]), (event.data[1], event.data[0])) for event in distinct(events)
    ]  # fmt: skip
