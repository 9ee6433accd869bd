"""The steps of a ticket: each says an event and enters it in the books, so the totals are known without anybody counting events."""

from __future__ import annotations

from collections import Counter
from typing import Any

from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, MS
from processor.synthetic.accounts import Accounts
from processor.synthetic.clock import Desk
from processor.synthetic.feed import Feed
from processor.synthetic.script import Script
from processor.synthetic.surveying import answer_to
from processor.synthetic.ticket_book import TicketBook
from processor.synthetic.world import AGENTS, GROUP_OF, SECOND_LINE, SOURCE_OF, SURVEYS_SOURCE, World, topic_of

BOUNCE_WITHIN_MS = 30 * MINUTE_MS
FIELD_PLACES = {"priority": 1, "group": 2, "tier": 3, "topic": 4}  # in the dimensions
# How many are asked after a solution, and after how long; half a day is long for logs of a day, so that there are answers in them.
SURVEYS = (("csat", 0.5, 10 * MINUTE_MS), ("ces", 0.08, 30 * MINUTE_MS), ("nps", 0.08, 3 * HOUR_MS), ("fcr", 0.1, 6 * HOUR_MS))
ANSWERED = 0.4  # of those who are asked
CHANGED = 0.06  # of the answers
# The acts on which a story depends: those that decide about its clocks and its status.
OF_THE_STORY = frozenset({"create", "adopt", "customer_wrote", "sent", "set_status", "change", "discard", "restore"})


class TicketSteps(Script):
    """A ticket as far as it has come. `again` is an earlier one, about which its requester comes back."""

    topic: str
    begun_at: int

    def __init__(self, world: World, desk: Desk, feed: Feed, number: int, accounts: Accounts, again: TicketSteps | None) -> None:
        now = world.soon_after(again.begun_at, 7 * HOUR_MS) if again is not None else None
        self.again: TicketSteps | None = again if now is not None else None
        now = world.arrival() if now is None else now
        self.channel = world.channel.pick(world.random)
        super().__init__(world, feed, id_field="ticket_id", id=f"T-{number:07d}", source=SOURCE_OF[self.channel], now=now)
        self.topic = self.again.topic if self.again is not None else topic_of(world, now)
        self.group = GROUP_OF[self.topic]
        self.priority = world.priority.pick(world.random)
        self.tier = world.tier.pick(world.random)
        self.language = world.language.pick(world.random)
        self.product = world.product.pick(world.random)
        self.requester: str | None = world.person()
        if self.again is not None and self.again.requester is not None:
            self.requester = self.again.requester
        elif world.chance(0.03):
            self.requester = None  # nobody knows yet
        self.begun_at = now
        self.messages = 0
        self.replies = 0
        self.book = TicketBook(desk, Counter())  # as far as this story knows; the accounts know what others do to the ticket
        self._accounts = accounts

    # -- what is said --------------------------------------------------------------------------------------------------------------

    def message(self, author: str, visibility: str, *, automated: bool = False) -> str:
        """A message, of which nothing is entered yet."""
        self.messages += 1
        name = f"{self.id}-M{self.messages:03d}"
        person = self.agent() if author == "agent" else self.requester if author == "customer" else None
        writer = {"type": author} | ({"id": person} if person else {})
        self.say("message.added", message_id=name, author=writer, visibility=visibility, automated=automated)
        return name

    def note(self) -> None:
        """Agents among themselves."""
        self.message("agent", "internal")
        self.enter("noted")

    def machine_writes(self, author: str, *, automated: bool = False) -> None:
        """A message to the customer that is no human's."""
        self.message(author, "public", automated=automated)
        self.enter("sent", False)

    def customer_writes(self) -> None:
        """A message of the customer."""
        self.message("customer", "public")
        self.enter("customer_wrote")

    def reply(self) -> None:
        """A human's public message; now and then it bounces, and another one is needed."""
        if self.channel == "email" and self.world.chance(0.01):
            name = self.message("agent", "public")
            wait = self.random.randint(MS, BOUNCE_WITHIN_MS)
            if self.now + wait > self.world.end:  # the log ends before anybody knows that it bounced
                self.enter("sent", True)
            else:
                self.enter("noted")
            self.later(wait)
            self.say("message.bounced", message_id=name)
            self.later(self.world.around(20 * MINUTE_MS))
        self.message("agent", "public")
        self.enter("sent", True)
        self.replies += 1
        if self.world.chance(0.2):
            self._log_work()

    # -- what changes --------------------------------------------------------------------------------------------------------------

    def status(self, status: str, *, reason: str | None = None, marked: bool | None = None) -> None:
        """Another status; at a solution, what the agent says about the first contact."""
        more = {"reason": reason} if reason else {}
        self.tell("ticket.status_changed", {"status": status, **more} | ({"first_contact_resolved": marked} if marked is not None else {}))
        self.enter("set_status", status, reason, marked)

    def change(self, field: str, value: str) -> None:
        """Priority, group, tier or topic."""
        self.later(self.random.randint(1, 10 * MINUTE_MS))
        setattr(self, field, value)
        kind = "ticket.fields_changed" if field in {"tier", "topic"} else f"ticket.{field}_changed"
        self.tell(kind, {field: value})
        place = FIELD_PLACES[field]
        self.enter("change", (*self.book.dims[:place], value, *self.book.dims[place + 1 :]))

    def assign(self, *, early_ms: int = 0) -> None:
        """Somebody of the group has it."""
        self.tell("ticket.assignee_changed", {"assignee_id": self.agent()}, early_ms=early_ms)

    def identify(self) -> None:
        """It turns out who wrote."""
        self.requester = self.world.person()
        self.say("ticket.fields_changed", requester_id=self.requester)
        self.enter("identify", self.requester)

    def escalate(self) -> None:
        """Others have to help."""
        kind = self.random.choice(("functional", "functional", "hierarchical", "automatic"))
        self.say("ticket.escalated", kind=kind, from_tier="first_line", to_tier=SECOND_LINE)
        self.enter("escalate", kind)
        if self.group != "technical":
            self.change("group", "technical")

    def bot(self, what: str) -> None:
        """A bot began, gave up, or was enough."""
        self.say(f"bot.{what}")
        self.enter({"started": "bot_start", "handed_off": "bot_hand_off", "resolved": "bot_resolve"}[what])

    def discard(self, kind: str, reason: str, **data: Any) -> None:
        """Out of the population."""
        self.tell(kind, data)
        self.enter("discard", reason, *data.values())

    def restore(self, kind: str, reason: str, **data: Any) -> None:
        """Back again."""
        self.tell(kind, data)
        self.enter("restore", reason)

    # -- what goes on beside the story ----------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Some customers are asked after a solution, some of them answer, and some of these change their minds."""
        for survey, asked, median_ms in SURVEYS:
            if not self.world.chance(asked):
                continue
            at = self.now + self.world.around(median_ms)
            scale = (1, 10) if survey == "csat" and self.channel == "phone" else None
            if not self._survey(at, "survey.sent", survey, "ask"):
                continue
            answers = 0 if not self.world.chance(ANSWERED) else 2 if self.world.chance(CHANGED) else 1
            for _ in range(answers):
                at += min(self.world.around(40 * MINUTE_MS), DAY_MS)
                answer = answer_to(self.world, survey, scale, happy=self.replies < 3)
                self._survey(at, "survey.responded", survey, "hear", **answer)

    def _survey(self, at: int, event: str, survey: str, act: str, **answer: Any) -> bool:
        if at > self.world.end:
            return False
        respondent = {"respondent_id": self.requester} if self.requester else {}
        said = {name: value for name, value in answer.items() if not name.startswith("scale_") or answer["told_scale"]}
        said.pop("told_scale", None)
        self.tell_at(at, event, {"survey_id": f"{survey}-after-solution", "survey": survey, **respondent, **said}, source=SURVEYS_SOURCE)
        content = (self.requester, answer["score"], answer["scale_min"], answer["scale_max"]) if answer else ()
        self._accounts.write_down(self.id, at, act, survey, *content)
        return True

    def _log_work(self) -> None:
        seconds = self.random.randint(20, 1500)
        self.say("work.logged", seconds=seconds, agent_id=self.agent())
        self.enter("log_work", seconds * MS)

    def enter(self, act: str, *content: Any) -> None:
        """Put down an act of now."""
        if act in OF_THE_STORY:
            getattr(self.book, act)(self.now, *content)
        self._accounts.write_down(self.id, self.now, act, *content)

    def agent(self) -> str:
        """Somebody of the group."""
        return self.random.choice(AGENTS[self.group])
