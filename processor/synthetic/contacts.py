"""Calls and chats: the menu, the queue, the agent, another queue; or the customer leaves, on either side of the short threshold."""

from __future__ import annotations

from contextlib import suppress

from processor.core.business_hours import NEVER
from processor.core.settings import MINUTE_MS, MS
from processor.synthetic.accounts import Accounts
from processor.synthetic.books import ContactBook, Totals
from processor.synthetic.clock import Desk
from processor.synthetic.feed import Feed
from processor.synthetic.script import LogEndsError, Script
from processor.synthetic.tickets import TicketScript
from processor.synthetic.world import AGENTS, GROUP_OF, QUEUE_OF, SECOND_LINE, SOURCE_OF, SURGE_SLOWER, World, in_surge

WAIT_MEDIAN = {"phone": 11 * MS, "chat": 35 * MS}
PATIENCE_MS = {"phone": 150 * MS, "chat": 240 * MS}


class ContactScript(Script):
    """One contact, from its first event to its last or to the end of the log."""

    def __init__(
        self, world: World, desk: Desk, feed: Feed, number: int, totals: Totals, accounts: Accounts, about: TicketScript | None
    ) -> None:
        self.channel = world.contact_channel.pick(world.random)
        now = world.arrival() if about is None else self._near(world, about.begun_at)
        ticket = about.id if about else None
        super().__init__(world, feed, id_field="contact_id", id=f"C-{number:07d}", source=SOURCE_OF[self.channel], now=now)
        self.topic = "outage" if in_surge(now) and world.chance(0.7) else world.topic.pick(world.random)
        self.queue = QUEUE_OF[self.channel]
        self.desk = desk
        self.entry = {"channel": self.channel, "topic": self.topic} | ({"ticket_id": ticket} if ticket else {})
        self.book = ContactBook(desk, totals, self.channel, self.topic)
        self._accounts = accounts
        self._ticket = ticket

    @staticmethod
    def _near(world: World, begun: int) -> int:
        """When somebody calls about a ticket: after having written, or while an agent is going to write it."""
        at = begun + world.around(15 * MINUTE_MS) if world.chance(0.6) else begun - world.around(45 * MS)
        return min(max(at, world.start), world.end - 1)

    def play(self) -> None:
        """Live it through."""
        with suppress(LogEndsError):
            self.tell("contact.initiated", self.entry)
            self.later(self.world.around(9 * MS, 0.5))
            if self.world.chance(0.06):  # leaves in the menu: never offered
                self.say("contact.ended", outcome="dropped")
                self.book.leave(self.now)
            elif self.world.chance(0.12):
                self._accept()
                self._talk()
            else:
                self._queue()

    def _queue(self) -> None:
        self.tell("contact.queued", self.entry | {"queue": self.queue})
        self.book.wait(self.now, self.queue)
        draw = self.random.random()
        if draw < 0.03:
            self._leave_about_the_threshold()
        elif draw < 0.045:
            self.later(self.world.around(40 * MS))
            self.say("contact.callback_requested", reason="offered")
            self.book.leave(self.now)
        elif draw < 0.06:
            self.later(self.world.around(60 * MS))
            self.say("contact.ended", outcome="voicemail")
            self.book.leave(self.now)
        else:
            if draw < 0.08:
                self.later(self.world.around(15 * MS))
                self._transfer()
            self._wait()

    def _leave_about_the_threshold(self) -> None:
        """Hangs up at once, or exactly at the threshold, or a millisecond after it."""
        limits = self.desk.settings.short_abandon
        threshold = limits.get(self.channel, limits.get("default", 0))
        moments = (threshold, threshold + 1, self.random.randint(0, 2 * threshold))
        self.later(self.random.choice(moments))
        self._abandon()

    def _wait(self) -> None:
        median = WAIT_MEDIAN[self.channel] * (SURGE_SLOWER if in_surge(self.now) else 1)
        wait = self.world.around(median, 0.9)
        patience = int(self.random.expovariate(1 / PATIENCE_MS[self.channel]))
        if patience < wait:
            self.later(patience)
            self._abandon()
            return
        leg = self.book.leg
        if self.world.chance(0.005) and leg is not None and leg.due != NEVER:
            wait = leg.due - self.now + self.random.randint(0, 1)  # at the target, which is in time, or a millisecond after it
        self._ring(wait)
        self._accept()
        self._talk()

    def _ring(self, wait: int) -> None:
        """Let an agent's phone ring; now and then nobody picks up the first time."""
        begun = self.now
        if wait > 6 * MS and self.world.chance(0.08):
            agent = self._agent()
            self.later(wait // 3)
            self.say("contact.offered", agent_id=agent)
            self.later(wait // 3)
            self.say("contact.missed", agent_id=agent)
        self.later(begun + wait - self.now)

    def _accept(self) -> None:
        self.say("contact.accepted", agent_id=self._agent())
        known = self.book.answered_after
        self.book.accept(self.now)
        if known is None and self.book.answered_after is not None and self._ticket is not None:
            self._accounts.write_down(self._ticket, self.now, "answered_by_contact", self.book.answered_after)

    def _abandon(self) -> None:
        self.say("contact.abandoned")
        self.book.abandon(self.now)

    def _transfer(self) -> None:
        self.queue = QUEUE_OF[self.channel] if self.queue == SECOND_LINE else SECOND_LINE
        self.say("contact.transferred", queue=self.queue)
        self.book.wait(self.now, self.queue)

    def _talk(self) -> None:
        begun = self.now
        hold = 0
        self.later(self.world.around(4 * MINUTE_MS))
        if self.world.chance(0.07):
            self._transfer()
            begun = self.later(self.world.around(WAIT_MEDIAN[self.channel]))
            if self.world.chance(0.1):  # answered before: no abandonment any more
                self._abandon()
                return
            self._accept()
            self.later(self.world.around(3 * MINUTE_MS))
        if self.world.chance(0.2):
            hold = self.world.around(40 * MS) // MS
            self.later(hold * MS)
        talk = (self.now - begun) // MS - hold
        self.say("contact.ended", talk_seconds=max(talk, 0), hold_seconds=hold, outcome="handled")
        self.book.leave(self.now)
        wrap_up = self.world.around(35 * MS) // MS
        self.later(wrap_up * MS)
        self.say("contact.wrapped_up", wrap_up_seconds=wrap_up)

    def _agent(self) -> str:
        return self.random.choice(AGENTS[GROUP_OF[self.topic]])
