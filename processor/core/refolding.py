"""Folding a tail anew after an event has found its place in it, or has lost it: what that takes back, and what it states.

Most of a tail is as it was. So a ticket's is folded once up to where the old and the new one part; from there a copy of the ticket goes
the old way, to tell what had been stated, and the ticket itself the new one.
"""

from __future__ import annotations

from typing import Any

from processor.core.conversation import Conversation
from processor.core.events import TICKET, Event
from processor.core.facts import Out
from processor.core.looking_back import as_it_turned_out
from processor.core.policies import Policies
from processor.core.progress import Progress
from processor.core.surveys import Surveys
from processor.core.ticket import Ticket
from processor.core.timeline import State, difference, fold, fold_ticket


def refold(kind: str, base: Any, before: list[Event], after: list[Event], told: int, due: int, policies: Policies) -> tuple[State, Out]:
    """The state of the tail `after`, and what turns the facts of the tail `before` into its facts. Both are on top of `base`.

    Deadlines of `before` had passed up to `told`; those of `after` pass up to `due`.
    """
    if kind == TICKET:
        return _refold_ticket(base, before, after, told, due, policies)
    _, stated = fold(kind, base, before, told, policies)
    state, states = fold(kind, base, after, due, policies)
    return state, difference(stated, states)


def _refold_ticket(base: Any, before: list[Event], after: list[Event], told: int, due: int, policies: Policies) -> tuple[Ticket, Out]:
    window, skew = policies.settings.allowed_lateness, policies.settings.clock_skew
    old, new = as_it_turned_out(before, window), as_it_turned_out(after, window)
    shared = _shared(old, new, skew)
    ticket = Ticket(policies) if base is None else Ticket.thaw(base, policies)
    fold_ticket(ticket, new[:shared], skew, [])
    twin = copied(ticket)
    stated: Out = []
    fold_ticket(twin, old[shared:], skew, stated)
    twin.fire(told, stated)
    states: Out = []
    fold_ticket(ticket, new[shared:], skew, states)
    ticket.fire(due, states)
    return ticket, difference(stated, states)


def copied(ticket: Ticket) -> Ticket:
    """Another ticket in the same state, which goes its own way from there."""
    twin = Ticket(ticket.policies)
    twin.created_at, twin.seen_created, twin.adopted = ticket.created_at, ticket.seen_created, ticket.adopted
    twin.inbound, twin.engaged, twin.asked_at, twin.flags = ticket.inbound, ticket.engaged, ticket.asked_at, ticket.flags
    twin.status, twin.dims, twin.policy_id, twin.assignee = ticket.status, ticket.dims, ticket.policy_id, ticket.assignee
    twin.requester, twin.follow_up_of, twin.contacts = ticket.requester, ticket.follow_up_of, ticket.contacts
    twin.replied, twin.unanswered_at, twin.contact_answer = ticket.replied, ticket.unanswered_at, ticket.contact_answer
    twin.handed, twin.merged_into = ticket.handed, ticket.merged_into
    twin.solves, twin.reopens, twin.solved_at = ticket.solves, ticket.reopens, ticket.solved_at
    twin.entries, twin.exits, twin.moves, twin.returns = ticket.entries, ticket.exits, ticket.moves, ticket.returns
    twin.final_due, twin.fcr_due, twin.gone_at = ticket.final_due, ticket.fcr_due, ticket.gone_at
    twin.standing, twin.suspended = ticket.standing.copy(), ticket.suspended
    twin.last_fired, twin.wake = ticket.last_fired, ticket.wake
    first, resolution, more = ticket.first_response, ticket.resolution, ticket.more
    twin.first_response = first.copied() if first is not None else None
    twin.resolution = resolution.copied() if resolution is not None else None
    twin.more = more.copied() if more is not None else None
    conversation, progress, surveys = ticket.conversation, ticket.progress, ticket.surveys
    twin.conversation = Conversation.thaw(conversation.freeze()) if conversation is not None else None
    twin.progress = Progress.thaw(progress.freeze()) if progress is not None else None
    twin.surveys = Surveys.thaw(surveys.freeze(), ticket.policies.settings.survey_edit_window) if surveys is not None else None
    return twin


def _shared(old: list[Event], new: list[Event], clock_skew: int) -> int:
    """How many events at the head of both are the same and mean the same, whatever follows."""
    shared, longest = 0, min(len(old), len(new))
    while shared < longest and (old[shared] is new[shared] or old[shared] == new[shared]):
        shared += 1
    return min(_parted(old, shared, clock_skew), _parted(new, shared, clock_skew))


def _parted(events: list[Event], shared: int, clock_skew: int) -> int:
    """At most `shared`: what lies so little before a creation that it counts as after it is not parted from it."""
    creation = next((index for index, event in enumerate(events) if index >= shared and event.kind == "ticket.created"), len(events))
    while creation < len(events) and shared and events[creation].occurred_at - events[shared - 1].occurred_at <= clock_skew:
        shared -= 1
        if events[shared].kind == "ticket.created":
            creation = shared
    return shared
