"""The stored form of a ticket: plain values for the state topic, and the ticket from them.

A layout is a version of the state: whoever changes it raises that, and teaches the upgrade what older layouts lack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from processor.core.business_hours import freeze_due, thaw_due
from processor.core.clocks import Clock
from processor.core.conversation import Conversation
from processor.core.facts import shared, thaw_fact
from processor.core.handovers import NO_WAITS
from processor.core.instances import MoreClocks, measured_since
from processor.core.progress import Progress
from processor.core.surveys import Surveys

if TYPE_CHECKING:
    from processor.core.ticket import Ticket


def freeze(ticket: Ticket) -> tuple[Any, ...]:
    """Everything that the fold remembers."""
    first, resolution, more, surveys = ticket.first_response, ticket.resolution, ticket.more, ticket.surveys
    return (
        ticket.created_at, ticket.seen_created, ticket.adopted, ticket.engaged, ticket.status, ticket.dims, ticket.policy_id, ticket.flags,
        ticket.replied, first.freeze() if first else None, resolution.freeze() if resolution else None,
        ticket.solves, ticket.reopens, ticket.entries, ticket.exits, ticket.moves, ticket.returns, ticket.solved_at,
        freeze_due(ticket.final_due), tuple(ticket.standing), tuple(ticket.suspended), ticket.last_fired, freeze_due(ticket.gone_at),
        ticket.asked_at, tuple(ticket.handed.items()), ticket.contact_answer, ticket.merged_into, ticket.unanswered_at,
        more.freeze() if more is not None else None, surveys.freeze() if surveys is not None else None,
        ticket.inbound, ticket.assignee, ticket.requester, ticket.follow_up_of, ticket.contacts,
        ticket.conversation.freeze() if ticket.conversation else None, ticket.progress.freeze() if ticket.progress else None,
        freeze_due(ticket.fcr_due),
    )  # fmt: skip


def thaw(ticket: Ticket, stored: Any) -> None:
    """Undo `freeze` in a ticket that knows nothing yet; also after a round trip through JSON."""
    policies = ticket.policies
    (ticket.created_at, ticket.seen_created, ticket.adopted, ticket.engaged, ticket.status, dims, ticket.policy_id, ticket.flags,
     ticket.replied, first, resolution, ticket.solves, ticket.reopens, ticket.entries, ticket.exits, ticket.moves, ticket.returns,
     ticket.solved_at, final_due, standing, suspended, ticket.last_fired, gone_at, ticket.asked_at, handed, contact_answer,
     merged_into, ticket.unanswered_at, more, surveys, ticket.inbound, ticket.assignee, ticket.requester,
     ticket.follow_up_of, contacts, conversation, progress, fcr_due) = stored  # fmt: skip
    ticket.dims = shared(tuple(dims))
    ticket.first_response = Clock.thaw(first, policies) if first else None
    ticket.resolution = Clock.thaw(resolution, policies) if resolution else None
    ticket.more = MoreClocks.thaw(more, policies) if more else measured_since(ticket)
    ticket.surveys = Surveys.thaw(surveys, policies.settings.survey_edit_window) if surveys else None
    ticket.conversation = Conversation.thaw(conversation) if conversation else None
    ticket.progress = Progress.thaw(progress) if progress else None
    ticket.final_due, ticket.fcr_due, ticket.gone_at = (thaw_due(due) for due in (final_due, fcr_due, gone_at))
    ticket.handed = {source: (since, hops) for source, (since, hops) in handed} if handed else NO_WAITS
    ticket.contacts = tuple(thaw_fact(fact) for fact in contacts)
    ticket.contact_answer = (*contact_answer, None)[:3] if contact_answer else None  # an earlier release did not say by whom
    ticket.merged_into = tuple(merged_into) if merged_into else None
    ticket.standing = [thaw_fact(fact) for fact in standing]
    ticket.suspended = tuple(thaw_fact(fact) for fact in suspended)
