"""Tickets: written, acknowledged by a bot, assigned, answered, waiting, solved, reopened; spam, merged, deleted and brought back.

The stories; each step says an event and enters it in the books, see `ticket_steps`.
"""

from __future__ import annotations

from contextlib import suppress

from processor.core.business_hours import NEVER
from processor.core.settings import HOUR_MS, MINUTE_MS, MS, NONE
from processor.synthetic.accounts import Accounts
from processor.synthetic.clock import Desk
from processor.synthetic.feed import Feed
from processor.synthetic.script import LogEndsError
from processor.synthetic.ticket_steps import TicketSteps
from processor.synthetic.world import GROUPS, PRIORITIES, World

LOOKS = 60  # at other tickets, for one that says the same
LIVE = frozenset({"chat", "messaging", "phone"})
FOLLOWS_UP = 0.3  # of those who come back, with a reference to the ticket that they had


class TicketScript(TicketSteps):
    """One ticket, from its first event to its last or to the end of the log."""

    def __init__(
        self, world: World, desk: Desk, feed: Feed, number: int, accounts: Accounts, told: list[TicketScript],
        again: TicketScript | None = None,
    ) -> None:  # fmt: skip
        super().__init__(world, desk, feed, number, accounts, again)
        self.merged_at = NEVER
        self._told = told  # the tickets of which all is known already
        self._asked = False

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
            if self._greeting():
                return
            if draw < 0.06:
                self._spam()
            elif draw < 0.085 and self._told:
                self._merged()
            elif draw < 0.115:
                self._solved_without_a_word()
            elif draw < 0.125:
                self._withdrawn()
            else:
                self._handled()

    def _adopted(self) -> None:
        """It began before the log did."""
        self.enter("adopt")
        self.assign()
        self.enter("assign")
        self.later(self.world.around(HOUR_MS))
        self.reply()
        self._conversation()

    def _proactive(self) -> None:
        """We write first. Nobody waits until the customer answers, and often that is all."""
        self._create("outbound")
        self.message("agent", "public")  # before the customer wrote: a reply to nothing
        self.enter("sent", True)
        if self.world.chance(0.4):
            self.later(self.world.around(3 * HOUR_MS))
            self.customer_writes()
            self.later(self.world.first_reply(self.now, self.channel, self.priority))
            self.reply()
        self._finish()

    def _create(self, direction: str) -> None:
        dims = (self.channel, self.priority, self.group, self.tier, self.topic, NONE, self.language, self.product, NONE)
        status = "new" if direction == "inbound" else "open"
        early = self.world.chance(0.02)
        if early:  # another subsystem's clock is a moment behind
            self.assign(early_ms=self.random.randint(1, 3 * MS))
        follows = self.again.id if self.again is not None and self.world.chance(FOLLOWS_UP) else None
        who = {name: value for name, value in (("requester_id", self.requester), ("follow_up_of", follows)) if value}
        self.say("ticket.created", channel=self.channel, status=status, priority=self.priority, direction=direction, topic=self.topic,
                 group=self.group, tier=self.tier, language=self.language, product=self.product, **who)  # fmt: skip
        self.enter("create", dims, status, direction == "inbound", self.requester, follows)
        if early:
            self.enter("assign")

    def _greeting(self) -> bool:
        """What machines do with a new ticket: none of it is a response. Returns whether a bot was enough, so that the story is over."""
        if self.channel in {"email", "web"} and self.world.chance(0.7):
            self.later(self.random.randint(200, 4 * MS))
            self.machine_writes("bot", automated=True)
        elif self.channel in LIVE and self.world.chance(0.35):
            self.later(self.random.randint(200, 2 * MS))
            self.bot("started")
            self.machine_writes("ai_agent")
            return self._bot_answers()
        return False

    def _bot_answers(self) -> bool:
        draw = self.random.random()
        self.later(self.world.around(30 * MS))
        if draw < 0.2:
            self.bot("resolved")
            self._solve()
            if self.world.chance(0.1):  # it was not enough after all
                self.later(self.world.around(HOUR_MS))
                self._comes_back()
            return True
        if draw < 0.85:
            self.bot("handed_off")
        return False

    # -- ways to go ---------------------------------------------------------------------------------------------------------------

    def _spam(self) -> None:
        self.later(self.world.around(20 * MINUTE_MS))
        self.discard("ticket.marked_as_spam", "spam")
        if self.world.chance(0.15):
            self.later(self.world.around(HOUR_MS))
            self.restore("ticket.unmarked_as_spam", "spam")
            self._handled()

    def _merged(self) -> None:
        self.later(self.world.around(30 * MINUTE_MS))
        duplicate = self._duplicate()
        if duplicate is None:
            self._handled()
            return
        target = duplicate.id
        self.merged_at = self.now
        self.discard("ticket.merged", "merged", merged_into=target)
        if self.world.chance(0.2):
            self.later(self.world.around(HOUR_MS))
            self.merged_at = NEVER
            self.restore("ticket.unmerged", "merged", merged_into=target)
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
        self.status("solved")
        if self.world.chance(0.25):
            self.later(self.world.around(HOUR_MS))
            self._comes_back()

    def _withdrawn(self) -> None:
        """The customer no longer asks."""
        self.later(self.world.around(20 * MINUTE_MS))
        self.status("solved", reason="withdrawn")

    def _comes_back(self) -> None:
        """The customer writes about what was solved, and it is not."""
        self.customer_writes()
        self.status("open")
        self.later(self.world.around(HOUR_MS))
        self.reply()
        self._finish()

    def _handled(self) -> None:
        self._triage()
        self._first_reply()
        self._conversation()

    def _triage(self) -> None:
        wait = self.world.around(20 * MS if self.channel in LIVE else 12 * MINUTE_MS, 0.6)
        self.later(wait)
        self.assign()
        self.enter("assign")
        if self.requester is None and self.world.chance(0.5):
            self.identify()
        if self.world.chance(0.06):
            self.change("priority", self.random.choice([name for name, _ in PRIORITIES if name != self.priority]))
        if self.world.chance(0.07):
            self.change("group", self.random.choice([name for name in GROUPS if name != self.group]))
        if self.world.chance(0.12):
            self.later(self.random.randint(1, MINUTE_MS))
            self.note()

    def _first_reply(self) -> None:
        begun = self.book.created_at
        at = max(begun + self.world.first_reply(begun, self.channel, self.priority), self.now + MS)
        first = self.book.first
        if self.world.chance(0.01) and first is not None and self.now < first.due < NEVER:
            at = first.due + self.random.randint(0, 1)  # at the target, which is in time, or a millisecond after it
        self.later(at - self.now)
        self.reply()

    def _conversation(self) -> None:
        """Question and answer, until it is solved."""
        while self.world.chance(0.45):
            if self.world.chance(0.75):
                self.status("pending")
            self.later(self.world.around(10 * MINUTE_MS if self.channel in LIVE else 2 * HOUR_MS))
            self.customer_writes()
            if self.book.status != "open":
                self.status("open")
            if self.world.chance(0.06):
                self.escalate()
            if self.world.chance(0.03):
                self.status("on_hold")
                self.later(self.world.around(3 * HOUR_MS))
                self.status("open")
            if self.world.chance(0.04):
                self.change("priority", "urgent" if self.priority != "urgent" else "high")
            if self.world.chance(0.02):
                self.change("topic", "bug" if self.topic != "bug" else "integration")
            if self.tier == "standard" and self.world.chance(0.02):
                self.change("tier", "premium")
            self.later(self.world.around(3 * MINUTE_MS if self.channel in LIVE else HOUR_MS))
            self.reply()
        self._finish()

    def _finish(self) -> None:
        """Solve it; some come back, some are closed, a few are deleted."""
        if self.world.chance(0.01):
            self._deleted()
        self.later(self.world.around(5 * MINUTE_MS if self.channel in LIVE else 90 * MINUTE_MS))
        self._solve()
        draw = self.random.random()
        if draw < 0.05:
            self.later(self.world.around(2 * HOUR_MS))
            self._comes_back()
        elif draw < 0.07:
            self._thanks()
        elif draw < 0.3:
            self.later(self.world.around(6 * HOUR_MS))
            self.status("closed", reason="auto_close")
        elif draw < 0.31:
            self._deleted()

    def _solve(self) -> None:
        """Sometimes the agent says whether the first contact was enough; the customer is asked once."""
        marked = (self.replies <= 1) is self.world.chance(0.93) if self.world.chance(0.5) else None
        self.status("solved", marked=marked)
        if self.book.eligible and not self._asked:
            self._asked = True
            self.ask()

    def _thanks(self) -> None:
        """The customer says "thank you", which reopens it; nobody has to reply."""
        self.later(self.world.around(40 * MINUTE_MS))
        self.customer_writes()
        self.status("open")
        self.later(self.world.around(15 * MINUTE_MS))
        self.status("solved")

    def _deleted(self) -> None:
        """By mistake, or for good."""
        self.later(self.world.around(10 * MINUTE_MS))
        self.discard("ticket.deleted", "deleted")
        if self.world.chance(0.5):
            self.later(self.world.around(20 * MINUTE_MS))
            self.restore("ticket.restored", "deleted")
        else:
            raise LogEndsError
