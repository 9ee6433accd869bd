"""Calls and chats: menu or bot, queue, agent, another queue; or the customer leaves, on either side of the short threshold."""

from __future__ import annotations

from contextlib import suppress

from processor.core.business_hours import NEVER
from processor.core.settings import HOUR_MS, MINUTE_MS, MS
from processor.synthetic.accounts import Accounts
from processor.synthetic.books import Totals
from processor.synthetic.clock import Desk
from processor.synthetic.contact_book import ContactBook
from processor.synthetic.feed import Feed
from processor.synthetic.person_book import CONTACT
from processor.synthetic.script import LogEndsError, Script
from processor.synthetic.tickets import TicketScript
from processor.synthetic.world import AGENTS, GROUP_OF, QUEUE_OF, SECOND_LINE, SOURCE_OF, SURGE_SLOWER, World, in_surge, topic_of

WAIT_MEDIAN = {"phone": 11 * MS, "chat": 35 * MS}
PATIENCE_MS = {"phone": 150 * MS, "chat": 240 * MS}


class ContactScript(Script):
    """One contact, from its first event to its last or to the end of the log.

    `about` is the ticket that it names; `after`, one whose requester calls again about the same, without naming it.
    """

    def __init__(
        self, world: World, desk: Desk, feed: Feed, number: int, totals: Totals, accounts: Accounts,
        about: TicketScript | None = None, after: TicketScript | None = None,
    ) -> None:  # fmt: skip
        self.channel = world.contact_channel.pick(world.random)
        again = world.soon_after(after.begun_at, 8 * HOUR_MS) if after is not None else None
        now = self._near(world, about.begun_at) if about is not None else again or world.arrival()
        super().__init__(world, feed, id_field="contact_id", id=f"C-{number:07d}", source=SOURCE_OF[self.channel], now=now)
        self.topic = after.topic if after is not None and again else topic_of(world, now)
        self.queue = QUEUE_OF[self.channel]
        self.desk = desk
        self._accounts = accounts
        self._ticket = about.id if about else None
        earlier = about or (after if again else None)
        requester = (earlier.requester if earlier else None) or world.person()
        self.entry = {"channel": self.channel, "topic": self.topic, "requester_id": requester}
        if about:
            self.entry["ticket_id"] = about.id
        else:
            accounts.write_down_person(requester, now, "begin", f"{CONTACT}{self.id}", self.topic, now)
        self.book = ContactBook(desk, totals, self.channel, self.topic)

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
            draw = self.random.random()
            if draw < 0.05:  # leaves in the menu: never offered
                self.say("contact.ended", outcome="dropped")
                self.book.drop(self.now)
            elif draw < 0.065:
                self.say("contact.ended", outcome="out_of_hours")
                self.book.flow_out(self.now, "out_of_hours")
            elif draw < 0.17:
                self._accept()
                self._talk()
            elif self.channel == "phone" or self.world.chance(0.6) or not self._bot():
                self._queue()

    def _bot(self) -> bool:
        """A bot answers first; whether that was enough."""
        self.say("bot.started")
        self.book.totals["support_contacts_bot_started_total"] += 1
        self.later(self.world.around(MINUTE_MS))
        if self.world.chance(0.3):
            self.say("bot.resolved")
            self.book.totals["support_contacts_bot_contained_total"] += 1
            self.later(self.world.around(20 * MS))
            self.say("contact.ended", outcome="handled")
            return True
        self.say("bot.handed_off")
        return False

    def _queue(self) -> None:
        self.tell("contact.queued", self.entry | {"queue": self.queue})
        self.book.wait(self.now, self.queue)
        draw = self.random.random()
        if draw < 0.03:
            self._leave_about_the_threshold()
        elif draw < 0.045:
            self._callback()
        elif draw < 0.065:
            outcome = "voicemail" if draw < 0.06 else "rejected"
            self.later(self.world.around(60 * MS))
            self.say("contact.ended", outcome=outcome)
            self.book.flow_out(self.now, outcome)
        else:
            if draw < 0.08:
                self.later(self.world.around(15 * MS))
                self._transfer()
            self._wait()

    def _callback(self) -> None:
        """Rather be called than wait; not everybody is called."""
        self.later(self.world.around(40 * MS))
        self.say("contact.callback_requested", reason="offered")
        self.book.flow_out(self.now, "callback")
        if self.world.chance(0.6):
            self.later(self.world.around(25 * MINUTE_MS))
            self.say("contact.accepted", agent_id=self._agent())
            self.book.call_back(self.now)
            self._answers()
            self._talk()

    def _leave_about_the_threshold(self) -> None:
        """Hangs up at once, or exactly at the threshold, or a millisecond after it."""
        threshold = self.desk.short_abandon(self.channel)
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
        self._accept(self._ring(wait))
        self._talk()

    def _ring(self, wait: int) -> str:
        """Let an agent's phone ring; now and then nobody picks up the first time. Returns who does then."""
        begun, agent = self.now, self._agent()
        if wait > 6 * MS and self.world.chance(0.08):
            self.later(wait // 3)
            self.say("contact.offered", agent_id=agent)
            self.book.ring()
            self.later(wait // 3)
            self.say("contact.missed", agent_id=agent)
            self.book.ring_out()
            agent = self._agent()
        if wait > 3 * MS:
            self.later(max(begun + wait - 2 * MS - self.now, 0))
            self.say("contact.offered", agent_id=agent)
            self.book.ring()
        self.later(begun + wait - self.now)
        return agent

    def _accept(self, agent: str | None = None) -> None:
        self.say("contact.accepted", agent_id=agent or self._agent())
        known = self.book.answered_after
        self.book.accept(self.now)
        if known is None:
            self._answers()

    def _answers(self) -> None:
        """An agent and the customer speak for the first time, which answers the ticket that it is about."""
        if self.book.answered_after is not None and self._ticket is not None:
            self._accounts.write_down(self._ticket, self.now, "answered_by_contact", self.book.answered_after)

    def _abandon(self) -> None:
        silently = self.channel in self.desk.settings.silent_abandon_channels and not self.book.settled and self.world.chance(0.3)
        if silently:
            self.say("contact.ended", outcome="dropped")
        else:
            self.say("contact.abandoned")
        self.book.abandon(self.now, silently=silently)

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
        outcome = "handled" if self.world.chance(0.98) else "dropped"
        self.say("contact.ended", talk_seconds=max(talk, 0), hold_seconds=hold, outcome=outcome)
        if outcome == "dropped":
            self.book.drop(self.now)
        self.book.handle(self.now, max(talk, 0) * MS, hold * MS)
        wrap_up = self.world.around(35 * MS) // MS
        self.later(wrap_up * MS)
        self.say("contact.wrapped_up", wrap_up_seconds=wrap_up)
        self.book.wrap_up = wrap_up * MS

    def _agent(self) -> str:
        return self.random.choice(AGENTS[GROUP_OF[self.topic]])
