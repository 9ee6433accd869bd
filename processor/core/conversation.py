"""What is said in a ticket: who wrote last, in how many turns, how long the customer waited for each reply, and what a bot did.

    turn           consecutive public messages of humans without one of the customer in between; an accepted contact is one by itself,
                   and what the agent writes right after it belongs to it
    reply          a public message of a human agent, or an accepted contact, for which a message of the customer was waiting
    hand-off       a bot gives the ticket to humans: until the next human reply, the customer waits for it
    contained      begun by a bot and solved without a human, until one is needed after all

What automations, bots and AI agents write is no human message, nor is what was internal or never arrived. The time of the oldest unanswered
message is the ticket's (`unanswered_at`), since clocks use it, too. Handlers and hooks of `Ticket`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from processor.core import product_rules
from processor.core.events import Event
from processor.core.facts import Fact, Out

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

# What has happened once, as bits.
OUTGOING: Final = 1  # the customer was sent a message
BOT_STARTED: Final = 2
HANDED_OFF: Final = 4  # the bot gave up
CONTAINED: Final = 8  # the bot was enough, for now


class Conversation:
    """What the fold remembers of what was said. Begins with the first message, contact or bot."""

    __slots__ = ("author", "handed_off_at", "handoffs", "marks", "replies", "spoke", "turns")

    def __init__(self) -> None:
        self.turns = 0
        self.spoke = False  # the last who spoke, of customer and human agent, was the agent
        self.author: str | None = None  # pseudonym of the last human who wrote, notes included, or accepted a contact
        self.replies = 0  # stated ones
        self.handoffs = 0
        self.handed_off_at: int | None = None  # nobody has answered since
        self.marks = 0

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return (self.turns, self.spoke, self.author, self.replies, self.handoffs, self.handed_off_at, self.marks)

    @classmethod
    def thaw(cls, stored: Any) -> Conversation:
        """Undo `freeze`."""
        talk = cls()
        talk.turns, talk.spoke, talk.author, talk.replies, talk.handoffs, talk.handed_off_at, talk.marks = stored
        return talk


def _of(ticket: Ticket) -> Conversation:
    talk = ticket.conversation
    if talk is None:
        talk = ticket.conversation = Conversation()
    return talk


def turns_of(ticket: Ticket) -> int:
    """How often humans have spoken with the customer so far."""
    return ticket.conversation.turns if ticket.conversation is not None else 0


# -- messages and contacts --------------------------------------------------------------------------------------------------------------


def customer_wrote(ticket: Ticket) -> None:
    """Whatever an agent writes next is another turn."""
    if ticket.conversation is not None:
        ticket.conversation.spoke = False


def noted(ticket: Ticket, agent: str | None) -> None:
    """A human wrote an internal note, or what the customer never saw."""
    if agent is not None:
        _of(ticket).author = agent


def wrote(ticket: Ticket, at: int, human: bool, agent: str | None, out: Out) -> None:
    """A public message to the customer; before the customer's first one, where we opened the ticket, it counts as a turn only."""
    talk = _of(ticket)
    if not talk.marks & OUTGOING and ticket.engaged:
        talk.marks |= OUTGOING
        if ticket.known:  # what we joined late may have had earlier ones
            ticket._outcome(Fact("ticket.first_outgoing", 1, at, ticket.dims, (not human,)), out)
    if human:
        talk.author = agent or talk.author
        if not talk.spoke:
            talk.spoke = True
            talk.turns += 1


def spoke_live(ticket: Ticket, agent: str | None) -> None:
    """A human accepted a contact of the ticket, which may not have been written yet."""
    talk = _of(ticket)
    talk.author = agent or talk.author
    talk.turns += 1
    talk.spoke = True


def replied(ticket: Ticket, at: int, agent: str | None, out: Out) -> None:
    """A human reply, before the clocks hear of it: what it ends is told here, except the first response."""
    talk = _of(ticket)
    first, asked_at = ticket.first_response, ticket.unanswered_at
    if asked_at and (ticket.replied or first is None or not first.open):
        talk.replies += 1
        wait = at - ticket.waiting_since(asked_at)
        ticket._outcome(Fact("ticket.replied", talk.replies, at, ticket.dims, (wait, agent)), out)
    if talk.handed_off_at is not None:
        ticket._outcome(Fact("ticket.handoff_responded", talk.handoffs, at, ticket.dims, (at - talk.handed_off_at,)), out)
        talk.handed_off_at = None
    _needs_human(ticket, talk, out)


def ended(ticket: Ticket) -> None:
    """The ticket was solved: nobody waits any more."""
    if ticket.conversation is not None:
        ticket.conversation.handed_off_at = None


# -- bots -------------------------------------------------------------------------------------------------------------------------------


def bot_started(ticket: Ticket, _event: Event, at: int, out: Out) -> None:
    """A bot takes the ticket."""
    _begin_bot(ticket, at, out)


def bot_handed_off(ticket: Ticket, _event: Event, at: int, out: Out) -> None:
    """The bot gives the ticket to humans, for whose reply the customer waits from now on."""
    talk = _begin_bot(ticket, at, out)
    if ticket.engaged:
        talk.marks |= HANDED_OFF
        _needs_human(ticket, talk, out)
        if talk.handed_off_at is None and not ticket.solved:
            talk.handoffs += 1
            talk.handed_off_at = at
            product_rules.handed_off(ticket, at, out)


def bot_resolved(ticket: Ticket, _event: Event, at: int, out: Out) -> None:
    """The bot says that it was enough."""
    _begin_bot(ticket, at, out)
    contain(ticket, at, out)


def contain(ticket: Ticket, at: int, out: Out) -> None:
    """The bot is done, or the ticket is solved: whether a bot began it and nobody else was needed."""
    talk = ticket.conversation
    if talk is not None and talk.marks & (BOT_STARTED | HANDED_OFF | CONTAINED) == BOT_STARTED and not talk.turns:
        talk.marks |= CONTAINED
        ticket._outcome(Fact("ticket.bot_contained", 1, at, ticket.dims, ()), out)


def _begin_bot(ticket: Ticket, at: int, out: Out) -> Conversation:
    """A bot that gives up or is done has begun, too, if only by then."""
    talk = _of(ticket)
    if not talk.marks & BOT_STARTED and ticket.engaged:
        talk.marks |= BOT_STARTED
        ticket._outcome(Fact("ticket.bot_started", 1, at, ticket.dims, ()), out)
    return talk


def _needs_human(ticket: Ticket, talk: Conversation, out: Out) -> None:
    """The bot was not enough after all."""
    if talk.marks & CONTAINED:
        talk.marks = talk.marks & ~CONTAINED | HANDED_OFF  # never again
        ticket._take_back(lambda fact: fact.kind == "ticket.bot_contained", out)
