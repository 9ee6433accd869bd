"""The books of what is said in a ticket: turns, waits for replies, the first message to the customer, what a bot did."""

from __future__ import annotations

from processor.synthetic.books import Totals


class TalkBook:
    """One ticket's conversation."""

    __slots__ = (
        *("agent_spoke_last", "asked_at", "author", "bot_contained", "bot_gave_up", "bot_started", "first_automated", "replies"),
        *("turns", "waited"),
    )

    def __init__(self) -> None:
        self.turns = 0
        self.agent_spoke_last = False
        self.author = False  # whether any human agent wrote, if only a note, or spoke
        self.asked_at = 0  # the oldest message of the customer that nobody has answered
        self.replies = 0  # those after the first response
        self.waited = 0
        self.first_automated: bool | None = None
        self.bot_started = False
        self.bot_gave_up = False
        self.bot_contained = False

    def customer_wrote(self, at: int) -> None:
        """A public message of the customer."""
        self.agent_spoke_last = False
        self.asked_at = self.asked_at or at

    def sent(self, human: bool, counts: bool) -> None:
        """A public message to the customer, who `counts` once the ticket is in the population."""
        if self.first_automated is None and counts:
            self.first_automated = not human
        if human:
            self.author = True
            if not self.agent_spoke_last:
                self.turns += 1
                self.agent_spoke_last = True

    def spoke(self) -> None:
        """An agent accepted a contact of the ticket."""
        self.author = True
        self.turns += 1
        self.agent_spoke_last = True

    def replied(self, at: int, first: bool, since: int) -> None:
        """A human answered. `first`: it is the first response. `since`: since when others wait, whose tickets were merged into this one."""
        if self.asked_at and not first:
            self.replies += 1
            self.waited += at - min(self.asked_at, since)
        self.asked_at = 0
        self.bot_fails()

    def bot_fails(self) -> None:
        """A human was needed: the bot has not contained the ticket, and never will if it seemed so."""
        if self.bot_contained:
            self.bot_contained, self.bot_gave_up = False, True

    def contain(self) -> None:
        """Solved, or so the bot says: by the bot, if it began and no human spoke."""
        if self.bot_started and not self.bot_gave_up and not self.turns:
            self.bot_contained = True

    def solved(self) -> None:
        """Nobody waits for an answer any more."""
        self.asked_at = 0

    def reopened(self, at: int) -> None:
        """What the customer wrote while it was solved is waited for from now on."""
        if self.asked_at:
            self.asked_at = at

    def close(self, totals: Totals, known: bool) -> None:
        """Add what stands; `known`: the ticket was seen from its creation on."""
        totals["support_next_response_seconds_count"] += self.replies
        totals["support_next_response_seconds_sum"] += self.waited
        totals["support_tickets_bot_started_total"] += self.bot_started
        totals["support_tickets_bot_contained_total"] += self.bot_contained
        if known and self.first_automated is not None:
            totals["support_tickets_first_outgoing_total"] += 1
            totals["support_tickets_first_reply_automated_total"] += self.first_automated
