"""The life of a ticket. Every rule of the lifecycle is in this file; what follows from it, in those that it imports.

    (nothing) ──created──▶ unsolved ◀──reopened── solved ──final_after──▶ final ──reopen_horizon──▶ gone: a new life
        └─any other event: adopted─┘ └───solved────▶┘

Real logs miss updates, so any status may follow any other. A ticket is in the *backlog* while it is in the population and unsolved. It
is in the *population* unless it is spam, deleted or merged away; one that we opened (outbound) joins with the customer's first message.
While a ticket is outside the population its outcomes are kept but not stated: a discard retracts them, a restore states them again, as if
the ticket had never been gone.

What its clocks do is in `ticket_clocks`, what it hands to other entities in `handovers`. `Ticket.step` folds one event, `Ticket.fire`
lets deadlines pass. Both append (sign, fact) to `out`; neither raises for what an event says.
A deadline is fired before an event only if it lies strictly before it: an event at its deadline wins.

A ticket that nothing is expected to change any more (long final, or long discarded) has an instant `gone_at`; an event after it begins a
new life. That is a rule of the fold, so it does not matter when the memory of the old life is given up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from processor.core import conversation, first_contact, frozen_ticket, progress, solving
from processor.core import ticket_clocks as clocks
from processor.core.business_hours import NEVER
from processor.core.clocks import Clock
from processor.core.dimensions import GROUP, TOPIC, dims_of, with_dims
from processor.core.events import SOLVED_STATUSES, SURVEY_KINDS, Event
from processor.core.facts import HANDED_KINDS, Dims, Fact, Out, pseudonym
from processor.core.handovers import MERGED, NO_WAITS, contact_answered, merged, unmerged, wait_handed, wait_withdrawn
from processor.core.instances import MoreClocks
from processor.core.policies import Policies
from processor.core.settings import NO_DIMENSIONS
from processor.core.surveys import Surveys, returned, survey_responded, survey_sent, withdrawn

SPAM: Final = 1
DELETED: Final = 2

STANDING_MAX: Final = 128  # outcomes of one ticket that can still be taken back; older ones are settled


# What does not make a ticket known: what other entities hand over, and surveys, which are often about tickets from before the log.
ABOUT_IT: Final = HANDED_KINDS | SURVEY_KINDS

_DISCARD_REASON: Final = {SPAM: "spam", DELETED: "deleted", MERGED: "merged"}


class Ticket:
    """The folded state of one ticket."""

    __slots__ = (
        *("created_at", "seen_created", "adopted", "inbound", "engaged", "asked_at", "merged_into", "flags", "gone_at"),
        *("status", "dims", "policy_id", "assignee", "requester", "follow_up_of"),
        *("conversation", "progress", "contacts", "contact_answer", "handed", "replied", "unanswered_at"),
        *("first_response", "resolution", "more", "solved_at", "final_due", "fcr_due", "last_fired", "wake", "policies"),
        *("solves", "reopens", "entries", "exits", "moves", "returns", "standing", "suspended", "surveys"),
    )

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._begin()

    def _begin(self) -> None:
        """A life of which nothing is known yet."""
        self.created_at = 0  # of an adopted ticket: when it was first seen
        self.seen_created = False
        self.adopted = False
        self.inbound = True
        self.engaged = False  # inbound, or the customer has written
        self.status = "open"
        self.dims: Dims = NO_DIMENSIONS
        self.policy_id: str | None = None
        self.assignee: str | None = None  # "": nobody any more
        self.requester: str | None = None
        self.follow_up_of: str | None = None
        self.contacts: tuple[Fact, ...] = ()  # what was handed to requester and followed ticket, as far as it can be taken back
        self.conversation: conversation.Conversation | None = None
        self.progress: progress.Progress | None = None
        self.flags = 0
        self.replied = False
        self.unanswered_at = 0  # since when the customer waits for an answer to a message; while solved: when it came
        self.first_response: Clock | None = None
        self.resolution: Clock | None = None
        self.more: MoreClocks | None = None
        self.asked_at = 0  # when its own customer began to wait: where its clocks start
        self.handed: dict[str, tuple[int, int]] = NO_WAITS  # waits of tickets merged into this one: source -> (since, hops)
        self.contact_answer: tuple[int, int, str | None] | None = None  # a contact answered before the creation: (at, wait, by whom)
        self.merged_into: tuple[str, int] | None = None  # the ticket to which its wait was handed, and when
        self.solves = 0
        self.reopens = 0
        self.entries = 0
        self.exits = 0
        self.moves = 0
        self.returns = 0
        self.solved_at = 0
        self.final_due = NEVER
        self.fcr_due = NEVER  # when nobody who comes back counts any more
        self.standing: list[Fact] = []
        self.suspended: tuple[Fact, ...] = ()  # cancellations that a restore takes back
        self.surveys: Surveys | None = None
        self.last_fired = 0
        self.gone_at = NEVER
        self.wake = NEVER

    # -- what it is now -----------------------------------------------------------------------------------------------------------

    @property
    def solved(self) -> bool:
        """Nothing is left to do, unless it is reopened."""
        return self.status in SOLVED_STATUSES

    @property
    def known(self) -> bool:
        """Seen from its creation on."""
        return self.seen_created and not self.adopted

    @property
    def rests(self) -> bool:
        """Nothing is expected of it any more; while one of its clocks is open, it wakes at `gone_at` at the latest."""
        return self.gone_at != NEVER and (self.flags != 0 or self.wake == NEVER)

    @property
    def in_population(self) -> bool:
        """Counted at all."""
        return self.engaged and not self.flags

    @property
    def in_backlog(self) -> bool:
        """In the population and unsolved."""
        return self.engaged and not self.flags and self.status not in SOLVED_STATUSES

    @property
    def final(self) -> bool:
        """Solved, and every deadline that follows has passed: only a reopen can change it."""
        return self.status in SOLVED_STATUSES and self.final_due == NEVER and self.fcr_due == NEVER

    def waiting_since(self, own: int) -> int:
        """Since when somebody waits: its own customer, or that of a ticket that was merged into it."""
        for since, _hops in self.handed.values():
            own = min(own, since)
        return own

    # -- events -------------------------------------------------------------------------------------------------------------------

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event that happened at `at` (its own time, or its ticket's creation where subsystems disagreed)."""
        if self.wake < at:
            self.fire(at - 1, out)
        if self.gone_at < at:
            self._begin()
        kind = event[5]
        if not self.created_at and kind != "ticket.created":
            if kind in ABOUT_IT:
                self.gone_at = self._gone_after(at)  # nothing but what others say of it: that alone keeps nothing for ever
            else:
                self._adopt(at, out)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, event, at, out)
            self._rearm()

    def _rearm(self) -> None:
        """When something is due next."""
        first, resolution, more = self.first_response, self.resolution, self.more
        wake = min(self.final_due, self.fcr_due)
        if first is not None and first.due < wake:
            wake = first.due
        if resolution is not None and resolution.due < wake:
            wake = resolution.due
        if more is not None:
            wake = min(wake, more.due)
            if self.gone_at < wake and not self.flags and more.open:
                wake = self.gone_at  # nobody came back to the customer: that ends with the ticket
        self.wake = wake

    def awaits_creation(self, at: int, out: Out) -> bool:
        """Whether a creation at `at` or soon after would begin a life."""
        self.fire(at - 1, out)
        return not self.seen_created or self.gone_at < at

    def _adopt(self, at: int, out: Out) -> None:
        self.created_at = at
        self.gone_at = NEVER
        self.adopted = True
        self.engaged = True
        out.append((1, Fact("ticket.adopted", 1, at, self.dims, ())))
        self._enter(at, "adopted", out)

    def _created(self, event: Event, at: int, out: Out) -> None:
        if self.seen_created:
            return  # a second creation says nothing new
        (channel, status, priority, direction, group, tier, topic, policy_id, assignee, requester, follow_up_of,
         language, product, complexity) = event.data  # fmt: skip
        known_before = bool(self.created_at)
        was_in_backlog = self.in_backlog
        before = self.dims
        self.seen_created = True
        self.created_at = at
        self.policy_id = policy_id
        self.inbound = direction == "inbound"
        self.requester, self.follow_up_of = requester or self.requester, follow_up_of
        self.dims = dims_of(
            channel=channel, priority=priority, group=group, tier=tier, topic=topic,
            language=language, product=product, complexity=complexity,
        )  # fmt: skip
        out.append((1, Fact("ticket.created", 1, at, self.dims, ())))
        if not known_before:
            self.gone_at = NEVER
            self.status = status
            self.engaged = self.inbound
            progress.joined(self, at)  # an answer to a survey may have been told before
            if self.engaged:
                clocks.start(self, at, out)
            else:
                self.contact_answer = None  # nobody had asked
            if self.in_backlog:
                self._enter(at, "created", out)
        if assignee:
            progress.assigned(self, assignee, at, out)
        if self.requester or follow_up_of:
            first_contact.told(self, event.key, at, out)
        if not known_before:
            if status in SOLVED_STATUSES:
                self._solve(at, out)
            return
        # Adopted earlier than its creation by more than subsystems may disagree: it is in the backlog already, under other dimensions.
        if was_in_backlog:
            self._moved(before, at, out)
        if not self.replied and self.status not in SOLVED_STATUSES:
            clocks.start(self, at, out)

    def _status_changed(self, event: Event, at: int, out: Out) -> None:
        status, reason, marked = event.data
        progress.passes(self, at)
        was_solved = self.status in SOLVED_STATUSES
        is_solved = status in SOLVED_STATUSES
        if not is_solved and was_solved:
            self.status = status
            self._reopen(at, out)
        elif is_solved and not was_solved:
            was_in_backlog = self.in_backlog
            self.status = status
            if was_in_backlog:
                self._leave(at, "solved", out)
            self._solve(at, out, reason, marked)
        else:
            self.status = status
            if is_solved:
                if status == "closed" and self.final_due != NEVER:
                    self.final_due = at
            else:
                clocks.pause_or_resume(self, at, out)

    def _solve(self, at: int, out: Out, reason: str | None = None, marked: bool | None = None) -> None:
        self.solved_at = at
        self.final_due = at if self.status == "closed" else at + self.policies.settings.final_after
        if not self.engaged:
            return
        self.solves += 1
        ended_at = solving.end_of(self, at, reason)
        self._outcome(Fact("ticket.solved", self.solves, at, self.dims, (ended_at - self.created_at if self.known else None,)), out)
        clocks.solved(self, at, ended_at, reason, out)
        solving.solved(self, at, ended_at, reason, marked, out)

    def _reopen(self, at: int, out: Out) -> None:
        since = at - self.solved_at
        self.final_due = NEVER
        if not self.flags:
            self.gone_at = NEVER
        counts = since <= self.policies.settings.reopen_horizon
        if counts:
            self.reopens += 1
            self._outcome(Fact("ticket.reopened", self.reopens, at, self.dims, (since,)), out)
        solving.reopened(self, at, since, counts, out)
        clocks.reopened(self, at, out)
        if self.resolution is None and self.engaged and self.seen_created and not self.adopted and not self.replied:
            clocks.start(self, at, out)  # the customer first wrote when it was already solved
        if self.in_backlog:
            self._enter(at, "reopened", out)

    def _message_added(self, event: Event, at: int, out: Out) -> None:
        _message_id, author, visibility, automated, author_id = event.data
        human = author == "agent" and not automated
        agent = pseudonym(author_id) if human and author_id else None
        if visibility != "public":
            conversation.noted(self, agent)
        elif author == "customer":
            self._customer_wrote(at, out)
        else:
            conversation.wrote(self, at, human, agent, out)
            if human and self.engaged:
                self._human_replied(at, agent, out)

    def _customer_wrote(self, at: int, out: Out) -> None:
        if not self.engaged:
            self.engaged = True
            progress.joined(self, at)
            if self.status not in SOLVED_STATUSES:  # else nobody is waiting unless it is reopened
                clocks.start(self, at, out)
                if self.in_backlog:
                    self._enter(at, "became_eligible", out)
        conversation.customer_wrote(self)
        clocks.customer_wrote(self, at, out)

    def _human_replied(self, at: int, agent: str | None, out: Out) -> None:
        """A public message of a human agent, or a contact of the ticket that one accepted; `agent` is the pseudonym."""
        conversation.replied(self, at, agent, out)
        progress.replied(self, at)
        clocks.human_replied(self, at, agent, out)

    def _changed(self, dims: Dims, policy_id: str | None, at: int, out: Out) -> None:
        """Take over what one event changed, all at once: a policy that would match half of it never applied."""
        if dims == self.dims and policy_id == self.policy_id:
            return
        before, self.dims, self.policy_id = self.dims, dims, policy_id
        if self.in_backlog and dims != before:
            self._moved(before, at, out)
        clocks.reconsider_policy(self, at, out)

    def _moved(self, before: Dims, at: int, out: Out) -> None:
        self.moves += 1
        out.append((1, Fact("ticket.moved", self.moves, at, self.dims, (before,))))

    def _priority_changed(self, event: Event, at: int, out: Out) -> None:
        self._changed(with_dims(self.dims, {"priority": event.data[0]}), self.policy_id, at, out)

    def _group_changed(self, event: Event, at: int, out: Out) -> None:
        dims = with_dims(self.dims, {"group": event.data[0]})
        if dims != self.dims:
            before = self.dims[GROUP]
            clocks.left_group(self, at, out)
            self._changed(dims, self.policy_id, at, out)
            clocks.joined_group(self, at, out)
            progress.changed_group(self, before, at, out)

    def _fields_changed(self, event: Event, at: int, out: Out) -> None:
        changes: dict[str, Any] = dict(event.data[0])
        policy_id = changes.get("policy_id", self.policy_id)
        known_as = (self.requester, self.dims[TOPIC])
        self._changed(with_dims(self.dims, changes), policy_id, at, out)
        self.requester = changes.get("requester_id", self.requester)
        if (self.requester, self.dims[TOPIC]) != known_as:
            first_contact.contacted(self, at, out)

    # -- population ---------------------------------------------------------------------------------------------------------------

    def _discard(self, flag: int, at: int, out: Out) -> None:
        if self.flags & flag:
            return
        reason = _DISCARD_REASON[flag]
        self.returns += 1
        if flag == MERGED:
            out.append((1, Fact("ticket.merged", self.returns, at, self.dims, ())))
        else:
            out.append((1, Fact("ticket.discarded", self.returns, at, self.dims, (reason,))))
        was_in_backlog, was_in_population = self.in_backlog, self.in_population
        if not self.flags:
            out.extend((-1, fact) for fact in self.standing)  # also where nobody was in touch: answers to surveys from before it was known
        self.flags |= flag
        self.gone_at = self._gone_after(at)
        if was_in_population:
            self.suspended = tuple(clocks.cancellations(self, at, reason))
            out.extend((1, fact) for fact in self.suspended)
            withdrawn(self, at, out)
            first_contact.left_population(self, at, out)
        if was_in_backlog:
            self._leave(at, "merged" if flag == MERGED else "discarded", out)

    def _return(self, flag: int, key: str, at: int, out: Out) -> None:
        if not self.flags & flag:
            return
        self.flags &= ~flag
        if not self.flags:
            self.gone_at = max(self._gone_after(self.solved_at), at) if self.final else NEVER
        self.returns += 1
        out.append((1, Fact("ticket.restored", self.returns, at, self.dims, (_DISCARD_REASON[flag],))))
        if not self.flags:
            out.extend((-1, fact) for fact in self.suspended)
            self.suspended = ()
            out.extend((1, fact) for fact in self.standing)
        if self.in_population:
            returned(self, at, out)
            first_contact.told(self, key, at, out)
        if self.in_backlog:
            self._enter(at, "unmerged" if flag == MERGED else "restored", out)

    def _gone_after(self, at: int) -> int:
        """When a ticket that came to rest at `at` is gone; long after its last reopen that counts, and after it became final."""
        settings = self.policies.settings
        longest = max(settings.reopen_horizon, settings.final_after, settings.repeat_window, settings.survey_edit_window)
        return at + longest + 2 * settings.allowed_lateness

    def _enter(self, at: int, reason: str, out: Out) -> None:
        self.entries += 1
        out.append((1, Fact("backlog.entered", self.entries, at, self.dims, (reason,))))

    def _leave(self, at: int, reason: str, out: Out) -> None:
        self.exits += 1
        out.append((1, Fact("backlog.left", self.exits, at, self.dims, (reason,))))

    # -- deadlines ----------------------------------------------------------------------------------------------------------------

    def fire(self, limit: int, out: Out) -> None:
        """Let every deadline up to and including `limit` pass, in order. What it states carries the deadline, not `limit`."""
        while self.wake <= limit:
            due = self.wake
            self.last_fired = due
            clocks.breach_due(self, due, out)
            if self.final_due == due:
                self.final_due = NEVER
                if self.solves:
                    solving.summarize(self, due, out)
            if self.fcr_due == due:
                first_contact.settle(self, due, out)
            if self.gone_at == due and not self.flags:
                clocks.expire(self, due, out)
            if self.gone_at == NEVER and self.final:
                self.gone_at = self._gone_after(self.solved_at)
            self._rearm()

    # -- outcomes -----------------------------------------------------------------------------------------------------------------

    def _outcome(self, fact: Fact, out: Out) -> None:
        if not self.engaged:
            return
        if len(self.standing) >= STANDING_MAX:
            del self.standing[0]
        self.standing.append(fact)
        if not self.flags:
            out.append((1, fact))

    def _take_back(self, condition: Callable[[Fact], bool], out: Out) -> None:
        kept: list[Fact] = []
        taken: Out = []
        for fact in self.standing:
            if condition(fact):
                taken.append((-1, fact))
            else:
                kept.append(fact)
        self.standing = kept
        if not self.flags:
            out += taken

    # -- stored form --------------------------------------------------------------------------------------------------------------

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return frozen_ticket.freeze(self)

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Ticket:
        """Undo `freeze`; also after a round trip through JSON."""
        ticket = cls(policies)
        frozen_ticket.thaw(ticket, stored)
        ticket._rearm()
        return ticket


def _discarding(flag: int) -> Callable[[Ticket, Event, int, Out], None]:
    return lambda ticket, _event, at, out: ticket._discard(flag, at, out)


def _returning(flag: int) -> Callable[[Ticket, Event, int, Out], None]:
    return lambda ticket, event, at, out: ticket._return(flag, event.key, at, out)


# What each event does. Kinds that are not here make a ticket known and change nothing else.
_HANDLERS: Final[dict[str, Callable[[Ticket, Event, int, Out], None]]] = {
    "ticket.created": Ticket._created,
    "ticket.status_changed": Ticket._status_changed,
    "ticket.priority_changed": Ticket._priority_changed,
    "ticket.group_changed": Ticket._group_changed,
    "ticket.fields_changed": Ticket._fields_changed,
    "ticket.merged": merged,
    "ticket.unmerged": unmerged,
    "ticket.marked_as_spam": _discarding(SPAM),
    "ticket.unmarked_as_spam": _returning(SPAM),
    "ticket.deleted": _discarding(DELETED),
    "ticket.restored": _returning(DELETED),
    "message.added": Ticket._message_added,
    "ticket.wait_handed": wait_handed,
    "ticket.wait_withdrawn": wait_withdrawn,
    "ticket.contact_answered": contact_answered,
    "ticket.contacted_again": first_contact.contacted_again,
    "ticket.assignee_changed": progress.assignee_changed,
    "ticket.escalated": progress.escalated,
    "ticket.work_logged": progress.work_logged,
    "ticket.bot_started": conversation.bot_started,
    "ticket.bot_handed_off": conversation.bot_handed_off,
    "ticket.bot_resolved": conversation.bot_resolved,
    "ticket.survey_sent": survey_sent,
    "ticket.survey_responded": survey_responded,
}
