"""Who spoke in a ticket, in how many turns, who waited for an answer, and what the bot did."""

from __future__ import annotations

from dataclasses import dataclass

from processor.core.facts import pseudonym
from tests.laws.oracle.history import Moment
from tests.laws.oracle.log import Said


@dataclass(frozen=True)
class Reply:
    """A human speaks to a customer who is in touch with us: with a message, or by accepting a contact. `number`: of the moment."""

    number: int
    at: int
    agent: str | None


@dataclass(frozen=True)
class Start:
    """Where the clocks of a ticket start, and the contact that had been answered before it was written: when, after how long a wait."""

    number: int
    at: int
    answered: tuple[int, int, str | None] | None


def _human(moment: Moment) -> bool:
    """Whether the moment is a human reply, the customer being in touch."""
    known = moment.after.created or moment.after.adopted
    return moment.after.engaged and (moment.by_human or (moment.kind == "answer" and known))


def agent_of(moment: Moment) -> str | None:
    if moment.kind == "answer":
        agent: str | None = moment.data[1]
        return agent
    return pseudonym(moment.data[4]) if moment.kind == "message.added" and moment.data[4] else None


def start_of(moments: list[Moment]) -> Start | None:
    """The instant from which the customer waits."""
    early = None
    replied = False
    for moment in moments:
        before, after = moment.before, moment.after
        if moment.kind == "answer" and not before.created and not before.adopted:
            early = early or (moment.at, *moment.data)
        if moment.kind == "ticket.created" and not before.adopted and not after.inbound:
            early = None
        created = moment.kind == "ticket.created" and (after.inbound if not before.adopted else not replied and not after.solved)
        wrote = moment.by_customer and not before.engaged and not after.solved
        reopened = moment.reopens and after.engaged and after.known and not replied
        if created or wrote or reopened:
            return Start(moment.number, moment.at, early)
        replied = replied or _human(moment)
    return None


def replies_of(moments: list[Moment], start: Start | None) -> list[Reply]:
    """All human replies, in order."""
    replies: list[Reply] = []
    for moment in moments:
        if start is not None and moment.number == start.number and start.answered is not None:
            replies.append(Reply(moment.number, start.answered[0], start.answered[2]))
        if _human(moment):
            replies.append(Reply(moment.number, moment.at, agent_of(moment)))
    return replies


def turns_until(moments: list[Moment], number: int) -> int:
    """Consecutive human messages are one turn; each live contact is one, and what is written right after it belongs to it."""
    turns, spoke = 0, False
    for moment in moments[: number + 1]:
        if moment.by_customer:
            spoke = False
        elif moment.kind == "answer" or (moment.by_human and not spoke):
            turns, spoke = turns + 1, True
    return turns


def author_until(moments: list[Moment], number: int) -> str | None:
    """The last human who wrote, notes included, or accepted a contact."""
    human = [
        moment
        for moment in moments[: number + 1]
        if moment.kind == "answer" or (moment.kind == "message.added" and moment.data[1] == "agent" and not moment.data[3])
    ]
    return next((agent for agent in (agent_of(moment) for moment in reversed(human)) if agent), None)


def unanswered_after(moments: list[Moment], replies: list[Reply]) -> list[int]:
    """For each moment: since when a message of the customer had no answer after it; 0 where there was none."""
    replied = {reply.number for reply in replies}
    since, result = 0, []
    for moment in moments:
        if moment.number in replied:
            since = 0
        if moment.by_customer:
            since = since or moment.at
        if moment.solves and moment.after.engaged:
            since = 0
        if moment.reopens and since:
            since = moment.at
        result.append(since)
    return result


def said_of_talk(moments: list[Moment]) -> list[Said]:
    """The first message to the customer, and the bot."""
    said: list[Said] = []
    outgoing = next((moment for moment in moments if moment.public and not moment.by_customer and moment.before.engaged), None)
    if outgoing is not None and outgoing.after.known:
        said.append(Said("ticket.first_outgoing", outgoing.at, outgoing.after.dims, (not outgoing.by_human,)))
    bot = [moment for moment in moments if moment.kind.startswith("ticket.bot_") and moment.after.engaged]
    if bot:
        said.append(Said("ticket.bot_started", bot[0].at, bot[0].after.dims, ()))
        contained = _contained(moments, bot)
        if contained is not None:
            said.append(Said("ticket.bot_contained", contained.at, contained.after.dims, ()))
    return said


def _contained(moments: list[Moment], bot: list[Moment]) -> Moment | None:
    """Where a bot was done, unless a human was needed before or after."""
    if any(moment.kind == "ticket.bot_handed_off" for moment in bot):
        return None
    replied = False
    for moment in moments[bot[0].number :]:
        replied = replied or _human(moment)
        withdrawn = moment.kind == "ticket.status_changed" and moment.data[1] == "withdrawn" and not _replied_until(moments, moment.number)
        done = moment.kind == "ticket.bot_resolved" or (moment.solves and not withdrawn)
        if done and moment.after.engaged and not turns_until(moments, moment.number):
            later = any(_human(other) for other in moments[moment.number + 1 :])
            return None if later else moment
    return None


def _replied_until(moments: list[Moment], number: int) -> bool:
    return any(_human(moment) for moment in moments[: number + 1])


def said_of_waits(moments: list[Moment], replies: list[Reply], first: Reply | None, waits: dict[int, int]) -> list[Said]:
    """What each reply but the first ended, and how long a customer had waited since the bot gave up. `first` ended the first response.

    `waits`: the earliest wait of other tickets at the moments at which somebody replied.
    """
    said: list[Said] = []
    unanswered = unanswered_after(moments, replies)
    for reply in replies:
        since = unanswered[reply.number - 1] if reply.number else 0
        dims = moments[reply.number].after.dims
        if since and reply is not first:
            since = min(since, waits.get(reply.number, since))
            said.append(Said("ticket.replied", reply.at, dims, (reply.at - since, reply.agent)))
    handed_at: int | None = None
    for moment in moments:
        here = [reply for reply in replies if reply.number == moment.number]
        if here and handed_at is not None:
            said.append(Said("ticket.handoff_responded", here[0].at, moment.after.dims, (here[0].at - handed_at,)))
        if here or (moment.solves and moment.after.engaged):
            handed_at = None
        if moment.kind == "ticket.bot_handed_off" and moment.after.engaged and not moment.after.solved and handed_at is None:
            handed_at = moment.at
    return said
