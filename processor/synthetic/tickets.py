"""Tickets: written, acknowledged by a bot, assigned, answered, waiting, solved, reopened; spam, merged, deleted and brought back.

Every step says an event and enters it in the books, so the totals are known without anybody counting events.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from processor.core.business_hours import NEVER
from processor.core.settings import HOUR_MS, MINUTE_MS, MS, NONE
from processor.synthetic.accounts import Accounts
from processor.synthetic.clock import Desk
from processor.synthetic.feed import Feed
from processor.synthetic.script import LogEndsError, Script
from processor.synthetic.ticket_book import TicketBook
from processor.synthetic.world import AGENTS, GROUP_OF, GROUPS, PRIORITIES, SECOND_LINE, SOURCE_OF, World, in_surge

LOOKS = 60  # at other tickets, for one that says the same
BOUNCE_WITHIN_MS = 30 * MINUTE_MS
LIVE = frozenset({"chat", "messaging", "phone"})
FIELD_PLACES = {"priority": 1, "group": 2, "tier": 3, "topic": 4}  # in the dimensions


class TicketScript(Script):
    """One ticket, from its first event to its last or to the end of the log."""

    def __init__(self, world: World, desk: Desk, feed: Feed, number: int, accounts: Accounts, told: list[TicketScript]) -> None:
        now = world.arrival()
        self.channel = world.channel.pick(world.random)
        super().__init__(world, feed, id_field="ticket_id", id=f"T-{number:07d}", source=SOURCE_OF[self.channel], now=now)
        self.topic = "outage" if in_surge(now) and world.chance(0.7) else world.topic.pick(world.random)
        self.group = GROUP_OF[self.topic]
        self.priority = world.priority.pick(world.random)
        self.tier = world.tier.pick(world.random)
        self.begun_at = now
        self.merged_at = NEVER
        self._told = told  # the tickets of which all is known already
        self.messages = 0
        self.book = TicketBook(desk, Counter())  # as far as this script knows; the accounts know what others do to the ticket
        self._accounts = accounts

    def play(self) -> None:
        """Live it through."""
        with suppress(LogEndsError):
            self._begin()

    # -- beginnings ---------------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        draw = self.random.random()
        if draw < 0.006:
            self._adopted()
        elif draw < 0.03:
            self._proactive()
        else:
            self._create("inbound")
            self._greeting()
            if draw < 0.06:
                self._spam()
            elif draw < 0.085 and self._told:
                self._merged()
            elif draw < 0.115:
                self._solved_without_a_word()
            else:
                self._handled()

    def _adopted(self) -> None:
        """It began before the log did."""
        self._enter("adopt")
        self.say("ticket.assignee_changed", assignee_id=self._agent())
        self.later(self.world.around(HOUR_MS))
        self._reply()
        self._conversation()

    def _proactive(self) -> None:
        """We write first. Nobody waits until the customer answers, and often that is all."""
        self._create("outbound")
        self._message("agent", "public")  # before the customer wrote: a reply to nothing
        if self.world.chance(0.4):
            self.later(self.world.around(3 * HOUR_MS))
            self._customer_writes()
            self.later(self.world.first_reply(self.now, self.channel, self.priority))
            self._reply()
        self._finish()

    def _create(self, direction: str) -> None:
        dims = (self.channel, self.priority, self.group, self.tier, self.topic, NONE, NONE, NONE, NONE)
        status = "new" if direction == "inbound" else "open"
        if self.world.chance(0.02):  # another subsystem's clock is a moment behind
            self.tell("ticket.assignee_changed", {"assignee_id": self._agent()}, early_ms=self.random.randint(1, 3 * MS))
        self.say("ticket.created", channel=self.channel, status=status, priority=self.priority, direction=direction, topic=self.topic,
                 group=self.group, tier=self.tier, requester_id=f"U-{self.random.randrange(20_000):05d}")  # fmt: skip
        self._enter("create", dims, status, direction == "inbound")

    def _greeting(self) -> None:
        """What machines do with a new ticket: none of it is a response."""
        if self.channel in {"email", "web"} and self.world.chance(0.7):
            self.later(self.random.randint(200, 4 * MS))
            self._message("bot", "public", automated=True)
        elif self.channel in LIVE and self.world.chance(0.3):
            self.later(self.random.randint(200, 2 * MS))
            self._message("ai_agent", "public")

    # -- ways to go ---------------------------------------------------------------------------------------------------------------

    def _spam(self) -> None:
        self.later(self.world.around(20 * MINUTE_MS))
        self._discard("ticket.marked_as_spam", "spam")
        if self.world.chance(0.15):
            self.later(self.world.around(HOUR_MS))
            self._restore("ticket.unmarked_as_spam", "spam")
            self._handled()

    def _merged(self) -> None:
        self.later(self.world.around(30 * MINUTE_MS))
        duplicate = self._duplicate()
        if duplicate is None:
            self._handled()
            return
        target = duplicate.id
        self.merged_at = self.now
        self._discard("ticket.merged", "merged", merged_into=target)
        if self.world.chance(0.2):
            self.later(self.world.around(HOUR_MS))
            self.merged_at = NEVER
            self._restore("ticket.unmerged", "merged", merged_into=target)
            self._handled()

    def _duplicate(self) -> TicketScript | None:
        """The ticket that says the same: one whose customer waits now, too, where a few looks find one; some are merged away later."""
        looked_at = [self.random.choice(self._told) for _ in range(LOOKS)]
        there = [script for script in looked_at if script.begun_at <= self.now < script.merged_at]
        waiting = sorted((script for script in there if script.waits_at(self.now)), key=lambda script: script.merged_at)
        return next(iter((*waiting, *there)), None)

    def waits_at(self, at: int) -> bool:
        """Whether its customer still waits for a first response, as far as its own story goes."""
        first, wait = self.book.first, self.book.first_wait
        return first is not None and first.started_at <= at and (first.open or (wait is not None and at < first.started_at + wait[0]))

    def _solved_without_a_word(self) -> None:
        """Solved, perhaps by a call; when it comes back, the reply is no first response any more."""
        self.later(self.world.around(2 * HOUR_MS))
        self._status("solved")
        if self.world.chance(0.25):
            self.later(self.world.around(HOUR_MS))
            self._customer_writes()
            self._status("open")
            self.later(self.world.around(HOUR_MS))
            self._reply()
            self._finish()

    def _handled(self) -> None:
        self._triage()
        self._first_reply()
        self._conversation()

    def _triage(self) -> None:
        wait = self.world.around(20 * MS if self.channel in LIVE else 12 * MINUTE_MS, 0.6)
        self.later(wait)
        self.say("ticket.assignee_changed", assignee_id=self._agent())
        if self.world.chance(0.06):
            self._change("priority", self.random.choice([name for name, _ in PRIORITIES if name != self.priority]))
        if self.world.chance(0.07):
            self._change("group", self.random.choice([name for name in GROUPS if name != self.group]))
        if self.world.chance(0.12):
            self.later(self.random.randint(1, MINUTE_MS))
            self._message("agent", "internal")

    def _first_reply(self) -> None:
        begun = self.book.created_at
        at = max(begun + self.world.first_reply(begun, self.channel, self.priority), self.now + MS)
        first = self.book.first
        if self.world.chance(0.01) and first is not None and self.now < first.due < NEVER:
            at = first.due + self.random.randint(0, 1)  # at the target, which is in time, or a millisecond after it
        self.later(at - self.now)
        self._reply()

    def _conversation(self) -> None:
        """Question and answer, until it is solved."""
        while self.world.chance(0.45):
            if self.world.chance(0.75):
                self._status("pending")
            self.later(self.world.around(10 * MINUTE_MS if self.channel in LIVE else 2 * HOUR_MS))
            self._customer_writes()
            if self.book.status != "open":
                self._status("open")
            if self.world.chance(0.06):
                self._escalate()
            if self.world.chance(0.03):
                self._status("on_hold")
                self.later(self.world.around(3 * HOUR_MS))
                self._status("open")
            if self.world.chance(0.04):
                self._change("priority", "urgent" if self.priority != "urgent" else "high")
            if self.world.chance(0.02):
                self._change("topic", "bug" if self.topic != "bug" else "integration")
            if self.tier == "standard" and self.world.chance(0.02):
                self._change("tier", "premium")
            self.later(self.world.around(3 * MINUTE_MS if self.channel in LIVE else HOUR_MS))
            self._reply()
        self._finish()

    def _finish(self) -> None:
        """Solve it; some come back, some are closed, a few are deleted."""
        if self.world.chance(0.01):
            self._deleted()
        self.later(self.world.around(5 * MINUTE_MS if self.channel in LIVE else 90 * MINUTE_MS))
        self._status("solved")
        draw = self.random.random()
        if draw < 0.05:
            self.later(self.world.around(2 * HOUR_MS))
            self._customer_writes()
            self._status("open")
            self.later(self.world.around(HOUR_MS))
            self._reply()
            self._finish()
        elif draw < 0.3:
            self.later(self.world.around(6 * HOUR_MS))
            self._status("closed")
        elif draw < 0.31:
            self._deleted()

    def _deleted(self) -> None:
        """By mistake, or for good."""
        self.later(self.world.around(10 * MINUTE_MS))
        self._discard("ticket.deleted", "deleted")
        if self.world.chance(0.5):
            self.later(self.world.around(20 * MINUTE_MS))
            self._restore("ticket.restored", "deleted")
        else:
            raise LogEndsError

    # -- steps: the event and its entry in the books ------------------------------------------------------------------------------

    def _message(self, author: str, visibility: str, *, automated: bool = False) -> str:
        self.messages += 1
        name = f"{self.id}-M{self.messages:03d}"
        person = self._agent() if author == "agent" else None
        writer = {"type": author} | ({"id": person} if person else {})
        self.say("message.added", message_id=name, author=writer, visibility=visibility, automated=automated)
        return name

    def _customer_writes(self) -> None:
        self._message("customer", "public")
        self._enter("customer_wrote")

    def _reply(self) -> None:
        """A human's public message; now and then it bounces, and another one is needed."""
        if self.channel == "email" and self.world.chance(0.01):
            name = self._message("agent", "public")
            wait = self.random.randint(MS, BOUNCE_WITHIN_MS)
            if self.now + wait > self.world.end:  # the log ends before anybody knows that it bounced
                self._enter("human_replied")
            self.later(wait)
            self.say("message.bounced", message_id=name)
            self.later(self.world.around(20 * MINUTE_MS))
        self._message("agent", "public")
        self._enter("human_replied")

    def _status(self, status: str) -> None:
        self.say("ticket.status_changed", status=status)
        self._enter("set_status", status)

    def _change(self, field: str, value: str) -> None:
        self.later(self.random.randint(1, 10 * MINUTE_MS))
        setattr(self, field, value)
        kind = "ticket.fields_changed" if field in {"tier", "topic"} else f"ticket.{field}_changed"
        self.tell(kind, {field: value})
        place = FIELD_PLACES[field]
        self._enter("change", (*self.book.dims[:place], value, *self.book.dims[place + 1 :]))

    def _escalate(self) -> None:
        kind = self.random.choice(("functional", "functional", "hierarchical", "automatic"))
        self.say("ticket.escalated", kind=kind, from_tier="first_line", to_tier=SECOND_LINE)
        if self.group != "technical":
            self._change("group", "technical")

    def _discard(self, kind: str, reason: str, **data: Any) -> None:
        self.tell(kind, data)
        self._enter("discard", reason, *data.values())

    def _restore(self, kind: str, reason: str, **data: Any) -> None:
        self.tell(kind, data)
        self._enter("restore", reason)

    def _enter(self, act: str, *content: Any) -> None:
        getattr(self.book, act)(self.now, *content)
        self._accounts.write_down(self.id, self.now, act, *content)

    def _agent(self) -> str:
        return self.random.choice(AGENTS[self.group])
